use std::collections::HashMap;
use std::sync::Arc;

use super::{
    LONG, OVER, cancel, claim, counts, decision, finish, insert, order, orders, pieces_of,
    rejected, status, success,
};
use crate::domain::{NewOrder, OrderId, OrderStatus, Outcome};
use crate::ports::{Insert, OrderCounts, OrderStore, Transition};

/// What is inserted is read back, `Pending`.
pub async fn an_inserted_order_is_there_and_pending(store: Arc<dyn OrderStore>) {
    let new = NewOrder { details: pieces_of("train", 7), ..order("train") };
    assert_eq!(insert(&*store, std::slice::from_ref(&new), LONG).await, [Insert::Created]);
    let read = store.order(new.id).await.unwrap().unwrap();
    assert_eq!((read.id, &read.details), (new.id, &new.details));
    assert_eq!((read.accepted_at, read.finished_at), (new.accepted_at, None));
    assert_eq!(read.status, OrderStatus::Pending);
}

/// Nothing is found for an id that was not inserted.
pub async fn an_unknown_order_is_none(store: Arc<dyn OrderStore>) {
    let _ = insert(&*store, &[order("train")], LONG).await;
    assert_eq!(store.order(OrderId::fresh()).await.unwrap(), None);
}

/// Each is read as by itself, those that are not there too, and one that is asked for twice.
pub async fn many_orders_are_read_in_the_order_asked(store: Arc<dyn OrderStore>) {
    assert!(store.orders_by_id(&[]).await.unwrap().is_empty());
    let mut some = orders(20);
    // No order in which a table could have them.
    for new in &mut some {
        new.id = uuid::Uuid::new_v4().into();
    }
    let _ = insert(&*store, &some, LONG).await;
    let _ = finish(&*store, &some[3], rejected("too large")).await;
    let _ = cancel(&*store, &some[5], Some("changed their mind")).await;
    let mut asked: Vec<OrderId> = some.iter().rev().map(|order| order.id).collect();
    asked.insert(7, OrderId::fresh());
    asked.push(some[3].id);
    let found = store.orders_by_id(&asked).await.unwrap();
    assert_eq!(found.len(), asked.len());
    for (id, found) in asked.into_iter().zip(found) {
        assert_eq!(found.unwrap(), store.order(id).await.unwrap());
    }
}

/// The same order again is `AlreadyPresent`, keeps its first stamp, and gets
/// no second message.
pub async fn a_second_insert_is_reported_not_stored(store: Arc<dyn OrderStore>) {
    let first = order("train");
    let again =
        NewOrder { accepted_at: first.accepted_at + time::Duration::seconds(9), ..first.clone() };
    let _ = insert(&*store, std::slice::from_ref(&first), OVER).await;
    store.clear_outbox(&[first.id]).await.unwrap();
    assert_eq!(insert(&*store, &[again], OVER).await, [Insert::AlreadyPresent]);
    let kept = store.order(first.id).await.unwrap().unwrap();
    assert_eq!(kept.accepted_at, first.accepted_at);
    assert_eq!(counts(&*store).await, OrderCounts { pending: 1, ..OrderCounts::default() });
}

/// Other details under a known id are a `Conflict` with those that are there: the first
/// order stays as it was.
pub async fn another_body_under_the_same_id_conflicts(store: Arc<dyn OrderStore>) {
    let first = order("train");
    let toy = NewOrder { details: pieces_of("boat", 1), ..first.clone() };
    let more = NewOrder { details: pieces_of("train", 2), ..first.clone() };
    let _ = insert(&*store, std::slice::from_ref(&first), LONG).await;
    assert_eq!(
        insert(&*store, &[toy, more], LONG).await,
        [(); 2].map(|()| Insert::Conflict(first.details.clone()))
    );
    let kept = store.order(first.id).await.unwrap().unwrap();
    assert_eq!(kept.details, first.details);
    assert_eq!(counts(&*store).await.outbox, 1);
}

