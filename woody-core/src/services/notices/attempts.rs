use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use tokio::task::JoinError;

use super::NoticeSettings;
use crate::{
    domain::{NoticeId, OrderDetails, Reason, SubscriptionName},
    ports::{Attempt, FoundOrder, Notice, Notifier, NotifyError, OrderNotice},
    services::{
        panics::panic_reason,
        spans::{failed, part_of},
    },
};

/// A notice and what became of an attempt to tell it.
pub(super) type Tried = (NoticeId, Attempt);

/// The longest that the other side may have a notice wait, beyond our own pauses.
const HEEDED: Duration = Duration::from_hours(24);

/// Has notices told, and judges what becomes of it.
pub(super) struct Attempts<D: OrderDetails> {
    subscription: SubscriptionName,
    notifier: Arc<dyn Notifier<D>>,
    settings: NoticeSettings,
}

/// Returns what became of an attempt whose task has ended; one that was cancelled with the runtime is
/// left to its lease.
pub(super) fn result(tried: Result<Tried, JoinError>) -> Option<Tried> {
    tried.ok()
}

impl<D: OrderDetails> Attempts<D> {
    pub(super) fn new(
        subscription: SubscriptionName,
        notifier: Arc<dyn Notifier<D>>,
        settings: NoticeSettings,
    ) -> Self {
        Self { subscription, notifier, settings }
    }

    /// Tells a notice once.
    pub(super) async fn attempt(&self, notice: Notice, found: FoundOrder) -> Attempt {
        let attempt = self.judge(&notice, self.tell(&notice, found).await);
        let outcome = match &attempt {
            Attempt::Delivered => "delivered",
            Attempt::Postponed { by, problem } => {
                tracing::info!(subscription = %self.subscription, notice.id = %notice.id,
                    notice.attempt = notice.attempt, again_in_s = by.as_secs(), %problem,
                    "a notice was not delivered, it is tried again");
                "postponed"
            }
            Attempt::GivenUp(problem) => {
                tracing::warn!(subscription = %self.subscription, notice.id = %notice.id,
                    notice.attempt = notice.attempt, %problem, "a notice is dead");
                "dead"
            }
            Attempt::Released => "released",
        };
        let subscription = self.subscription.to_string();
        metrics::counter!("woody_notices_total", "subscription" => subscription, "outcome" => outcome)
            .increment(1);
        attempt
    }

    async fn tell(&self, notice: &Notice, found: FoundOrder) -> Result<(), NotifyError> {
        if self.settings.is_one_too_many(notice.attempt) {
            // It ends its process, perhaps; others are not to die of it for ever.
            let why = "of its last attempt nothing was heard: its process has died, perhaps";
            return Err(NotifyError::Never(Reason::new(why)));
        }
        let mut notice = to_be_told::<D>(notice, found).map_err(NotifyError::Never)?;
        let (span, follows) = part_of!(
            notice.order.trace,
            "notify",
            "client",
            woody.order.id = %notice.order.id,
            woody.notice.id = %notice.id,
            woody.attempt = notice.attempt,
            woody.subscription = %self.subscription,
        );
        notice.order.trace = follows;
        let telling = AssertUnwindSafe(self.notifier.notify(&notice)).catch_unwind();
        let limit = self.settings.timeout;
        let told = match tokio::time::timeout(limit, telling).await {
            Ok(Ok(told)) => told,
            Ok(Err(panic)) => Err(NotifyError::Later(panic_reason("the notifier", panic.as_ref()))),
            Err(_elapsed) => {
                Err(NotifyError::Later(Reason::new(format!("not told within {limit:?}"))))
            }
        };
        if let Err(error) = &told {
            failed(&span, error);
        }
        told
    }

    fn judge(&self, notice: &Notice, told: Result<(), NotifyError>) -> Attempt {
        let (problem, after) = match told {
            Ok(()) => return Attempt::Delivered,
            Err(NotifyError::Never(problem)) => return Attempt::GivenUp(problem),
            Err(NotifyError::Later(problem)) => (problem, Duration::ZERO),
            Err(NotifyError::After { problem, after }) => (problem, after.min(HEEDED)),
        };
        match self.settings.pause_after(notice.attempt) {
            // Who asks for less must not use up all attempts by it.
            Some(pause) => Attempt::Postponed { by: pause.max(after), problem },
            None => Attempt::GivenUp(problem),
        }
    }
}

/// Puts together what a notifier is told, or says why it cannot be: no other attempt would change that.
fn to_be_told<D: OrderDetails>(
    notice: &Notice,
    found: FoundOrder,
) -> Result<OrderNotice<D>, Reason> {
    let order = found.map_err(|error| Reason::new(error.to_string()))?;
    let order = order.ok_or_else(|| Reason::new("there is no such order"))?;
    let mut order = order.decode::<D>().map_err(|error| Reason::new(error.to_string()))?;
    // A redrive may have moved it on since.
    order.status = notice.outcome.clone().into();
    order.finished_at = Some(notice.ended_at);
    Ok(OrderNotice { id: notice.id, order, attempt: notice.attempt })
}
