//! The one task that writes.
//!
//! It takes whatever has arrived, executes it as one [`Group`] and, in the same
//! transaction, claims messages for the consumers that have room. While the commit
//! is under way the next group gathers: the busier, the larger, with no timer.

use std::sync::Weak;

use sqlx::{Connection, SqliteConnection};
use tokio::time::{Instant, sleep_until};
use woody_core::ports::{ConsumerState, SettleError};

use super::{
    error::Error,
    file::QueueFile,
    group::{Group, Item},
    handle::{Handle, Inbox, Notice, Request},
    holder::Holder,
    schedule::Schedule,
    seats::Seats,
};

/// The most of each kind that share a commit.
const MOST: usize = 2048;

#[derive(Debug)]
pub(super) struct Writer {
    pub(super) file: QueueFile,
    pub(super) connection: SqliteConnection,
    pub(super) holder: Holder,
    inbox: Inbox,
    /// Goes into deliveries; weak, or the writer would keep itself alive.
    pub(super) handle: Weak<Handle>,
    pub(super) seats: Seats,
    pub(super) schedule: Schedule,
    /// Messages that the file says this process holds, though no consumer has them.
    pub(super) owed: Vec<i64>,
}

impl Writer {
    /// Registers this process as a holder, and takes back what dead ones held.
    pub(super) async fn start(
        file: QueueFile,
        mut connection: SqliteConnection,
        inbox: Inbox,
        handle: Weak<Handle>,
    ) -> Result<Self, Error> {
        let holder = Holder::register(&file, &mut connection).await?;
        holder.reclaim(&file, &mut connection).await?;
        Ok(Self {
            schedule: Schedule::new(file.options.poll),
            file,
            connection,
            holder,
            inbox,
            handle,
            seats: Seats::default(),
            owed: Vec::new(),
        })
    }

    /// Writes until the broker is closed, or dropped with all that it gave out.
    pub(super) async fn run(mut self) {
        let (mut notices, mut requests) = (Vec::new(), Vec::new());
        loop {
            let open = self.wait(&mut notices, &mut requests).await;
            let group = self.gather(notices.drain(..), requests.drain(..));
            if !open {
                return self.end(group).await;
            }
            let room = self.seats.room().min(MOST);
            self.turn(group, room).await;
        }
    }

    /// Waits for work or for the clock, and takes all the work there is. Returns `false`
    /// when this is the last.
    async fn wait(&mut self, notices: &mut Vec<Notice>, requests: &mut Vec<Request>) -> bool {
        let wake = self.schedule.wake_at(self.seats.room());
        let clock = sleep_until(wake.unwrap_or_else(Instant::now));
        let open = tokio::select! {
            biased;
            () = self.inbox.closed.cancelled() => false,
            heard = self.inbox.notices.recv_many(notices, MOST) => heard > 0,
            Some(request) = self.inbox.requests.recv() => {
                requests.push(request);
                true
            }
            () = clock, if wake.is_some() => true,
        };
        while notices.len() < MOST
            && let Ok(notice) = self.inbox.notices.try_recv()
        {
            notices.push(notice);
        }
        while requests.len() < MOST
            && let Ok(request) = self.inbox.requests.try_recv()
        {
            requests.push(request);
        }
        open
    }

    /// Makes one group of what has arrived and what is still to be done.
    fn gather(
        &mut self,
        notices: impl Iterator<Item = Notice>,
        requests: impl Iterator<Item = Request>,
    ) -> Group {
        let mut group = Group::default();
        self.owed.drain(..).for_each(|message| group.add(Item::Owed(message)));
        for notice in notices {
            match notice {
                Notice::Join { consumer, seat } => {
                    self.seats.join(consumer, seat);
                    self.schedule.look();
                }
                Notice::Leave { consumer, done } => {
                    self.seats.leave(consumer);
                    let _ = done.map(|done| done.send(()));
                }
                Notice::Settle(settle) => {
                    // The consumer has room again, whatever becomes of the message.
                    self.seats.vacate(settle.held.consumer);
                    if settle.held.holder == self.holder.id {
                        group.add(Item::Settled(settle));
                    } else {
                        settle.end(Err(SettleError::Gone));
                    }
                }
            }
        }
        if let Some(count) = self.seats.uncounted() {
            group.add(Item::Consumers(count));
        }
        requests.for_each(|request| group.add(Item::Asked(request)));
        group
    }

    /// Executes what was asked before the end, and gives back all the rest.
    async fn end(mut self, group: Group) {
        self.turn(group, 0).await;
        let left = self.holder.leave(&mut self.connection).await;
        let closed = match left {
            Ok(()) => self.connection.close().await,
            Err(error) => Err(error),
        };
        if let Err(error) = closed {
            // Harmless: the next process that opens the file takes back the rest.
            tracing::warn!(queue.file = %self.file.path().display(), error = %error,
                "could not close the queue's file");
        }
        self.seats.tell(ConsumerState::Stopped);
    }
}