/// Within a batch, too, the first of an id is the order.
pub async fn one_id_twice_in_a_batch_is_one_order(store: Arc<dyn OrderStore>) {
    let first = order("train");
    let other = NewOrder { details: pieces_of("boat", 1), ..first.clone() };
    let batch = [first.clone(), other.clone(), first.clone()];
    assert_eq!(
        insert(&*store, &batch, OVER).await,
        [Insert::Created, Insert::Conflict(first.details.clone()), Insert::AlreadyPresent]
    );
    // And the same when the store knows the id before the batch comes.
    let batch = [other, first.clone(), first.clone()];
    assert_eq!(
        insert(&*store, &batch, OVER).await,
        [Insert::Conflict(first.details.clone()), Insert::AlreadyPresent, Insert::AlreadyPresent]
    );
    assert_eq!(store.order(first.id).await.unwrap().unwrap().details, first.details);
    assert_eq!(
        counts(&*store).await,
        OrderCounts { pending: 1, outbox: 1, ..OrderCounts::default() }
    );
    assert_eq!(claim(&*store, 9, LONG).await, [first]);
}

/// An order that came by the broker and ended before its insert arrives is
/// left as it is, and no message is sent for it.
pub async fn an_order_that_has_ended_is_not_opened_again(store: Arc<dyn OrderStore>) {
    let new = order("train");
    assert_eq!(finish(&*store, &new, success()).await, Transition::Applied);
    assert_eq!(insert(&*store, std::slice::from_ref(&new), OVER).await, [Insert::AlreadyPresent]);
    let other = NewOrder { details: pieces_of("boat", 1), ..new.clone() };
    assert_eq!(insert(&*store, &[other], OVER).await, [Insert::Conflict(new.details.clone())]);
    assert_eq!(status(&*store, &new).await, OrderStatus::Ended(Outcome::Success(None)));
    assert_eq!(counts(&*store).await, OrderCounts { success: 1, ..OrderCounts::default() });
}

/// New, known and conflicting orders, shuffled: each answer stands at the
/// place of its order.
pub async fn answers_come_in_the_order_asked(store: Arc<dyn OrderStore>) {
    let mut batch = orders(60);
    let known: Vec<_> = batch.iter().step_by(3).cloned().collect();
    let _ = insert(&*store, &known, LONG).await;
    for wrong in batch.iter_mut().skip(3).step_by(6) {
        wrong.details = pieces_of("something else", 1);
    }
    // Version 4 ids sort at random; the new orders get them, so that a backend
    // that sorts its batch has something to put back in order.
    for (i, new) in batch.iter_mut().enumerate() {
        if i % 3 != 0 {
            new.id = uuid::Uuid::new_v4().into();
        }
    }
    batch.reverse();
    let by_id: HashMap<_, _> = known.iter().map(|order| (order.id, order)).collect();
    let expected: Vec<_> = batch
        .iter()
        .map(|order| match by_id.get(&order.id) {
            None => Insert::Created,
            Some(known) if known.asks_the_same_as(order) => Insert::AlreadyPresent,
            Some(known) => Insert::Conflict(known.details.clone()),
        })
        .collect();
    assert_eq!(insert(&*store, &batch, LONG).await, expected);
    let conflicts = |answer: &Insert| matches!(answer, Insert::Conflict(_));
    assert!(expected.contains(&Insert::Created) && expected.contains(&Insert::AlreadyPresent));
    assert!(expected.iter().any(conflicts));
}

/// Nothing in, nothing out.
pub async fn an_empty_batch_is_fine(store: Arc<dyn OrderStore>) {
    assert_eq!(insert(&*store, &[], LONG).await, []);
    assert_eq!(store.finish(&[]).await.unwrap(), []);
    store.clear_outbox(&[]).await.unwrap();
    assert_eq!(counts(&*store).await, OrderCounts::default());
}

/// Two thousand orders go through each step in one call.
pub async fn a_large_batch_is_one_call(store: Arc<dyn OrderStore>) {
    let batch = orders(2_000);
    assert_eq!(insert(&*store, &batch, OVER).await, vec![Insert::Created; 2_000]);
    assert_eq!(insert(&*store, &batch, OVER).await, vec![Insert::AlreadyPresent; 2_000]);
    assert_eq!(claim(&*store, 2_000, LONG).await, batch);
    store.clear_outbox(&super::ids(&batch)).await.unwrap();
    assert_eq!(counts(&*store).await, OrderCounts { pending: 2_000, ..OrderCounts::default() });
    let decisions: Vec<_> = batch.iter().map(|order| decision(order, success())).collect();
    let answers = store.finish(&decisions).await.unwrap();
    assert!(answers.iter().all(|answer| *answer == Transition::Applied));
    let answers = store.finish(&decisions).await.unwrap();
    assert!(answers.iter().all(
        |answer| *answer == Transition::Superseded(OrderStatus::Ended(Outcome::Success(None)))
    ));
    assert_eq!(counts(&*store).await, OrderCounts { success: 2_000, ..OrderCounts::default() });
}
