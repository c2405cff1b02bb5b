use std::sync::Arc;
use std::time::Duration;

use super::{
    LONG, OVER, aged, claim, counts, finish, ids, insert, order, orders, refill, success, watermark,
};
use crate::domain::{Details, NewOrder, OrderId};
use crate::ports::{OrderStore, QueueNote, QueueReading, Watermark};

const MINUTE: Duration = Duration::from_mins(1);

/// What a broker has lost is put back: once, and free to claim.
pub async fn an_order_without_a_message_is_refilled_once(store: Arc<dyn OrderStore>) {
    let batch = orders(3);
    let _ = insert(&*store, &batch, LONG).await;
    assert_eq!(refill(&*store, MINUTE, 9).await, 0, "all have an entry");
    store.clear_outbox(&[batch[0].id, batch[1].id]).await.unwrap();
    assert_eq!(refill(&*store, MINUTE, 9).await, 2);
    assert_eq!(refill(&*store, MINUTE, 9).await, 0, "once");
    assert_eq!(claim(&*store, 9, LONG).await, batch[..2]);
    assert_eq!(refill(&*store, MINUTE, 9).await, 0, "leased is in the outbox too");
}

/// The limit bounds one call; the next goes on.
pub async fn a_refill_takes_the_oldest_up_to_its_limit(store: Arc<dyn OrderStore>) {
    let batch = orders(5);
    let reversed: Vec<_> = batch.iter().rev().cloned().collect();
    published(&*store, &reversed).await;
    let watermark = watermark(&*store, MINUTE).await;
    let refill = async |limit| store.refill_outbox(&watermark, 0, limit).await.unwrap();
    assert_eq!(refill(0).await, 0);
    assert_eq!(refill(2).await, 2);
    assert_eq!(claim(&*store, 9, LONG).await, batch[..2]);
    assert_eq!(refill(usize::MAX).await, 3);
    assert_eq!(claim(&*store, 9, LONG).await, batch[2..]);
}

/// An order that waits for its turn has not lost its message yet.
pub async fn a_young_order_is_not_refilled(store: Arc<dyn OrderStore>) {
    let (young, old) = (aged("train", 30), aged("boat", 90));
    let _ = insert(&*store, &[young.clone(), old.clone()], LONG).await;
    store.clear_outbox(&[young.id, old.id]).await.unwrap();
    assert_eq!(refill(&*store, MINUTE, 9).await, 1);
    assert_eq!(claim(&*store, 9, LONG).await, [old]);
}

/// No message is sent for an order that has ended.
pub async fn a_finished_order_is_not_refilled(store: Arc<dyn OrderStore>) {
    let ended = [order("train"), order("boat"), order("plane")];
    let _ = insert(&*store, &ended, LONG).await;
    for (order, outcome) in
        ended.iter().zip([success(), super::rejected("too large"), super::failed("no validator")])
    {
        let _ = finish(&*store, order, outcome).await;
    }
    assert_eq!(refill(&*store, Duration::ZERO, 9).await, 0);
    assert_eq!(counts(&*store).await.outbox, 0);
}

/// The others still have theirs, wherever these are.
pub async fn a_refill_takes_no_more_than_are_without_a_message(store: Arc<dyn OrderStore>) {
    let batch = orders(5);
    published(&*store, &batch).await;
    let watermark = watermark(&*store, MINUTE).await;
    assert_eq!(store.unaccounted(&watermark, 9).await.unwrap(), 5);
    assert_eq!(store.unaccounted(&watermark, 3).await.unwrap(), 3, "it stops counting");
    assert_eq!(store.refill_outbox(&watermark, 5, 9).await.unwrap(), 0);
    assert_eq!(store.refill_outbox(&watermark, u64::MAX, 9).await.unwrap(), 0);
    assert_eq!(store.refill_outbox(&watermark, 3, 9).await.unwrap(), 2);
    assert_eq!(store.unaccounted(&watermark, 9).await.unwrap(), 3);
    assert_eq!(store.refill_outbox(&watermark, 3, 9).await.unwrap(), 0);
    assert_eq!(claim(&*store, 9, LONG).await, batch[..2]);
}

/// Nor is anything that came after it.
pub async fn what_waits_in_the_outbox_is_not_published_yet(store: Arc<dyn OrderStore>) {
    let batch = orders(5);
    let _ = insert(&*store, &batch, LONG).await;
    store
        .clear_outbox(&ids(&[batch[0].clone(), batch[1].clone(), batch[4].clone()]))
        .await
        .unwrap();
    let before = watermark(&*store, MINUTE).await;
    assert_eq!(before.accepted_before, batch[2].accepted_at);
    // What is published since was not in the broker then.
    store.clear_outbox(&ids(&batch)).await.unwrap();
    assert_eq!(store.unaccounted(&before, 9).await.unwrap(), 2);
    let after = watermark(&*store, MINUTE).await;
    assert_eq!(store.unaccounted(&after, 9).await.unwrap(), 5);
}

/// Its message is with a worker, or has just left one.
pub async fn a_marked_order_is_in_somebodys_hands(store: Arc<dyn OrderStore>) {
    let batch = orders(3);
    published(&*store, &batch).await;
    let before = watermark(&*store, MINUTE).await;
    let by_the_marks_of =
        |later: Watermark| Watermark { unmarked_since: later.unmarked_since, ..before };
    store.mark_held(&[batch[1].id]).await.unwrap();
    assert_eq!(store.unaccounted(&before, 9).await.unwrap(), 2);
    assert_eq!(store.refill_outbox(&before, 0, 9).await.unwrap(), 2);
    let soon = by_the_marks_of(store.watermark(MINUTE).await.unwrap());
    assert_eq!(store.unaccounted(&soon, 9).await.unwrap(), 0, "a mark holds for some time");
    store.mark_held(&[batch[1].id]).await.unwrap();
    let long_after = by_the_marks_of(watermark(&*store, MINUTE).await);
    assert_eq!(store.refill_outbox(&long_after, 0, 9).await.unwrap(), 1);
}

