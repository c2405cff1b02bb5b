use std::sync::Arc;

use super::{
    LONG, OVER, claim, counts, decision, failed, finish, insert, order, orders, pieces_of,
    redriven, rejected, status, success,
};
use crate::domain::{Details, NewOrder, OrderStatus, Outcome, Reason, now};
use crate::ports::{OrderCounts, OrderStore, Transition};

/// A second outcome changes neither state, reason nor time, and is told what stays.
pub async fn the_first_outcome_wins(store: Arc<dyn OrderStore>) {
    for first in [success(), rejected("too large"), failed("no validator")] {
        let new = order("train");
        let _ = insert(&*store, std::slice::from_ref(&new), LONG).await;
        assert_eq!(finish(&*store, &new, first.clone()).await, Transition::Applied);
        let ended = store.order(new.id).await.unwrap().unwrap();
        let stays = OrderStatus::from(first);
        assert_eq!(ended.status, stays);
        for later in [success(), rejected("later"), failed("later")] {
            let answer = finish(&*store, &new, later).await;
            assert_eq!(answer, Transition::Superseded(stays.clone()));
        }
        assert_eq!(store.order(new.id).await.unwrap().unwrap(), ended);
    }
}

/// In one batch the first in the slice wins, whatever the backend sorts by.
pub async fn the_first_outcome_in_a_batch_wins(store: Arc<dyn OrderStore>) {
    let known = order("train");
    let unseen = order("boat");
    let _ = insert(&*store, std::slice::from_ref(&known), LONG).await;
    let answers = store
        .finish(&[
            decision(&unseen, rejected("first")),
            decision(&known, success()),
            decision(&unseen, success()),
            decision(&known, failed("second")),
        ])
        .await
        .unwrap();
    let (gone, made) = (
        OrderStatus::Ended(Outcome::Rejected(Reason::new("first"))),
        OrderStatus::Ended(Outcome::Success(None)),
    );
    assert_eq!(
        answers,
        [
            Transition::Applied,
            Transition::Applied,
            Transition::Superseded(gone.clone()),
            Transition::Superseded(made.clone()),
        ]
    );
    assert_eq!(status(&*store, &unseen).await, gone);
    assert_eq!(status(&*store, &known).await, made);
}

/// An order that came by the broker alone is stored whole.
pub async fn an_order_never_seen_is_stored_by_its_decision(store: Arc<dyn OrderStore>) {
    let new = NewOrder { details: pieces_of("train", 3), ..order("train") };
    assert_eq!(finish(&*store, &new, rejected("too large")).await, Transition::Applied);
    let read = store.order(new.id).await.unwrap().unwrap();
    assert_eq!(read.details, new.details);
    assert_eq!(read.accepted_at, new.accepted_at);
    assert_eq!(read.status, OrderStatus::Ended(Outcome::Rejected(Reason::new("too large"))));
    assert!(read.finished_at.is_some());
    assert_eq!(counts(&*store).await, OrderCounts { rejected: 1, ..OrderCounts::default() });
}

/// What was accepted stays as it was accepted, whatever the message said.
pub async fn a_decision_does_not_rewrite_the_order(store: Arc<dyn OrderStore>) {
    let accepted = order("train");
    let _ = insert(&*store, std::slice::from_ref(&accepted), LONG).await;
    let told =
        NewOrder { details: pieces_of("boat", 1_000), accepted_at: now(), ..accepted.clone() };
    assert_eq!(finish(&*store, &told, success()).await, Transition::Applied);
    let read = store.order(accepted.id).await.unwrap().unwrap();
    assert_eq!(read.details, accepted.details);
    assert_eq!(read.accepted_at, accepted.accepted_at);
}

/// `Failed` is final to everyone but an operator who sends the message again.
pub async fn a_failed_order_moves_only_when_redriven(store: Arc<dyn OrderStore>) {
    for verdict in [success(), rejected("too large")] {
        let new = order("train");
        let why = OrderStatus::Ended(Outcome::Failed(Reason::new("no validator")));
        assert_eq!(finish(&*store, &new, failed("no validator")).await, Transition::Applied);
        let answer = finish(&*store, &new, verdict.clone()).await;
        assert_eq!(answer, Transition::Superseded(why));
        let again = redriven(&new, verdict.clone());
        assert_eq!(store.finish(&[again]).await.unwrap(), [Transition::Applied]);
        assert_eq!(status(&*store, &new).await, OrderStatus::from(verdict));
    }
}

/// A redriven message that fails once more leaves the first reason and time.
pub async fn a_redrive_that_fails_again_changes_nothing(store: Arc<dyn OrderStore>) {
    let new = order("train");
    assert_eq!(finish(&*store, &new, failed("first")).await, Transition::Applied);
    let before = store.order(new.id).await.unwrap().unwrap();
    let answers = store.finish(&[redriven(&new, failed("second"))]).await.unwrap();
    assert_eq!(
        answers,
        [Transition::Superseded(OrderStatus::Ended(Outcome::Failed(Reason::new("first"))))]
    );
    assert_eq!(store.order(new.id).await.unwrap().unwrap(), before);
}

