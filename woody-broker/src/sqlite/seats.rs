//! The consumers that are registered with the writer.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::{mpsc, watch};
use woody_core::ports::{ConsumerState, Delivery};

/// One consumer.
#[derive(Debug)]
pub(super) struct Seat {
    /// How many more deliveries it may hold.
    pub(super) room: usize,
    pub(super) deliveries: mpsc::Sender<Delivery>,
    pub(super) state: Arc<watch::Sender<ConsumerState>>,
}

/// All consumers of this process.
#[derive(Debug, Default)]
pub(super) struct Seats {
    seats: BTreeMap<u64, Seat>,
    /// How many the file says there are.
    counted: usize,
}

impl Seats {
    pub(super) fn join(&mut self, consumer: u64, seat: Seat) {
        self.seats.insert(consumer, seat);
    }

    pub(super) fn leave(&mut self, consumer: u64) {
        self.seats.remove(&consumer);
    }

    /// Returns how many there are, if the file says otherwise.
    pub(super) fn uncounted(&self) -> Option<usize> {
        Some(self.seats.len()).filter(|count| *count != self.counted)
    }

    /// Notes the count that was written to the file, if one was.
    pub(super) fn note_counted(&mut self, count: Option<usize>) {
        self.counted = count.unwrap_or(self.counted);
    }

    /// Returns how many more deliveries all consumers together may hold.
    pub(super) fn room(&self) -> usize {
        self.seats.values().map(|seat| seat.room).sum()
    }

    /// Notes that a consumer holds one delivery less.
    pub(super) fn vacate(&mut self, consumer: u64) {
        if let Some(seat) = self.seats.get_mut(&consumer) {
            seat.room += 1;
        }
    }

    /// Hands a delivery to the consumer with the most room, for whom `make` makes it.
    pub(super) fn deliver(&mut self, make: impl FnOnce(u64) -> Delivery) {
        // No consumer is left: the end of the writer gives everything back.
        let Some((consumer, seat)) = self.seats.iter_mut().max_by_key(|(_, seat)| seat.room) else {
            return;
        };
        seat.room -= 1;
        // A consumer that is just leaving drops it, and so it goes back.
        let _ = seat.deliveries.try_send(make(*consumer));
    }

    /// Tells every consumer its state, unless it has stopped.
    pub(super) fn tell(&self, new: ConsumerState) {
        for seat in self.seats.values() {
            seat.state.send_if_modified(|state| {
                let is_news = *state != new && *state != ConsumerState::Stopped;
                if is_news {
                    *state = new;
                }
                is_news
            });
        }
    }
}
