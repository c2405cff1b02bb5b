use std::time::Duration;

use woody_core::{ports::BrokerError, resilience::Comeback};

/// As many queues as orders may be spread over.
pub(super) const MOST_SHARDS: u16 = 16;

/// How to use a RabbitMQ; the defaults fit a broker in the same data centre.
///
/// ```
/// use woody_broker::rabbitmq::RabbitMqOptions;
///
/// let options = RabbitMqOptions::default().publish_channels(8);
/// assert_eq!(options.queue, "order_processing");
/// ```
#[non_exhaustive]
#[derive(Debug, Clone)]
pub struct RabbitMqOptions {
    /// The queue of orders. Its companions take its name as their prefix.
    pub queue: String,
    /// Over how many queues orders are spread: 1 to 16. The first is `queue`, the others are
    /// `queue.1` and so on. Others may use more or fewer: consumers take from all that exist.
    pub shards: u16,
    /// How often a consumer looks for queues that it does not know.
    pub look_every: Duration,
    /// How often a consumer of several queues looks where messages wait, and shares out its
    /// prefetch.
    pub turn: Duration,
    /// A connection that is silent for twice as long is closed. Whole seconds, at
    /// least one. A `heartbeat` in the URL that is not 0 wins.
    pub heartbeat: Duration,
    /// How long connecting may take, where the URL's host has one address. A
    /// `connection_timeout` in the URL wins.
    pub connect_timeout: Duration,
    /// How long it may take at each address, where there are several: then the next is
    /// tried. A `connection_timeout` in the URL wins.
    pub login_timeout: Duration,
    /// How long any single request to the broker may take.
    pub operation_timeout: Duration,
    /// How long a window of messages may take from its first byte to its last confirm.
    pub publish_timeout: Duration,
    /// How many batches are on their way at once; further ones wait.
    pub publish_channels: usize,
    /// How many messages of one batch are on their way at once.
    pub publish_window: usize,
    /// How long a message waits that could not be moved to the dead letters, or to its retry
    /// queue: then that is tried again. A queue that refused is left alone for as long.
    pub parked_for: Duration,
    /// The pause after the first failure to connect; it doubles from there.
    pub min_pause: Duration,
    /// The longest pause between two attempts to connect.
    pub max_pause: Duration,
    /// How long [`close`](woody_core::ports::Broker::close) waits for a broker
    /// that does not close its connections.
    pub close_timeout: Duration,
    /// Changes that a subscriber may fall behind before it misses some.
    pub event_backlog: usize,
}

impl RabbitMqOptions {
    woody_core::__setters! {
        queue: String,
        shards: u16,
        look_every: Duration,
        turn: Duration,
        heartbeat: Duration,
        connect_timeout: Duration,
        login_timeout: Duration,
        operation_timeout: Duration,
        publish_timeout: Duration,
        publish_channels: usize,
        publish_window: usize,
        parked_for: Duration,
        min_pause: Duration,
        max_pause: Duration,
        close_timeout: Duration,
        event_backlog: usize,
    }
}

impl Default for RabbitMqOptions {
    fn default() -> Self {
        Self {
            queue: "order_processing".into(),
            shards: 1,
            look_every: Duration::from_secs(30),
            turn: Duration::from_millis(250),
            heartbeat: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(3),
            login_timeout: Duration::from_secs(1),
            operation_timeout: Duration::from_secs(5),
            publish_timeout: Duration::from_secs(5),
            publish_channels: 4,
            publish_window: 1024,
            parked_for: Duration::from_secs(30),
            min_pause: Duration::from_millis(100),
            // For an order an outage lasts until its end is noticed.
            max_pause: Duration::from_secs(1),
            close_timeout: Duration::from_secs(3),
            event_backlog: 1024,
        }
    }
}

impl RabbitMqOptions {
    /// Returns the defaults for another queue.
    pub fn for_queue(queue: impl Into<String>) -> Self {
        Self { queue: queue.into(), ..Self::default() }
    }

    /// Refuses a queue name that RabbitMQ refuses, alone or with the suffixes of the
    /// queues that belong to it, and a number of queues that is out of bounds.
    pub(super) fn check(&self) -> Result<(), BrokerError> {
        let name = &self.queue;
        if name.is_empty() || name.len() > 200 || name.starts_with("amq.") {
            return Err(BrokerError::refused(format!(
                "a queue is named with 1 to 200 bytes that do not begin with `amq.`, not {name:?}"
            )));
        }
        if !(1..=MOST_SHARDS).contains(&self.shards) {
            return Err(BrokerError::refused(format!(
                "orders are spread over 1 to {MOST_SHARDS} queues, not {}",
                self.shards
            )));
        }
        Ok(())
    }

    /// Returns the pauses of what is kept up on the broker.
    pub(super) fn comeback(&self) -> Comeback {
        Comeback::new(self.min_pause, self.max_pause)
    }
}
