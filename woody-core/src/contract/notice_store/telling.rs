use std::sync::Arc;
use std::time::Duration;

use super::{LONG, Told, decision, failed, ids, order, sorted};
use crate::contract::HARD_TEXTS;
use crate::domain::{NoticeId, OrderStatus, Outcome, Reason, StatusName};
use crate::ports::{Attempt, PageSize, Store, Transition};

/// As it was saved, at the time that the order shows.
pub async fn every_final_state_is_told(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    for outcome in [
        Outcome::Success(None),
        Outcome::Success(Some(Reason::new("2 sheets"))),
        Outcome::Rejected(Reason::new("too large")),
        failed(),
        Outcome::Cancelled(None),
        Outcome::Cancelled(Some(Reason::new("changed their mind"))),
    ] {
        let order = told.inserted().await;
        assert!(told.claim(9, LONG).await.is_empty(), "{outcome:?}");
        let transition = match &outcome {
            Outcome::Cancelled(reason) => {
                told.orders.cancel(order.id, reason.clone()).await.unwrap().unwrap()
            }
            outcome => told.finish(&order, outcome.clone()).await,
        };
        assert_eq!(transition, Transition::Applied);
        let claimed = told.claim(9, LONG).await;
        let [notice] = &claimed[..] else { panic!("{outcome:?}: {claimed:?}") };
        assert_eq!((notice.id, &notice.outcome), (NoticeId::of(order.id, &outcome), &outcome));
        let stored = told.orders.order(order.id).await.unwrap().unwrap();
        assert_eq!(Some(notice.ended_at), stored.finished_at);
        assert_eq!((notice.attempt, &notice.problem), (1, &None));
    }
}

/// It came by the broker alone.
pub async fn an_order_never_seen_is_told_of(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let ended = told.ended(1).await;
    assert_eq!(ids(&told.claim(9, LONG).await), ended);
}

/// The first final state wins, and it alone is told.
pub async fn a_superseded_state_is_not_told(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let order = told.inserted().await;
    for _ in 0..2 {
        let _ = told.finish(&order, Outcome::Success(None)).await;
        let _ = told.finish(&order, failed()).await;
    }
    let claimed = told.claim(9, LONG).await;
    assert_eq!(ids(&claimed), [NoticeId::of(order.id, &Outcome::Success(None))]);
    told.settle(claimed[0].id, Attempt::Delivered).await;
    let again = told.finish(&order, Outcome::Success(None)).await;
    assert_eq!(again, Transition::Superseded(OrderStatus::Ended(Outcome::Success(None))));
    assert_eq!(told.counts().await, (0, 0));
}

/// Nor is one of an order that is not there.
pub async fn a_cancel_that_comes_too_late_is_not_told(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let done = told.inserted().await;
    let _ = told.finish(&done, Outcome::Success(None)).await;
    for id in [done.id, order().id] {
        assert_ne!(told.orders.cancel(id, None).await.unwrap(), Some(Transition::Applied));
    }
    let ended: Vec<_> = told.claim(9, LONG).await.iter().map(|n| n.id.ended()).collect();
    assert_eq!(ended, [StatusName::Success]);
}

/// A failure that reaches its verdict after all has two ends, and both are told.
pub async fn a_redriven_failure_is_told_once_more(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let order = told.inserted().await;
    let _ = told.finish(&order, failed()).await;
    for _ in 0..2 {
        let again = decision(&order, failed(), true);
        let _ = told.orders.finish(&[again]).await.unwrap();
    }
    let first = told.claim(9, LONG).await;
    assert_eq!(ids(&first), [NoticeId::of(order.id, &failed())]);
    let verdict = Outcome::Rejected(Reason::new("too large"));
    for _ in 0..2 {
        let _ = told.orders.finish(&[decision(&order, verdict.clone(), true)]).await.unwrap();
    }
    let second = told.claim(9, LONG).await;
    assert_eq!(ids(&second), [NoticeId::of(order.id, &verdict)]);
    assert_eq!((&first[0].outcome, &second[0].outcome), (&failed(), &verdict));
    assert_eq!(told.counts().await, (2, 0));
}

/// An order may stand in it more than once.
pub async fn a_batch_is_told_as_if_it_came_one_by_one(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let (one, other, third) = (told.inserted().await, order(), told.inserted().await);
    let _ = told.orders.cancel(third.id, None).await.unwrap();
    let batch = [
        decision(&other, failed(), false),
        decision(&one, Outcome::Success(None), false),
        decision(&one, failed(), false),
        decision(&third, Outcome::Success(None), false),
        decision(&other, Outcome::Success(None), true),
        decision(&other, failed(), false),
    ];
    let _ = told.orders.finish(&batch).await.unwrap();
    let ends = [
        NoticeId::of(one.id, &Outcome::Success(None)),
        NoticeId::of(other.id, &failed()),
        NoticeId::of(other.id, &Outcome::Success(None)),
        NoticeId::of(third.id, &Outcome::Cancelled(None)),
    ];
    assert_eq!(sorted(ids(&told.claim(9, LONG).await)), sorted(ends.into()));
}

/// As large as a worker's commit.
pub async fn a_large_batch_is_told_whole(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let batch: Vec<_> =
        (0..512).map(|_| decision(&order(), Outcome::Success(None), false)).collect();
    let _ = told.orders.finish(&batch).await.unwrap();
    let ends = batch.iter().map(|d| NoticeId::of(d.order.id, &d.outcome)).collect();
    assert_eq!(sorted(ids(&told.claim(1_000, LONG).await)), sorted(ends));
}

/// In the reason of the end, and in that of a failed attempt.
pub async fn every_character_of_a_notice_survives(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    for text in HARD_TEXTS {
        let order = order();
        let outcome = Outcome::Failed(Reason::new(text));
        let _ = told.finish(&order, outcome.clone()).await;
        let id = NoticeId::of(order.id, &outcome);
        let claimed = told.claim(9, LONG).await;
        assert_eq!(claimed[0].outcome, outcome);
        told.settle(id, Attempt::GivenUp(Reason::new(text))).await;
        let dead = told.dead().await.into_iter().find(|notice| notice.id == id).unwrap();
        assert_eq!((dead.outcome, dead.problem), (outcome, Some(Reason::new(text))));
    }
}

/// Whoever is told is told what the order asked for. A notice that is dead may be redriven.
pub async fn an_order_of_which_somebody_is_to_be_told_is_not_archived(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let order = told.inserted().await;
    let _ = told.finish(&order, Outcome::Success(None)).await;
    let any = Duration::ZERO;
    let notice = told.claim(9, LONG).await.remove(0).id;
    for _ in 0..2 {
        let page = told.orders.archivable(any, None, PageSize::LARGEST).await.unwrap();
        assert_eq!(page.orders, []);
        assert_eq!(told.orders.archive(&[order.id]).await.unwrap(), 0);
        told.settle(notice, Attempt::GivenUp(Reason::new("no response"))).await;
    }
    let size = PageSize::new(1).unwrap();
    let page = told.orders.archivable(any, None, size).await.unwrap();
    assert_eq!(page.orders, []);
    assert!(page.next.is_some(), "what is behind it may be archived");
    told.settle(notice, Attempt::Delivered).await;
    let page = told.orders.archivable(any, None, PageSize::LARGEST).await.unwrap();
    assert_eq!(page.orders.len(), 1);
    assert_eq!(page.orders[0].id, order.id);
    assert_eq!(told.orders.archive(&[order.id]).await.unwrap(), 1);
}