/// One worker after the other may die of it, each with its message in hand.
pub async fn an_order_whose_validation_was_begun_is_marked_for_longer(store: Arc<dyn OrderStore>) {
    let batch = [aged("train", 90), aged("boat", 90)];
    published(&*store, &batch).await;
    let before = watermark(&*store, MINUTE).await;
    store.begin(batch[0].id, false).await.unwrap();
    store.mark_held(&ids(&batch)).await.unwrap();
    let now = store.watermark(MINUTE).await.unwrap().unmarked_since + Watermark::LONGEST_WRITE;
    let soon = Watermark { unmarked_since: now + Watermark::DYING / 2, ..before };
    assert_eq!(store.unaccounted(&soon, 9).await.unwrap(), 1, "only the boat");
    let later = Watermark { unmarked_since: now + 2 * Watermark::DYING, ..before };
    assert_eq!(store.unaccounted(&later, 9).await.unwrap(), 2);
}

/// By a clock that is behind, or after a long wait: no look before knew of it.
pub async fn an_order_inserted_late_is_new_to_a_watermark(store: Arc<dyn OrderStore>) {
    let before = store.watermark(MINUTE).await.unwrap();
    let late = aged("train", 90);
    published(&*store, std::slice::from_ref(&late)).await;
    assert_eq!(store.unaccounted(&before, 9).await.unwrap(), 0);
    assert_eq!(store.refill_outbox(&before, 0, 9).await.unwrap(), 0);
    assert_eq!(refill(&*store, MINUTE, 9).await, 1);
}

/// Two replicas that look at once count no message twice.
pub async fn a_refilled_order_is_new_to_older_watermarks(store: Arc<dyn OrderStore>) {
    let batch = orders(3);
    published(&*store, &batch).await;
    let (one, other) = (watermark(&*store, MINUTE).await, watermark(&*store, MINUTE).await);
    assert_eq!(store.refill_outbox(&one, 1, 9).await.unwrap(), 2);
    // Published by now, and in no depth that was read before.
    store.clear_outbox(&ids(&batch)).await.unwrap();
    assert_eq!(store.unaccounted(&other, 9).await.unwrap(), 1);
    assert_eq!(store.refill_outbox(&other, 1, 9).await.unwrap(), 0);
}

/// Orders that have ended, that came by the broker alone, and ids that stand twice.
pub async fn marking_what_is_not_there_is_fine(store: Arc<dyn OrderStore>) {
    let new = order("train");
    published(&*store, std::slice::from_ref(&new)).await;
    let _ = finish(&*store, &new, success()).await;
    store.mark_held(&[]).await.unwrap();
    store.mark_held(&[OrderId::fresh(), new.id, new.id]).await.unwrap();
    assert_eq!(refill(&*store, OVER, 9).await, 0);
}

async fn published(store: &dyn OrderStore, orders: &[NewOrder<Details>]) {
    let _ = insert(store, orders, LONG).await;
    store.clear_outbox(&ids(orders)).await.unwrap();
}

async fn note(store: &dyn OrderStore, queue: &str, last: Option<QueueReading>) -> Vec<QueueNote> {
    let mut others = store.note_queue(queue, last).await.unwrap();
    others.sort_by(|one, other| one.queue.cmp(&other.queue));
    others
}

/// Who looks for lost messages knows which it cannot see.
pub async fn a_queue_is_told_of_the_others_and_not_of_itself(store: Arc<dyn OrderStore>) {
    let read_after = watermark(&*store, MINUTE).await.read_after();
    let reading = |messages| Some(QueueReading { messages, read_after });
    let of = |queue: &str, last| QueueNote { queue: queue.into(), last };
    assert_eq!(note(&*store, "amqp:/:one", None).await, []);
    assert_eq!(note(&*store, "amqp:/:one", reading(7)).await, []);
    assert_eq!(note(&*store, "two", None).await, [of("amqp:/:one", reading(7))]);
    assert_eq!(note(&*store, "amqp:/:one", reading(0)).await, [of("two", None)]);
    let both = [of("amqp:/:one", reading(0)), of("two", None)];
    assert_eq!(note(&*store, "three", reading(u64::from(u32::MAX))).await, both);
}

/// A depth that is not known now was known once.
pub async fn a_note_without_a_reading_leaves_the_last_one(store: Arc<dyn OrderStore>) {
    let read_after = watermark(&*store, MINUTE).await.read_after();
    let last = Some(QueueReading { messages: 3, read_after });
    let _ = note(&*store, "one", last).await;
    let _ = note(&*store, "one", None).await;
    assert_eq!(note(&*store, "two", None).await, [QueueNote { queue: "one".into(), last }]);
}

/// What is read after one watermark is read after all that came before it.
pub async fn a_watermark_tells_the_stores_time(store: Arc<dyn OrderStore>) {
    let first = watermark(&*store, MINUTE).await;
    let second = watermark(&*store, Duration::ZERO).await;
    assert!(first.read_after() <= second.read_after());
    assert!(first.accepted_before < first.read_after());
    assert!(second.accepted_before <= second.read_after());
}
