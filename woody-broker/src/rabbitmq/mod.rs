//! RabbitMQ, over lapin.
//!
//! Three connections, each opened when it is first needed and kept up by a task
//! of its own: one publishes, one consumes (one for each queue of orders), one is for operators
//! and events. A broker
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
//! Orders may be spread over several queues ([`RabbitMqOptions::shards`]), since one quorum queue
//! has one leader. A publisher puts a batch into the next queue in turn, or into another one where
//! that takes none; a consumer takes from all that exist, its prefetch shared out among them.
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
mod lanes;
mod links;
mod moving;
mod options;
mod publisher;
mod queues;
mod refusing;
mod session;
mod shares;
mod standing;
mod subscription;
mod tags;
mod topology;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use tokio_util::sync::DropGuard;
use woody_core::ports::{
    Broker, BrokerAdmin, BrokerError, Consumer, OrderEvents, Prefetch, Publisher,
};

pub(crate) use address::check_url;
pub use options::RabbitMqOptions;

use self::{
    address::Address, admin::RabbitMqAdmin, connection::Link, consumer::RabbitMqConsumer,
    events::RabbitMqEvents, hosts::Hosts, lanes::Lanes, links::Links, moving::Moving,
    publisher::RabbitMqPublisher, queues::OrderQueues, refusing::Refusing, topology::Topology,
};

/// A queue of orders on a RabbitMQ, 3.10 or newer.
///
/// Dropping it ends its connections as [`close`](Broker::close) does, without
/// waiting; publishers, consumers and the rest end with it.
pub struct RabbitMqBroker {
    links: Arc<Links>,
    operating: Arc<Link>,
    queues: Arc<OrderQueues>,
    publisher: Arc<RabbitMqPublisher>,
    admin: Arc<RabbitMqAdmin>,
    events: Arc<RabbitMqEvents>,
    topology: Topology,
    moving: Arc<Moving>,
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
        let links = Arc::new(Links::new(hosts, options));
        let options = &links.options;
        let (publishing, operating) = (links.start("publish"), links.start("admin"));
        let topology = Topology::new(options.queue.clone(), options.operation_timeout);
        let queues = Arc::new(OrderQueues::new(options.shards));
        publishing.want();
        let publisher = Arc::new(RabbitMqPublisher {
            lanes: Lanes::new(publishing, topology.clone(), options, links.tasks.clone()),
            topology: topology.clone(),
            queues: Arc::clone(&queues),
            left_alone_for: options.parked_for,
            refusing: Refusing::default(),
        });
        Ok(Self {
            admin: Arc::new(RabbitMqAdmin {
                link: Arc::clone(&operating),
                publisher: Arc::clone(&publisher),
                topology: topology.clone(),
                queues: Arc::clone(&queues),
                hosts: Arc::clone(&links.hosts),
                limit: options.operation_timeout,
                looking: tokio::sync::Mutex::default(),
                missing: std::sync::Mutex::default(),
            }),
            events: Arc::new(RabbitMqEvents {
                publisher: Arc::clone(&publisher),
                listening: Arc::clone(&operating),
                topology: topology.clone(),
                options: options.clone(),
                cancel: links.cancel.clone(),
                tasks: links.tasks.clone(),
                channel: std::sync::Mutex::default(),
            }),
            moving: Arc::new(Moving {
                publisher: Arc::clone(&publisher),
                tasks: links.tasks.clone(),
                cancel: links.cancel.clone(),
                limit: options.operation_timeout,
                parked_for: options.parked_for,
                refusing: Refusing::default(),
            }),
            _on_drop: links.cancel.clone().drop_guard(),
            publisher,
            operating,
            queues,
            topology,
            links,
        })
    }
}

#[async_trait]
impl Broker for RabbitMqBroker {
    fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::clone(&self.publisher) as Arc<dyn Publisher>
    }

    async fn consumer(&self, prefetch: Prefetch) -> Result<Box<dyn Consumer>, BrokerError> {
        if self.links.cancel.is_cancelled() {
            return Err(BrokerError::Closed);
        }
        Ok(Box::new(RabbitMqConsumer::start(
            &self.links,
            Arc::clone(&self.operating),
            self.topology.clone(),
            Arc::clone(&self.queues),
            &self.moving,
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
        self.links.cancel.cancel();
        self.links.tasks.close();
        // Every task ends when it is cancelled, the links within their time.
        let bound = self.links.options.close_timeout * 2;
        if tokio::time::timeout(bound, self.links.tasks.wait()).await.is_err() {
            tracing::warn!(broker.queue = self.links.options.queue, "tasks outlive the broker");
        }
    }
}

impl fmt::Debug for RabbitMqBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitMqBroker")
            .field("address", self.links.hosts.address())
            .field("queue", &self.links.options.queue)
            .finish_non_exhaustive()
    }
}
