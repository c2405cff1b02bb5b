//! The OpenAPI document. Its schemas come from the types that are sent; a test
//! holds its paths against the route tables.

mod access;
mod info;
mod operations;
mod orders;
mod pages;
mod plan;
mod rate;
mod words;

use std::sync::LazyLock;

use utoipa::{
    OpenApi as _,
    openapi::{OpenApi, tag::TagBuilder},
};

use super::{dto, file::File};
use crate::http::response::{Problem, reply};
use info::described;
pub(super) use info::info;
use orders::OrderInBatch;
pub use orders::{OrderState, OrderWord, ToyOrderView};
pub(super) use orders::{of_orders, order_schemas, served_at};
pub use plan::HeavyView;
use words::RateLimited;

/// Collects the schemas, those that they refer to included.
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(
    Problem,
    RateLimited,
    HeavyView,
    dto::ProductToAdd,
    dto::ProductView,
    dto::ProductPage,
    dto::OrderToPlace,
    dto::OrderReceipt,
    dto::PlacedItem,
    OrderInBatch,
    ToyOrderView,
)))]
struct Schemas;

/// The routes of all services, as OpenAPI 3.1.
pub fn openapi() -> OpenApi {
    let tag =
        |name: &str, about: &str| TagBuilder::new().name(name).description(Some(about)).build();
    described("WoodyToys", ABOUT)
        .paths(rate::limited(access::guarded(operations::paths())))
        .components(Some(access::with_scheme(Schemas::openapi().components)))
        .tags(Some([
            tag("orders", "Orders are accepted now and validated later."),
            tag("products", "What the shop sells."),
            tag("misc", "The workshop and the clock."),
            tag("front", "The shop's page."),
        ]))
        .build()
}

const ABOUT: &str = "A shop of wooden toys. An order is accepted at once, durably; \
    its cutting is then planned in the background, and the order succeeds or is rejected.\n\n\
    The routes of the original system answer text, errors included; a `GET` of these that \
    changes state is not for browsers and may be switched off. The others answer JSON, and \
    errors as problems (RFC 9457). Every answer carries `X-Request-Id`.";

/// The document, written once.
pub(super) fn document() -> &'static File {
    static DOCUMENT: LazyLock<File> = LazyLock::new(|| {
        // A document of strings: serialising it cannot fail.
        let written = serde_json::to_vec(&openapi()).unwrap_or_default();
        File::new(reply::JSON, written.into())
    });
    &DOCUMENT
}
