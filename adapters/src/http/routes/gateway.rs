use std::{net::SocketAddr, num::NonZeroU32};

use hyper::{Request, body::Incoming};

use super::{
    front::FrontRoutes, misc::MiscRoutes, orders::ToyOrderRoutes, products::ProductRoutes,
};
use crate::http::{
    layers::{BodyBudget, BodyLimits, Rate, RateLimit, RateStatus},
    request::Networks,
    response::Response,
    server::{HttpService, ServiceSettings, service},
};

/// What a client may ask of each service behind the gateway; `None` is no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayLimits {
    /// Of the misc service.
    pub misc: Option<Rate>,
    /// Of the product service.
    pub products: Option<Rate>,
    /// Of the order service.
    pub orders: Option<Rate>,
    /// Addresses that no limit holds for.
    pub exempt: Networks,
    /// What a client is told that has spent its requests.
    pub status: RateStatus,
}

impl GatewayLimits {
    /// The reference text's bursts, 20, 5 and 2, over this rate.
    pub fn at(per_second: NonZeroU32) -> Self {
        let rate = |burst| Some(Rate { per_second, burst });
        Self { misc: rate(20), products: rate(5), orders: rate(2), ..Self::off() }
    }

    /// No limits.
    pub fn off() -> Self {
        Self {
            misc: None,
            products: None,
            orders: None,
            exempt: Networks::default(),
            status: RateStatus::default(),
        }
    }
}

impl Default for GatewayLimits {
    /// Ten requests per second.
    fn default() -> Self {
        Self::at(NonZeroU32::MIN.saturating_add(9))
    }
}

/// All services behind one address, each with its limit per client, as the
/// gateway of the stack has it. The pages are not limited.
///
/// | path | goes to |
/// | --- | --- |
/// | `/api/misc…`, `/api/ping` | misc |
/// | `/api/products…` | products |
/// | `/api/orders…`, `/api/events`; `/orders`, `/orders/…/cancel` and `/orders/…?plain` | orders |
/// | anything else | front |
pub fn gateway(
    misc: MiscRoutes,
    products: ProductRoutes,
    orders: ToyOrderRoutes,
    front: FrontRoutes,
    limits: &GatewayLimits,
    settings: &ServiceSettings,
) -> impl HttpService + use<> {
    let limit = |name, rate: Option<Rate>| match (rate, limits.status) {
        (None, _) => RateLimit::off(),
        (Some(rate), RateStatus::ServiceUnavailable) => RateLimit::new(rate, limits.exempt.clone()),
        (Some(rate), RateStatus::TooManyRequests) => {
            RateLimit::telling(name, rate, limits.exempt.clone())
        }
    };
    Gateway {
        misc: service(misc, limit("misc", limits.misc), settings),
        products: service(products, limit("products", limits.products), settings),
        orders: service(orders, limit("orders", limits.orders), settings),
        front: service(front, RateLimit::off(), settings),
    }
}

#[derive(Clone)]
struct Gateway<M, P, O, F> {
    misc: M,
    products: P,
    orders: O,
    front: F,
}

impl<M: HttpService, P: HttpService, O: HttpService, F: HttpService> HttpService
    for Gateway<M, P, O, F>
{
    // All of them have the same settings.
    fn bodies(&self) -> Option<(BodyLimits, &BodyBudget)> {
        self.orders.bodies()
    }

    async fn answer(&self, peer: SocketAddr, request: Request<Incoming>) -> Response {
        let path = request.uri().path();
        if path.starts_with("/api/misc") || path == "/api/ping" {
            self.misc.answer(peer, request).await
        } else if path.starts_with("/api/products") {
            self.products.answer(peer, request).await
        } else if path.starts_with("/api/orders")
            || path.starts_with("/api/events")
            || is_plain(path, request.uri().query())
        {
            self.orders.answer(peer, request).await
        } else {
            self.front.answer(peer, request).await
        }
    }
}

/// Whether it is a page of orders for browsers that run no script.
fn is_plain(path: &str, query: Option<&str>) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    let Some(rest) = path.strip_prefix("/orders") else { return false };
    let asks = || {
        query
            .unwrap_or_default()
            .split('&')
            .any(|pair| pair == "plain" || pair.starts_with("plain="))
    };
    match rest.strip_prefix('/') {
        None => rest.is_empty(),
        Some(rest) => rest.ends_with("/cancel") || asks(),
    }
}
