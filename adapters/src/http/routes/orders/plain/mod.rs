//! Orders for people whose browser runs no script: a form, and a page that shows where an order is and looks again by
//! itself.
//!
//! A browser may be made to send a form by any site's page, so what is sent here must say that it comes from one of ours
//! ([`from_own_page`]), and bring the key that the form was given: sent twice, it is one order.

mod page;
mod words;

use hyper::{
    StatusCode,
    header::{HOST, HeaderValue, ORIGIN, REFERER},
};
use woody_core::{
    domain::{IdempotencyKey, OrderId, ToyOrder},
    services::OrderRequest,
};

use self::{
    page::{Filled, Shown},
    words::Words,
};
use super::api::{OrderApi, cancelled_by};
use crate::http::{
    request::{RoutedRequest, query},
    response::{Failure, FailureKind, Response, reply},
};

/// Shows a form to order by, which may be filled in already.
pub(super) fn form<A>(request: &RoutedRequest<A>) -> Result<Response, Failure> {
    let [product, quantity, lang] = request.query(["product", "quantity", "lang"])?;
    let filled = Filled {
        product: product.unwrap_or_default().into_owned(),
        quantity: quantity.map_or_else(|| "1".to_owned(), Into::into),
        key: fresh_key(),
    };
    Ok(page::form(Words::of(request.headers(), lang.as_deref()), &filled, None, StatusCode::OK))
}

/// Places the order that a form asks for, and leads to its page. Without a key it is shown once more, with one.
pub(super) async fn place<A>(
    api: &OrderApi<ToyOrder>,
    request: &RoutedRequest<A>,
) -> Result<Response, Failure> {
    from_own_page(request)?;
    let [product, quantity, key, lang] = request.form(["product", "quantity", "key", "lang"])?;
    let words = Words::of(request.headers(), lang.as_deref());
    let key = key.filter(|key| !key.is_empty());
    let is_sure = key.is_some();
    let mut filled = Filled {
        product: product.unwrap_or_default().into_owned(),
        quantity: quantity.unwrap_or_default().into_owned(),
        key: key.map_or_else(fresh_key, Into::into),
    };
    if !is_sure {
        return Ok(page::form(words, &filled, Some(words.say("plain.confirm")), StatusCode::OK));
    }
    let failure = match accept(api, &filled, request).await {
        Ok(id) => return led_to(id, request, words),
        Err(failure) => failure,
    };
    if failure.kind() == FailureKind::KeyReused {
        filled.key = fresh_key();
    }
    let said = words.problem(&failure);
    let response = page::form(words, &filled, Some(said), failure.kind().status());
    Ok(reply::noting(response, failure))
}

async fn accept<A>(
    api: &OrderApi<ToyOrder>,
    filled: &Filled,
    request: &RoutedRequest<A>,
) -> Result<OrderId, Failure> {
    let quantity = query::number(filled.quantity.trim(), "quantity")?;
    let details = ToyOrder::parse(&filled.product, quantity)?;
    let key = Some(request.own(IdempotencyKey::parse(&filled.key)?));
    let order = OrderRequest { key, ..details.into() };
    Ok(api.accept(request, order).await?.order.id)
}

/// Shows where an order is.
pub(super) async fn show<A>(
    api: &OrderApi<ToyOrder>,
    request: &RoutedRequest<A>,
) -> Result<Response, Failure> {
    let [_, lang] = request.query(["plain", "lang"])?;
    let words = Words::of(request.headers(), lang.as_deref());
    let Ok(id) = OrderId::parse(request.variable()) else {
        return Ok(page::order(words, None, Shown::Malformed));
    };
    Ok(match api.tracker.order(id).await {
        Ok(Some(order)) => page::order(words, Some(id), Shown::Order(&order)),
        Ok(None) => page::order(words, Some(id), Shown::Unknown),
        Err(error) => {
            let failure = Failure::from(error);
            let shown = Shown::Away(failure.kind().status());
            reply::noting(page::order(words, Some(id), shown), failure)
        }
    })
}

/// Cancels an order, and leads to its page, which shows what has become of it.
pub(super) async fn cancel<A>(
    api: &OrderApi<ToyOrder>,
    request: &RoutedRequest<A>,
) -> Result<Response, Failure> {
    from_own_page(request)?;
    let [lang] = request.form(["lang"])?;
    let words = Words::of(request.headers(), lang.as_deref());
    let id = OrderId::parse(request.variable())?;
    match api.intake.cancel(id, cancelled_by(request)).await {
        Ok(_) => led_to(id, request, words),
        Err(error) => {
            let failure = Failure::from(error);
            let shown = Shown::Away(failure.kind().status());
            Ok(reply::noting(page::order(words, Some(id), shown), failure))
        }
    }
}

fn led_to<A>(id: OrderId, request: &RoutedRequest<A>, words: &Words) -> Result<Response, Failure> {
    let location = format!("{}/orders/{id}?plain&lang={}", request.prefix(), words.tag());
    Ok(reply::see_other(HeaderValue::from_str(&location).map_err(Failure::internal)?))
}

/// A key that no other form has.
fn fresh_key() -> String {
    OrderId::fresh().to_string()
}

/// Refuses a form that does not say which page it comes from. What says that it comes from another site's is refused by the
/// boundary; that one takes silence for a program, since a page cannot send JSON elsewhere without being asked for it first. A
/// form it can.
fn from_own_page<A>(request: &RoutedRequest<A>) -> Result<(), Failure> {
    let headers = request.headers();
    if headers.contains_key("sec-fetch-site") || headers.contains_key(ORIGIN) {
        return Ok(());
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (_, rest) = text(REFERER).and_then(|page| page.split_once("://")).unwrap_or_default();
    let site = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match text(HOST) {
        Some(host) if host.eq_ignore_ascii_case(site) => Ok(()),
        _ => Err(Failure::new(
            FailureKind::ForeignOrigin,
            "This form does not say that it comes from a page of this shop. Programs use POST /api/orders.",
        )),
    }
}
