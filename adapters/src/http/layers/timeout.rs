use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::Timeout;
use tower::{Layer, Service};

use crate::http::response::{Failure, FailureKind};

/// Bounds how long a request may take until its response begins. A response that
/// has begun may go on, as a stream of events does.
#[derive(Debug, Clone, Copy)]
pub struct ResponseTimeout(Duration);

impl ResponseTimeout {
    /// Makes a layer with this limit.
    pub fn new(limit: Duration) -> Self {
        Self(limit)
    }
}

impl<S> Layer<S> for ResponseTimeout {
    type Service = WithResponseTimeout<S>;

    fn layer(&self, inner: S) -> WithResponseTimeout<S> {
        WithResponseTimeout { inner, limit: self.0 }
    }
}

/// A service under a [`ResponseTimeout`].
#[derive(Debug, Clone)]
pub struct WithResponseTimeout<S> {
    inner: S,
    limit: Duration,
}

impl<S, R> Service<R> for WithResponseTimeout<S>
where
    S: Service<R, Error = Failure>,
{
    type Response = S::Response;
    type Error = Failure;
    type Future = ResponseTimeoutFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let answer = self.inner.call(request);
        // A timer that is never waited for costs next to nothing.
        ResponseTimeoutFuture { answer: tokio::time::timeout(self.limit, answer) }
    }
}

pin_project! {
    /// The response of a service under a [`ResponseTimeout`].
    pub struct ResponseTimeoutFuture<F> {
        #[pin]
        answer: Timeout<F>,
    }
}

impl<F, R> Future for ResponseTimeoutFuture<F>
where
    F: Future<Output = Result<R, Failure>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.project().answer.poll(context).map(|answer| {
            answer.unwrap_or_else(|_elapsed| {
                Err(Failure::new(
                    FailureKind::TooSlow,
                    "The response took too long. Please try again.",
                ))
            })
        })
    }
}
