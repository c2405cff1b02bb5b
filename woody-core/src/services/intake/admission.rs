use std::{sync::Arc, time::Duration};

use tokio_util::task::TaskTracker;

use super::error::IntakeError;
use crate::{
    domain::{Details, NewOrder, OrderId},
    ports::OrderStore,
    services::{
        Ready,
        forecasts::{Coming, OrderForecasts},
        looks::Looks,
    },
};

/// Which orders may come, and when those that do will be ready.
pub(super) struct Admission {
    forecasts: Arc<OrderForecasts>,
    /// The longest wait, and what finds orders that were accepted before.
    most: Option<(Duration, Looks)>,
}

impl Admission {
    /// Refuses none without `most`.
    pub(super) fn start(
        forecasts: Arc<OrderForecasts>,
        store: Arc<dyn OrderStore>,
        most: Option<Duration>,
        tasks: &TaskTracker,
    ) -> Self {
        let most = most.map(|most| (most, Looks::start(store, tasks)));
        Self { forecasts, most }
    }

    /// Refuses an order that would wait too long, unless the store has it under its key.
    pub(super) async fn admit(&self, id: OrderId, is_keyed: bool) -> Result<(), IntakeError> {
        let Some((most, looks)) = &self.most else { return Ok(()) };
        let Some(retry_after) = self.forecasts.retry_after(*most) else { return Ok(()) };
        // While the store cannot say whether it knows the key, it is as if it did not.
        if is_keyed && matches!(looks.look_soon(id).await, Ok(Some(_))) {
            return Ok(());
        }
        Err(IntakeError::Backlogged { retry_after })
    }

    /// Counts an order that is about to be kept.
    pub(super) fn coming(&self, order: &NewOrder<Details>) -> Coming {
        self.forecasts.coming(order.id, order.accepted_at)
    }

    /// Returns when an order will be ready that was kept, if it is new.
    pub(super) fn came(&self, coming: &Coming, is_new: bool) -> Option<Ready> {
        if !is_new {
            self.forecasts.is_not_new(coming);
        }
        coming.ready.filter(|_| is_new)
    }
}
