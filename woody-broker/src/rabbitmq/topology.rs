//! Which queues belong to a queue of orders, and how they are declared.
//!
//! | queue | declared with | holds |
//! | --- | --- | --- |
//! | `<queue>` | durable, **no arguments** | orders; any AMQP client may declare it the same |
//! | `<queue>.<n>` | quorum, refuses when it is full, dead-letters to `<queue>.dead` at least once | orders, where they are spread over several queues |
//! | `<queue>.retry.<ms>` | quorum, dead-letters to `<queue>` at least once | messages until their next attempt |
//! | `<queue>.dead` | quorum, a delivery limit out of reach | dead letters |
//! | `<queue>.events` | fanout exchange | nothing; each subscriber has an exclusive queue |

use std::{
    collections::HashSet,
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::try_join_all;
use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, ShortString},
};
use tracing::debug;
use woody_core::ports::BrokerError;

use super::{
    error::{Fault, broker_error, is_reply, within},
    session::Session,
};

/// The delay of the first retry queue; each further one has twice the delay. In the last
/// one a message waits for more than an hour.
const SHORTEST_MS: u64 = 250;
const RUNGS: u32 = 15;
/// Reading a dead letter counts as a delivery on some versions of RabbitMQ, whose default
/// limit is 20.
const NO_DELIVERY_LIMIT: i64 = i32::MAX as i64;
/// As the stack's policy has it for the queue without arguments.
const DELIVERY_LIMIT: i64 = 50;
const PRECONDITION_FAILED: u16 = 406;
const NOT_FOUND: u16 = 404;
const ACCESS_REFUSED: u16 = 403;

/// A queue that holds messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Queue {
    /// A queue of orders, by its number. 0 is the plain one, which other programs know.
    Orders(u16),
    /// A retry queue, by its number: the delay doubles with each.
    Retry(u32),
    /// The dead letters.
    Dead,
}

impl Queue {
    pub(super) fn is_of_orders(self) -> bool {
        matches!(self, Self::Orders(_))
    }

    /// Returns the retry queue for this delay: the first whose own is not shorter.
    ///
    /// A message expires only at the head of its queue. With one queue for each
    /// doubling, nothing waits for twice its delay behind a longer one.
    pub(super) fn for_delay(delay: Duration) -> Self {
        let rung = (0..RUNGS - 1).find(|rung| delay <= rung_delay(*rung));
        Self::Retry(rung.unwrap_or(RUNGS - 1))
    }

    /// Returns this queue and, if it is a retry queue, the next longer one.
    pub(super) fn with_next(self) -> impl Iterator<Item = Self> {
        let next = match self {
            Self::Retry(rung) if rung + 1 < RUNGS => Some(Self::Retry(rung + 1)),
            _ => None,
        };
        [self].into_iter().chain(next)
    }

    /// Returns all the retry queues that may exist.
    pub(super) fn retries() -> impl Iterator<Item = Self> {
        (0..RUNGS).map(Self::Retry)
    }
}

fn rung_delay(rung: u32) -> Duration {
    Duration::from_millis(SHORTEST_MS << rung)
}

/// The names that belong to one queue of orders.
#[derive(Debug, Clone)]
pub(super) struct Topology {
    queue: String,
    limit: Duration,
}

/// How many messages and consumers a queue has.
#[derive(Clone, Copy)]
pub(super) struct Fill {
    pub(super) messages: u32,
    pub(super) consumers: u32,
}

/// A queue, and how full it is; `None` when it does not exist.
pub(super) type Seen = (Queue, Option<Fill>);

impl Topology {
    pub(super) fn new(queue: String, limit: Duration) -> Self {
        Self { queue, limit }
    }

    pub(super) fn name(&self, queue: Queue) -> ShortString {
        match queue {
            Queue::Orders(0) => self.queue.as_str().into(),
            Queue::Orders(number) => format!("{}.{number}", self.queue).into(),
            Queue::Retry(rung) => {
                format!("{}.retry.{}", self.queue, rung_delay(rung).as_millis()).into()
            }
            Queue::Dead => format!("{}.dead", self.queue).into(),
        }
    }

    pub(super) fn events(&self) -> ShortString {
        format!("{}.events", self.queue).into()
    }

