//! Requests that nginx asks a second replica about.

use crate::doctor::{
    deployment::Deployment,
    finding::{Found, Severity},
    gateway::{Gateway, Seen},
    routes::{Location, Server},
    variables::Variables,
};

/// A GET of the original system that changes state.
struct ActingGet {
    /// As the service takes it.
    paths: &'static [&'static str],
    args: &'static [&'static str],
    service: &'static str,
    /// Whether a key makes two of them one.
    takes_key: bool,
    mend: &'static str,
}

const ACTING: [ActingGet; 2] = [
    ActingGet {
        paths: &["/api/orders/do", "/api/orders/do/"],
        args: &["order", "product"],
        service: "order-service",
        takes_key: true,
        mend: "give it a key of its own, a `map` of $uri to \"gateway-$request_id\" that \
               `proxy_set_header Idempotency-Key` sends, or set `proxy_next_upstream off`",
    },
    ActingGet {
        paths: &["/api/products"],
        args: &["product"],
        service: "product-service",
        takes_key: false,
        mend: "send it to an internal location with `proxy_next_upstream off`: \
               `if ($args ~ \"(^|&)(product|[^=&]*%)\") { rewrite ^ /product-by-get last; }`",
    },
];

const WHY: &str = "When a replica breaks off, nginx asks the next one, and what the first one did \
                   stands: two orders or two products for one answer.";

/// A location where a request that changes state may be sent twice.
pub(super) fn replayed_get(deployment: &Deployment) -> Vec<Found> {
    let Some(gateway) = &deployment.gateway else { return Vec::new() };
    let servers = Server::all_of(gateway);
    let variables = Variables::of(gateway);
    let mut findings: Vec<_> = posts(gateway).collect();
    for get in ACTING.iter().filter(|get| !is_switched_off(deployment, get.service)) {
        for (path, server) in get.paths.iter().flat_map(|p| servers.iter().map(move |s| (*p, s))) {
            // One of its parameters is enough, and says enough.
            let replayed =
                |arg: &&str| replaying(get, path, arg, server.answers(path, arg)?, &variables);
            findings.extend(get.args.iter().find_map(replayed));
        }
    }
    findings
}

fn replaying(
    get: &ActingGet,
    path: &str,
    arg: &str,
    location: &Location,
    variables: &Variables,
) -> Option<Found> {
    let next = location.effective("proxy_next_upstream");
    let is_asked_once = next.last().is_some_and(|next| next.has("off"));
    let is_one_order = get.takes_key && has_key(location, variables, path);
    if !location.is_proxied() || is_asked_once || is_one_order {
        return None;
    }
    let next = next.last().map_or("error timeout".to_owned(), |next| next.args.join(" "));
    let no_key = if get.takes_key { " and no Idempotency-Key of its own" } else { "" };
    Some(Found {
        severity: Severity::Error,
        place: location.seen.place(),
        what: format!(
            "GET {path}?{arg}=… comes through `{}`, with proxy_next_upstream {next}{no_key}",
            location.seen
        ),
        why: WHY,
        mend: get.mend.to_owned(),
    })
}

/// Where even a POST is sent twice.
fn posts(gateway: &Gateway) -> impl Iterator<Item = Found> {
    let is_replaying =
        |seen: &Seen| seen.name == "proxy_next_upstream" && seen.has("non_idempotent");
    gateway.everywhere().into_iter().filter(is_replaying).map(|seen| Found {
        severity: Severity::Error,
        place: seen.place(),
        what: format!("`{seen}` sends even a POST to a second replica"),
        why: WHY,
        mend: "leave `non_idempotent` out".to_owned(),
    })
}

/// Whether every service of this program refuses such GETs.
fn is_switched_off(deployment: &Deployment, program: &str) -> bool {
    let mut services =
        deployment.stack.services.iter().filter(|service| service.runs(program)).peekable();
    services.peek().is_some()
        && services.all(|service| {
            service.variable("WOODY_LEGACY_GET").is_some_and(|variable| variable.value == "off")
        })
}

/// Whether a request of a client without a key gets one here.
fn has_key(location: &Location, variables: &Variables, path: &str) -> bool {
    let headers = location.effective("proxy_set_header");
    let key = headers.iter().find(|seen| seen.arg(0).eq_ignore_ascii_case("Idempotency-Key"));
    key.is_some_and(|key| !variables.value(key.arg(1), path).is_empty())
}
