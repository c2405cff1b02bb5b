//! Counts messages, and lists and moves dead letters.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex as SyncMutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use lapin::{
    BasicProperties, Channel,
    options::{BasicAckOptions, BasicGetOptions, BasicNackOptions},
};
use tokio::sync::Mutex;
use woody_core::ports::{BrokerAdmin, BrokerError, DeadLetter, DeadLetterId, QueueDepth, Waiting};

use super::{
    connection::Link,
    depth::{Leaders, together},
    error::within,
    headers::{self, Death},
    hosts::Hosts,
    lanes::Outgoing,
    options::MOST_SHARDS,
    publisher::RabbitMqPublisher,
    queues::OrderQueues,
    session::Session,
    topology::{Queue, Seen, Topology},
};

/// How many dead letters are requested at once.
const PIPELINE: usize = 64;
/// How long dead letters that were given back may take to be there again.
const GIVEN_BACK: Duration = Duration::from_secs(1);
/// How long a queue that was missing is assumed to be missing still: the broker
/// logs a line for each request for a missing queue.
const MISSING_FOR: Duration = Duration::from_secs(30);

/// Looks at the queues, and moves dead letters.
pub(super) struct RabbitMqAdmin {
    pub(super) link: Arc<Link>,
    pub(super) publisher: Arc<RabbitMqPublisher>,
    pub(super) topology: Topology,
    pub(super) queues: Arc<OrderQueues>,
    pub(super) hosts: Arc<Hosts>,
    pub(super) limit: Duration,
    /// Held during a look: it hides the dead letters that it holds from others.
    pub(super) looking: Mutex<()>,
    pub(super) missing: SyncMutex<HashMap<Queue, Instant>>,
}

/// An unsettled dead letter.
struct Held {
    tag: u64,
    id: String,
    death: Death,
    body: Bytes,
    properties: BasicProperties,
}

/// Unsettled dead letters, and the channel that delivered them.
struct Look {
    session: Arc<Session>,
    channel: Channel,
    /// How many there were.
    found: u32,
    chosen: Vec<Held>,
    /// The last of those that were read and not chosen.
    last_other: Option<u64>,
}

impl RabbitMqAdmin {
    /// Reads dead letters, oldest first, and keeps those that are `wanted` until there
    /// are `enough` of them. `None` when there is no such queue; an error when it has no
    /// leader, which alone knows what it holds.
    ///
    /// Dropping the result gives all of them back.
    async fn look(
        &self,
        wanted: impl Fn(&Held) -> bool,
        enough: usize,
    ) -> Result<Option<Look>, BrokerError> {
        let session = self.link.session().await?;
        let mut seen = [(Queue::Dead, self.topology.fill(&session, Queue::Dead).await?)];
        self.leaders().confirm(&mut seen).await?;
        let [(_, Some(fill))] = seen else { return Ok(None) };
        let channel = session.channel(self.limit).await?;
        let queue = self.topology.name(Queue::Dead);
        let mut names = Names::default();
        let mut look = Look {
            session,
            channel: channel.clone(),
            found: fill.messages,
            chosen: Vec::new(),
            last_other: None,
        };
        // No more than there were at the start: a dead letter that arrives during the
        // look waits for the next one.
        let mut left = usize::try_from(fill.messages).unwrap_or(usize::MAX);
        'reading: while left > 0 && look.chosen.len() < enough {
            let burst = left.min(PIPELINE);
            left -= burst;
            let gets = (0..burst).map(|_| {
                let get = channel.basic_get(queue.clone(), BasicGetOptions::default());
                within(self.limit, "reading a dead letter", get)
            });
            let mut answers = stream::iter(gets).buffered(burst);
            while let Some(answer) = answers.next().await {
                let Some(message) = answer? else { break 'reading };
                let held = names.hold(message.delivery);
                if look.chosen.len() < enough && wanted(&held) {
                    look.chosen.push(held);
                } else {
                    look.last_other = Some(held.tag);
                }
            }
        }
        Ok(Some(look))
    }

