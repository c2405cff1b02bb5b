use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{
        OwnedSemaphorePermit, Semaphore,
        mpsc::{self, PermitIterator},
    },
    time::Instant,
};

use crate::{
    domain::{Details, NewOrder},
    services::group_commit::room,
};

/// Hands orders from the intake to the relay of the same process. Bounded.
#[derive(Debug, Clone)]
pub struct RelayFeed {
    fresh: mpsc::Sender<Fresh>,
    room: Arc<Semaphore>,
}

/// An order that waits to be published, and its room.
#[derive(Debug)]
pub(super) struct Fresh {
    pub(super) order: NewOrder<Details>,
    leased_until: Instant,
    _room: Option<OwnedSemaphorePermit>,
}

/// The longest that a process counts on a lease; longer times might overflow the clock.
const LONGEST_LEASE: Duration = Duration::from_hours(24);

/// When a lease ends that is taken after this.
pub(crate) fn lease_end(lease: Duration) -> Instant {
    Instant::now() + lease.min(LONGEST_LEASE)
}

impl Fresh {
    /// Whether its entry is certain to be this process's.
    pub(super) fn is_leased(&self) -> bool {
        Instant::now() < self.leased_until
    }
}

/// Room for orders that are about to be stored.
pub(crate) struct Reserved<'a> {
    places: PermitIterator<'a, Fresh>,
    room: OwnedSemaphorePermit,
}

impl RelayFeed {
    /// Makes a feed with room for so many orders, and so many bytes of details; returns
    /// also where the orders arrive.
    pub(super) fn new(orders: usize, bytes: usize) -> (Self, mpsc::Receiver<Fresh>) {
        let (sender, arriving) = mpsc::channel(orders.clamp(1, Semaphore::MAX_PERMITS));
        (Self { fresh: sender, room: room(bytes) }, arriving)
    }

    /// Reserves room for all of `orders`; `None` if there is not as much. Such orders are
    /// for the sweep: nobody should lease their entries.
    pub(crate) fn reserve(&self, orders: &[NewOrder<Details>]) -> Option<Reserved<'_>> {
        let bytes: usize = orders.iter().map(|order| order.details.as_str().len()).sum();
        let bytes = u32::try_from(bytes).ok()?;
        let room = Arc::clone(&self.room).try_acquire_many_owned(bytes).ok()?;
        let places = self.fresh.try_reserve_many(orders.len()).ok()?;
        Some(Reserved { places, room })
    }
}

impl Reserved<'_> {
    /// Offers orders, of those for which there is room, whose entries are leased to this
    /// process until then.
    pub(crate) fn offer(
        mut self,
        orders: impl IntoIterator<Item = NewOrder<Details>>,
        leased_until: Instant,
    ) {
        for (order, place) in orders.into_iter().zip(self.places) {
            let room = self.room.split(order.details.as_str().len());
            place.send(Fresh { order, leased_until, _room: room });
        }
    }
}
