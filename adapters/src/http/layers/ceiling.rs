use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::{Layer, Service};

use crate::http::response::{Failure, Kind};

/// Bounds how many requests are under way at once, over all services that share
/// it. The next one is refused at once.
///
/// The place is taken when the request is there, not when the service is asked
/// whether it is ready: idle connections hold none.
#[derive(Debug, Clone)]
pub struct Ceiling {
    places: Arc<Semaphore>,
}

impl Ceiling {
    /// A ceiling of so many requests.
    pub fn new(requests: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(requests.min(Semaphore::MAX_PERMITS))) }
    }
}

impl<S> Layer<S> for Ceiling {
    type Service = UnderCeiling<S>;

    fn layer(&self, inner: S) -> UnderCeiling<S> {
        UnderCeiling { inner, ceiling: self.clone() }
    }
}

/// A service under a [`Ceiling`].
#[derive(Debug, Clone)]
pub struct UnderCeiling<S> {
    inner: S,
    ceiling: Ceiling,
}

impl<S, R> Service<R> for UnderCeiling<S>
where
    S: Service<R, Error = Failure>,
{
    type Response = S::Response;
    type Error = Failure;
    type Future = CeilingFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        match Arc::clone(&self.ceiling.places).try_acquire_owned() {
            Ok(place) => CeilingFuture::Admitted { inner: self.inner.call(request), place },
            Err(_full) => CeilingFuture::Refused,
        }
    }
}

pin_project! {
    /// The answer of a service under a [`Ceiling`].
    #[project = Projected]
    pub enum CeilingFuture<F> {
        Admitted { #[pin] inner: F, place: OwnedSemaphorePermit },
        Refused,
    }
}

impl<F, R> Future for CeilingFuture<F>
where
    F: Future<Output = Result<R, Failure>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        match self.project() {
            Projected::Admitted { inner, .. } => inner.poll(context),
            Projected::Refused => Poll::Ready(Err(Failure::new(
                Kind::Overloaded,
                "Too many requests are under way. Please try again.",
            ))),
        }
    }
}
