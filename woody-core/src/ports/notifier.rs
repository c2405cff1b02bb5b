use std::time::Duration;

use async_trait::async_trait;

use crate::domain::{NoticeId, Order, OrderDetails, Reason, ToyOrder};

/// Tells somebody that an order has ended: by a mail, a webhook, a call of another system. `D` is
/// what orders ask for.
///
/// Unlike [`OrderEvents`](super::OrderEvents), which are best effort, each end of an order is
/// told until it has worked or is given up, whatever dies in between.
///
/// # Contract
/// - What is told twice is told under the same [id](OrderNotice::id): an attempt whose success could
///   not be saved is repeated. So let the other side know it by that id.
/// - Notices come in no particular order.
/// - Nothing here may block the runtime.
///
/// # Cancel safety
/// An attempt that takes longer than its time is dropped, and counts as failed.
///
/// ```
/// use async_trait::async_trait;
/// use woody_core::ports::{Notifier, NotifyError, OrderNotice};
///
/// struct Log;
///
/// #[async_trait]
/// impl Notifier for Log {
///     async fn notify(&self, notice: &OrderNotice) -> Result<(), NotifyError> {
///         println!("{} is {}", notice.order.id, notice.order.status.as_str());
///         Ok(())
///     }
/// }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Notifier<D: OrderDetails = ToyOrder>: Send + Sync {
    /// Tells of the end of one order.
    ///
    /// # Errors
    /// [`NotifyError`] says whether it is tried again.
    async fn notify(&self, notice: &OrderNotice<D>) -> Result<(), NotifyError>;
}

/// The end of an order, to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderNotice<D = ToyOrder> {
    /// What the end is called: the same in every attempt, and to everybody who is told.
    pub id: NoticeId,
    /// The order as it ended. A redrive may have given it another final state since: of that there
    /// is another notice.
    pub order: Order<D>,
    /// The how manieth attempt this is, from 1.
    pub attempt: u32,
}

/// It was not told.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// It may work another time: it is tried again after a pause that grows with each attempt, and
    /// given up after the last.
    #[error("not told for now: {0}")]
    Later(Reason),
    /// The same, but the other side has said when to try again. It is heeded within bounds.
    #[error("not told for now, to be tried again after {after:?}: {problem}")]
    After {
        /// Why.
        problem: Reason,
        /// How long to wait.
        after: Duration,
    },
    /// It will not work another time: the notice is dead until an operator redrives it.
    #[error("cannot be told: {0}")]
    Never(Reason),
}
