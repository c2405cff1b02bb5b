use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::oneshot;
use woody_core::ports::{Acker, SettleError, Settlement};

use super::handle::{Handle, Held, Notice, Settle};

/// Settles one message of the file's queue.
#[derive(Debug)]
pub(super) struct SqliteAcker {
    handle: Arc<Handle>,
    held: Held,
}

impl SqliteAcker {
    pub(super) fn new(handle: Arc<Handle>, held: Held) -> Self {
        Self { handle, held }
    }
}

#[async_trait]
impl Acker for SqliteAcker {
    async fn settle(self: Box<Self>, settlement: Settlement) -> Result<(), SettleError> {
        let (done, answer) = oneshot::channel();
        let told = Settle { held: self.held, settlement, done: Some(done) };
        self.handle.tell(Notice::Settle(told));
        // Without a reply the writer has ended, and everything has gone back.
        answer.await.unwrap_or(Err(SettleError::Gone))
    }

    fn abandon(self: Box<Self>) {
        let told = Settle { held: self.held, settlement: Settlement::Release, done: None };
        self.handle.tell(Notice::Settle(told));
    }
}
