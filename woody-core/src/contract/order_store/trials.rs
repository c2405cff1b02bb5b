use std::sync::Arc;

use super::{LONG, failed, finish, insert, order, redriven, success};
use crate::domain::OrderId;
use crate::ports::{Begun, OrderStore, Transition};

async fn times(store: &dyn OrderStore, id: OrderId) -> u32 {
    store.begun(id).await.unwrap().times
}

/// What is begun and not ended is counted, and how long ago the last one began.
pub async fn a_validation_counts_from_its_beginning_to_its_end(store: Arc<dyn OrderStore>) {
    let new = order("train");
    let _ = insert(&*store, std::slice::from_ref(&new), LONG).await;
    assert_eq!(store.begun(new.id).await.unwrap(), Begun::default());
    store.end(new.id).await.unwrap();
    for expected in 1..=3 {
        store.begin(new.id, false).await.unwrap();
        let begun = store.begun(new.id).await.unwrap();
        assert_eq!(begun.times, expected);
        assert!(begun.last_ago < LONG, "{begun:?}");
    }
    for expected in [2, 1, 0, 0] {
        store.end(new.id).await.unwrap();
        assert_eq!(times(&*store, new.id).await, expected);
    }
    store.begin(new.id, false).await.unwrap();
    assert_eq!(times(&*store, new.id).await, 1);
}

/// An order that is only in the broker is counted like another.
pub async fn counts_are_of_one_order_and_need_not_know_it(store: Arc<dyn OrderStore>) {
    let (unseen, other) = (order("train"), order("boat"));
    store.begin(unseen.id, false).await.unwrap();
    assert_eq!(times(&*store, unseen.id).await, 1);
    assert_eq!(times(&*store, other.id).await, 0);
    assert!(store.order(unseen.id).await.unwrap().is_none());
}

/// A redriven order begins anew, also when it has failed before and fails again.
pub async fn a_final_state_takes_the_counts_away_even_when_it_is_not_the_first(
    store: Arc<dyn OrderStore>,
) {
    let new = order("train");
    for is_redriven in [false, true] {
        store.begin(new.id, is_redriven).await.unwrap();
        assert_eq!(times(&*store, new.id).await, 1);
        let _: Transition = finish(&*store, &new, failed("its worker died")).await;
        assert_eq!(times(&*store, new.id).await, 0);
    }
    store.begin(new.id, true).await.unwrap();
    let _ = store.finish(&[redriven(&new, success())]).await.unwrap();
    assert_eq!(times(&*store, new.id).await, 0);
}

/// A worker that was behind the others counts when all is over; nothing would
/// delete that count before a redrive.
pub async fn an_order_that_has_ended_is_counted_only_when_it_failed_and_is_redriven(
    store: Arc<dyn OrderStore>,
) {
    let (bad, good) = (order("train"), order("boat"));
    let _: Transition = finish(&*store, &bad, failed("its worker died")).await;
    let _: Transition = finish(&*store, &good, success()).await;
    for is_redriven in [false, true] {
        store.begin(bad.id, is_redriven).await.unwrap();
        store.begin(good.id, is_redriven).await.unwrap();
        assert_eq!(times(&*store, bad.id).await, u32::from(is_redriven));
        assert_eq!(times(&*store, good.id).await, 0);
    }
}
