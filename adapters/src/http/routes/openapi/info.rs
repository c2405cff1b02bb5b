//! What every document says of itself.

use utoipa::openapi::{
    Info, InfoBuilder, License, OpenApiBuilder, SecurityRequirement, Server, info::ContactBuilder,
};

/// A document that says what it is of, whose it is, and that nobody has to prove who they are unless an operation
/// says so.
pub(super) fn described(title: &str, about: &str) -> OpenApiBuilder {
    OpenApiBuilder::new()
        .info(info(title, about))
        .servers(Some([Server::new("/")]))
        .security(Some([SecurityRequirement::default()]))
}

/// What every document says of itself.
pub(in crate::http::routes) fn info(title: &str, about: &str) -> Info {
    let mut license = License::new("MIT OR Apache-2.0");
    license.identifier = Some("MIT OR Apache-2.0".to_owned());
    let contact =
        ContactBuilder::new().name(Some("WoodyToys")).url(Some(env!("CARGO_PKG_REPOSITORY")));
    InfoBuilder::new()
        .title(title)
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(about))
        .license(Some(license))
        .contact(Some(contact.build()))
        .build()
}
