//! The way to the one task that writes.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use woody_core::ports::{BrokerError, SettleError, Settlement};

use super::seats::Seat;

/// How many callers may wait in line for the writer; more wait to get in line.
const LINE: usize = 1024;

/// How long a call may take in all.
const PATIENCE: Duration = Duration::from_secs(15);

/// Where an answer goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, BrokerError>>;

/// Where the answer to a settlement goes.
pub(super) type SettleReply = oneshot::Sender<Result<(), SettleError>>;

/// Something that a caller asks of the writer, and waits for.
#[derive(Debug)]
pub(super) enum Request {
    Publish { bodies: Vec<Bytes>, done: Reply<()> },
    Redrive { ids: Vec<i64>, done: Reply<u64> },
    Purge { ids: Vec<i64>, done: Reply<u64> },
    Ping { done: Reply<()> },
}

/// Something that a consumer or a delivery tells the writer. Telling does not
/// wait, and the prefetches bound how much there is to tell.
#[derive(Debug)]
pub(super) enum Word {
    Join { consumer: u64, seat: Seat },
    Leave { consumer: u64, done: Option<oneshot::Sender<()>> },
    Settle(Settle),
}

/// What is to become of a message that a consumer holds.
#[derive(Debug)]
pub(super) struct Settle {
    pub(super) held: Held,
    pub(super) settlement: Settlement,
    /// Nobody waits when the delivery was dropped.
    pub(super) done: Option<SettleReply>,
}

impl Settle {
    /// Tells whoever waits how it went.
    pub(super) fn end(self, how: Result<(), SettleError>) {
        let _ = self.done.map(|done| done.send(how));
    }
}

/// A message, and who holds it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) message: i64,
    pub(super) holder: i64,
    pub(super) consumer: u64,
}

/// What the writer receives.
#[derive(Debug)]
pub(super) struct Inbox {
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) words: mpsc::UnboundedReceiver<Word>,
    pub(super) closed: CancellationToken,
}

/// The callers' end; the writer ends when the last of them is gone.
#[derive(Debug)]
pub(super) struct Handle {
    requests: mpsc::Sender<Request>,
    words: mpsc::UnboundedSender<Word>,
    pub(super) closed: CancellationToken,
}

impl Handle {
    pub(super) fn new(closed: CancellationToken) -> (Arc<Self>, Inbox) {
        let (requests, line) = mpsc::channel(LINE);
        let (words, told) = mpsc::unbounded_channel();
        let inbox = Inbox { requests: line, words: told, closed: closed.clone() };
        (Arc::new(Self { requests, words, closed }), inbox)
    }

    pub(super) fn ensure_open(&self) -> Result<(), BrokerError> {
        if self.closed.is_cancelled() { Err(BrokerError::Closed) } else { Ok(()) }
    }

    /// Asks, and waits for the answer.
    pub(super) async fn ask<T>(
        &self,
        request: impl FnOnce(Reply<T>) -> Request,
    ) -> Result<T, BrokerError> {
        self.ensure_open()?;
        let (done, answer) = oneshot::channel();
        let asked = async {
            self.requests.send(request(done)).await.ok()?;
            answer.await.ok()
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Some(answer)) => answer,
            // The writer ends when the broker is closed, and only then.
            Ok(None) => Err(BrokerError::Closed),
            Err(elapsed) => Err(BrokerError::unavailable(elapsed)),
        }
    }

    /// Tells, without waiting; answers whether there is somebody to hear it.
    pub(super) fn tell(&self, word: Word) -> bool {
        self.words.send(word).is_ok()
    }
}
