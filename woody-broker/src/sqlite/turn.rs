//! One turn of the writer: a transaction, and what follows from it.

use std::sync::Arc;

use woody_core::ports::{ConsumerState, Delivery};

use super::{
    acker::SqliteAcker,
    batch::Batch,
    error::{Judgement, Shared, judge},
    group::{Done, Group},
    handle::Held,
    holder::Holder,
    statements::{self, Row},
    writer::Writer,
};

impl Writer {
    /// Executes one transaction, if there is something to do in it.
    pub(super) async fn turn(&mut self, mut group: Group, room: usize) {
        let mut tried = self.try_turn(&group, room).await.map_err(Shared::new);
        if let Err(error) = &tried
            && group.publishes()
            && judge(error) == Judgement::Refused
            && group.fail_publishes(error)
        {
            tried = self.try_turn(&group, room).await.map_err(Shared::new);
        }
        match tried {
            Ok(done) => {
                group.succeed(&done);
                self.succeeded();
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
        if self.schedule.begins_poll(room) {
            self.poll().await?;
        }
        let batch = Batch::of(group);
        if batch.feeds_the_queue() {
            self.schedule.look();
        }
        if let Some(due) = batch.first_due() {
            self.schedule.delayed_until(due);
        }
        let claim = self.schedule.claim(room);
        // After a failure even an empty transaction tells whether the file works again.
        if group.items().is_empty() && claim.limit == 0 && !self.schedule.is_failing() {
            return Ok(Done::default());
        }
        self.file.check()?;
        let done = batch.execute(&mut self.connection, self.holder.id, claim).await?;
        if let Err(displaced) = self.file.check() {
            // The file may be put back, and no consumer has what was claimed from it.
            self.owed.extend(done.claimed.iter().map(|row| row.id));
            return Err(displaced.into());
        }
        self.schedule.claimed(claim, done.claimed.len(), done.next_due);
        self.seats.note_counted(batch.consumers());
        Ok(done)
    }

    /// Looks for what other processes have done, and whether they are alive.
    async fn poll(&mut self) -> Result<(), sqlx::Error> {
        let db = &mut self.connection;
        self.holder.reclaim(&self.file, db).await?;
        let next_due = statements::next_due(db).await?;
        self.schedule.polled(next_due, statements::any_ready(db).await?);
        Ok(())
    }

    /// Hands claimed messages out, each to the consumer with the most room.
    fn deliver(&mut self, rows: Vec<Row>) {
        // Without a handle no consumer is left: the end gives everything back.
        let Some(handle) = self.handle.upgrade() else { return };
        for row in rows {
            self.seats.deliver(|consumer| {
                let held = Held { message: row.id, holder: self.holder.id, consumer };
                let acker = Box::new(SqliteAcker::new(Arc::clone(&handle), held));
                let attempt = row.attempts + 1;
                Delivery::new(row.body.into(), attempt, row.seen, row.redriven, acker)
            });
        }
    }

    fn succeeded(&mut self) {
        if let Some(back) = self.schedule.succeeded() {
            tracing::info!(queue.file = %self.file.path().display(), elapsed_ms = back.after_ms(),
                "the queue's file works again");
        }
        self.seats.tell(ConsumerState::Consuming);
    }

    async fn failed(&mut self, error: &Shared) {
        if self.schedule.failed().is_news {
            tracing::warn!(queue.file = %self.file.path().display(), error = %error,
                "cannot write to the queue's file");
        } else if let Ok(fresh) = self.file.connect().await {
            // Perhaps it was the connection.
            self.connection = fresh;
        }
        self.seats.tell(ConsumerState::Recovering);
    }

    /// Registers again under another number: another process took this one for dead,
    /// which only happens when its side file was deleted.
    async fn register_again(&mut self) {
        tracing::error!(queue.file = %self.file.path().display(),
            "the side file of this process was deleted: its deliveries come again");
        match Holder::register(&self.file, &mut self.connection).await {
            Ok(holder) => {
                self.holder = holder;
                self.seats.note_counted(Some(0));
            }
            Err(error) => self.failed(&Shared::new(error)).await,
        }
        self.schedule.poll_now();
    }
}
