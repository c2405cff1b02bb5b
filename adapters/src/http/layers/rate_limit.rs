use std::{
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use futures::future::{Either, Ready, ready as at_once};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DefaultKeyedStateStore,
};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::{
    policy::{Policy, retry_after_s},
    rate::Rate,
};
use crate::{
    http::{
        request::{Networks, Party, RoutedRequest},
        response::{Failure, FailureKind, Response, Standing, Style},
    },
    keys::ClientName,
};

/// What a client is told that has spent its requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RateStatus {
    /// 503 with the JSON of the original system.
    #[default]
    ServiceUnavailable,
    /// 429 with a problem. Responses of routes whose errors are problems say where the client stands before that:
    /// `RateLimit` and `RateLimit-Policy`.
    TooManyRequests,
}

/// From so many client addresses on, those that have spent nothing lately are
/// forgotten every second; otherwise every minute. A bucket is full again
/// within seconds, so that is what bounds the memory.
const CROWD: usize = 4_096;

/// Limits the requests of each client to one service. A client is who has a key, or else an address.
///
/// The address is the connection's: no header changes it.
#[derive(Clone)]
pub struct RateLimit {
    buckets: Option<Arc<Buckets>>,
}

type ByClient =
    RateLimiter<Party, DefaultKeyedStateStore<Party>, DefaultClock, StateInformationMiddleware>;

struct Buckets {
    by_client: ByClient,
    /// How the limit is told, where it is.
    policy: Option<Policy>,
    exempt: Networks,
    started: Instant,
    looked_at_s: AtomicU64,
}

impl RateLimit {
    /// No limit.
    pub fn off() -> Self {
        Self { buckets: None }
    }

    /// This rate for each client whose address is not exempt. Past it the response is 503.
    pub fn new(rate: Rate, exempt: Networks) -> Self {
        Self::with(rate, exempt, None)
    }

    /// This rate for each client whose address is not exempt. Past it the response is 429, and before that clients are
    /// told where they stand, as [`RateStatus::TooManyRequests`] says; `name` is what the limit is called.
    pub fn telling(name: &str, rate: Rate, exempt: Networks) -> Self {
        Self::with(rate, exempt, Some(Policy::new(name, rate)))
    }

    fn with(rate: Rate, exempt: Networks, policy: Option<Policy>) -> Self {
        Self {
            buckets: Some(Arc::new(Buckets {
                by_client: by_client(rate.quota()),
                policy,
                exempt,
                started: Instant::now(),
                looked_at_s: AtomicU64::new(0),
            })),
        }
    }

    fn admission(&self, address: IpAddr, name: Option<&ClientName>) -> Admission<'_> {
        let Some(buckets) = &self.buckets else { return Admission::Free };
        if buckets.exempt.contains(address.to_canonical()) {
            return Admission::Free;
        }
        buckets.tidy();
        let policy = buckets.policy.as_ref();
        match buckets.by_client.check_key(&Party::of(address, name)) {
            Ok(state) => Admission::Counted { policy, left: state.remaining_burst_capacity() },
            Err(refused) => {
                let wait = refused.wait_time_from(buckets.by_client.clock().now());
                Admission::Refused { policy, wait }
            }
        }
    }
}

fn by_client(quota: Quota) -> ByClient {
    RateLimiter::keyed(quota).with_middleware()
}

/// Whether a request is served, and what its client may be told.
enum Admission<'l> {
    /// No limit holds for it.
    Free,
    /// It is served, and so many more may come at once.
    Counted { policy: Option<&'l Policy>, left: u32 },
    /// It is not served; the next one is after this time.
    Refused { policy: Option<&'l Policy>, wait: Duration },
}

impl Buckets {
    /// Keeps the memory bounded; the first request in a second looks.
    fn tidy(&self) {
        let now_s = self.started.elapsed().as_secs();
        let then_s = self.looked_at_s.load(Ordering::Relaxed);
        if now_s == then_s || self.looked_at_s.swap(now_s, Ordering::Relaxed) == now_s {
            return;
        }
        if now_s / 60 != then_s / 60 || self.by_client.len() > CROWD {
            self.by_client.retain_recent();
            self.by_client.shrink_to_fit();
        }
    }
}

impl std::fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let clients = self.buckets.as_ref().map(|buckets| buckets.by_client.len());
        f.debug_struct("RateLimit").field("clients", &clients).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for RateLimit {
    type Service = RateLimited<S>;

    fn layer(&self, inner: S) -> RateLimited<S> {
        RateLimited { inner, limit: self.clone() }
    }
}

/// A service under a [`RateLimit`].
#[derive(Debug, Clone)]
pub struct RateLimited<S> {
    inner: S,
    limit: RateLimit,
}

impl<S, A> Service<RoutedRequest<A>> for RateLimited<S>
where
    S: Service<RoutedRequest<A>, Response = Response, Error = Failure>,
{
    type Response = Response;
    type Error = Failure;
    type Future = Either<Told<S::Future>, Ready<Result<Response, Failure>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: RoutedRequest<A>) -> Self::Future {
        let is_told = request.style == Style::Problem;
        let standing = match self.limit.admission(request.client, request.client_name()) {
            Admission::Counted { policy: Some(policy), left } if is_told => {
                Some(Box::new(policy.admitted(left)))
            }
            Admission::Free | Admission::Counted { .. } => None,
            Admission::Refused { policy, wait } => {
                let kind = match policy {
                    None => FailureKind::RateLimited,
                    Some(_) => FailureKind::TooManyRequests,
                };
                let standing = policy.filter(|_| is_told);
                let standing = standing.map(|policy| Box::new(policy.refused(wait)));
                let failure = Failure::new(kind, "Too many requests")
                    .retry_after_s(retry_after_s(wait))
                    .standing(standing);
                return Either::Right(at_once(Err(failure)));
            }
        };
        Either::Left(Told { inner: self.inner.call(request), standing })
    }
}

