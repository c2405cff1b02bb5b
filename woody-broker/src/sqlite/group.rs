//! What shares one commit.

use std::time::Duration;

use bytes::Bytes;
use sqlx::{Connection, SqliteConnection};
use woody_core::{
    domain::{Reason, now},
    ports::{SettleError, Settlement},
};

use super::{
    error::{Shared, broker_error, settle_error},
    handle::{Reply, Request, Settle, SettleReply},
    statements::{self, Later, Row, micros},
};

/// Requests and settlements that are executed together, all or none.
#[derive(Debug, Default)]
pub(super) struct Group {
    bodies: Vec<Bytes>,
    published: Vec<Reply<()>>,
    moves: Vec<Move>,
    settled: Vec<(i64, Option<SettleReply>)>,
    back: Vec<i64>,
    removed: Vec<i64>,
    later: Vec<Later>,
    dead: Vec<(i64, Reason)>,
    owed: Vec<i64>,
    /// How many consumers there are now, when that has changed.
    pub(super) consumers: Option<usize>,
}

/// Dead letters that an operator moves.
#[derive(Debug)]
struct Move {
    ids: Vec<i64>,
    to_queue: bool,
    done: Reply<u64>,
}

/// What the writer wants of the queue besides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub(super) holder: i64,
    /// Bring back what is due.
    pub(super) due: bool,
    /// Claim at most so many.
    pub(super) limit: usize,
}

/// What a group's transaction has done.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) claimed: Vec<Row>,
    /// When the next delayed message is due, if what is due was to be brought back.
    pub(super) next_due: Option<i64>,
    /// This process is no longer on the list of holders, or was not all the time.
    pub(super) lost: bool,
    moved: Vec<u64>,
}

impl Group {
    /// Adds a caller's request.
    pub(super) fn request(&mut self, request: Request) {
        match request {
            Request::Publish { bodies, done } => {
                self.bodies.extend(bodies);
                self.published.push(done);
            }
            // The commit is the answer.
            Request::Ping { done } => self.published.push(done),
            Request::Redrive { ids, done } => self.moves.push(Move { ids, to_queue: true, done }),
            Request::Purge { ids, done } => self.moves.push(Move { ids, to_queue: false, done }),
        }
    }

    /// Adds the end of a delivery.
    pub(super) fn settle(&mut self, settle: Settle) {
        let message = settle.held.message;
        match settle.settlement {
            Settlement::Release => self.back.push(message),
            Settlement::Ack => self.removed.push(message),
            Settlement::RetryAfter { delay, reason } => self.delay(message, delay, 1, reason),
            Settlement::Postpone { delay, reason } => self.delay(message, delay, 0, reason),
            Settlement::DeadLetter { reason } => {
                self.dead.push((message, reason));
                self.removed.push(message);
            }
        }
        self.settled.push((message, settle.done));
    }

    fn delay(&mut self, message: i64, delay: Duration, attempts: u32, reason: Reason) {
        let delay = i64::try_from(delay.as_micros()).unwrap_or(i64::MAX);
        let due = micros(now()).saturating_add(delay);
        self.later.push(Later(message, due, attempts, reason));
        self.removed.push(message);
    }

    /// Adds messages that are on our name and that nobody has.
    pub(super) fn give_back(&mut self, owed: Vec<i64>) {
        self.owed = owed;
    }

    /// Whether there is nothing to execute.
    pub(super) fn is_empty(&self) -> bool {
        self.published.is_empty()
            && self.moves.is_empty()
            && self.settled.is_empty()
            && self.owed.is_empty()
            && self.consumers.is_none()
    }

    /// Whether a consumer may find something afterwards that was not there before.
    pub(super) fn feeds_the_queue(&self) -> bool {
        !(self.bodies.is_empty()
            && self.back.is_empty()
            && self.owed.is_empty()
            && self.moves.is_empty())
    }

    /// When the first message is due that this group delays.
    pub(super) fn first_due(&self) -> Option<i64> {
        self.later.iter().map(|Later(_, due, ..)| *due).min()
    }

    /// Executes everything in one transaction, and claims.
    pub(super) async fn execute(
        &self,
        connection: &mut SqliteConnection,
        claim: Claim,
    ) -> Result<Done, sqlx::Error> {
        let mut db = connection.begin_with("BEGIN IMMEDIATE").await?;
        let Claim { holder, due, limit } = claim;
        let mut done = Done::default();
        statements::publish(&mut db, self.bodies.iter()).await?;
        if !self.later.is_empty() {
            statements::delay(&mut db, holder, &self.later).await?;
        }
        if !self.dead.is_empty() {
            statements::bury(&mut db, holder, &self.dead).await?;
        }
        let mut ours = 0;
        if !self.removed.is_empty() {
            ours += statements::remove(&mut db, holder, &self.removed).await?;
        }
        if !self.back.is_empty() {
            ours += statements::release(&mut db, holder, &self.back).await?;
        }
        if !self.owed.is_empty() {
            // Some may be gone: it is not known what the failed commit did.
            statements::release(&mut db, holder, &self.owed).await?;
        }
        done.lost = ours < self.settled.len() as u64;
        if let Some(consumers) = self.consumers {
            done.lost |= !statements::count_consumers(&mut db, holder, consumers).await?;
        }
        for Move { ids, to_queue, .. } in &self.moves {
            done.moved.push(if *to_queue {
                statements::redrive(&mut db, ids).await?
            } else {
                statements::purge(&mut db, ids).await?
            });
        }
        if due {
            statements::bring_back_what_is_due(&mut db).await?;
            done.next_due = statements::next_due(&mut db).await?;
        }
        if limit > 0 {
            done.claimed = statements::claim(&mut db, holder, limit).await?;
        }
        db.commit().await?;
        Ok(done)
    }

    /// Answers everyone: it is done.
    pub(super) fn answer(self, done: &Done) {
        for reply in self.published {
            let _ = reply.send(Ok(()));
        }
        for (reply, moved) in self.moves.into_iter().zip(&done.moved) {
            let _ = reply.done.send(Ok(*moved));
        }
        for (_, reply) in self.settled {
            // When some were not ours, which ones is not known: a message that
            // comes again does no harm, one that is believed to be gone would.
            let answer = if done.lost { Err(SettleError::Gone) } else { Ok(()) };
            let _ = reply.map(|reply| reply.send(answer));
        }
    }

    /// Answers the publishers, and leaves out what they published: a full file has
    /// no room for it, and must not keep anyone from taking messages out. Answers
    /// whether anything else is left to do.
    pub(super) fn refuse_publishes(&mut self, error: &Shared) -> bool {
        self.bodies.clear();
        for reply in self.published.drain(..) {
            let _ = reply.send(Err(broker_error(Shared::clone(error))));
        }
        !self.is_empty()
    }

    /// Whether anyone publishes.
    pub(super) fn publishes(&self) -> bool {
        !self.bodies.is_empty()
    }

    /// Answers everyone: it failed. What is returned is still on our name in the
    /// file, though nobody has it.
    pub(super) fn fail(self, error: &Shared) -> Vec<i64> {
        let why = || broker_error(Shared::clone(error));
        for reply in self.published {
            let _ = reply.send(Err(why()));
        }
        for reply in self.moves {
            let _ = reply.done.send(Err(why()));
        }
        let mut owed = self.owed;
        for (message, reply) in self.settled {
            let _ = reply.map(|reply| reply.send(Err(settle_error(Shared::clone(error)))));
            owed.push(message);
        }
        owed
    }
}
