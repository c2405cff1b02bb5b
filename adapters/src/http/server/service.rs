use std::{
    any::Any,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures::FutureExt;
use hyper::{
    Method, Request, Version,
    body::Incoming,
    header::{CONNECTION, HOST, HeaderValue, X_CONTENT_TYPE_OPTIONS},
    http::request::Parts,
};
use tower::{Service, ServiceBuilder, ServiceExt};
use tracing::{Instrument, field};

use super::{access::AccessControl, metrics::Requests, strangers::Strangers};
use crate::http::{
    layers::{
        AnswerBudget, Arrival, BodyBudget, BodyLimits, ConcurrencyLimit, RateLimit, ResponseTimeout,
    },
    request::{
        Found, Hosts, Origins, RequestBody, RequestId, Route, RoutedRequest, Sampling, Traced,
        X_REQUEST_ID, find, reads_gzip,
    },
    response::{Failure, FailureKind, Noted, Response, packed_for},
};

/// A service's routes: a table, and what each of its rows does.
pub trait Routes: Send + Sync + 'static {
    /// What a row does.
    type Action: Copy + Send + Sync + 'static;

    /// The service's name in metrics.
    const SERVICE: &'static str;

    /// The route table; the first row that fits is taken.
    fn table() -> &'static [Route<Self::Action>];

    /// Serves one request, which stays with the server: a handler that owned it would have room for it twice.
    fn handle(
        &self,
        request: &RoutedRequest<Self::Action>,
    ) -> impl Future<Output = Result<Response, Failure>> + Send;
}

/// Something that responds to every request: what a server serves.
pub trait HttpService: Clone + Send + Sync + 'static {
    /// Answers one request of the client at `peer`. It never fails: what went
    /// wrong is a response too.
    fn answer(
        &self,
        peer: SocketAddr,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response> + Send;

    /// How much a client may send, and what bodies on their way in may take together: by
    /// these the server waits for the body of a connection's first request. `None`, as provided,
    /// where the service is asked without waiting.
    fn bodies(&self) -> Option<(BodyLimits, &BodyBudget)> {
        None
    }
}

/// What goes around a service's routes.
#[derive(Debug, Clone)]
pub struct ServiceSettings {
    /// How many requests may be under way; clones share it.
    pub concurrency: ConcurrencyLimit,
    /// How long a request may take until its response begins.
    pub request_timeout: Duration,
    /// How much a client may send, and how slowly.
    pub body: BodyLimits,
    /// How many bytes of bodies may be on their way in; clones share it.
    pub bodies: BodyBudget,
    /// How many bytes of responses may be on their way out; clones share it.
    pub answers: AnswerBudget,
    /// Whether responses of text are packed (gzip) for clients that can read that, from 1 KiB on.
    pub compression: bool,
    /// Whether `GET`s that change state are served.
    pub legacy_get: bool,
    /// The names under which the service may be asked for.
    pub hosts: Hosts,
    /// The sites whose pages may use the service, beside its own.
    pub origins: Origins,
    /// How many requests begin a trace.
    pub sampling: Sampling,
    /// Who may use the service.
    pub access: AccessControl,
}

impl ServiceSettings {
    /// What requests that wait for their turn may take together: about 4,000 with small bodies.
    pub const WAITING_BYTES: usize = 16 * 1024 * 1024;
}

impl Default for ServiceSettings {
    /// 1,024 requests, others wait for 1 s; 30 s, 64 KiB within 10 s; 16 MiB of bodies and
    /// 32 MiB of responses on their way; the original routes as they were;
    /// asked for by its address or as `localhost`, by everybody, and by no other site's pages.
    fn default() -> Self {
        let concurrency = ConcurrencyLimit::new(1_024);
        Self {
            concurrency: concurrency.waiting(Duration::from_secs(1), Self::WAITING_BYTES),
            request_timeout: Duration::from_secs(30),
            body: BodyLimits::default(),
            bodies: BodyBudget::new(16 * 1024 * 1024),
            answers: AnswerBudget::new(32 * 1024 * 1024),
            compression: true,
            legacy_get: true,
            hosts: Hosts::default(),
            origins: Origins::default(),
            sampling: Sampling::off(),
            access: AccessControl::off(),
        }
    }
}

