use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::{Layer, Service};

use crate::http::response::{Failure, FailureKind};

/// Bounds how many requests are under way at once, over all services that share
/// it. The next one is refused at once.
///
/// The permit is taken when the request is there, not when the service is asked
/// whether it is ready: idle connections hold none.
#[derive(Debug, Clone)]
pub struct ConcurrencyLimit {
    permits: Arc<Semaphore>,
}

impl ConcurrencyLimit {
    /// A limit of so many requests.
    pub fn new(requests: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(requests.min(Semaphore::MAX_PERMITS))) }
    }
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

impl<S, R> Service<R> for ConcurrencyLimited<S>
where
    S: Service<R, Error = Failure>,
{
    type Response = S::Response;
    type Error = Failure;
    type Future = ConcurrencyLimitFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        match Arc::clone(&self.limit.permits).try_acquire_owned() {
            Ok(permit) => {
                ConcurrencyLimitFuture::Admitted { inner: self.inner.call(request), permit }
            }
            Err(_full) => ConcurrencyLimitFuture::Refused,
        }
    }
}

pin_project! {
    /// The response of a service under a [`ConcurrencyLimit`].
    #[project = Projected]
    pub enum ConcurrencyLimitFuture<F> {
        Admitted { #[pin] inner: F, permit: OwnedSemaphorePermit },
        Refused,
    }
}

impl<F, R> Future for ConcurrencyLimitFuture<F>
where
    F: Future<Output = Result<R, Failure>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        match self.project() {
            Projected::Admitted { inner, .. } => inner.poll(context),
            Projected::Refused => Poll::Ready(Err(Failure::new(
                FailureKind::Overloaded,
                "Too many requests are under way. Please try again.",
            ))),
        }
    }
}
