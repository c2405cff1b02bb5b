//! How callers reach the writer task.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use woody_core::ports::{BrokerError, SettleError, Settlement};

use super::seats::Seat;

/// How many requests wait in the queue to the writer; further callers wait for a place.
const QUEUED: usize = 1024;

/// How long a call may take in all.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// Takes the result of a request.
pub(super) type Reply<T> = oneshot::Sender<Result<T, BrokerError>>;

/// Takes the result of a settlement.
pub(super) type SettleReply = oneshot::Sender<Result<(), SettleError>>;

/// What a caller asks of the writer, and waits for.
#[derive(Debug)]
pub(super) enum Request {
    Publish { bodies: Vec<Bytes>, redriven: bool, done: Reply<()> },
    Redrive { ids: Vec<i64>, done: Reply<u64> },
    Purge { ids: Vec<i64>, done: Reply<u64> },
    Ping { done: Reply<()> },
}

/// What a consumer or a delivery tells the writer, without waiting. The prefetches
/// bound how many notices there are.
#[derive(Debug)]
pub(super) enum Notice {
    Join { consumer: u64, seat: Seat },
    Leave { consumer: u64, done: Option<oneshot::Sender<()>> },
    Settle(Settle),
}

/// A settlement of a message that a consumer holds.
#[derive(Debug)]
pub(super) struct Settle {
    pub(super) held: Held,
    pub(super) settlement: Settlement,
    /// `None` when the delivery was dropped.
    pub(super) done: Option<SettleReply>,
}

impl Settle {
    /// Sends the result to the caller, if there is one.
    pub(super) fn end(self, how: Result<(), SettleError>) {
        let _ = self.done.map(|done| done.send(how));
    }
}

/// A message, the process that holds it, and the consumer.
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
    pub(super) notices: mpsc::UnboundedReceiver<Notice>,
    pub(super) closed: CancellationToken,
}

/// The callers' end; the writer ends when the last handle is dropped.
#[derive(Debug)]
pub(super) struct Handle {
    requests: mpsc::Sender<Request>,
    notices: mpsc::UnboundedSender<Notice>,
    pub(super) closed: CancellationToken,
}

impl Handle {
    pub(super) fn new(closed: CancellationToken) -> (Arc<Self>, Inbox) {
        let (requests, line) = mpsc::channel(QUEUED);
        let (notices, told) = mpsc::unbounded_channel();
        let inbox = Inbox { requests: line, notices: told, closed: closed.clone() };
        (Arc::new(Self { requests, notices, closed }), inbox)
    }

    pub(super) fn ensure_open(&self) -> Result<(), BrokerError> {
        if self.closed.is_cancelled() { Err(BrokerError::Closed) } else { Ok(()) }
    }

    /// Sends a request, and waits for its result.
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
        match tokio::time::timeout(CALL_TIMEOUT, asked).await {
            Ok(Some(answer)) => answer,
            // The writer ends when the broker is closed, and only then.
            Ok(None) => Err(BrokerError::Closed),
            Err(elapsed) => Err(BrokerError::unavailable(elapsed)),
        }
    }

    /// Sends a notice, without waiting; returns whether the writer is running.
    pub(super) fn tell(&self, notice: Notice) -> bool {
        self.notices.send(notice).is_ok()
    }
}