/// Puts what every service needs around `routes`. From the outside in:
///
/// 1. the boundary: request id, span, metrics; a panic or a failure becomes a
///    response, and a failure of ours is logged, once; responses are packed for clients that read
///    gzip, and counted;
/// 2. the route: 404 and 405;
/// 3. what browsers send for pages of others: 421 and 403;
/// 4. the client's key, where clients have some: 401 and 403;
/// 5. the client's rate limit;
/// 6. the body, which arrives whole;
/// 7. the limit of requests under way, where others wait for their turn: a client that
///    dawdles holds no permit;
/// 8. the timeout of the response.
pub fn service<R: Routes>(
    routes: R,
    limit: RateLimit,
    settings: &ServiceSettings,
) -> impl HttpService + use<R> {
    let routes = Arc::new(routes);
    let handler = tower::service_fn(move |request| {
        let routes = Arc::clone(&routes);
        async move { routes.handle(&request).await }
    });
    let inner = ServiceBuilder::new()
        .layer(limit)
        .layer(Arrival { limits: settings.body, bodies: settings.bodies.clone() })
        .layer(settings.concurrency.clone())
        .layer(ResponseTimeout::new(settings.request_timeout))
        .service(handler);
    let around = Around {
        service: R::SERVICE,
        table: R::table(),
        requests: Requests::new(R::SERVICE, R::table()),
        body: settings.body,
        bodies: settings.bodies.clone(),
        answers: settings.answers.clone(),
        compression: settings.compression,
        legacy_get: settings.legacy_get,
        sampling: settings.sampling,
        strangers: Strangers::new(settings.hosts.clone(), settings.origins.clone()),
        access: settings.access.clone(),
        started: Instant::now(),
        last_warned_s: AtomicU64::new(u64::MAX),
    };
    Boundary { inner, around: Arc::new(around) }
}

struct Boundary<S, A: 'static> {
    inner: S,
    around: Arc<Around<A>>,
}

struct Around<A: 'static> {
    service: &'static str,
    table: &'static [Route<A>],
    requests: Requests,
    body: BodyLimits,
    bodies: BodyBudget,
    answers: AnswerBudget,
    compression: bool,
    legacy_get: bool,
    sampling: Sampling,
    strangers: Strangers,
    access: AccessControl,
    started: Instant,
    last_warned_s: AtomicU64,
}

impl<S: Clone, A> Clone for Boundary<S, A> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), around: Arc::clone(&self.around) }
    }
}

