use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::ports::{BrokerError, OrderEvents, StatusChange, StatusStream};

/// Wakes the deliveries of one process when an order has ended in it. Those of other processes
/// look now and then.
///
/// ```
/// # use std::sync::Arc;
/// # use woody_core::{ports::Broker, services::{NoticeBell, NoticeDelivery}};
/// # fn example(broker: Arc<dyn Broker>, delivery: NoticeDelivery) {
/// let bell = NoticeBell::new();
/// let delivery = delivery.woken_by(&bell);
/// // Whoever announces changes by these, a worker or an intake, rings.
/// let events = bell.rung_by(broker.events());
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct NoticeBell(Arc<watch::Sender<()>>);

impl NoticeBell {
    /// Makes a bell that nobody rings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wakes who listens.
    pub fn ring(&self) {
        self.0.send_replace(());
    }

    /// Returns `events` with the bell at them: it rings with each announcement, which comes after
    /// its change was saved.
    pub fn rung_by(&self, events: Arc<dyn OrderEvents>) -> Arc<dyn OrderEvents> {
        Arc::new(Ringing { bell: self.clone(), events })
    }

    pub(super) fn listen(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }
}

/// Events with a bell at them.
struct Ringing {
    bell: NoticeBell,
    events: Arc<dyn OrderEvents>,
}

#[async_trait]
impl OrderEvents for Ringing {
    async fn announce(&self, changes: &[StatusChange]) -> Result<(), BrokerError> {
        // First: a broker that is slow or away holds no notice up.
        self.bell.ring();
        self.events.announce(changes).await
    }

    async fn subscribe(&self) -> Result<StatusStream, BrokerError> {
        self.events.subscribe().await
    }
}
