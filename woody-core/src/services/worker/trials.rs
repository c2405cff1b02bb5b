use std::{panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use futures::FutureExt;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{
    going_down::{GoingDown, pause},
    settings::WorkerSettings,
    waits::Waits,
};
use crate::{
    domain::{NewOrder, OrderDetails, OrderId, Outcome, Reason},
    ports::{Begun, OrderStore, StoreError, ValidateError, Validator},
    resilience::RetryDelays,
    services::{
        panics::panic_reason,
        spans::{failed, part_of},
    },
    step,
};

/// Permits for validations; a suspect takes all of them. Prefetch is 16 bits wide.
const PLACES: u32 = 1 << 16;

/// What is known of the order of a delivery that came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum History {
    /// No worker has had it before: its validation is not counted.
    Fresh,
    /// A worker has had it before, and none is known to have died of it.
    Known,
    /// Workers have begun to validate it and did not end: it may have killed them.
    Suspect(Begun),
}

/// Tries orders on the validator, and keeps count of the validations that end their worker.
pub(super) struct Trials<D: OrderDetails> {
    store: Arc<dyn OrderStore>,
    validator: Arc<dyn Validator<D>>,
    waits: Arc<Waits>,
    /// One for each validation under way; a suspect takes them all.
    places: Semaphore,
    settings: WorkerSettings,
}

impl<D: OrderDetails> Trials<D> {
    pub(super) fn new(
        store: Arc<dyn OrderStore>,
        validator: Arc<dyn Validator<D>>,
        waits: Arc<Waits>,
        settings: WorkerSettings,
    ) -> Self {
        Self { store, validator, waits, places: Semaphore::new(PLACES as usize), settings }
    }

    /// Returns what the store says of an order that comes again, however long the store
    /// is unavailable: without it, an order that kills its workers could not be told.
    pub(super) async fn history(
        &self,
        id: OrderId,
        shutdown: &CancellationToken,
    ) -> Result<History, GoingDown> {
        let mut delays = RetryDelays::new(self.settings.wait_base, Duration::from_secs(5));
        loop {
            match self.store.begun(id).await {
                Ok(Begun { times: 0, .. }) => return Ok(History::Known),
                Ok(begun) => return Ok(History::Suspect(begun)),
                Err(error) => {
                    self.waits.note(&told(&error), matches!(error, StoreError::Refused(_)));
                }
            }
            pause(delays.next_delay(), shutdown).await?;
        }
    }

    /// Asks the validator once; what kills its worker leaves a count in the store.
    ///
    /// A suspect is validated alone, so that no other order is blamed, or dies, with it.
    /// The validation of an order that was not delivered before is not counted: that costs
    /// a write, and its message comes again should its worker die.
    pub(super) async fn try_order(
        &self,
        order: &NewOrder<D>,
        history: History,
        redriven: bool,
        shutdown: &CancellationToken,
    ) -> Result<Result<Outcome, ValidateError>, GoingDown> {
        let places = if matches!(history, History::Suspect(_)) { PLACES } else { 1 };
        let _place = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Err(GoingDown),
            // It is never closed.
            place = self.places.acquire_many(places) => place,
        };
        if history == History::Fresh {
            return Ok(self.ask(order).await);
        }
        // Few orders come again: the others need no room for this.
        Box::pin(self.try_counted(order, redriven, shutdown)).await
    }

    /// Asks the validator once, which the store knows of meanwhile.
    async fn try_counted(
        &self,
        order: &NewOrder<D>,
        redriven: bool,
        shutdown: &CancellationToken,
    ) -> Result<Result<Outcome, ValidateError>, GoingDown> {
        if let Err(error) = self.store.begin(order.id, redriven).await {
            let reason = told(&error);
            return Ok(Err(match error {
                StoreError::Refused(_) => ValidateError::Refused(reason),
                _ => ValidateError::Unavailable(reason),
            }));
        }
        let mut asking = pin!(self.ask(order));
        let verdict = tokio::select! {
            biased;
            verdict = &mut asking => verdict,
            () = shutdown.cancelled() => {
                // Whatever ends this process now was asked to.
                self.survived(order.id).await;
                return Ok(asking.await);
            }
        };
        // Saving a verdict deletes the counts.
        if verdict.is_err() {
            self.survived(order.id).await;
        }
        Ok(verdict)
    }

    /// Asks the validator once.
    async fn ask(&self, order: &NewOrder<D>) -> Result<Outcome, ValidateError> {
        let validation = AssertUnwindSafe(async {
            step!("worker.validating");
            self.validator.validate(order).await
        })
        .catch_unwind();
        let limit = self.settings.validation_timeout;
        let (span, _) = part_of!(order.trace, "validate", "internal",
            woody.order.id = %order.id);
        let verdict = match tokio::time::timeout(limit, validation).await {
            Ok(Ok(verdict)) => verdict.map(Outcome::from),
            Ok(Err(panic)) => {
                Err(ValidateError::Transient(panic_reason("the validator", panic.as_ref())))
            }
            Err(_elapsed) => {
                Err(ValidateError::Transient(Reason::new(format!("no verdict within {limit:?}"))))
            }
        };
        if let Err(error) = &verdict {
            failed(&span, error);
        }
        verdict
    }

    async fn survived(&self, id: OrderId) {
        if let Err(error) = self.store.end(id).await {
            // One count too many; it takes as many as there are attempts to matter.
            tracing::info!(order.id = %id, error = &error as &dyn std::error::Error,
                "a validation that ended stays counted as begun");
        }
    }
}

fn told(error: &StoreError) -> Reason {
    let text = std::error::Error::source(error)
        .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
    Reason::new(format!("the store of orders: {text}"))
}
