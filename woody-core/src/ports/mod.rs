//! What the services need from outside, as object-safe traits.
//!
//! Each trait states its contract in words; the feature `contract` holds the
//! same contract as tests, which every backend passes.

mod act_log;
mod broker;
mod broker_error;
mod delivery;
mod events;
mod notice_store;
mod notifier;
mod order_list;
mod order_store;
mod order_trail;
mod pauses;
mod place;
mod product_store;
mod queue_note;
mod record;
mod replication;
mod store;
mod store_error;
mod timeline;
mod validator;

pub use act_log::{ActCursor, ActLog, ActPage, ActQuery};
pub use broker::{
    Broker, BrokerAdmin, Consumer, ConsumerState, DeadLetter, DeadLetterId, Prefetch, Publisher,
    QueueDepth, Waiting,
};
pub use broker_error::BrokerError;
pub use delivery::{Acker, Delivery, SettleError, Settlement};
pub use events::{OrderEvents, StatusChange, StatusStream};
pub use notice_store::{Attempt, KeptNotice, Notice, NoticeCounts, NoticeStore};
pub use notifier::{Notifier, NotifyError, OrderNotice};
pub use order_list::{Archivable, ListOf, OrderCursor, OrderPage, OrderQuery, PageSize};
pub use order_store::{
    Backlog, Begun, Decision, FoundOrder, Insert, OrderCounts, OrderStore, Transition, Watermark,
};
pub use order_trail::{KeptAttempt, KeptIn, OrderTrail, Publishing};
pub use pauses::Pauses;
pub use product_store::{CatalogueSummary, ProductStore};
pub use queue_note::{QueueNote, QueueReading};
pub use record::{Saved, record};
pub use replication::Replication;
pub use store::Store;
pub use store_error::StoreError;
pub use timeline::Timeline;
pub use validator::{ValidateError, Validator, Verdict};

#[cfg(feature = "mock")]
pub use {
    act_log::MockActLog,
    broker::{MockBroker, MockBrokerAdmin, MockConsumer, MockPublisher},
    delivery::MockAcker,
    events::MockOrderEvents,
    notice_store::MockNoticeStore,
    notifier::MockNotifier,
    order_store::MockOrderStore,
    pauses::MockPauses,
    product_store::MockProductStore,
    store::MockStore,
    validator::MockValidator,
};
