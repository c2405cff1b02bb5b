use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::{Instant, sleep, timeout};
use woody_core::{
    domain::{Pause, now},
    ports::{
        Backlog, Broker, BrokerError, NoticeCounts, NoticeStore, OrderStore, Pauses, QueueDepth,
        Replication, StoreError,
    },
    services::Wait,
};

use crate::causes::with_causes;

/// How long the store and the broker have to say how they are.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long one that cannot be reached is asked again, and the pause before.
const ASKED_FOR: Duration = Duration::from_millis(1_500);
const PAUSE: Duration = Duration::from_millis(100);

/// What the store and the broker told at one moment.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// When they were asked.
    pub looked_at: OffsetDateTime,
    /// What waits in the store, counted up to 100,000 of each kind.
    pub store: Result<Backlog, Trouble>,
    /// Whether the broker takes messages.
    pub publish: Result<(), Trouble>,
    /// How full the queue is.
    pub queue: Result<QueueDepth, Trouble>,
    /// That workers are paused, where the store said so.
    pub pause: Option<Pause>,
    /// What is still to be told of ended orders, by subscription, counted up to 100,000 of each
    /// kind; empty where the store did not say.
    pub notices: Vec<NoticeCounts>,
    /// How the store's server has what is committed kept by others, where it says so.
    pub replication: Option<Replication>,
    /// What the validations of this process wait for.
    pub validation: Option<Wait>,
}

/// Why one of them could not be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Whether it refuses, which only an operator can end; otherwise it cannot be reached.
    pub refuses: bool,
    /// What it said, down to the last cause.
    pub says: String,
}

/// What people call the store and the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Servers {
    /// The store.
    pub store: &'static str,
    /// The broker.
    pub broker: &'static str,
}

impl Evidence {
    /// How many orders, or notices, of a kind are counted at most: so many may be more.
    pub const COUNTED_UP_TO: u64 = 100_000;

    /// Asks a store and a broker, both at once; `validation` is what a worker of this process
    /// waits for.
    pub async fn gather(
        orders: &dyn OrderStore,
        notices: &dyn NoticeStore,
        pauses: &dyn Pauses,
        broker: &dyn Broker,
        validation: Option<Wait>,
    ) -> Self {
        let looked_at = now();
        let (store, (publish, queue)) =
            tokio::join!(ask_store(orders, notices, pauses), ask_broker(broker));
        let (store, pause, notices, replication) = match store {
            Ok(FromStore { backlog, pause, notices, replication }) => {
                (Ok(backlog), pause, notices, replication)
            }
            Err(trouble) => (Err(trouble), None, vec![], None),
        };
        Self { looked_at, store, publish, queue, pause, notices, replication, validation }
    }
}

/// What the store told.
struct FromStore {
    backlog: Backlog,
    pause: Option<Pause>,
    notices: Vec<NoticeCounts>,
    replication: Option<Replication>,
}

/// One question after the other: the connections are there for those who place orders.
async fn ask_store(
    orders: &dyn OrderStore,
    notices: &dyn NoticeStore,
    pauses: &dyn Pauses,
) -> Result<FromStore, Trouble> {
    in_time(|| async {
        // A standby tells what waits, and takes no order.
        orders.ping().await?;
        Ok::<_, StoreError>(FromStore {
            backlog: orders.backlog(Evidence::COUNTED_UP_TO).await?,
            pause: pauses.current().await?,
            notices: notices.subscriptions(Evidence::COUNTED_UP_TO).await?,
            replication: orders.replication().await?,
        })
    })
    .await
}

async fn ask_broker(broker: &dyn Broker) -> (Result<(), Trouble>, Result<QueueDepth, Trouble>) {
    let (publisher, admin) = (broker.publisher(), broker.admin());
    match in_time(|| publisher.ping()).await {
        Ok(()) => (Ok(()), in_time(|| admin.glance()).await),
        Err(trouble) => (Err(trouble.clone()), Err(trouble)),
    }
}

/// Asks once more where something cannot be reached: one that has much to do may have no
/// connection free for a moment, which is no outage.
async fn in_time<T, E: Into<Trouble>, F: Future<Output = Result<T, E>>>(
    ask: impl Fn() -> F,
) -> Result<T, Trouble> {
    let began = Instant::now();
    let asking = async {
        loop {
            match ask().await.map_err(Into::into) {
                Err(Trouble { refuses: false, .. }) if began.elapsed() < ASKED_FOR => {
                    sleep(PAUSE).await;
                }
                told => return told,
            }
        }
    };
    match timeout(PATIENCE, asking).await {
        Ok(told) => told,
        Err(_elapsed) => {
            Err(Trouble { refuses: false, says: format!("it said nothing within {PATIENCE:?}") })
        }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self { refuses: !error.is_transient(), says: with_causes(&error) }
    }
}

impl From<BrokerError> for Trouble {
    fn from(error: BrokerError) -> Self {
        Self { refuses: !error.is_transient(), says: with_causes(&error) }
    }
}
