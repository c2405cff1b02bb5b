use std::{
    future::ready,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tower::{Layer, Service};

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
    permits: Arc<Semaphore>,
    patience: Duration,
    room: Arc<Semaphore>,
}

/// What a request that waits takes besides its body: its head and its connection.
const HEAD_BYTES: usize = 4 * 1024;

impl ConcurrencyLimit {
    /// A limit of so many requests; the next one is refused at once.
    pub fn new(requests: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(requests.min(Semaphore::MAX_PERMITS))),
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

    /// Takes a place for a request with a body of so many bytes among those that wait.
    fn room_for(&self, body: usize) -> Option<OwnedSemaphorePermit> {
        let bytes = u32::try_from(body.saturating_add(HEAD_BYTES)).ok()?;
        Arc::clone(&self.room).try_acquire_many_owned(bytes).ok()
    }

    /// Waits for a permit, for as long as a request may wait.
    async fn permit(self) -> Result<OwnedSemaphorePermit, Failure> {
        match tokio::time::timeout(self.patience, self.permits.acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            // It is never closed; if it were, there would be no permit either.
            Ok(Err(AcquireError { .. })) | Err(_) => Err(full()),
        }
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
            let served = self.inner.call(request);
            return Box::pin(async move {
                let outcome = served.await;
                drop(permit);
                outcome
            });
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
