//! What the documents say of keys: which scope each operation wants, where the shop's clients have keys.

use serde_json::Value;
use utoipa::openapi::{
    Components, Content, HttpMethod, Paths, RefOr, ResponseBuilder, SecurityRequirement,
    path::Operation,
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use super::words::view;
use crate::keys::Scope;

/// What the scheme is called in the documents.
const KEY: &str = "key";

/// Where an operation tells of the scopes of which it wants one.
const SCOPES: &str = "x-scopes";

/// Returns the components with how a client shows its key.
pub(super) fn with_scheme(components: Option<Components>) -> Components {
    let about = "A client's key, as the operator of the shop gives it out. Needed only where the operator has \
                 switched keys on; the shop of the reference text has none.";
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(about)).build();
    let mut components = components.unwrap_or_default();
    components.add_security_scheme(KEY, SecurityScheme::Http(scheme));
    components
}

/// The operations that want a scope. A test holds them to the route tables.
const WANTED: [(HttpMethod, &str, Scope); 18] = [
    (HttpMethod::Get, "/api/misc/heavy", Scope::Read),
    (HttpMethod::Get, "/api/misc/time", Scope::Read),
    (HttpMethod::Get, "/api/products", Scope::Read),
    (HttpMethod::Get, "/api/products", Scope::Operate),
    (HttpMethod::Post, "/api/products", Scope::Operate),
    (HttpMethod::Get, "/api/products/last", Scope::Read),
    (HttpMethod::Get, "/api/products/{id}", Scope::Read),
    (HttpMethod::Post, "/api/orders", Scope::Order),
    (HttpMethod::Get, "/api/orders", Scope::Read),
    (HttpMethod::Get, "/api/orders/do", Scope::Order),
    (HttpMethod::Post, "/api/orders/batch", Scope::Order),
    (HttpMethod::Get, "/api/orders/list", Scope::Read),
    (HttpMethod::Get, "/api/orders/{id}", Scope::Read),
    (HttpMethod::Delete, "/api/orders/{id}", Scope::Order),
    (HttpMethod::Get, "/api/orders/{id}/events", Scope::Read),
    (HttpMethod::Get, "/api/events", Scope::Read),
    (HttpMethod::Post, "/orders", Scope::Order),
    (HttpMethod::Post, "/orders/{id}/cancel", Scope::Order),
];

/// Says of each operation which scope it wants.
pub(super) fn guarded(mut paths: Paths) -> Paths {
    for (method, path, scope) in WANTED {
        let Some(path) = paths.paths.get_mut(path) else { continue };
        let operation = match method {
            HttpMethod::Post => &mut path.post,
            HttpMethod::Delete => &mut path.delete,
            _ => &mut path.get,
        };
        if let Some(operation) = operation {
            wants(operation, scope.as_str());
        }
    }
    paths
}

fn wants(operation: &mut Operation, scope: &str) {
    let key = SecurityRequirement::new(KEY, Vec::<String>::new());
    operation.security.get_or_insert_with(|| vec![key, SecurityRequirement::default()]);
    // Those of a requirement are taken for OAuth's by what reads the document.
    let extensions = operation.extensions.get_or_insert_default();
    let scopes = extensions.entry(SCOPES.to_owned()).or_insert_with(|| Vec::<Value>::new().into());
    if let Value::Array(scopes) = scopes {
        scopes.push(scope.into());
    }
    let told = [
        ("401", "Where the shop's clients have keys: it has none, or one that is no client's."),
        ("403", "Where the shop's clients have keys: its key is for other things."),
    ];
    for (status, about) in told {
        let problem = || Content::new(Some(view("Problem")));
        let responses = &mut operation.responses.responses;
        match responses.get_mut(status) {
            None => {
                let response = ResponseBuilder::new()
                    .description(about)
                    .content("application/problem+json", problem())
                    .build();
                responses.insert(status.to_owned(), response.into());
            }
            Some(RefOr::T(response)) => {
                response.description = format!("{} {about}", response.description);
                response
                    .content
                    .entry("application/problem+json".to_owned())
                    .or_insert_with(|| problem().into());
            }
            Some(RefOr::Ref(_)) => {}
        }
    }
}
