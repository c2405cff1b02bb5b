//! A group, sorted by the statements that execute it.

use bytes::Bytes;
use sqlx::{Connection, SqliteConnection};
use woody_core::{
    domain::{Reason, now},
    ports::Settlement,
};

use super::{
    group::{Done, Group, Item},
    handle::{Request, Settle},
    schedule::Claim,
    statements::{self, Later, micros},
};

/// What a group asks for, sorted by statement.
#[derive(Debug, Default)]
pub(super) struct Batch<'a> {
    published: Vec<&'a Bytes>,
    redriven: Vec<&'a Bytes>,
    delayed: Vec<Later<'a>>,
    dead: Vec<(i64, &'a Reason)>,
    removed: Vec<i64>,
    released: Vec<i64>,
    /// Like released, but some may be gone: what the failed commit did is not known.
    owed: Vec<i64>,
    moved: Vec<Move<'a>>,
    consumers: Option<usize>,
    settled: u64,
}

/// Dead letters that an operator moves.
#[derive(Debug)]
enum Move<'a> {
    Redrive(&'a [i64]),
    Purge(&'a [i64]),
}

impl<'a> Batch<'a> {
    pub(super) fn of(group: &'a Group) -> Self {
        let mut batch = Self::default();
        for item in group.items() {
            match item {
                Item::Asked(Request::Publish { bodies, redriven: true, .. }) => {
                    batch.redriven.extend(bodies);
                }
                Item::Asked(Request::Publish { bodies, .. }) => batch.published.extend(bodies),
                // The commit is the answer.
                Item::Asked(Request::Ping { .. }) => {}
                Item::Asked(Request::Redrive { ids, .. }) => batch.moved.push(Move::Redrive(ids)),
                Item::Asked(Request::Purge { ids, .. }) => batch.moved.push(Move::Purge(ids)),
                Item::Settled(settle) => batch.settle(settle),
                Item::Owed(message) => batch.owed.push(*message),
                Item::Consumers(count) => batch.consumers = Some(*count),
            }
        }
        batch
    }

    fn settle(&mut self, settle: &'a Settle) {
        let message = settle.held.message;
        self.settled += 1;
        let mut delay = |delay: &std::time::Duration, attempts, reason| {
            let delay = i64::try_from(delay.as_micros()).unwrap_or(i64::MAX);
            let due = micros(now()).saturating_add(delay);
            self.delayed.push(Later(message, due, attempts, reason));
        };
        match &settle.settlement {
            Settlement::Release => return self.released.push(message),
            Settlement::Ack => {}
            Settlement::RetryAfter { delay: by, reason } => delay(by, 1, reason),
            Settlement::Postpone { delay: by, reason } => delay(by, 0, reason),
            Settlement::DeadLetter { reason } => self.dead.push((message, reason)),
        }
        self.removed.push(message);
    }

    /// Returns the count of consumers that is to be written.
    pub(super) fn consumers(&self) -> Option<usize> {
        self.consumers
    }

    /// Whether it may add messages that are ready.
    pub(super) fn feeds_the_queue(&self) -> bool {
        !(self.published.is_empty()
            && self.released.is_empty()
            && self.owed.is_empty()
            && self.moved.is_empty())
    }

    /// Returns when the first of the messages that it delays is due.
    pub(super) fn first_due(&self) -> Option<i64> {
        self.delayed.iter().map(|Later(_, due, ..)| *due).min()
    }

    /// Executes everything in one transaction, and claims.
    pub(super) async fn execute(
        &self,
        connection: &mut SqliteConnection,
        holder: i64,
        claim: Claim,
    ) -> Result<Done, sqlx::Error> {
        let mut db = connection.begin_with("BEGIN IMMEDIATE").await?;
        let mut done = Done::default();
        statements::publish(&mut db, self.published.iter().copied(), false).await?;
        statements::publish(&mut db, self.redriven.iter().copied(), true).await?;
        if !self.delayed.is_empty() {
            statements::delay(&mut db, holder, &self.delayed).await?;
        }
        if !self.dead.is_empty() {
            statements::bury(&mut db, holder, &self.dead).await?;
        }
        let mut ours = 0;
        if !self.removed.is_empty() {
            ours += statements::remove(&mut db, holder, &self.removed).await?;
        }
        if !self.released.is_empty() {
            ours += statements::release(&mut db, holder, &self.released).await?;
        }
        if !self.owed.is_empty() {
            statements::release(&mut db, holder, &self.owed).await?;
        }
        done.lost = ours < self.settled;
        if let Some(consumers) = self.consumers {
            done.lost |= !statements::count_consumers(&mut db, holder, consumers).await?;
        }
        for moved in &self.moved {
            done.moved.push(match moved {
                Move::Redrive(ids) => statements::redrive(&mut db, ids).await?,
                Move::Purge(ids) => statements::purge(&mut db, ids).await?,
            });
        }
        if claim.due {
            statements::bring_back_what_is_due(&mut db).await?;
            done.next_due = statements::next_due(&mut db).await?;
        }
        if claim.limit > 0 {
            done.claimed = statements::claim(&mut db, holder, claim.limit).await?;
        }
        db.commit().await?;
        Ok(done)
    }
}
