//! RabbitMQ, over lapin.
//!
//! Three connections, each opened when it is first needed and kept up by a task
//! of its own: one publishes, one consumes, one is for operators and events. A broker
//! that runs out of memory or disk stops reading from connections that publish, and the
//! acknowledgements that would relieve it must not wait behind them.
//!
//! lapin's own recovery is off: it notices neither a silent broker nor a deleted
//! queue. Every request to the broker has a deadline here.
//!
//! A URL may name several hosts of one cluster. A connection goes to any of them, each name
//! and each of its addresses in turn, those that failed lately last.
//!
//! The queue of orders is declared with no arguments, so that any client that
//! does the same can share it. Its type, its limits and its dead-letter route come from
//! the virtual host and its policies.
//!
//! # What RabbitMQ does not give
//! - Killed within half a second of a quorum queue's *creation*, it comes back
//!   with the queue and without its messages, confirmed ones too (its names are
//!   written late; seen with 4.3.6). The reconciliation publishes the orders again.
//! - A quorum queue counts a release towards its delivery limit up to 4.2; from
//!   4.3 it does not. Give the queue a dead-letter route to `<queue>.dead`.
//! - A message expires only at the head of its retry queue: it may wait for up to
//!   twice its delay behind others.
//!
//! lapin logs all it meets at `error`, even a queue that does not exist. What matters of
//! that is logged here, once; filter out the target `lapin`.

mod acker;
mod address;
mod admin;
mod connection;
mod consumer;
mod deliveries;
mod depth;
mod error;
mod events;
mod headers;
mod hosts;
mod moving;
mod options;
mod publisher;
mod session;
mod tags;
mod topology;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use woody_core::ports::{
    Broker, BrokerAdmin, BrokerError, Consumer, OrderEvents, Prefetch, Publisher,
};

pub(crate) use address::check_url;
pub use options::RabbitMqOptions;

use self::{
    address::Address, admin::RabbitMqAdmin, connection::Link, consumer::RabbitMqConsumer,
    events::RabbitMqEvents, hosts::Hosts, moving::Moving, publisher::RabbitMqPublisher,
    topology::Topology,
};

/// A queue of orders on a RabbitMQ, 3.10 or newer.
///
/// Dropping it ends its connections as [`close`](Broker::close) does, without
/// waiting; publishers, consumers and the rest end with it.
pub struct RabbitMqBroker {
    hosts: Arc<Hosts>,
    options: RabbitMqOptions,
    publisher: Arc<RabbitMqPublisher>,
    admin: Arc<RabbitMqAdmin>,
    events: Arc<RabbitMqEvents>,
    consuming: Arc<Link>,
    topology: Topology,
    moving: Arc<Moving>,
    tasks: TaskTracker,
    cancel: CancellationToken,
    _on_drop: DropGuard,
}

impl RabbitMqBroker {
    /// Parses the URL and begins to connect in the background: an unavailable broker is
    /// no error.
    ///
    /// # Errors
    /// [`BrokerError::Refused`] for a malformed URL or queue name, or a file of authorities
    /// (`cacertfile`) that cannot be read. The text never quotes the URL.
    #[expect(clippy::unused_async, reason = "it needs a runtime, and backends look alike")]
    pub async fn connect(url: &str, options: RabbitMqOptions) -> Result<Self, BrokerError> {
        options.check()?;
        let address = Address::parse(url, &options).map_err(BrokerError::refused)?;
        let hosts = Arc::new(Hosts::of(address)?);
        let cancel = CancellationToken::new();
        let tasks = TaskTracker::new();
        let news = Arc::default();
        let link =
            |purpose| Link::start(purpose, Arc::clone(&hosts), &options, &news, &cancel, &tasks);
        let (publishing, consuming, operating) = (link("publish"), link("consume"), link("admin"));
        let topology = Topology::new(options.queue.clone(), options.operation_timeout);
        publishing.want();
        let publisher =
            Arc::new(RabbitMqPublisher::new(publishing, topology.clone(), &options, tasks.clone()));
        Ok(Self {
            admin: Arc::new(RabbitMqAdmin {
                link: Arc::clone(&operating),
                publisher: Arc::clone(&publisher),
                topology: topology.clone(),
                hosts: Arc::clone(&hosts),
                limit: options.operation_timeout,
                looking: tokio::sync::Mutex::default(),
                missing: std::sync::Mutex::default(),
            }),
            events: Arc::new(RabbitMqEvents {
                publisher: Arc::clone(&publisher),
                listening: operating,
                topology: topology.clone(),
                options: options.clone(),
                cancel: cancel.clone(),
                tasks: tasks.clone(),
                channel: std::sync::Mutex::default(),
            }),
            moving: Arc::new(Moving {
                publisher: Arc::clone(&publisher),
                tasks: tasks.clone(),
                cancel: cancel.clone(),
                limit: options.operation_timeout,
                parked_for: options.parked_for,
                refusing: moving::Refusing::default(),
            }),
            _on_drop: cancel.clone().drop_guard(),
            publisher,
            consuming,
            topology,
            hosts,
            options,
            tasks,
            cancel,
        })
    }
}

#[async_trait]
impl Broker for RabbitMqBroker {
    fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::clone(&self.publisher) as Arc<dyn Publisher>
    }

    async fn consumer(&self, prefetch: Prefetch) -> Result<Box<dyn Consumer>, BrokerError> {
        if self.cancel.is_cancelled() {
            return Err(BrokerError::Closed);
        }
        Ok(Box::new(RabbitMqConsumer::start(
            Arc::clone(&self.consuming),
            self.topology.clone(),
            &self.moving,
            &self.options,
            prefetch,
        )))
    }

    fn admin(&self) -> Arc<dyn BrokerAdmin> {
        Arc::clone(&self.admin) as Arc<dyn BrokerAdmin>
    }

    fn events(&self) -> Arc<dyn OrderEvents> {
        Arc::clone(&self.events) as Arc<dyn OrderEvents>
    }

    async fn close(&self) {
        self.cancel.cancel();
        self.tasks.close();
        // Every task ends when it is cancelled, the links within their time.
        let bound = self.options.close_timeout * 2;
        if tokio::time::timeout(bound, self.tasks.wait()).await.is_err() {
            tracing::warn!(broker.queue = self.options.queue, "tasks outlive the broker");
        }
    }
}

impl fmt::Debug for RabbitMqBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitMqBroker")
            .field("address", self.hosts.address())
            .field("queue", &self.options.queue)
            .finish_non_exhaustive()
    }
}