/// A redriven message ends a pending or unknown order as any other does, and
/// moves no verdict.
pub async fn a_redrive_moves_nothing_but_a_failure(store: Arc<dyn OrderStore>) {
    let (pending, unseen) = (order("train"), order("boat"));
    let _ = insert(&*store, std::slice::from_ref(&pending), LONG).await;
    for new in [&pending, &unseen] {
        let answers = store.finish(&[redriven(new, rejected("too large"))]).await.unwrap();
        assert_eq!(answers, [Transition::Applied]);
        let stays = OrderStatus::Ended(Outcome::Rejected(Reason::new("too large")));
        for outcome in [success(), rejected("other"), failed("other")] {
            let answers = store.finish(&[redriven(new, outcome)]).await.unwrap();
            assert_eq!(answers, [Transition::Superseded(stays.clone())]);
        }
        assert_eq!(status(&*store, new).await, stays);
    }
}

/// A batch reads as if its decisions came one by one.
pub async fn a_failure_and_its_redrive_fit_in_one_batch(store: Arc<dyn OrderStore>) {
    let (new, failed_before) = (order("train"), order("boat"));
    assert_eq!(finish(&*store, &failed_before, failed("before")).await, Transition::Applied);
    let answers = store
        .finish(&[
            decision(&new, failed("now")),
            decision(&failed_before, success()),
            decision(&new, success()),
            redriven(&new, failed("again")),
            redriven(&new, rejected("too large")),
            redriven(&failed_before, success()),
            redriven(&new, success()),
        ])
        .await
        .unwrap();
    let now_failed =
        || Transition::Superseded(OrderStatus::Ended(Outcome::Failed(Reason::new("now"))));
    let gone = OrderStatus::Ended(Outcome::Rejected(Reason::new("too large")));
    assert_eq!(
        answers,
        [
            Transition::Applied,
            Transition::Superseded(OrderStatus::Ended(Outcome::Failed(Reason::new("before")))),
            now_failed(),
            now_failed(),
            Transition::Applied,
            Transition::Applied,
            Transition::Superseded(gone.clone()),
        ]
    );
    assert_eq!(status(&*store, &new).await, gone);
    assert_eq!(status(&*store, &failed_before).await, OrderStatus::Ended(Outcome::Success(None)));
}

/// An order that has ended needs no message, leased or not.
pub async fn finishing_clears_the_outbox_entry(store: Arc<dyn OrderStore>) {
    let (leased, free, other) = (order("train"), order("boat"), order("plane"));
    let _ = insert(&*store, std::slice::from_ref(&leased), LONG).await;
    let _ = insert(&*store, &[free.clone(), other.clone()], OVER).await;
    let both = [decision(&leased, success()), decision(&free, failed("no validator"))];
    assert_eq!(store.finish(&both).await.unwrap(), [Transition::Applied, Transition::Applied]);
    assert_eq!(counts(&*store).await.outbox, 1);
    assert_eq!(claim(&*store, 9, OVER).await, [other]);
}

/// `finished_at` is when it was saved, and is missing until then.
pub async fn finishing_tells_the_stores_time(store: Arc<dyn OrderStore>) {
    let new = order("train");
    let _ = insert(&*store, std::slice::from_ref(&new), LONG).await;
    assert_eq!(store.order(new.id).await.unwrap().unwrap().finished_at, None);
    let before = now();
    assert_eq!(finish(&*store, &new, success()).await, Transition::Applied);
    let finished_at = store.order(new.id).await.unwrap().unwrap().finished_at.unwrap();
    // The store may have its own clock: half a minute is more than any skew.
    assert!((finished_at - before).abs() < time::Duration::seconds(30), "{finished_at}");
    assert_eq!(finished_at.offset(), time::UtcOffset::UTC);
}

/// No reason, an empty reason and a reason are three things.
pub async fn every_outcome_is_read_back(store: Arc<dyn OrderStore>) {
    for outcome in [
        Outcome::Success(None),
        Outcome::Success(Some(Reason::new(""))),
        Outcome::Success(Some(Reason::new("2 sheets"))),
        rejected(""),
        rejected("too large"),
        failed(""),
        failed("no validator"),
        Outcome::Cancelled(None),
        Outcome::Cancelled(Some(Reason::new("changed their mind"))),
    ] {
        let new = order("train");
        assert_eq!(finish(&*store, &new, outcome.clone()).await, Transition::Applied);
        let stays = OrderStatus::from(outcome);
        assert_eq!(status(&*store, &new).await, stays);
        assert_eq!(finish(&*store, &new, success()).await, Transition::Superseded(stays));
    }
}

/// Each result has the index of its decision.
pub async fn decisions_are_answered_in_the_order_asked(store: Arc<dyn OrderStore>) {
    let mut batch = orders(60);
    for new in &mut batch {
        new.id = uuid::Uuid::new_v4().into();
    }
    let ended: Vec<_> = batch.iter().skip(1).step_by(2).collect();
    let reason = |order: &NewOrder<Details>| Reason::new(order.id.to_string());
    let decisions: Vec<_> =
        ended.iter().map(|order| decision(order, Outcome::Rejected(reason(order)))).collect();
    let _ = store.finish(&decisions).await.unwrap();
    let decisions: Vec<_> = batch.iter().map(|order| decision(order, success())).collect();
    let answers = store.finish(&decisions).await.unwrap();
    for (i, (order, answer)) in batch.iter().zip(answers).enumerate() {
        let expected = match i % 2 {
            0 => Transition::Applied,
            _ => Transition::Superseded(OrderStatus::Ended(Outcome::Rejected(reason(order)))),
        };
        assert_eq!(answer, expected, "at {i}");
    }
}