    /// Gives back everything that was read up to `tag` and is not settled, in its order,
    /// and waits until the queue counts `stay` again.
    async fn give_back(&self, look: &Look, tag: Option<u64>, stay: u32) -> Result<(), BrokerError> {
        if let Some(tag) = tag {
            let options = BasicNackOptions { multiple: true, requeue: true };
            let nack = look.channel.basic_nack(tag, options);
            within(self.limit, "giving back dead letters", nack).await?;
        }
        let close = look.channel.close(200, "done".into());
        within(self.limit, "closing a channel", close).await?;
        // A quorum queue takes messages back a moment after it was told to, and the next
        // look shall find them. Another process's look may hide them, so this does not
        // wait for long.
        let until = Instant::now() + GIVEN_BACK;
        while tag.is_some() && Instant::now() < until {
            match self.topology.fill(&look.session, Queue::Dead).await? {
                Some(fill) if fill.messages < stay => {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                _ => break,
            }
        }
        Ok(())
    }

    /// Takes what was chosen off the dead letters, and gives the others back.
    async fn remove(&self, look: &Look) -> Result<u64, BrokerError> {
        for held in &look.chosen {
            let ack = look.channel.basic_ack(held.tag, BasicAckOptions::default());
            within(self.limit, "removing a dead letter", ack).await?;
        }
        let removed = u32::try_from(look.chosen.len()).unwrap_or(u32::MAX);
        let stay = look.found.saturating_sub(removed);
        self.give_back(look, look.last_other, stay).await?;
        Ok(u64::from(removed))
    }

    /// Looks at all queues of orders, also at those that this process has not heard of.
    ///
    /// Another process may make one more at any moment. Who `is_watching` may learn of it later.
    async fn orders(&self, session: &Session, is_watching: bool) -> Result<Vec<Seen>, BrokerError> {
        let is_own = |queue| matches!(queue, Queue::Orders(number) if number < self.queues.own());
        let may_be =
            |queue: &Queue| is_own(*queue) || !is_watching || !self.is_known_missing(*queue);
        let mut orders = Vec::new();
        // All that are known, and one more, which is nearly always missing.
        let (mut from, mut until) = (0, MOST_SHARDS.min(self.queues.count() + 1));
        while from < until {
            let asked = (from..until).map(Queue::Orders).take_while(may_be);
            let seen = self.topology.fills(session, asked).await?;
            orders.extend(seen.into_iter().take_while(|(queue, fill)| {
                if !is_own(*queue) {
                    self.note_missing(*queue, fill.is_none());
                }
                is_own(*queue) || fill.is_some()
            }));
            if orders.len() < usize::from(until) {
                break;
            }
            (from, until) = (until, MOST_SHARDS.min(until + 1));
        }
        self.queues.note(u16::try_from(orders.len()).unwrap_or(MOST_SHARDS));
        Ok(orders)
    }

    /// Looks at all queues of one kind at once: however many there are, it takes as long as for
    /// one. A queue that is not known makes all of them unknown.
    async fn count(&self, is_watching: bool) -> Result<QueueDepth, BrokerError> {
        let session = self.link.session().await?;
        let retries = Queue::retries().filter(|queue| !self.is_known_missing(*queue));
        let mut delayed = self.topology.fills(&session, retries).await?;
        for (queue, fill) in &delayed {
            self.note_missing(*queue, fill.is_none());
        }
        let mut orders = self.orders(&session, is_watching).await?;
        let mut dead = self.topology.fills(&session, [Queue::Dead]).await?;

        let seen = delayed.iter_mut().chain(&mut orders).chain(&mut dead);
        self.leaders().confirm(seen).await?;
        let Waiting { messages: ready, consumers } = together(&orders);
        Ok(QueueDepth {
            ready,
            in_flight: None,
            delayed: together(&delayed).messages,
            dead: together(&dead).messages,
            consumers,
        })
    }

    fn leaders(&self) -> Leaders<'_> {
        Leaders { topology: &self.topology, hosts: &self.hosts, limit: self.limit }
    }

    /// Whether a queue was missing a moment ago, and this process has not used it.
    fn is_known_missing(&self, queue: Queue) -> bool {
        let known = self.missing().get(&queue).copied();
        known.is_some_and(|since| since.elapsed() < MISSING_FOR)
            && !self.publisher.lanes.has_used(queue)
    }

