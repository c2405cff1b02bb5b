//! The one task that writes.
//!
//! It takes whatever has arrived, executes it as one [`Group`] and, in the same
//! transaction, claims messages for the consumers that have room. While the commit
//! is under way the next group gathers: the busier, the larger, with no timer.

use std::{collections::BTreeMap, sync::Weak, time::Duration};

use sqlx::Connection;
use tokio::time::{Instant, sleep_until};
use woody_core::{
    domain::now,
    ports::{BrokerError, ConsumerState, SettleError},
};

use super::{
    error::broker_error,
    file::{QueueConnection, QueueFile},
    group::Group,
    handle::{Handle, Inbox, Request, Seat, Settle, Word},
    holder::Holder,
    statements::micros,
};

/// The most of each kind that share a commit.
const MOST: usize = 2048;

#[derive(Debug)]
pub(super) struct Writer {
    pub(super) file: QueueFile,
    pub(super) connection: QueueConnection,
    pub(super) holder: Holder,
    pub(super) inbox: Inbox,
    /// For the deliveries it makes; weak, or the writer would keep itself alive.
    pub(super) handle: Weak<Handle>,
    pub(super) seats: BTreeMap<u64, Seat>,
    /// Messages on our name that nobody has: a settlement of theirs failed.
    pub(super) owed: Vec<i64>,
    /// There may be something to claim.
    pub(super) look: bool,
    /// When the next delayed message is due, as far as is known.
    pub(super) next_due: Option<i64>,
    pub(super) poll_at: Instant,
    /// Set after a failure: when to try again, and how long that pause was.
    pub(super) pause: Option<(Instant, Duration)>,
}

impl Writer {
    /// Enters this process among the file's holders, in place of the dead ones.
    pub(super) async fn start(
        file: QueueFile,
        mut connection: QueueConnection,
        inbox: Inbox,
        handle: Weak<Handle>,
    ) -> Result<Self, BrokerError> {
        let failed = |error: sqlx::Error| broker_error(error.into());
        let holder = Holder::register(&file, &mut connection.db).await.map_err(failed)?;
        holder.reclaim(&file, &mut connection.db).await.map_err(failed)?;
        Ok(Self {
            file,
            connection,
            holder,
            inbox,
            handle,
            seats: BTreeMap::new(),
            owed: Vec::new(),
            look: true,
            next_due: None,
            poll_at: Instant::now(),
            pause: None,
        })
    }

    /// Writes until the broker is closed or nobody is left to write for.
    pub(super) async fn run(mut self) {
        let (mut words, mut requests) = (Vec::new(), Vec::new());
        loop {
            let open = self.wait(&mut words, &mut requests).await;
            let group = self.gather(words.drain(..), requests.drain(..));
            if !open {
                return self.end(group).await;
            }
            let room = self.room().min(MOST);
            self.turn(group, room).await;
        }
    }

    /// Waits for work or for the clock, and takes all the work there is. Answers
    /// whether to go on.
    async fn wait(&mut self, words: &mut Vec<Word>, requests: &mut Vec<Request>) -> bool {
        let wake = self.wake_at();
        let clock = sleep_until(wake.unwrap_or_else(Instant::now));
        let open = tokio::select! {
            biased;
            () = self.inbox.closed.cancelled() => false,
            heard = self.inbox.words.recv_many(words, MOST) => heard > 0,
            Some(request) = self.inbox.requests.recv() => {
                requests.push(request);
                true
            }
            () = clock, if wake.is_some() => true,
        };
        while words.len() < MOST
            && let Ok(word) = self.inbox.words.try_recv()
        {
            words.push(word);
        }
        while requests.len() < MOST
            && let Ok(request) = self.inbox.requests.try_recv()
        {
            requests.push(request);
        }
        open
    }

    /// When to look without being asked to.
    fn wake_at(&self) -> Option<Instant> {
        if let Some((at, _)) = self.pause {
            return Some(at);
        }
        if self.room() == 0 {
            return None;
        }
        if self.look {
            return Some(Instant::now());
        }
        let due = self.next_due.map(|due| {
            let wait = u64::try_from(due - micros(now())).unwrap_or(0);
            Instant::now() + Duration::from_micros(wait)
        });
        Some(due.map_or(self.poll_at, |due| due.min(self.poll_at)))
    }

    /// Sorts what has arrived.
    fn gather(
        &mut self,
        words: impl Iterator<Item = Word>,
        requests: impl Iterator<Item = Request>,
    ) -> Group {
        let mut group = Group::default();
        group.give_back(std::mem::take(&mut self.owed));
        for word in words {
            match word {
                Word::Join { consumer, seat } => {
                    self.seats.insert(consumer, seat);
                    group.consumers = Some(self.seats.len());
                    self.look = true;
                }
                Word::Leave { consumer, done } => {
                    self.seats.remove(&consumer);
                    group.consumers = Some(self.seats.len());
                    let _ = done.map(|done| done.send(()));
                }
                Word::Settle(settle) => self.settle(settle, &mut group),
            }
        }
        requests.for_each(|request| group.request(request));
        group
    }

    fn settle(&mut self, settle: Settle, group: &mut Group) {
        // The room is free whatever becomes of the message.
        if let Some(seat) = self.seats.get_mut(&settle.held.consumer) {
            seat.room += 1;
        }
        if settle.held.holder == self.holder.id {
            group.settle(settle);
        } else {
            let _ = settle.done.map(|done| done.send(Err(SettleError::Gone)));
        }
    }

    fn room(&self) -> usize {
        self.seats.values().map(|seat| seat.room).sum()
    }

    /// Executes what was asked before the end, and gives back all the rest.
    async fn end(mut self, group: Group) {
        self.turn(group, 0).await;
        let left = self.holder.leave(&mut self.connection.db).await;
        let closed = match left {
            Ok(()) => self.connection.db.close().await,
            Err(error) => Err(error),
        };
        if let Err(error) = closed {
            // No harm: the next process to open the file takes back what we held.
            tracing::warn!(queue.file = %self.file.path.display(), error = %error,
                "could not close the queue's file");
        }
        self.seats.values().for_each(|seat| seat.tell(ConsumerState::Stopped));
    }
}
