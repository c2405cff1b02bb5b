use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Instant,
};

use futures::future::{Either, Ready, ready};
use governor::{DefaultKeyedRateLimiter, Quota};
use tower::{Layer, Service};

use crate::{
    http::{
        request::{Networks, Party, RoutedRequest},
        response::{Failure, FailureKind},
    },
    keys::ClientName,
};

/// What one client may ask of one service, as nginx's `limit_req` has it with
/// `burst` and `nodelay`: `burst` requests more than the rate at once, and past
/// that a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests per second, on average.
    pub per_second: NonZeroU32,
    /// Requests that may come before their time.
    pub burst: u32,
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

struct Buckets {
    by_client: DefaultKeyedRateLimiter<Party>,
    exempt: Networks,
    started: Instant,
    looked_at_s: AtomicU64,
}

impl RateLimit {
    /// No limit.
    pub fn off() -> Self {
        Self { buckets: None }
    }

    /// This rate for each client whose address is not exempt.
    pub fn new(rate: Rate, exempt: Networks) -> Self {
        // The request that comes at its time is one more than the burst.
        let at_once = NonZeroU32::MIN.saturating_add(rate.burst);
        let quota = Quota::per_second(rate.per_second).allow_burst(at_once);
        Self {
            buckets: Some(Arc::new(Buckets {
                by_client: DefaultKeyedRateLimiter::keyed(quota),
                exempt,
                started: Instant::now(),
                looked_at_s: AtomicU64::new(0),
            })),
        }
    }

    fn admits(&self, address: IpAddr, name: Option<&ClientName>) -> bool {
        let Some(buckets) = &self.buckets else { return true };
        buckets.exempt.contains(address.to_canonical()) || {
            buckets.tidy();
            buckets.by_client.check_key(&Party::of(address, name)).is_ok()
        }
    }
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
    S: Service<RoutedRequest<A>, Error = Failure>,
{
    type Response = S::Response;
    type Error = Failure;
    type Future = Either<S::Future, Ready<Result<S::Response, Failure>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: RoutedRequest<A>) -> Self::Future {
        if self.limit.admits(request.client, request.client_name()) {
            Either::Left(self.inner.call(request))
        } else {
            Either::Right(ready(Err(Failure::new(FailureKind::RateLimited, "Too many requests"))))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

    fn limit(burst: u32, exempt: Networks) -> RateLimit {
        // So slow that nothing comes back during a test.
        let quota = Quota::with_period(std::time::Duration::from_hours(1))
            .unwrap()
            .allow_burst(NonZeroU32::new(burst + 1).unwrap());
        let rate = Rate { per_second: NonZeroU32::MIN, burst };
        let mut limit = RateLimit::new(rate, exempt);
        let buckets = Arc::get_mut(limit.buckets.as_mut().unwrap()).unwrap();
        buckets.by_client = DefaultKeyedRateLimiter::keyed(quota);
        limit
    }

    fn admitted(limit: &RateLimit, client: IpAddr) -> usize {
        (0..100).filter(|_| limit.admits(client, None)).count()
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
            |name, address| (0..100).filter(|_| limit.admits(address, Some(name))).count();
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