impl<S, A> HttpService for Boundary<S, A>
where
    S: Service<RoutedRequest<A>, Response = Response, Error = Failure, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static,
    A: Copy + Send + Sync + 'static,
{
    fn bodies(&self) -> Option<(BodyLimits, &BodyBudget)> {
        Some((self.around.body, &self.around.bodies))
    }

    async fn answer(&self, peer: SocketAddr, request: Request<Incoming>) -> Response {
        let began = Instant::now();
        let around = &*self.around;
        let (head, body) = request.into_parts();
        let body = RequestBody::new(body);
        let remainder = body.remainder();
        let id = RequestId::of(&head.headers);
        let method = head.method.clone();
        let packs = around.compression.then(|| reads_gzip(&head.headers));
        let reader = around.strangers.known_origin(&head.headers);
        let path = head.uri.path();
        let mut traced = None;
        let (row, style, outcome) =
            match find(around.table, around.legacy_get, &method, path, head.uri.query()) {
                Found::Nowhere { style, failure } => {
                    (None, style, around.strangers.lost(&head, failure))
                }
                Found::Row { index } => {
                    let route = &around.table[index];
                    let (headers, sampling) = (&head.headers, around.sampling);
                    let part = Traced::open(headers, sampling, &method, route.path, id.as_str());
                    let part = traced.insert(part);
                    let trace = part.context;
                    let span = match trace {
                        None => tracing::debug_span!("request", request.id = id.as_str(),
                            http.method = %method, http.route = route.path,
                            client.name = field::Empty),
                        Some(trace) => tracing::info_span!("request", request.id = id.as_str(),
                            http.method = %method, http.route = route.path,
                            trace.id = trace.trace_id(), client.name = field::Empty),
                    };
                    let Route { action, path, style, is_batch, is_form, access, .. } = *route;
                    let refused = unfit(&head).or_else(|| around.strangers.refuse(&head));
                    let admitted = match refused {
                        Some(failure) => Err(failure),
                        None => around.access.admit(access, &head.headers),
                    };
                    let outcome = match admitted {
                        Err(failure) => Err(failure),
                        Ok(name) => {
                            if let Some(name) = &name {
                                span.record("client.name", name.as_str());
                                part.asked_by(name.as_str());
                            }
                            let client = peer.ip();
                            let routed = RoutedRequest {
                                action,
                                client,
                                body,
                                id: id.clone(),
                                name,
                                path,
                                style,
                                is_batch,
                                is_form,
                                trace,
                                head,
                            };
                            let served = self.inner.clone().oneshot(routed).instrument(span);
                            let outcome = AssertUnwindSafe(served).catch_unwind().await;
                            outcome.unwrap_or_else(|panic| Err(panicked(&*panic)))
                        }
                    };
                    (Some(index), style, outcome)
                }
            };
        let outcome = packed_for(packs, outcome).await;
        let outcome = match outcome {
            // What has changed something is answered, however much is on its way.
            Ok(response) if method == Method::GET => around.admit(response),
            outcome => outcome,
        };
        let mut response = match outcome {
            Ok(mut response) => {
                if let Some(Noted(failure)) = response.extensions_mut().remove() {
                    around.log(&failure, &id);
                }
                response
            }
            Err(failure) => {
                around.log(&failure, &id);
                failure.render(style, id.as_str())
            }
        };
        around.requests.count(row, &method, response.status(), began.elapsed());
        if let Some(traced) = traced {
            traced.answered(response.status());
        }
        let headers = response.headers_mut();
        headers.insert(X_REQUEST_ID, id.into_header());
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        around.strangers.tell(headers, reader);
        if remainder.is_left() {
            // The rest of the body is not worth waiting for.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// The longest target of a request: what the gateway of the stack takes too.
const MAX_TARGET: usize = 8 * 1024;

/// Why a request cannot be served whatever its route is.
fn unfit(head: &Parts) -> Option<Failure> {
    let target = head.uri.path().len() + head.uri.query().map_or(0, |query| query.len() + 1);
    if target > MAX_TARGET {
        let detail = format!("The address may have {MAX_TARGET} bytes at most.");
        return Some(Failure::new(FailureKind::TargetTooLong, detail));
    }
    let hosts = head.headers.get_all(HOST).iter().count();
    // RFC 9112, 3.2: a proxy on the way may have understood another host.
    (hosts > 1 || hosts == 0 && head.version == Version::HTTP_11).then(|| {
        Failure::field(
            FailureKind::MalformedHost,
            "Host",
            format!("stands {hosts} times, not once"),
        )
    })
}

impl<A> Around<A> {
    /// Counts a response among those on their way out.
    fn admit(&self, response: Response) -> Result<Response, Failure> {
        match self.answers.take(response.body().own_bytes()) {
            Ok(None) => Ok(response),
            Ok(Some(permit)) => Ok(response.map(|body| body.with_permit(permit))),
            Err(()) => {
                let detail = "Too many large responses are on their way. Please try again.";
                Err(Failure::new(FailureKind::Overloaded, detail))
            }
        }
    }

    /// Faults of ours are errors. What is unavailable or too much is a warning, once a
    /// second at most: it comes in thousands. What a client did wrong is for debugging.
    fn log(&self, failure: &Failure, id: &RequestId) {
        let (kind, detail, cause) = (failure.kind(), failure.detail(), failure.cause());
        let (service, id) = (self.service, id.as_str());
        match kind {
            FailureKind::Internal => {
                tracing::error!(request.id = id, service, detail, error = cause, "request failed");
            }
            FailureKind::Unavailable | FailureKind::Overloaded | FailureKind::TooSlow
                if self.may_warn() =>
            {
                tracing::warn!(
                    request.id = id,
                    service,
                    detail,
                    error = cause,
                    "requests are refused"
                );
            }
            _ => {
                tracing::debug!(request.id = id, service, detail, error = cause, "request refused");
            }
        }
    }

    fn may_warn(&self) -> bool {
        let now_s = self.started.elapsed().as_secs();
        self.last_warned_s.swap(now_s, Ordering::Relaxed) != now_s
    }
}

/// A panic of a route, as a failure of ours.
#[derive(Debug, thiserror::Error)]
#[error("panicked: {0}")]
struct Panicked(String);

fn panicked(panic: &(dyn Any + Send)) -> Failure {
    let text = panic.downcast_ref::<&str>().copied();
    let said = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Failure::internal(Panicked(said.unwrap_or("no message").to_owned()))
}
