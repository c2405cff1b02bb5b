use std::{collections::HashMap, time::Duration};

use tokio::{sync::Mutex, time::Instant};

use super::{error::RelayError, given_up::end_given_up};
use crate::{
    domain::{Details, OrderDetails},
    ports::{BrokerAdmin, OrderStore, QueueNote, QueueReading, Watermark},
};

/// Finds orders that have lost their messages, by counting.
///
/// # How it counts
/// A look first notes up to where orders have been published (a [`Watermark`]), and
/// only then reads how many messages the broker has. The *next* look counts which of
/// those orders are still pending. Every one that was not lost had its message in the
/// broker when the depth was read, or in a worker's hands. One in a worker's hands has
/// ended by the next look, or the worker has marked it as held. So the count cannot
/// exceed the depth unless messages are lost, however the backlog moves: whatever else
/// is in the queue (younger orders, duplicates, foreign messages) only adds to the depth.
///
/// What a worker's death puts back into the queue between two looks is missed by one
/// look, and only by one: what is missing must be so in two looks running.
///
/// A depth that is not known is an error, and ends what was begun.
///
/// # Several queues
/// Orders of one store may be in queues of which this process sees one. Whoever publishes
/// to a queue notes its depth in the store, and the count is compared with the messages of
/// all of them: of each a depth that was read after the watermark, and is known for one
/// look before the count. Until then nothing is compared.
///
/// What the broker itself made a dead letter is not lost but given up: before anything
/// is put back, such orders are ended.
#[derive(Debug)]
pub(super) struct Reconciliation {
    pending_for: Duration,
    /// Whether a message that has an id is an order's.
    is_order: fn(&Details) -> bool,
    last: Mutex<Option<Reading>>,
}

/// What one look leaves to the next.
#[derive(Debug)]
struct Reading {
    watermark: Watermark,
    /// All that the broker held, read after the watermark.
    messages: u64,
    /// The same of the other queues, as far as it is known.
    others: HashMap<String, u64>,
    read_at: Instant,
    /// How many orders the look before found to be without a message.
    missing: u64,
}

/// Orders that one look puts back at most, and how many of them in one transaction.
const MOST: u64 = 100_000;
const BATCH: u64 = 5_000;

impl Reconciliation {
    pub(super) fn new(pending_for: Duration) -> Self {
        Self { pending_for, is_order: |_| true, last: Mutex::default() }
    }

    pub(super) fn of_orders<D: OrderDetails>(mut self) -> Self {
        self.is_order = |details| details.decode::<D>().is_ok();
        self
    }

    /// Compares with the look before, and reads for the next.
    pub(super) async fn look(
        &self,
        store: &dyn OrderStore,
        admin: &dyn BrokerAdmin,
    ) -> Result<u64, RelayError> {
        let mut last = self.last.lock().await;
        // Even while its depth is not known, the queue is one that counts.
        let others = store.note_queue(&admin.queue(), None).await?;
        let (missing, refilled) = match last.take() {
            Some(reading) if reading.is_usable() && reading.knows(&others) => {
                reading.compare(store, admin, self.is_order).await?
            }
            Some(mut reading) if reading.is_usable() => {
                reading.hear(&others);
                // The others wait for this one's depth as this one does for theirs.
                self.read(store, admin, 0).await?;
                *last = Some(reading);
                return Ok(0);
            }
            Some(reading) => {
                reading.report_unknown(&others);
                (0, 0)
            }
            None => (0, 0),
        };
        *last = self.read(store, admin, missing - refilled).await?;
        Ok(refilled)
    }

    async fn read(
        &self,
        store: &dyn OrderStore,
        admin: &dyn BrokerAdmin,
        missing: u64,
    ) -> Result<Option<Reading>, RelayError> {
        let watermark = store.watermark(self.pending_for).await?;
        // Most of the time nothing has been pending for long.
        if store.unaccounted(&watermark, 1).await? == 0 {
            return Ok(None);
        }
        let depth = admin.depth().await?;
        let messages = depth.ready + depth.delayed + depth.in_flight.unwrap_or(0);
        let reading = QueueReading { messages, read_after: watermark.read_after() };
        store.note_queue(&admin.queue(), Some(reading)).await?;
        let read_at = Instant::now();
        Ok(Some(Reading { watermark, messages, others: HashMap::new(), read_at, missing }))
    }
}

impl Reading {
    /// Marks are not remembered for ever.
    fn is_usable(&self) -> bool {
        self.read_at.elapsed() < Watermark::MARKS_KEPT / 2
    }

    /// Whether the depths of all these queues are known.
    fn knows(&self, others: &[QueueNote]) -> bool {
        others.iter().all(|other| self.others.contains_key(&other.queue))
    }

    /// Takes in the depths that were read after the watermark.
    fn hear(&mut self, others: &[QueueNote]) {
        for QueueNote { queue, last } in others {
            if let Some(last) = last.filter(|last| last.read_after >= self.watermark.read_after()) {
                self.others.entry(queue.clone()).or_insert(last.messages);
            }
        }
    }

    /// Tells of queues whose depth was not known for so long that this is of no use.
    fn report_unknown(&self, others: &[QueueNote]) {
        for QueueNote { queue, .. } in others {
            if !self.others.contains_key(queue) {
                tracing::warn!(
                    broker.queue = queue,
                    "nobody says how full this queue is: whether messages are lost is not known"
                );
            }
        }
    }

    /// Returns how many orders are without a message by this look, and how many of
    /// them were put back because the look before had said so too.
    async fn compare(
        &self,
        store: &dyn OrderStore,
        admin: &dyn BrokerAdmin,
        is_order: fn(&Details) -> bool,
    ) -> Result<(u64, u64), RelayError> {
        let watermark = &self.watermark;
        let messages = self.others.values().fold(self.messages, |sum, of| sum.saturating_add(*of));
        let counted = store.unaccounted(watermark, messages.saturating_add(MOST)).await?;
        let mut missing = counted.saturating_sub(messages);
        // What the broker of another queue gave up only its own look ends: before any
        // other look puts it back, which takes this finding twice.
        if missing.min(self.missing) > 0 || (missing > 0 && !self.others.is_empty()) {
            missing = missing.saturating_sub(end_given_up(store, admin, is_order).await?);
        }
        let lost = missing.min(self.missing);
        let mut refilled = 0;
        while refilled < lost {
            let batch = (lost - refilled).min(BATCH);
            let limit = usize::try_from(batch).unwrap_or(usize::MAX);
            let put_back = store.refill_outbox(watermark, messages, limit).await?;
            refilled += put_back;
            if put_back < batch {
                break;
            }
        }
        if refilled > 0 {
            tracing::warn!(
                outbox.refilled = refilled,
                orders.pending = counted,
                broker.messages = messages,
                "the broker has lost the messages of pending orders: publishing them again"
            );
            metrics::counter!("woody_outbox_refilled_total").increment(refilled);
        }
        Ok((missing, refilled))
    }
}
