//! The broker's durable state: the queue, what is out with consumers, what waits
//! for its next try, and the dead letters.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use tokio::time::Instant;
use woody_core::{
    domain::{OrderId, OrderMessage, OrderStatus, Outcome, Reason},
    ports::QueueDepth,
};

use crate::{call::Reach, order::name_of, world::Inner};

#[derive(Default)]
pub struct BrokerState {
    pub ready: BTreeMap<u64, Message>,
    pub delayed: BTreeMap<(Instant, u64), Message>,
    /// With the process that holds it, by the delivery's tag.
    pub unsettled: BTreeMap<u64, (u32, Message)>,
    pub dead: BTreeMap<u64, (Message, Reason)>,
    places: u64,
    /// The queue has no leader for a while: its depth is not known.
    pub leaderless: bool,
}

#[derive(Debug, Clone)]
pub struct Message {
    pub body: Bytes,
    /// The order that it is about, unless it is poison.
    pub id: Option<OrderId>,
    pub name: String,
    pub place: u64,
    pub attempts: u32,
    pub seen: bool,
    pub redriven: bool,
}

impl BrokerState {
    pub fn place(&mut self) -> u64 {
        self.places += 1;
        self.places
    }

    fn append(&mut self, mut message: Message) {
        message.place = self.place();
        self.ready.insert(message.place, message);
    }

    pub fn bring_back_what_is_due(&mut self) {
        while let Some(first) = self.delayed.first_entry()
            && first.key().0 <= Instant::now()
        {
            let message = first.remove();
            self.append(message);
        }
    }

    /// Every message that is not dead.
    fn alive(&self) -> impl Iterator<Item = &Message> {
        let out = self.unsettled.values().map(|(_, message)| message);
        self.ready.values().chain(self.delayed.values()).chain(out)
    }

    pub fn holds(&self, id: OrderId) -> bool {
        self.alive().any(|message| message.id == Some(id))
    }

    /// Whether the order's message is with one of these processes, or nowhere.
    pub fn hides(&self, id: OrderId, processes: &BTreeSet<u32>) -> bool {
        let is_its = |message: &&Message| message.id == Some(id);
        let seen = self.unsettled.values().filter(|(holder, _)| !processes.contains(holder));
        let mut seen = seen.map(|(_, message)| message);
        let mut waiting = self.ready.values().chain(self.delayed.values());
        !waiting.any(|message| is_its(&message)) && !seen.any(|message| is_its(&message))
    }

    pub fn left(&self) -> Vec<String> {
        self.alive().map(|message| message.name.clone()).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.delayed.is_empty() && self.unsettled.is_empty()
    }

    pub fn held_by(&self, process: u32) -> usize {
        self.unsettled.values().filter(|(holder, _)| *holder == process).count()
    }

    pub fn next_due(&self) -> Option<Instant> {
        self.delayed.first_key_value().map(|((due, _), _)| *due)
    }

    pub fn has_ready(&mut self) -> bool {
        self.bring_back_what_is_due();
        !self.ready.is_empty()
    }
}

impl Inner {
    /// Stores a message.
    pub fn put(&mut self, body: &Bytes) {
        let (id, name) = match OrderMessage::parse(body) {
            Ok(message) => (Some(message.order_id), name_of(&message.into_order())),
            Err(_) => (None, String::from_utf8_lossy(body).into_owned()),
        };
        self.say(|| format!("broker: put {name}"));
        self.count("messages published");
        if let Some(id) = id {
            self.ledger.turns_up(id);
        }
        let body = body.clone();
        self.broker.append(Message {
            body,
            id,
            name,
            place: 0,
            attempts: 0,
            seen: false,
            redriven: false,
        });
    }

    /// Stores all, or what a call that was lost half way gets through.
    pub fn put_all(&mut self, bodies: &[Bytes], reach: Reach) {
        for body in bodies {
            if reach == Reach::Whole || self.rng.bool() {
                self.put(body);
            }
        }
    }

    /// The same, as an operator does it.
    pub fn put_all_redriven(&mut self, bodies: &[Bytes], reach: Reach) {
        for body in bodies {
            if reach == Reach::Whole || self.rng.bool() {
                self.put(body);
                if let Some(message) = self.broker.ready.values_mut().next_back() {
                    message.redriven = true;
                    self.ledger.redriven.extend(message.id);
                }
            }
        }
    }

    pub fn depth(&mut self) -> QueueDepth {
        self.broker.bring_back_what_is_due();
        let in_flight = self.broker.unsettled.len() as u64;
        QueueDepth {
            ready: self.broker.ready.len() as u64,
            in_flight: self.mood.tells_in_flight.then_some(in_flight),
            delayed: self.broker.delayed.len() as u64,
            dead: self.broker.dead.len() as u64,
            consumers: None,
        }
    }

    /// Puts dead letters back on the queue.
    pub fn redrive(&mut self, places: &[u64], reach: Reach) -> u64 {
        let mut moved = 0;
        for place in places {
            let Some((message, _)) = self.broker.dead.get(place) else { continue };
            let mut message = message.clone();
            self.say(|| format!("broker: redrive {}", message.name));
            self.count("redriven dead letters");
            (message.attempts, message.seen, message.redriven) = (0, false, true);
            self.ledger.redriven.extend(message.id);
            self.broker.append(message);
            if reach == Reach::Whole {
                self.broker.dead.remove(place);
            }
            moved += 1;
        }
        moved
    }

    /// A message is there once more: a network that repeats, a publisher that
    /// does not know better.
    pub fn double_one(&mut self) {
        let count = self.broker.ready.len();
        if count == 0 {
            return;
        }
        let nth = self.rng.usize(..count);
        let Some(message) = self.broker.ready.values().nth(nth).cloned() else { return };
        self.count("doubled messages");
        self.say(|| format!("broker: {} is doubled", message.name));
        self.broker.append(message);
    }

    /// All data is lost. Excused from now on is what was there and nowhere else.
    pub fn wipe(&mut self) {
        self.count("wipes");
        self.say(|| "broker is wiped".to_owned());
        let state = std::mem::take(&mut self.broker);
        self.broker.places = state.places;
        let dead = state.dead.values().map(|(message, _)| message);
        for message in state.alive().chain(dead) {
            match message.id {
                None => drop(self.ledger.poison_lost.insert(message.body.clone())),
                Some(id) => {
                    self.ledger.letter_lost.insert(id);
                    if self.store.row(id).is_none() {
                        self.ledger.lost_in_broker.insert(id);
                    }
                }
            }
        }
        for row in &mut self.store.rows {
            row.wiped |= !row.status.is_final();
        }
    }

    /// Whether an order's message is a dead letter.
    pub fn has_letter(&self, id: OrderId) -> bool {
        self.broker.dead.values().any(|(message, _)| message.id == Some(id))
    }

    /// G4: a failed order can be redriven, since its message is a dead letter.
    pub fn failed_without_letter(&self) -> Option<String> {
        let failed = self.store.rows.iter().find(|row| {
            let id = row.order.id;
            matches!(row.status, OrderStatus::Ended(Outcome::Failed(_)))
                && !self.ledger.letter_lost.contains(&id)
                && !self.has_letter(id)
        })?;
        Some(name_of(&failed.order))
    }
}
