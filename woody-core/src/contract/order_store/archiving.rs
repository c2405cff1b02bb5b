use std::sync::Arc;
use std::time::Duration;

use super::{
    LONG, cancel, counts, failed, finish, ids, insert, order, orders, redriven, rejected, success,
};
use crate::domain::{Details, NewOrder, OrderId, OrderStatus};
use crate::ports::{Begun, Decision, Insert, OrderQuery, OrderStore, PageSize, Transition};

/// Orders of any age.
const ANY: Duration = Duration::ZERO;

/// Asks for pages of `size` until nothing follows.
async fn archivable(store: &dyn OrderStore, age: Duration, size: u16) -> Vec<OrderId> {
    let (size, mut after, mut found) = (PageSize::new(size).unwrap(), None, Vec::new());
    loop {
        let page = store.archivable(age, after, size).await.unwrap();
        assert!(page.orders.len() <= size.get(), "{} on a page", page.orders.len());
        found.extend(page.orders.iter().map(|order| order.id));
        match page.next {
            None => return found,
            next => after = next,
        }
    }
}

/// Inserts an order and ends it well.
async fn ended(store: &dyn OrderStore) -> NewOrder<Details> {
    let new = order("train");
    let _ = insert(store, std::slice::from_ref(&new), LONG).await;
    let _ = finish(store, &new, success()).await;
    new
}

/// Nothing is dropped that somebody may still need.
pub async fn only_orders_that_have_ended_for_good_may_be_archived(store: Arc<dyn OrderStore>) {
    let batch = orders(5);
    let _ = insert(&*store, &batch, LONG).await;
    let _ = finish(&*store, &batch[1], success()).await;
    let _ = finish(&*store, &batch[2], rejected("too large")).await;
    let _ = finish(&*store, &batch[3], failed("no validator")).await;
    let _ = cancel(&*store, &batch[4], None).await;
    let may = ids(&[batch[1].clone(), batch[2].clone(), batch[4].clone()]);
    assert_eq!(archivable(&*store, ANY, 500).await, may);
    assert_eq!(archivable(&*store, LONG, 500).await, [], "none is as old");
    assert_eq!(store.archive(&ids(&batch)).await.unwrap(), 3);
    for (new, is_archived) in batch.iter().zip([false, true, true, false, true]) {
        let found = store.order(new.id).await.unwrap().unwrap();
        assert_eq!(found.details.are_archived(), is_archived, "{found:?}");
    }
    let redriven = store.finish(&[redriven(&batch[3], success())]).await.unwrap();
    assert_eq!(redriven, [Transition::Applied], "a failure can be mended later");
}

/// Pages hold each of them once, the oldest first.
pub async fn archivable_orders_come_in_pages_and_the_oldest_first(store: Arc<dyn OrderStore>) {
    assert_eq!(archivable(&*store, ANY, 1).await, []);
    let batch = orders(7);
    let _ = insert(&*store, &batch, LONG).await;
    for (at, new) in batch.iter().enumerate() {
        let outcome = if at % 2 == 0 { success() } else { rejected("no") };
        let _ = finish(&*store, new, outcome).await;
    }
    for size in [1, 2, 6, 7, 8, 500] {
        assert_eq!(archivable(&*store, ANY, size).await, ids(&batch), "{size}");
    }
    assert_eq!(store.archive(&ids(&batch[2..4])).await.unwrap(), 2);
    let left = [&batch[..2], &batch[4..]].concat();
    assert_eq!(archivable(&*store, ANY, 2).await, ids(&left));
}

/// Who asks for the order is told how it ended, and the counts stay as they were.
pub async fn an_archived_order_keeps_its_end_and_leaves_the_lists(store: Arc<dyn OrderStore>) {
    let (gone, stays) = (ended(&*store).await, ended(&*store).await);
    let before = store.order(gone.id).await.unwrap().unwrap();
    assert_eq!(store.archive(&[gone.id]).await.unwrap(), 1);
    let found = store.order(gone.id).await.unwrap().unwrap();
    assert!(found.details.are_archived());
    assert_eq!(
        (found.status, found.accepted_at, found.finished_at),
        (before.status, before.accepted_at, before.finished_at)
    );
    let many = store.orders_by_id(&[stays.id, gone.id]).await.unwrap();
    assert_eq!(many.len(), 2);
    assert!(many[1].as_ref().unwrap().as_ref().unwrap().details.are_archived());
    let page = store.list(&OrderQuery::default()).await.unwrap();
    let listed: Vec<OrderId> = page.orders.iter().map(|order| order.id).collect();
    assert_eq!(listed, [stays.id]);
    assert_eq!(counts(&*store).await.success, 2);
}

/// Neither by a client that sends it again, nor by a message that comes late.
pub async fn an_archived_order_is_not_made_anew(store: Arc<dyn OrderStore>) {
    let gone = ended(&*store).await;
    assert_eq!(store.archive(&[gone.id]).await.unwrap(), 1);
    let other = NewOrder { id: gone.id, ..order("boat") };
    for again in [&gone, &other] {
        assert_eq!(
            insert(&*store, std::slice::from_ref(again), LONG).await,
            [Insert::AlreadyPresent]
        );
    }
    assert_eq!(store.claim_outbox(9, LONG).await.unwrap(), [], "nothing is published again");
    let ended = OrderStatus::from(success());
    for (outcome, redriven) in [(success(), false), (failed("late"), false), (rejected("x"), true)]
    {
        let late = Decision { order: gone.clone(), outcome, redriven, validation: None };
        let told = store.finish(&[late]).await.unwrap();
        assert_eq!(told, [Transition::Superseded(ended.clone())]);
    }
    assert_eq!(
        store.cancel(gone.id, None).await.unwrap(),
        Some(Transition::Superseded(ended.clone()))
    );
    store.begin(gone.id, false).await.unwrap();
    assert_eq!(store.begun(gone.id).await.unwrap(), Begun::default());
    let found = store.order(gone.id).await.unwrap().unwrap();
    assert_eq!((found.status, found.details.are_archived()), (ended, true));
}

/// Who archives may be broken off between any two steps, and begins again.
pub async fn archiving_again_changes_nothing(store: Arc<dyn OrderStore>) {
    let (one, two) = (ended(&*store).await, ended(&*store).await);
    assert_eq!(store.archive(&[]).await.unwrap(), 0);
    assert_eq!(store.archive(&[one.id, one.id, OrderId::fresh()]).await.unwrap(), 1);
    let before = store.order(one.id).await.unwrap();
    assert_eq!(store.archive(&[one.id, two.id]).await.unwrap(), 1);
    assert_eq!(store.order(one.id).await.unwrap(), before);
    assert_eq!(archivable(&*store, ANY, 500).await, []);
}
