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
    address::Address,
    connection::Link,
    depth::DepthLook,
    error::within,
    headers::{self, Death},
    publisher::{Outgoing, RabbitMqPublisher},
    session::Session,
    topology::{Place, Topology},
};

/// How many dead letters are asked for at once.
const PIPELINE: usize = 64;
/// How long the dead letters that one look gives back may take to be there again.
const GIVEN_BACK: Duration = Duration::from_secs(1);
/// How long a retry queue that was missing is taken to be still missing: the
/// broker writes a line to its log for each queue that is asked for in vain.
const MISSING_FOR: Duration = Duration::from_secs(30);

/// Looks at the queues, and moves dead letters.
pub(super) struct RabbitMqAdmin {
    pub(super) link: Arc<Link>,
    pub(super) publisher: Arc<RabbitMqPublisher>,
    pub(super) topology: Topology,
    pub(super) address: Address,
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

/// Dead letters in our hands, and the channel on which they are ours.
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
    /// Reads dead letters, oldest first, and keeps those that are `wanted`
    /// until there are `enough` of them. `None` when there is no such queue.
    ///
    /// Whoever drops what this returns gives all of them back.
    async fn look(
        &self,
        wanted: impl Fn(&Held) -> bool,
        enough: usize,
    ) -> Result<Option<Look>, BrokerError> {
        let session = self.link.session().await?;
        let Some(fill) = self.topology.fill(&session, Place::Dead).await? else { return Ok(None) };
        let channel = session.channel(self.limit).await?;
        let queue = self.topology.name(Place::Dead);
        let mut names = Names::default();
        let mut look = Look {
            session,
            channel: channel.clone(),
            found: fill.messages,
            chosen: Vec::new(),
            last_other: None,
        };
        // No further than what was there at the start: a dead letter that comes
        // while we look may wait for the next look.
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

    /// Gives back everything that was read up to `tag` and is not settled, in
    /// its order, and waits until the queue counts `stay` again.
    async fn give_back(&self, look: &Look, tag: Option<u64>, stay: u32) -> Result<(), BrokerError> {
        if let Some(tag) = tag {
            let options = BasicNackOptions { multiple: true, requeue: true };
            let nack = look.channel.basic_nack(tag, options);
            within(self.limit, "giving back dead letters", nack).await?;
        }
        let close = look.channel.close(200, "done".into());
        within(self.limit, "closing a channel", close).await?;
        // A quorum queue takes messages back a moment after it was told to. The
        // next look shall find them; somebody else's look may hide them, so
        // this does not wait for long.
        let until = Instant::now() + GIVEN_BACK;
        while tag.is_some() && Instant::now() < until {
            match self.topology.fill(&look.session, Place::Dead).await? {
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

    /// Whether a retry queue was found missing a moment ago, and is not ours since.
    fn is_known_missing(&self, place: Place) -> bool {
        let known = self.missing().get(&place).copied();
        known.is_some_and(|since| since.elapsed() < MISSING_FOR) && !self.publisher.has_used(place)
    }

    fn note_missing(&self, place: Place, is_missing: bool) {
        if is_missing {
            self.missing().insert(place, Instant::now());
        } else {
            self.missing().remove(&place);
        }
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
    /// Reads the retry queues first: what is due meanwhile is then counted twice
    /// and not missed.
    async fn depth(&self) -> Result<QueueDepth, BrokerError> {
        let session = self.link.session().await?;
        let mut look = DepthLook::new(&self.topology, &self.address, self.limit);
        let mut delayed = 0;
        for place in Place::retries() {
            if !self.is_known_missing(place) {
                let fill = look.fill(&session, place).await?;
                self.note_missing(place, fill.is_none());
                delayed += fill.map_or(0, |fill| u64::from(fill.messages));
            }
        }
        let orders = look.fill(&session, Place::Orders).await?;
        let dead = look.fill(&session, Place::Dead).await?;
        look.end().await;
        Ok(QueueDepth {
            ready: orders.as_ref().map_or(0, |fill| u64::from(fill.messages)),
            in_flight: None,
            delayed,
            dead: dead.map_or(0, |fill| u64::from(fill.messages)),
            consumers: Some(orders.map_or(0, |fill| u64::from(fill.consumers))),
        })
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
            id: DeadLetterId(held.id),
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
        self.publisher.store(Place::Orders, again.collect()).await?;
        self.remove(&look).await
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
    ids.iter().map(|id| id.0.as_str()).collect()
}
