use std::{
    future::ready,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use pin_project_lite::pin_project;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tower::{Layer, Service};
use woody_core::domain::PoolUse;

use crate::http::{
    request::RoutedRequest,
    response::{Failure, FailureKind},
};

/// Bounds how many requests are under way at once, over all services that share
/// it. Past the bound a request is refused, or [waits](Self::waiting) for its turn.
///
/// The permit is taken when the request is there, not when the service is asked
/// whether it is ready: idle connections hold none.
#[derive(Debug, Clone)]
pub struct ConcurrencyLimit {
    requests: usize,
    permits: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    patience: Duration,
    room: Arc<Semaphore>,
}

/// What a request that waits takes besides its body: its head and its connection.
const HEAD_BYTES: usize = 4 * 1024;

impl ConcurrencyLimit {
    /// A limit of so many requests; the next one is refused at once.
    pub fn new(requests: usize) -> Self {
        let requests = requests.min(Semaphore::MAX_PERMITS);
        Self {
            requests,
            permits: Arc::new(Semaphore::new(requests)),
            waiting: Arc::default(),
            patience: Duration::ZERO,
            room: Arc::new(Semaphore::new(0)),
        }
    }

    /// Lets requests past the limit wait for `patience`, first come, first served, as long
    /// as those that wait take no more than `bytes` together.
    ///
    /// A client that is refused at once and asks again at once takes the processor from the
    /// requests under way; one that waits takes nothing.
    #[must_use]
    pub fn waiting(mut self, patience: Duration, bytes: usize) -> Self {
        let bytes = if patience.is_zero() { 0 } else { bytes.min(Semaphore::MAX_PERMITS) };
        self.patience = patience;
        self.room = Arc::new(Semaphore::new(bytes));
        self
    }

    /// Returns how many requests are under way, and how many wait for their turn.
    pub fn usage(&self) -> PoolUse {
        let used = self.requests.saturating_sub(self.permits.available_permits());
        let waiting = self.waiting.load(Ordering::Relaxed);
        PoolUse { used, limit: self.requests, waiting: Some(waiting) }
    }

    /// Takes a place for a request with a body of so many bytes among those that wait.
    fn room_for(&self, body: usize) -> Option<OwnedSemaphorePermit> {
        let bytes = u32::try_from(body.saturating_add(HEAD_BYTES)).ok()?;
        Arc::clone(&self.room).try_acquire_many_owned(bytes).ok()
    }

    /// Waits for a permit, for as long as a request may wait.
    async fn permit(self) -> Result<OwnedSemaphorePermit, Failure> {
        let _waiting = Waiting::of(&self.waiting);
        match tokio::time::timeout(self.patience, self.permits.acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            // It is never closed; if it were, there would be no permit either.
            Ok(Err(AcquireError { .. })) | Err(_) => Err(full()),
        }
    }
}

/// One that waits, for as long as it is there.
struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    fn of(waiting: &Arc<AtomicUsize>) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(waiting))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn full() -> Failure {
    Failure::new(FailureKind::Overloaded, "Too many requests are under way. Please try again.")
}

impl<S> Layer<S> for ConcurrencyLimit {
    type Service = ConcurrencyLimited<S>;

    fn layer(&self, inner: S) -> ConcurrencyLimited<S> {
        ConcurrencyLimited { inner, limit: self.clone() }
    }
}

/// A service under a [`ConcurrencyLimit`].
#[derive(Debug, Clone)]
pub struct ConcurrencyLimited<S> {
    inner: S,
    limit: ConcurrencyLimit,
}

impl<S, A> Service<RoutedRequest<A>> for ConcurrencyLimited<S>
where
    S: Service<RoutedRequest<A>, Error = Failure, Future: Send> + Clone + Send + 'static,
    S::Response: Send + 'static,
    A: Send + 'static,
{
    type Response = S::Response;
    type Error = Failure;
    // What a route needs is large, and made when the route begins: a request whose body
    // arrives slowly, or that waits, and a stream that goes on, hold none of it.
    type Future = BoxFuture<'static, Result<S::Response, Failure>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: RoutedRequest<A>) -> Self::Future {
        if let Ok(permit) = Arc::clone(&self.limit.permits).try_acquire_owned() {
            return Box::pin(Permitted { served: self.inner.call(request), permit: Some(permit) });
        }
        let Some(room) = self.limit.room_for(request.body.bytes().len()) else {
            return Box::pin(ready(Err(full())));
        };
        // The one that was asked whether it is ready is the one to request.
        let other = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, other);
        let limit = self.limit.clone();
        Box::pin(async move {
            let permit = limit.permit().await?;
            drop(room);
            let outcome = Box::pin(inner.call(request)).await;
            drop(permit);
            outcome
        })
    }
}

pin_project! {
    /// A response that holds its permit until it begins. An async block would take twice the room of what it
    /// waits for: where it is captured, and where it is polled.
    struct Permitted<F> {
        #[pin]
        served: F,
        permit: Option<OwnedSemaphorePermit>,
    }
}

impl<F: Future> Future for Permitted<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let outcome = std::task::ready!(this.served.poll(context));
        drop(this.permit.take());
        Poll::Ready(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_under_way_and_what_waits_is_counted() {
        let limit = ConcurrencyLimit::new(1).waiting(Duration::from_hours(1), 1024 * 1024);
        let counted = |used, waiting| PoolUse { used, limit: 1, waiting: Some(waiting) };
        assert_eq!(limit.usage(), counted(0, 0));
        let first = limit.clone().permit().await.unwrap();
        let mut second = Box::pin(limit.clone().permit());
        assert!(futures::poll!(second.as_mut()).is_pending());
        let mut third = Box::pin(limit.clone().permit());
        assert!(futures::poll!(third.as_mut()).is_pending());
        assert_eq!(limit.usage(), counted(1, 2));
        drop(third);
        assert_eq!(limit.usage(), counted(1, 1));
        drop(first);
        let second = second.await.unwrap();
        assert_eq!(limit.usage(), counted(1, 0));
        drop(second);
        assert_eq!(limit.usage(), counted(0, 0));
    }
}
