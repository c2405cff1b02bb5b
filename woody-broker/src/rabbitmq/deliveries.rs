//! The deliveries of one channel, and the frames that settle them.

use std::{
    future::ready,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::FutureExt;
use lapin::{
    Channel,
    options::{BasicAckOptions, BasicCancelOptions, BasicGetOptions, BasicNackOptions},
    types::ShortString,
};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    task::yield_now,
    time::timeout,
};
use woody_core::ports::SettleError;

use super::tags::Tags;

const GIVE_BACK: BasicNackOptions = BasicNackOptions { multiple: false, requeue: true };

/// Settles the deliveries of one channel.
///
/// Of those that acknowledge at the same time, the first sends for all of them. Frames are
/// queued, at their first poll, while the tags are locked: lapin writes them in that order.
pub(super) struct Deliveries {
    channel: Channel,
    pending: Mutex<Pending>,
    /// How many rounds of frames have been written, or given up.
    rounds: watch::Sender<u64>,
}

#[derive(Default)]
struct Pending {
    tags: Tags,
    /// The round that acknowledges what waits now.
    round: u64,
    /// Whether one of those that wait sends for all.
    is_led: bool,
    /// The places of what is held, where no subscription has them.
    places: Option<OwnedSemaphorePermit>,
}

impl Pending {
    /// Frees the place of a delivery that is settled.
    fn free(&mut self) {
        if let Some(places) = &mut self.places {
            drop(places.split(1));
        }
    }
}

type Written = Pin<Box<dyn Future<Output = lapin::Result<()>> + Send>>;

impl Deliveries {
    pub(super) fn of(channel: Channel) -> Self {
        let (pending, rounds) = (Mutex::default(), watch::Sender::new(0));
        Self { channel, pending, rounds }
    }

    /// Whether the channel is open: what a closed one delivered is delivered again.
    pub(super) fn are_ours(&self) -> bool {
        self.channel.status().connected()
    }

    pub(super) fn channel_id(&self) -> u16 {
        self.channel.id()
    }

    /// Ends a subscription of the channel.
    pub(super) async fn cancel(&self, consumer: ShortString) -> lapin::Result<()> {
        self.channel.basic_cancel(consumer, BasicCancelOptions::default()).await
    }

    /// Returns how many deliveries nobody has settled.
    pub(super) fn held(&self) -> usize {
        self.pending().tags.held()
    }

    /// Returns how many places in the prefetch are left to what is held.
    pub(super) fn places(&self) -> usize {
        self.pending().places.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    /// Leaves the places in the prefetch to what is held: each is free when that is settled, and
    /// those are at once that nothing is held in.
    pub(super) fn retire(&self, mut places: OwnedSemaphorePermit) {
        let mut pending = self.pending();
        if let Some(more) = pending.places.take() {
            places.merge(more);
        }
        let held = pending.tags.held().min(places.num_permits());
        pending.places = places.split(held);
    }

    /// Takes one message off a queue, if there is one.
    pub(super) async fn get(
        &self,
        queue: ShortString,
    ) -> lapin::Result<Option<lapin::message::BasicGetMessage>> {
        self.channel.basic_get(queue, BasicGetOptions::default()).await
    }

    /// Notes a delivery, before it is handed on.
    pub(super) fn note(&self, tag: u64) {
        self.pending().tags.deliver(tag);
    }

    /// Acknowledges a delivery. Returns when the frame is written: the broker does not reply.
    pub(super) async fn acknowledge(&self, tag: u64, limit: Duration) -> Result<(), SettleError> {
        let (leads, round) = {
            let mut pending = self.pending();
            pending.tags.acknowledge(tag);
            pending.free();
            (!std::mem::replace(&mut pending.is_led, true), pending.round)
        };
        if leads {
            return Lead { deliveries: self, sent: None }.send(limit).await;
        }
        // The one who leads writes within the limit, or is dropped, which ends the round.
        let _ = self.rounds.subscribe().wait_for(|over| *over > round).await;
        if self.are_ours() { Ok(()) } else { Err(SettleError::Gone) }
    }

    /// Gives a delivery back. Returns when the frame is written.
    pub(super) async fn give_back(&self, tag: u64, limit: Duration) -> Result<(), SettleError> {
        let frame = self.nack(tag);
        written(frame, limit).await
    }

    /// Gives a delivery back and does not wait. Once the channel is gone this fails, and the
    /// broker has taken the message back already.
    pub(super) fn abandon(&self, tag: u64) {
        drop(self.nack(tag));
    }

    /// Queues the frame that gives a delivery back.
    fn nack(&self, tag: u64) -> Written {
        let mut pending = self.pending();
        let channel = self.channel.clone();
        let frame = queue(async move { channel.basic_nack(tag, GIVE_BACK).await });
        pending.tags.settle(tag);
        pending.free();
        frame
    }

    /// Queues the frames that acknowledge what waits; returns their round and the last of them.
    fn queue_acks(&self) -> (u64, Option<Written>) {
        let mut pending = self.pending();
        let mut last = None;
        for frame in pending.tags.frames() {
            let channel = self.channel.clone();
            let options = BasicAckOptions { multiple: frame.multiple };
            last = Some(queue(async move { channel.basic_ack(frame.tag, options).await }));
        }
        pending.is_led = false;
        pending.round += 1;
        (pending.round, last)
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        // Nothing panics while it is held; if it did, the value would still be whole.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one who sends for all that wait. Dropped before it has, it does so without waiting.
struct Lead<'a> {
    deliveries: &'a Deliveries,
    /// The round whose frames are queued.
    sent: Option<u64>,
}

impl Lead<'_> {
    async fn send(mut self, limit: Duration) -> Result<(), SettleError> {
        // Those who were woken with this one have their turn before.
        yield_now().await;
        let (round, last) = self.deliveries.queue_acks();
        self.sent = Some(round);
        match last {
            Some(frame) => written(frame, limit).await,
            None if self.deliveries.are_ours() => Ok(()),
            None => Err(SettleError::Gone),
        }
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let round = self.sent.unwrap_or_else(|| self.deliveries.queue_acks().0);
        self.deliveries.rounds.send_if_modified(|over| {
            let is_news = *over < round;
            *over = round.max(*over);
            is_news
        });
    }
}

/// Queues a frame; what is returned ends when it is written.
fn queue(frame: impl Future<Output = lapin::Result<()>> + Send + 'static) -> Written {
    let mut frame: Written = Box::pin(frame);
    match (&mut frame).now_or_never() {
        Some(result) => Box::pin(ready(result)),
        None => frame,
    }
}

async fn written(frame: Written, limit: Duration) -> Result<(), SettleError> {
    match timeout(limit, frame).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(SettleError::Gone),
        Err(late) => Err(SettleError::Broker(Box::new(late))),
    }
}
