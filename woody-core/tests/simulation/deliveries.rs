//! What the broker does with a message that is with a consumer: it goes out, is
//! settled, or comes back.

use std::time::Duration;

use tokio::time::Instant;
use woody_core::{domain::Reason, ports::Settlement};

use crate::{broker::Message, call::Reach, ledger::Invariant, sabotage::Sabotage, world::Inner};

impl Inner {
    /// One of the first messages goes out to `process`; its tag comes back.
    pub fn hand_out(&mut self, process: u32) -> Option<(u64, Message)> {
        self.broker.bring_back_what_is_due();
        let among = self.broker.ready.len().min(self.mood.reorder);
        if among == 0 {
            return None;
        }
        let nth = self.rng.usize(..among);
        if nth > 0 {
            self.count("deliveries out of order");
        }
        let place = *self.broker.ready.keys().nth(nth)?;
        let message = self.broker.ready.remove(&place)?;
        if message.seen {
            self.count("redeliveries");
        }
        let tag = self.broker.place();
        self.say(|| format!("broker: {} to p{process}", message.name));
        self.broker.unsettled.insert(tag, (process, message.clone()));
        if self.is_sabotaged(Sabotage::AckOnHandOut) {
            self.settle(tag, Settlement::Ack, Reach::Whole);
        }
        Some((tag, message))
    }

    /// `false` when the delivery is not the holder's any more.
    pub fn settle(&mut self, tag: u64, settlement: Settlement, reach: Reach) -> bool {
        let Some((_, message)) = self.broker.unsettled.get(&tag) else {
            return self.is_sabotaged(Sabotage::AckOnHandOut);
        };
        let mut message = message.clone();
        self.say(|| format!("broker: {} {settlement:?} {reach:?}", message.name));
        let move_first = !self.is_sabotaged(Sabotage::RemoveBeforeMove);
        if !move_first {
            self.broker.unsettled.remove(&tag);
        }
        message.seen = true;
        let is_moved = move_first || reach == Reach::Whole;
        match settlement {
            Settlement::RetryAfter { delay, .. } if is_moved => {
                message.attempts += 1;
                self.delay(message.clone(), delay);
            }
            Settlement::Postpone { delay, .. } if is_moved => self.delay(message.clone(), delay),
            Settlement::DeadLetter { reason } if is_moved => self.bury(message.clone(), reason),
            Settlement::Release => {
                if self.broker.unsettled.remove(&tag).is_some() {
                    self.requeue(message);
                }
                return true;
            }
            Settlement::Ack
            | Settlement::RetryAfter { .. }
            | Settlement::Postpone { .. }
            | Settlement::DeadLetter { .. } => {}
        }
        if reach == Reach::Whole || !move_first {
            self.broker.unsettled.remove(&tag);
            self.check_removed(&message);
        }
        true
    }

    fn delay(&mut self, message: Message, delay: Duration) {
        self.count("retries");
        let key = (Instant::now() + delay, self.broker.place());
        self.broker.delayed.insert(key, message);
    }

    fn bury(&mut self, mut message: Message, reason: Reason) {
        self.count("dead letters");
        message.attempts += 1;
        let place = self.broker.place();
        self.broker.dead.insert(place, (message, reason));
    }

    /// A message leaves the queue for good only when its order is safe.
    fn check_removed(&mut self, message: &Message) {
        let Some(id) = message.id else { return };
        if self.broker.holds(id) {
            return;
        }
        match self.store.row(id) {
            None => self.broken(Invariant::AckAfterSave, || {
                format!("the message of {} is gone, the store has never seen it", message.name)
            }),
            Some(_) => self.check_covered(id, "its last message was taken off the queue"),
        }
    }

    fn requeue(&mut self, mut message: Message) {
        if self.is_sabotaged(Sabotage::DroppedIsNotRedelivered) {
            return;
        }
        message.seen = true;
        self.broker.ready.insert(message.place, message);
    }

    /// What `process` holds goes back: its connection is gone.
    pub fn connection_breaks(&mut self, process: u32) {
        let is_its = |_: &u64, held: &mut (u32, Message)| held.0 == process;
        let held: Vec<_> = self.broker.unsettled.extract_if(.., is_its).collect();
        for (_, (_, message)) in held {
            self.say(|| format!("broker: {} comes back from p{process}", message.name));
            self.requeue(message);
        }
    }

    pub fn connections_break(&mut self) {
        for (_, (_, message)) in std::mem::take(&mut self.broker.unsettled) {
            self.requeue(message);
        }
    }
}
