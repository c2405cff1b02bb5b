use std::{pin::pin, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    OrderWorker,
    going_down::{GoingDown, pause},
};
use crate::{
    domain::{NewOrder, OrderDetails, OrderId, Outcome, Reason},
    ports::{Begun, StoreError, ValidateError},
    resilience::RetryDelays,
};

/// Permits for validations; a suspect takes all of them. Prefetch is 16 bits wide.
pub(super) const PLACES: u32 = 1 << 16;

/// What is known of the order of a delivery that came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    /// Nobody has had it before: its validation is not counted.
    Fresh,
    /// Somebody has had it before, and no worker is known to have died of it.
    Known,
    /// Workers have begun to validate it and did not end: it may have killed them.
    Suspect(Begun),
}

impl<D: OrderDetails> OrderWorker<D> {
    /// Returns what the store says of an order that comes again, however long the store
    /// is unavailable: without it, an order that kills its workers could not be told.
    pub(super) async fn record_of(
        &self,
        id: OrderId,
        shutdown: &CancellationToken,
    ) -> Result<Record, GoingDown> {
        let mut delays = RetryDelays::new(self.settings.wait_base, Duration::from_secs(5));
        loop {
            match self.store.begun(id).await {
                Ok(Begun { times: 0, .. }) => return Ok(Record::Known),
                Ok(begun) => return Ok(Record::Suspect(begun)),
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
        record: Record,
        redriven: bool,
        shutdown: &CancellationToken,
    ) -> Result<Result<Outcome, ValidateError>, GoingDown> {
        let places = if matches!(record, Record::Suspect(_)) { PLACES } else { 1 };
        let _place = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Err(GoingDown),
            // Nobody closes it.
            place = self.places.acquire_many(places) => place,
        };
        if record == Record::Fresh {
            return Ok(self.ask(order).await);
        }
        if let Err(error) = self.store.begin(order.id, redriven).await {
            let reason = told(&error);
            return Ok(Err(match error {
                StoreError::Refused(_) => ValidateError::Refused(reason),
                _ => ValidateError::Unavailable(reason),
            }));
        }
        let mut asking = pin!(self.ask(order));
        let verdict = tokio::select! {
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