    fn note_missing(&self, queue: Queue, is_missing: bool) {
        if is_missing {
            self.missing().insert(queue, Instant::now());
        } else {
            self.missing().remove(&queue);
        }
    }

    fn missing(&self) -> std::sync::MutexGuard<'_, HashMap<Queue, Instant>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives every dead letter an id.
///
/// Those that a worker moved have one. Those that the broker moved are named by a hash
/// of their body, and by how many of the same came before: confusing two that are the
/// same in everything is harmless.
#[derive(Default)]
struct Names {
    same: HashMap<u64, u64>,
}

impl Names {
    fn hold(&mut self, message: lapin::message::Delivery) -> Held {
        let death = headers::death(&message.properties);
        let id = death.id.clone().unwrap_or_else(|| {
            let hash = fnv1a(&message.data);
            let nth = self.same.entry(hash).or_default();
            *nth += 1;
            format!("broker-{hash:016x}-{nth}")
        });
        Held {
            tag: message.delivery_tag,
            id,
            death,
            body: Bytes::from(message.data),
            properties: message.properties,
        }
    }
}

/// FNV-1a: the same in every process and every version, unlike the standard library's.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[async_trait]
impl BrokerAdmin for RabbitMqAdmin {
    /// Without the hosts: a cluster that moves, or grows, keeps its queues.
    fn queue(&self) -> String {
        let vhost = self.hosts.address().uris().first().map_or("/", |uri| uri.vhost.as_str());
        format!("amqp:{vhost}:{}", self.topology.name(Queue::Orders(0)))
    }

    /// Reads the retry queues first: a message that is due meanwhile is then counted
    /// twice and not missed.
    async fn depth(&self) -> Result<QueueDepth, BrokerError> {
        self.count(false).await
    }

    /// The broker logs an error for each question for a queue that is missing.
    async fn glance(&self) -> Result<QueueDepth, BrokerError> {
        self.count(true).await
    }

    /// One question for each queue, on a connection that is there: nobody asks the leader.
    async fn waiting(&self) -> Result<Waiting, BrokerError> {
        let session = self.link.session().await?;
        Ok(together(&self.topology.fills(&session, self.queues.all()).await?))
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, BrokerError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let _turn = self.looking.lock().await;
        let Some(look) = self.look(|_| true, limit).await? else { return Ok(Vec::new()) };
        let last = look.chosen.last().map(|held| held.tag);
        self.give_back(&look, last.max(look.last_other), look.found).await?;
        let letters = look.chosen.into_iter().map(|held| DeadLetter {
            id: DeadLetterId::new(held.id),
            body: held.body,
            reason: held.death.reason,
            attempts: held.death.attempts,
            died_at: held.death.died_at,
        });
        Ok(letters.collect())
    }

    async fn redrive(&self, ids: &[DeadLetterId]) -> Result<u64, BrokerError> {
        let asked = asked(ids);
        let _turn = self.looking.lock().await;
        let chosen = self.look(|held| asked.contains(held.id.as_str()), asked.len()).await?;
        let Some(look) = chosen else { return Ok(0) };
        let again = look.chosen.iter().map(|held| Outgoing {
            body: held.body.clone(),
            properties: headers::for_redrive(&held.properties),
        });
        self.publisher.store_orders(again.collect()).await?;
        self.remove(&look).await
    }

    async fn resend(&self, bodies: &[Bytes]) -> Result<(), BrokerError> {
        let properties = headers::for_redrive(&headers::fresh());
        let messages = bodies
            .iter()
            .map(|body| Outgoing { body: body.clone(), properties: properties.clone() });
        self.publisher.store_orders(messages.collect()).await
    }

    async fn purge(&self, ids: &[DeadLetterId]) -> Result<u64, BrokerError> {
        let asked = asked(ids);
        let _turn = self.looking.lock().await;
        let chosen = self.look(|held| asked.contains(held.id.as_str()), asked.len()).await?;
        let Some(look) = chosen else { return Ok(0) };
        self.remove(&look).await
    }
}

fn asked(ids: &[DeadLetterId]) -> HashSet<&str> {
    ids.iter().map(DeadLetterId::as_str).collect()
}
