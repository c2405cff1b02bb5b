use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::response::{Failure, FailureKind};

/// What the bodies of all batches under way may take, in bytes. What is made of them takes
/// several times that.
const UNDER_WAY: usize = 8 * 1024 * 1024;

/// Room for the batches that are under way.
pub(super) struct BatchRoom(Arc<Semaphore>);

impl BatchRoom {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(UNDER_WAY)))
    }

    /// Takes room for a batch of so many bytes, until what is returned is dropped.
    pub(super) fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Failure> {
        // One that is larger than all of the room has it for itself.
        let bytes = u32::try_from(bytes.min(UNDER_WAY)).unwrap_or(u32::MAX);
        Arc::clone(&self.0).try_acquire_many_owned(bytes).map_err(|_| {
            let detail = "Too many batches are under way. Please try again.";
            Failure::new(FailureKind::Overloaded, detail)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_under_way_are_bounded_in_bytes_and_their_room_comes_back() {
        let room = BatchRoom::new();
        let first = room.take(UNDER_WAY - 10).unwrap();
        let _second = room.take(10).unwrap();
        let refused = room.take(1).unwrap_err();
        assert_eq!(refused.kind(), FailureKind::Overloaded);
        assert_eq!(refused.retries_after_s(), Some(1));
        drop(first);
        assert!(room.take(1).is_ok());
    }
}