    fn arguments(&self, queue: Queue) -> FieldTable {
        let mut arguments = FieldTable::default();
        let mut text = |key: &str, value: &str| {
            arguments.insert(key.into(), AMQPValue::LongString(value.into()));
        };
        match queue {
            // With an argument here, clients that declare the queue without would fail.
            Queue::Orders(0) => {}
            // No other program declares these, and no policy need know of them.
            Queue::Orders(_) => {
                text("x-queue-type", "quorum");
                text("x-dead-letter-exchange", "");
                text("x-dead-letter-routing-key", self.name(Queue::Dead).as_str());
                text("x-dead-letter-strategy", "at-least-once");
                text("x-overflow", "reject-publish");
                arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(DELIVERY_LIMIT));
            }
            Queue::Retry(_) => {
                text("x-queue-type", "quorum");
                text("x-dead-letter-exchange", "");
                text("x-dead-letter-routing-key", &self.queue);
                text("x-dead-letter-strategy", "at-least-once");
                text("x-overflow", "reject-publish");
            }
            Queue::Dead => {
                text("x-queue-type", "quorum");
                text("x-overflow", "reject-publish");
                arguments
                    .insert("x-delivery-limit".into(), AMQPValue::LongLongInt(NO_DELIVERY_LIMIT));
            }
        }
        arguments
    }

    /// Declares the queue, once per connection, unless it exists.
    ///
    /// An existing queue is used as an operator has declared it, which takes no right to
    /// configure it.
    ///
    /// Before a queue of orders with a number those with smaller numbers are: whoever looks for
    /// such queues looks from the first to the one that is missing.
    pub(super) async fn ensure(&self, session: &Session, queue: Queue) -> Result<(), BrokerError> {
        if let Queue::Orders(number) = queue {
            for lower in 1..number {
                self.ensure_one(session, Queue::Orders(lower)).await?;
            }
        }
        self.ensure_one(session, queue).await
    }

    async fn ensure_one(&self, session: &Session, queue: Queue) -> Result<(), BrokerError> {
        let name = self.name(queue);
        if declared(session).contains(name.as_str()) {
            return Ok(());
        }
        if self.fill(session, queue).await?.is_none() {
            self.declare(session, queue).await?;
        }
        declared(session).insert(name.to_string());
        Ok(())
    }

    async fn declare(&self, session: &Session, queue: Queue) -> Result<(), BrokerError> {
        let name = self.name(queue);
        let channel = session.channel(self.limit).await?;
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        let declare = channel.queue_declare(name.clone(), options, self.arguments(queue));
        match tokio::time::timeout(self.limit, declare).await {
            Ok(Err(error)) if is_reply(&error, PRECONDITION_FAILED) => {
                debug!(broker.queue = %name, %error, "queue was declared otherwise, left as it is");
                Ok(())
            }
            Ok(answer) => {
                answer.map_err(|error| may_not_make("queue", &name, error))?;
                self.close(&channel).await;
                Ok(())
            }
            Err(_) => Err(timed_out(self.limit)),
        }
    }

    /// Forgets that the queue was declared: the next call that needs it declares it.
    pub(super) fn forget(&self, session: &Session, queue: Queue) {
        declared(session).remove(self.name(queue).as_str());
    }

    /// Declares the exchange of events, once per connection, unless it exists.
    pub(super) async fn ensure_events(&self, session: &Session) -> Result<(), BrokerError> {
        let name = self.events();
        if declared(session).contains(name.as_str()) {
            return Ok(());
        }
        match self.declare_events(session, true).await? {
            Err(error) if is_reply(&error, NOT_FOUND) => self
                .declare_events(session, false)
                .await?
                .map_err(|error| may_not_make("exchange", &name, error))?,
            looked => looked.map_err(broker_error)?,
        }
        declared(session).insert(name.to_string());
        Ok(())
    }

    /// Declares the exchange, or checks that it exists.
    async fn declare_events(
        &self,
        session: &Session,
        passive: bool,
    ) -> Result<lapin::Result<()>, BrokerError> {
        // On a channel of its own: the reply that there is none closes it.
        let channel = session.channel(self.limit).await?;
        let declare = async {
            let options = ExchangeDeclareOptions {
                durable: true,
                passive,
                ..ExchangeDeclareOptions::default()
            };
            let arguments = FieldTable::default();
            channel
                .exchange_declare(self.events(), ExchangeKind::Fanout, options, arguments)
                .await?;
            self.close(&channel).await;
            Ok(())
        };
        let timed_out = || std::io::Error::from(std::io::ErrorKind::TimedOut).into();
        Ok(tokio::time::timeout(self.limit, declare).await.unwrap_or_else(|_| Err(timed_out())))
    }

    async fn close(&self, channel: &Channel) {
        let _ = within(self.limit, "closing a channel", channel.close(200, "done".into())).await;
    }

    /// Returns how full queues are, which are asked for all at once.
    pub(super) async fn fills(
        &self,
        session: &Session,
        queues: impl IntoIterator<Item = Queue>,
    ) -> Result<Vec<Seen>, BrokerError> {
        let fills = queues
            .into_iter()
            .map(async |queue| Ok::<_, BrokerError>((queue, self.fill(session, queue).await?)));
        try_join_all(fills).await
    }

    /// Returns how full a queue is; `None` when it does not exist.
    pub(super) async fn fill(
        &self,
        session: &Session,
        queue: Queue,
    ) -> Result<Option<Fill>, BrokerError> {
        // On a channel of its own: the reply that there is no queue closes it. Otherwise lapin
        // closes it when it is dropped, and nobody waits for that.
        let channel = session.channel(self.limit).await?;
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let look = channel.queue_declare(self.name(queue), options, FieldTable::default());
        match tokio::time::timeout(self.limit, look).await {
            Ok(Ok(queue)) => {
                let (messages, consumers) = (queue.message_count(), queue.consumer_count());
                Ok(Some(Fill { messages, consumers }))
            }
            Ok(Err(error)) if is_reply(&error, NOT_FOUND) => Ok(None),
            Ok(Err(error)) => Err(broker_error(error)),
            Err(_) => Err(timed_out(self.limit)),
        }
    }
}

