use std::sync::Arc;
use std::time::Duration;

use super::{
    LONG, OVER, cancel, cancelled, claim, counts, decision, failed, finish, insert, order, orders,
    redriven, refill, rejected, status, success, watermark,
};
use crate::domain::{OrderId, OrderStatus, now};
use crate::ports::{Begun, OrderCounts, OrderStore, Transition};

/// With and without a reason, at the store's time; nothing else about it changes.
pub async fn a_pending_order_can_be_cancelled(store: Arc<dyn OrderStore>) {
    for reason in [None, Some(""), Some("changed their mind")] {
        let new = order("train");
        let _ = insert(&*store, std::slice::from_ref(&new), LONG).await;
        let before = store.order(new.id).await.unwrap().unwrap();
        assert_eq!(cancel(&*store, &new, reason).await, Transition::Applied);
        let read = store.order(new.id).await.unwrap().unwrap();
        assert_eq!(read.status, cancelled(reason));
        let finished_at = read.finished_at.unwrap();
        assert!((finished_at - now()).abs() < time::Duration::seconds(30), "{finished_at}");
        assert_eq!(
            (read.id, read.details, read.accepted_at),
            (before.id, before.details, before.accepted_at)
        );
    }
}

/// Nor is it made: nobody knows what it would ask for.
pub async fn an_unknown_order_cannot_be_cancelled(store: Arc<dyn OrderStore>) {
    let unknown = OrderId::fresh();
    assert_eq!(store.cancel(unknown, None).await.unwrap(), None);
    assert_eq!(store.order(unknown).await.unwrap(), None);
    assert_eq!(counts(&*store).await, OrderCounts::default());
}

/// The first final state wins, and is told.
pub async fn an_order_that_has_ended_cannot_be_cancelled(store: Arc<dyn OrderStore>) {
    for outcome in [success(), rejected("too large"), failed("no validator")] {
        let new = order("train");
        let _ = insert(&*store, std::slice::from_ref(&new), LONG).await;
        let _ = finish(&*store, &new, outcome.clone()).await;
        let ended = store.order(new.id).await.unwrap().unwrap();
        let stays = Transition::Superseded(outcome.into());
        assert_eq!(cancel(&*store, &new, Some("too late")).await, stays);
        assert_eq!(store.order(new.id).await.unwrap().unwrap(), ended);
    }
}

/// Its first reason and time stay.
pub async fn an_order_is_cancelled_once(store: Arc<dyn OrderStore>) {
    let new = order("train");
    let _ = insert(&*store, std::slice::from_ref(&new), LONG).await;
    assert_eq!(cancel(&*store, &new, Some("first")).await, Transition::Applied);
    let first = store.order(new.id).await.unwrap().unwrap();
    for reason in [None, Some("first"), Some("second")] {
        let stays = Transition::Superseded(cancelled(Some("first")));
        assert_eq!(cancel(&*store, &new, reason).await, stays);
    }
    assert_eq!(store.order(new.id).await.unwrap().unwrap(), first);
}

/// No verdict moves it, and no redrive.
pub async fn a_cancelled_order_stays_cancelled(store: Arc<dyn OrderStore>) {
    let new = order("train");
    let _ = insert(&*store, std::slice::from_ref(&new), LONG).await;
    let _ = cancel(&*store, &new, None).await;
    let before = store.order(new.id).await.unwrap().unwrap();
    for outcome in [success(), rejected("too large"), failed("no validator")] {
        for late in [decision(&new, outcome.clone()), redriven(&new, outcome.clone())] {
            let answers = store.finish(&[late]).await.unwrap();
            assert_eq!(answers, [Transition::Superseded(cancelled(None))]);
        }
    }
    assert_eq!(store.order(new.id).await.unwrap().unwrap(), before);
}

/// A failure, too, once it is redriven, becomes nothing but a verdict.
pub async fn a_redriven_failure_is_not_cancelled(store: Arc<dyn OrderStore>) {
    let new = order("train");
    let _ = finish(&*store, &new, failed("no validator")).await;
    let late = redriven(&new, crate::domain::Outcome::Cancelled(None));
    let stays = OrderStatus::from(failed("no validator"));
    let answers = store.finish(&[late]).await.unwrap();
    assert_eq!(answers, [Transition::Superseded(stays.clone())]);
    assert_eq!(status(&*store, &new).await, stays);
}

/// Its message needs not be sent, whether it stands alone or with others that were stored with it.
pub async fn cancelling_clears_the_outbox_entry(store: Arc<dyn OrderStore>) {
    let (alone, batch) = (order("boat"), orders(3));
    let _ = insert(&*store, std::slice::from_ref(&alone), OVER).await;
    let _ = insert(&*store, &batch, OVER).await;
    let _ = cancel(&*store, &alone, None).await;
    let _ = cancel(&*store, &batch[1], None).await;
    assert_eq!(counts(&*store).await.outbox, 2);
    assert_eq!(claim(&*store, 9, OVER).await, [batch[0].clone(), batch[2].clone()]);
    store.clear_outbox(&super::ids(&batch)).await.unwrap();
    assert_eq!(counts(&*store).await.outbox, 0);
}

/// As a verdict does, and nothing counts it from then on; those of an order that had ended before
/// are its redrive's.
pub async fn cancelling_takes_the_counts_away(store: Arc<dyn OrderStore>) {
    let (new, other) = (order("train"), order("boat"));
    let _ = insert(&*store, std::slice::from_ref(&new), LONG).await;
    store.begin(new.id, false).await.unwrap();
    let _ = cancel(&*store, &new, None).await;
    assert_eq!(store.begun(new.id).await.unwrap(), Begun::default());
    for is_redriven in [false, true] {
        store.begin(new.id, is_redriven).await.unwrap();
        assert_eq!(store.begun(new.id).await.unwrap(), Begun::default());
    }
    let _ = finish(&*store, &other, failed("its worker died")).await;
    store.begin(other.id, true).await.unwrap();
    let _ = cancel(&*store, &other, None).await;
    assert_eq!(store.begun(other.id).await.unwrap().times, 1);
}

/// It is in nobody's backlog: not lost, not stuck, not published again.
pub async fn a_cancelled_order_is_not_looked_for(store: Arc<dyn OrderStore>) {
    let batch = orders(3);
    let _ = insert(&*store, &batch, LONG).await;
    store.clear_outbox(&super::ids(&batch)).await.unwrap();
    let _ = cancel(&*store, &batch[1], None).await;
    let mark = watermark(&*store, Duration::ZERO).await;
    assert_eq!(store.unaccounted(&mark, 9).await.unwrap(), 2);
    let stuck = store.stuck(Duration::ZERO, 9).await.unwrap();
    let stuck: Vec<_> = stuck.into_iter().map(|order| order.id).collect();
    assert_eq!(stuck, [batch[0].id, batch[2].id]);
    assert_eq!(refill(&*store, Duration::ZERO, 9).await, 2);
    assert_eq!(claim(&*store, 9, LONG).await, [batch[0].clone(), batch[2].clone()]);
}
