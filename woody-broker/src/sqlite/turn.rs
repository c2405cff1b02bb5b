//! One turn of the writer: a transaction, and what follows from it.

use std::time::Duration;

use tokio::time::Instant;
use woody_core::{
    domain::now,
    ports::{ConsumerState, Delivery},
};

use super::{
    acker::SqliteAcker,
    error::{Shared, is_passing},
    group::{Claim, Done, Group},
    handle::Held,
    holder::Holder,
    statements::{self, Row, micros},
    writer::Writer,
};

/// The pauses after failures.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Writer {
    /// One transaction, if there is something to do in it.
    pub(super) async fn turn(&mut self, mut group: Group, room: usize) {
        let joined = group.consumers.is_some();
        let mut tried = self.try_turn(&group, room).await.map_err(Shared::new);
        if let Err(error) = &tried
            && group.publishes()
            && !is_passing(error)
            && group.refuse_publishes(error)
        {
            tried = self.try_turn(&group, room).await.map_err(Shared::new);
        }
        match tried {
            Ok(done) => {
                group.answer(&done);
                self.succeeded(joined);
                if done.lost {
                    self.register_again().await;
                } else {
                    self.deliver(done.claimed);
                }
            }
            Err(error) => {
                self.owed.extend(group.fail(&error));
                self.failed(&error).await;
            }
        }
    }

    async fn try_turn(&mut self, group: &Group, room: usize) -> Result<Done, sqlx::Error> {
        if room > 0 && self.poll_at <= Instant::now() {
            self.poll().await?;
        }
        self.look |= group.feeds_the_queue();
        self.next_due = self.next_due.into_iter().chain(group.first_due()).min();
        let due = room > 0 && self.next_due.is_some_and(|due| due <= micros(now()));
        let limit = if self.look || due { room } else { 0 };
        // After a failure even an empty transaction has something to say.
        if group.is_empty() && limit == 0 && self.pause.is_none() {
            return Ok(Done::default());
        }
        let claim = Claim { holder: self.holder.id, due, limit };
        self.file.check(&self.connection.log)?;
        let done = group.execute(&mut self.connection.db, claim).await?;
        if let Err(displaced) = self.file.check(&self.connection.log) {
            // The file may come back, and nobody has what was claimed from it.
            self.owed.extend(done.claimed.iter().map(|row| row.id));
            return Err(displaced.into());
        }
        if due {
            self.next_due = done.next_due;
        }
        if limit > 0 {
            // As many as asked for: there may be more.
            self.look = done.claimed.len() == limit;
        }
        Ok(done)
    }

    /// Looks for what other processes have done, and whether they are alive.
    async fn poll(&mut self) -> Result<(), sqlx::Error> {
        self.poll_at = Instant::now() + self.file.options.poll;
        self.holder.reclaim(&self.file, &mut self.connection.db).await?;
        self.next_due = statements::next_due(&mut self.connection.db).await?;
        self.look |= statements::any_ready(&mut self.connection.db).await?;
        Ok(())
    }

    /// Hands claimed messages out, each to the consumer with the most room.
    fn deliver(&mut self, rows: Vec<Row>) {
        for row in rows {
            let seat = self.seats.iter_mut().max_by_key(|(_, seat)| seat.room);
            let (Some((consumer, seat)), Some(handle)) = (seat, self.handle.upgrade()) else {
                // Nobody is left: the end gives everything back.
                return;
            };
            let held = Held { message: row.id, holder: self.holder.id, consumer: *consumer };
            let acker = Box::new(SqliteAcker::new(handle, held));
            let attempt = row.attempts + 1;
            let delivery = Delivery::new(row.body.into(), attempt, row.seen, row.redriven, acker);
            seat.room -= 1;
            // A consumer that is just leaving drops it, and so it goes back.
            let _ = seat.deliveries.try_send(delivery);
        }
    }

    fn succeeded(&mut self, joined: bool) {
        let recovered = self.pause.take().is_some();
        if recovered {
            tracing::info!(queue.file = %self.file.path.display(), "the queue's file works again");
        }
        if recovered || joined {
            self.seats.values().for_each(|seat| seat.tell(ConsumerState::Consuming));
        }
    }

    async fn failed(&mut self, error: &Shared) {
        let pause = match self.pause {
            None => {
                tracing::warn!(queue.file = %self.file.path.display(), error = %error,
                    "cannot write to the queue's file");
                FIRST_PAUSE
            }
            Some((_, pause)) => {
                // Perhaps it is the connection.
                if let Ok(fresh) = self.file.connect().await {
                    self.connection = fresh;
                }
                (pause * 2).min(LONGEST_PAUSE)
            }
        };
        self.look = true;
        self.pause = Some((Instant::now() + pause, pause));
        self.seats.values().for_each(|seat| seat.tell(ConsumerState::Recovering));
    }

    /// Somebody took this process for dead, which only happens when its side file
    /// was deleted: begins again under another number.
    async fn register_again(&mut self) {
        tracing::error!(queue.file = %self.file.path.display(),
            "the side file of this process was deleted: its deliveries come again");
        match Holder::register(&self.file, &mut self.connection.db).await {
            Ok(holder) => self.holder = holder,
            Err(error) => self.failed(&Shared::new(error)).await,
        }
        self.poll_at = Instant::now();
    }
}
