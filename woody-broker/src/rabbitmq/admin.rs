//! What an operator sees and does.

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
use woody_core::ports::{BrokerAdmin, BrokerError, DeadLetter, DeadLetterId, QueueDepth};

use super::{
    connection::Link,
    error::within,
    headers::{self, Death},
    publisher::{Outgoing, RabbitMqPublisher},
    session::Session,
    topology::{Place, Topology},
};

/// How many dead letters are asked for at once.
const PIPELINE: usize = 64;
/// How long a retry queue that was missing is taken to be still missing: the
/// broker writes a line to its log for each queue that is asked for in vain.
const MISSING_FOR: Duration = Duration::from_secs(30);

/// Looks at the queues, and moves dead letters.
pub(super) struct RabbitMqAdmin {
    pub(super) link: Arc<Link>,
    pub(super) publisher: Arc<RabbitMqPublisher>,
    pub(super) topology: Topology,
    pub(super) limit: Duration,
    /// Dead letters that one look holds are hidden from another.
    pub(super) looking: Mutex<()>,
    pub(super) missing: SyncMutex<HashMap<Place, Instant>>,
}

/// A dead letter in our hands, unsettled.
struct Held {
    tag: u64,
    id: String,
    death: Death,
    body: Bytes,
    properties: BasicProperties,
}

impl RabbitMqAdmin {
    /// Reads dead letters in order until `take` says that it has enough, then
    /// does `then` with those that it wanted; all others go back where they were.
    async fn look<T>(
        &self,
        mut wanted: impl FnMut(&Held) -> bool,
        mut enough: impl FnMut(usize, usize) -> bool,
        then: impl AsyncFnOnce(&Channel, Vec<Held>) -> Result<T, BrokerError>,
    ) -> Result<Option<T>, BrokerError> {
        let _turn = self.looking.lock().await;
        let session = self.link.session().await?;
        let Some(fill) = self.topology.fill(&session, Place::Dead).await? else { return Ok(None) };
        let channel = session.channel(self.limit).await?;
        let queue = self.topology.name(Place::Dead);
        let mut scan = Scan::default();
        let mut chosen = Vec::new();
        let mut last = None;
        // No further than what was there at the start: a dead letter that comes
        // while we look may wait for the next look.
        let mut left = fill.messages as usize;
        'reading: while left > 0 && !enough(scan.read, chosen.len()) {
            let burst = left.min(PIPELINE);
            let gets = (0..burst).map(|_| {
                let get = channel.basic_get(queue.clone(), BasicGetOptions::default());
                within(self.limit, "reading a dead letter", get)
            });
            let mut answers = stream::iter(gets).buffered(burst);
            while let Some(answer) = answers.next().await {
                let Some(message) = answer? else { break 'reading };
                let held = scan.hold(message.delivery);
                last = Some(held.tag);
                left -= 1;
                if !enough(scan.read - 1, chosen.len()) && wanted(&held) {
                    chosen.push(held);
                }
            }
        }
        let done = then(&channel, chosen).await;
        if let Some(tag) = last {
            // Whatever is unsettled up to here goes back, in its order.
            let options = BasicNackOptions { multiple: true, requeue: true };
            within(self.limit, "giving back dead letters", channel.basic_nack(tag, options))
                .await?;
        }
        // The answer to this proves that the broker has done all of the above.
        within(self.limit, "closing a channel", channel.close(200, "done".into())).await?;
        done.map(Some)
    }

    /// Takes `chosen` off the dead letters.
    async fn drop_all(&self, channel: &Channel, chosen: &[Held]) -> Result<u64, BrokerError> {
        for held in chosen {
            let ack = channel.basic_ack(held.tag, BasicAckOptions::default());
            within(self.limit, "removing a dead letter", ack).await?;
        }
        Ok(chosen.len() as u64)
    }

    /// How many messages wait in a retry queue.
    async fn delayed(&self, session: &Session, place: Place) -> Result<u64, BrokerError> {
        let known = self.missing().get(&place).copied();
        let missing = known.is_some_and(|since| since.elapsed() < MISSING_FOR);
        if missing && !self.publisher.has_used(place) {
            return Ok(0);
        }
        if let Some(fill) = self.topology.fill(session, place).await? {
            self.missing().remove(&place);
            return Ok(u64::from(fill.messages));
        }
        self.missing().insert(place, Instant::now());
        Ok(0)
    }

    fn missing(&self) -> std::sync::MutexGuard<'_, HashMap<Place, Instant>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives every dead letter its id.
///
/// Those that we have put there have one. Those that the broker has moved are
/// named by what is in them, and by how many of the same came before: two that
/// are the same in everything may be taken for one another without harm.
#[derive(Default)]
struct Scan {
    read: usize,
    same: HashMap<u64, u64>,
}

impl Scan {
    fn hold(&mut self, message: lapin::message::Delivery) -> Held {
        self.read += 1;
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
    async fn depth(&self) -> Result<QueueDepth, BrokerError> {
        let session = self.link.session().await?;
        let orders = self.topology.fill(&session, Place::Orders).await?;
        let dead = self.topology.fill(&session, Place::Dead).await?;
        let mut depth = QueueDepth {
            ready: orders.as_ref().map_or(0, |fill| u64::from(fill.messages)),
            in_flight: None,
            delayed: 0,
            dead: dead.map_or(0, |fill| u64::from(fill.messages)),
            consumers: Some(orders.map_or(0, |fill| u64::from(fill.consumers))),
        };
        for place in Place::retries() {
            depth.delayed += self.delayed(&session, place).await?;
        }
        Ok(depth)
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, BrokerError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let letters = self
            .look(
                |_| true,
                |_, chosen| chosen >= limit,
                async |_, chosen| {
                    let letters = chosen.into_iter().map(|held| DeadLetter {
                        id: DeadLetterId(held.id),
                        body: held.body,
                        reason: held.death.reason,
                        attempts: held.death.attempts,
                        died_at: held.death.died_at,
                    });
                    Ok(letters.collect())
                },
            )
            .await?;
        Ok(letters.unwrap_or_default())
    }

    async fn redrive(&self, ids: &[DeadLetterId]) -> Result<u64, BrokerError> {
        let (asked, count) = asked(ids);
        let moved = self
            .look(
                |held| asked.contains(held.id.as_str()),
                |_, chosen| chosen >= count,
                async |channel, chosen| {
                    let messages: Vec<Outgoing> = chosen
                        .iter()
                        .map(|held| Outgoing {
                            body: held.body.clone(),
                            properties: headers::for_redrive(&held.properties),
                        })
                        .collect();
                    self.publisher.store(Place::Orders, &messages).await?;
                    self.drop_all(channel, &chosen).await
                },
            )
            .await?;
        Ok(moved.unwrap_or(0))
    }

    async fn purge(&self, ids: &[DeadLetterId]) -> Result<u64, BrokerError> {
        let (asked, count) = asked(ids);
        let purged = self
            .look(
                |held| asked.contains(held.id.as_str()),
                |_, chosen| chosen >= count,
                async |channel, chosen| self.drop_all(channel, &chosen).await,
            )
            .await?;
        Ok(purged.unwrap_or(0))
    }
}

fn asked(ids: &[DeadLetterId]) -> (HashSet<&str>, usize) {
    let asked: HashSet<&str> = ids.iter().map(|id| id.0.as_str()).collect();
    let count = asked.len();
    (asked, count)
}
