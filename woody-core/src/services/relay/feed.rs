use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{
        OwnedSemaphorePermit, Semaphore,
        mpsc::{self, Permit},
    },
    time::Instant,
};

use crate::{
    domain::{Details, NewOrder, OrderId, OrderMessage},
    services::group_commit::room,
};

/// Hands orders from the intake to the relay of the same process. Bounded.
#[derive(Debug, Clone)]
pub struct RelayFeed {
    fresh: mpsc::Sender<Fresh>,
    places: Arc<Semaphore>,
    room: Arc<Semaphore>,
}

/// Orders that were stored together and wait to be published, and their room.
#[derive(Debug)]
pub(super) struct Fresh {
    pub(super) orders: Vec<NewOrder<Details>>,
    leased_until: Instant,
    places: OwnedSemaphorePermit,
    _room: OwnedSemaphorePermit,
}

/// The longest that a process counts on a lease; longer times might overflow the clock.
const LONGEST_LEASE: Duration = Duration::from_hours(24);

/// A process counts on a lease for so much less: what is published at its very end has to be
/// cleared too, before the sweep of any process takes the entry and publishes it once more.
const TIME_TO_CLEAR: Duration = Duration::from_millis(200);

/// Until when a process counts on a lease that is taken after this.
pub(crate) fn lease_end(lease: Duration) -> Instant {
    let lease = lease.min(LONGEST_LEASE);
    Instant::now() + lease.saturating_sub(TIME_TO_CLEAR.min(lease / 10))
}

impl Fresh {
    /// Whether their entries are certain to be this process's.
    pub(super) fn is_leased(&self) -> bool {
        Instant::now() < self.leased_until
    }

    /// The broker has confirmed their messages.
    pub(super) fn confirmed(self) -> Confirmed {
        let orders = self.orders.iter().map(|order| order.id).collect();
        Confirmed { orders, leased_until: self.leased_until, _places: self.places }
    }
}

/// Orders that were stored together and are published; they keep their places in the feed
/// until their entries are cleared.
#[derive(Debug)]
pub(super) struct Confirmed {
    orders: Vec<OrderId>,
    pub(super) leased_until: Instant,
    _places: OwnedSemaphorePermit,
}

impl Confirmed {
    pub(super) fn orders(&self) -> impl Iterator<Item = OrderId> {
        self.orders.iter().copied()
    }
}

pub(super) fn messages_of(batch: &[Fresh]) -> Vec<OrderMessage> {
    batch.iter().flat_map(|fresh| &fresh.orders).map(OrderMessage::from).collect()
}

/// Room for orders that are about to be stored.
pub(crate) struct Reserved<'a> {
    fresh: Permit<'a, Fresh>,
    places: OwnedSemaphorePermit,
    room: OwnedSemaphorePermit,
}

impl RelayFeed {
    /// Makes a feed with room for so many orders, and so many bytes of details; returns
    /// also where the orders arrive.
    pub(super) fn new(orders: usize, bytes: usize) -> (Self, mpsc::Receiver<Fresh>) {
        let orders = orders.clamp(1, Semaphore::MAX_PERMITS);
        let (sender, arriving) = mpsc::channel(orders);
        let places = Arc::new(Semaphore::new(orders));
        (Self { fresh: sender, places, room: room(bytes) }, arriving)
    }

    /// Reserves room for all of `orders`; `None` if there is not as much. Such orders are
    /// for the sweep: nobody should lease their entries.
    pub(crate) fn reserve(&self, orders: &[NewOrder<Details>]) -> Option<Reserved<'_>> {
        let bytes = u32::try_from(bytes_of(orders)).ok()?;
        let room = Arc::clone(&self.room).try_acquire_many_owned(bytes).ok()?;
        let places = u32::try_from(orders.len()).ok()?;
        let places = Arc::clone(&self.places).try_acquire_many_owned(places).ok()?;
        Some(Reserved { fresh: self.fresh.try_reserve().ok()?, places, room })
    }
}

impl Reserved<'_> {
    /// Offers orders, of those for which there is room, whose entries are leased to this
    /// process until then.
    pub(crate) fn offer(mut self, orders: Vec<NewOrder<Details>>, leased_until: Instant) {
        let places = self.places.split(orders.len());
        let room = self.room.split(bytes_of(&orders));
        if let (false, Some(places), Some(room)) = (orders.is_empty(), places, room) {
            self.fresh.send(Fresh { orders, leased_until, places, _room: room });
        }
    }
}

fn bytes_of(orders: &[NewOrder<Details>]) -> usize {
    orders.iter().map(NewOrder::text_bytes).sum()
}
