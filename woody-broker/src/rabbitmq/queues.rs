//! The queues of orders: how many this process fills, and how many there are.
//!
//! Which queue a message is in means nothing: a publisher puts it into the next one in turn, and
//! workers take from all that exist. So processes need not agree on how many there are. One that
//! fills four is found by those that know of one, and what is in the fourth is taken by those that
//! fill two.
//!
//! The orders of a client that has a name go to the same queue as long as it takes them, so that who places many
//! fills that one, and others are served beside it.

use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

use woody_core::{domain::ClientName, ports::BrokerError};

use super::{
    options::MOST_SHARDS,
    session::Session,
    topology::{Queue, Topology},
};

/// A batch is parted among the queues as long as each part has so many messages: a part has a
/// channel and a confirm of its own.
const SMALLEST_PART: usize = 32;

/// What this process knows of the queues of orders.
#[derive(Debug)]
pub(super) struct OrderQueues {
    /// How many it fills.
    own: u16,
    /// How many it has found, if there are more.
    found: AtomicU16,
    /// Whose turn it is.
    next: AtomicUsize,
}

impl OrderQueues {
    pub(super) fn new(own: u16) -> Self {
        let own = own.clamp(1, MOST_SHARDS);
        Self { own, found: AtomicU16::new(own), next: AtomicUsize::new(0) }
    }

    /// How many queues this process fills, and makes where they are missing.
    pub(super) fn own(&self) -> u16 {
        self.own
    }

    /// How many there are, as far as it is known: no fewer than its own.
    pub(super) fn count(&self) -> u16 {
        self.found.load(Ordering::Relaxed).max(self.own)
    }

    /// Notes how many there are.
    pub(super) fn note(&self, count: u16) {
        self.found.store(count.min(MOST_SHARDS), Ordering::Relaxed);
    }

    /// Returns all that are known.
    pub(super) fn all(&self) -> impl Iterator<Item = Queue> + use<> {
        (0..self.count()).map(Queue::Orders)
    }

    /// Returns the number of the queue that a client's orders go to, the same in each process that fills as many.
    pub(super) fn home_of(&self, client: &ClientName) -> usize {
        // FNV-1a, which is the same in every version of everything.
        let hash = client.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        usize::try_from(hash % u64::from(self.own)).unwrap_or(0)
    }

    /// Returns the queues that this process fills, beginning with `home`, or with the next in turn.
    pub(super) fn beginning_with(
        &self,
        home: Option<usize>,
    ) -> impl Iterator<Item = Queue> + use<> {
        let own = usize::from(self.own);
        let first = home.unwrap_or_else(|| self.next.fetch_add(1, Ordering::Relaxed)) % own;
        let number = move |n| u16::try_from((first + n) % own).unwrap_or(0);
        (0..own).map(move |n| Queue::Orders(number(n)))
    }

    /// Returns how many messages of so many go to one queue.
    pub(super) fn part_of(&self, messages: usize) -> usize {
        messages.div_ceil(usize::from(self.own)).max(SMALLEST_PART)
    }

    /// Looks for queues beyond those that are known, up to the first that is missing.
    pub(super) async fn find(
        &self,
        topology: &Topology,
        session: &Session,
    ) -> Result<(), BrokerError> {
        while self.count() < MOST_SHARDS {
            let next = self.count();
            if topology.fill(session, Queue::Orders(next)).await?.is_none() {
                break;
            }
            self.note(next + 1);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_batch_begins_with_another_queue_and_can_go_to_all() {
        let queues = OrderQueues::new(3);
        let turns: Vec<Vec<Queue>> =
            (0..4).map(|_| queues.beginning_with(None).collect()).collect();
        let numbered = |numbers: [u16; 3]| numbers.map(Queue::Orders).to_vec();
        let expected = [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 1, 2]].map(numbered);
        assert_eq!(turns, expected);
    }

    #[test]
    fn a_clients_orders_have_a_home_and_can_go_to_the_others() {
        let (queues, again) = (OrderQueues::new(4), OrderQueues::new(4));
        let clients: Vec<ClientName> =
            (0..100).map(|n| format!("client-{n}").parse().unwrap()).collect();
        let mut lives_in = [0; 4];
        for client in &clients {
            let home = queues.home_of(client);
            lives_in[home] += 1;
            assert_eq!(again.home_of(client), home);
            let all: Vec<Queue> = queues.beginning_with(Some(home)).collect();
            assert_eq!(all.first(), Some(&Queue::Orders(u16::try_from(home).unwrap())));
            assert_eq!(all.len(), 4);
        }
        assert!(lives_in.iter().all(|clients| *clients > 10), "{lives_in:?}");
        let acme = "acme".parse().unwrap();
        assert_eq!(OrderQueues::new(1).home_of(&acme), 0);
    }

    #[test]
    fn small_batches_stay_together_and_large_ones_are_parted_evenly() {
        let queues = OrderQueues::new(4);
        for (messages, part) in [(1, 32), (32, 32), (100, 32), (128, 32), (1_000, 250)] {
            assert_eq!(queues.part_of(messages), part, "{messages}");
        }
        assert_eq!(OrderQueues::new(1).part_of(1_000), 1_000);
    }

    #[test]
    fn there_are_never_fewer_queues_than_are_filled() {
        let queues = OrderQueues::new(2);
        queues.note(4);
        assert_eq!((queues.own(), queues.count()), (2, 4));
        queues.note(1);
        assert_eq!(queues.count(), 2);
        assert_eq!(queues.all().count(), 2);
    }
}