pin_project! {
    /// A response that is on its way, and says where its client stands once it is there.
    #[derive(Debug)]
    pub struct Told<F> {
        #[pin]
        inner: F,
        standing: Option<Box<Standing>>,
    }
}

impl<F: Future<Output = Result<Response, Failure>>> Future for Told<F> {
    type Output = Result<Response, Failure>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let outcome = ready!(this.inner.poll(context));
        let Some(standing) = this.standing.take() else { return Poll::Ready(outcome) };
        Poll::Ready(match outcome {
            Ok(mut response) => {
                standing.tell(response.headers_mut());
                Ok(response)
            }
            Err(failure) => Err(failure.standing(Some(standing))),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::{Ipv4Addr, Ipv6Addr},
        num::NonZeroU32,
    };

    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

    fn limit(burst: u32, exempt: Networks) -> RateLimit {
        // So slow that nothing comes back during a test.
        let quota = Quota::with_period(Duration::from_hours(1))
            .unwrap()
            .allow_burst(NonZeroU32::new(burst + 1).unwrap());
        let rate = Rate { per_second: NonZeroU32::MIN, burst };
        let mut limit = RateLimit::new(rate, exempt);
        let buckets = Arc::get_mut(limit.buckets.as_mut().unwrap()).unwrap();
        buckets.by_client = by_client(quota);
        limit
    }

    fn admits(limit: &RateLimit, client: IpAddr, name: Option<&ClientName>) -> bool {
        !matches!(limit.admission(client, name), Admission::Refused { .. })
    }

    fn admitted(limit: &RateLimit, client: IpAddr) -> usize {
        (0..100).filter(|_| admits(limit, client, None)).count()
    }

    #[test]
    fn a_burst_is_admitted_besides_the_request_that_is_due() {
        for (burst, at_once) in [(20, 21), (5, 6), (2, 3), (0, 1)] {
            assert_eq!(admitted(&limit(burst, Networks::default()), CLIENT), at_once);
        }
    }

    #[test]
    fn each_client_has_its_own_bucket_whatever_its_family() {
        let limit = limit(2, Networks::default());
        assert_eq!(admitted(&limit, CLIENT), 3);
        assert_eq!(admitted(&limit, IpAddr::V6(Ipv4Addr::new(10, 0, 0, 1).to_ipv6_mapped())), 0);
        assert_eq!(admitted(&limit, IpAddr::V6(Ipv6Addr::LOCALHOST)), 3);
    }

    #[test]
    fn a_client_with_a_key_has_a_bucket_of_its_own_wherever_it_is() {
        let limit = limit(2, Networks::default());
        let (acme, globex) = ("acme".parse().unwrap(), "globex".parse().unwrap());
        let admitted_of =
            |name, address| (0..100).filter(|_| admits(&limit, address, Some(name))).count();
        assert_eq!(admitted_of(&acme, CLIENT), 3);
        assert_eq!(admitted_of(&acme, IpAddr::V6(Ipv6Addr::LOCALHOST)), 0);
        assert_eq!(admitted_of(&globex, CLIENT), 3);
        assert_eq!(admitted(&limit, CLIENT), 3);
    }

    #[test]
    fn the_exempt_are_not_counted() {
        assert_eq!(admitted(&limit(2, CLIENT.into()), CLIENT), 100);
        assert_eq!(admitted(&limit(2, "10.0.0.0/8".parse().unwrap()), CLIENT), 100);
        assert_eq!(admitted(&limit(2, "11.0.0.0/8".parse().unwrap()), CLIENT), 3);
        assert_eq!(admitted(&RateLimit::off(), CLIENT), 100);
    }
}
