use std::{net::SocketAddr, sync::Arc};

use hyper::{
    Request, Uri,
    body::Incoming,
    http::uri::{Parts, PathAndQuery},
};

use super::HttpService;
use crate::http::{
    layers::{BodyBudget, BodyLimits},
    request::MountPrefix,
    response::Response,
};

/// Serves `service` below `prefix`, and everything else by `rest`: several services behind one listener.
///
/// `service` sees its own paths; the prefix stands in the `Location`s it returns, and in its OpenAPI document.
///
/// ```
/// use woody_adapters::http::{self, HttpService, OrderRoutes, RateLimit, ServiceSettings};
/// # use woody_core::domain::OrderDetails;
///
/// # fn example<Pizza: OrderDetails, Book: OrderDetails>(
/// #     pizzas: OrderRoutes<Pizza>, books: OrderRoutes<Book>,
/// # ) -> impl HttpService {
/// let settings = ServiceSettings::default();
/// let pizzas = http::service(pizzas, RateLimit::off(), &settings);
/// let books = http::service(books, RateLimit::off(), &settings);
/// // POST /pizzas/api/orders; and books at /api/orders.
/// http::mount("/pizzas", pizzas, books)
/// # }
/// ```
pub fn mount<S: HttpService, R: HttpService>(
    prefix: &str,
    service: S,
    rest: R,
) -> impl HttpService + use<S, R> {
    let prefix = match prefix.trim_matches('/') {
        "" => Arc::from(""),
        inner => Arc::from(format!("/{inner}")),
    };
    Mount { prefix, service, rest }
}

#[derive(Clone)]
struct Mount<S, R> {
    prefix: Arc<str>,
    service: S,
    rest: R,
}

impl<S: HttpService, R: HttpService> HttpService for Mount<S, R> {
    fn bodies(&self) -> Option<(BodyLimits, &BodyBudget)> {
        self.service.bodies().or_else(|| self.rest.bodies())
    }

    async fn answer(&self, peer: SocketAddr, mut request: Request<Incoming>) -> Response {
        let Some(uri) = below(&self.prefix, request.uri()) else {
            return self.rest.answer(peer, request).await;
        };
        *request.uri_mut() = uri;
        let extensions = request.extensions_mut();
        let prefix = match extensions.get::<MountPrefix>() {
            Some(MountPrefix(outer)) => Arc::from(format!("{outer}{}", self.prefix)),
            None => Arc::clone(&self.prefix),
        };
        extensions.insert(MountPrefix(prefix));
        self.service.answer(peer, request).await
    }
}

/// Returns the address as a service below `prefix` sees it; `None` when it is not below.
fn below(prefix: &str, uri: &Uri) -> Option<Uri> {
    let path = uri.path().strip_prefix(prefix)?;
    if !path.is_empty() && !path.starts_with('/') {
        return None;
    }
    let path = if path.is_empty() { "/" } else { path };
    let target = match uri.query() {
        Some(query) => PathAndQuery::try_from(format!("{path}?{query}")),
        None => PathAndQuery::try_from(path),
    };
    let mut parts = Parts::default();
    parts.path_and_query = Some(target.ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_segments_are_taken_off() {
        let seen = |uri: &str| below("/pizzas", &uri.parse().unwrap()).map(|uri| uri.to_string());
        for (uri, inner) in [
            ("/pizzas/api/orders?x=%2F", Some("/api/orders?x=%2F")),
            ("http://shop/pizzas/api/orders", Some("/api/orders")),
            ("/pizzas", Some("/")),
            ("/pizzas?x", Some("/?x")),
            ("/pizzas//api", Some("//api")),
            ("/pizzasauce/api", None),
            ("/api/pizzas", None),
            ("*", None),
        ] {
            assert_eq!(seen(uri).as_deref(), inner, "{uri}");
        }
    }
}