fn timed_out(limit: Duration) -> BrokerError {
    Fault::TimedOut { what: "declaring a queue", limit }.into()
}

/// Converts the error of a declaration; a missing right says which.
fn may_not_make(what: &'static str, name: &ShortString, error: lapin::Error) -> BrokerError {
    if is_reply(&error, ACCESS_REFUSED) {
        let (name, said) = (name.to_string(), error.to_string());
        return Fault::MayNotMake { what, name, said }.into();
    }
    broker_error(error)
}

fn declared(session: &Session) -> MutexGuard<'_, HashSet<String>> {
    session.declared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(delays_ms: &[u64]) -> Vec<String> {
        let topology = Topology::new("q".into(), Duration::from_secs(1));
        delays_ms
            .iter()
            .map(|ms| topology.name(Queue::for_delay(Duration::from_millis(*ms))).to_string())
            .collect()
    }

    #[test]
    fn a_delay_goes_to_the_first_queue_that_is_long_enough() {
        assert_eq!(
            names(&[0, 250, 251, 500, 1_000, 3_600_000, u64::MAX]),
            [
                "q.retry.250",
                "q.retry.250",
                "q.retry.500",
                "q.retry.500",
                "q.retry.1000",
                "q.retry.4096000",
                "q.retry.4096000"
            ]
        );
        assert_eq!(Queue::retries().count(), 15);
    }

    #[test]
    fn the_plain_queue_of_orders_has_no_arguments() {
        let topology = Topology::new("q".into(), Duration::from_secs(1));
        assert!(topology.arguments(Queue::Orders(0)).inner().is_empty());
        assert_eq!(topology.name(Queue::Orders(0)).as_str(), "q");
    }

    #[test]
    fn a_further_queue_of_orders_drops_nothing_whatever_the_policies_say() {
        let topology = Topology::new("q".into(), Duration::from_secs(1));
        assert_eq!(topology.name(Queue::Orders(3)).as_str(), "q.3");
        let arguments = topology.arguments(Queue::Orders(3));
        let value = |key: &str| match arguments.inner().get(key) {
            Some(AMQPValue::LongString(text)) => text.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(value("x-overflow"), "reject-publish");
        assert_eq!(value("x-dead-letter-routing-key"), "q.dead");
        assert_eq!(value("x-dead-letter-strategy"), "at-least-once");
    }
}
