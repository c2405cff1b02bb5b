use std::sync::Arc;
use std::time::Duration;

use super::{
    LONG, OVER, cancel, claim, decision, failed, finish, insert, order, orders, redriven, rejected,
    success,
};
use crate::contract::HARD_TEXTS;
use crate::domain::{
    AfterFailure, Details, FailedAttempt, Label, NewOrder, Outcome, Reason, TraceContext,
    Validation, now,
};
use crate::ports::{Decision, KeptIn, OrderStore, OrderTrail, Publishing, Transition};

fn validation(attempt: u32) -> Validation {
    Validation {
        worker: Label::new("order-worker-1"),
        attempt,
        redriven: false,
        taken_up_at: now(),
        took: Duration::from_micros(1_250),
    }
}

/// The same order, ended by a validation.
fn validated(decision: Decision, validation: &Validation) -> Decision {
    Decision { validation: Some(validation.clone()), ..decision }
}

/// Returns the nth failed attempt of an order, a second after the one before.
fn attempt(order: &NewOrder<Details>, nth: u32, then: AfterFailure) -> FailedAttempt {
    let taken_up_at = order.accepted_at + time::Duration::seconds(nth.into());
    let validation = Validation { taken_up_at, ..validation(nth) };
    let reason = Reason::new(format!("no answer, {nth}"));
    FailedAttempt { order: order.id, validation, reason, then }
}

async fn trail(store: &dyn OrderStore, order: &NewOrder<Details>) -> OrderTrail {
    store.trail(order.id).await.unwrap().expect("the order is there")
}

async fn keep(store: &dyn OrderStore, attempts: &[FailedAttempt]) {
    store.keep_attempts(attempts).await.unwrap();
}

async fn inserted(store: &dyn OrderStore) -> NewOrder<Details> {
    let new = order("train");
    let _ = insert(store, std::slice::from_ref(&new), LONG).await;
    new
}

/// Until its message is confirmed.
pub async fn a_pending_order_has_been_kept_and_waits_in_the_outbox(store: Arc<dyn OrderStore>) {
    let new = inserted(&*store).await;
    let kept = trail(&*store, &new).await;
    assert_eq!(Some(&kept.order), store.order(new.id).await.unwrap().as_ref());
    assert_eq!((kept.kept, kept.publishing), (Some(KeptIn::Store), Publishing::Waits));
    assert_eq!((kept.ended_by, kept.attempts), (None, vec![]));
    store.clear_outbox(&[new.id]).await.unwrap();
    assert_eq!(trail(&*store, &new).await.publishing, Publishing::Done);
}

/// Nor one that was never inserted and failed.
pub async fn an_unknown_order_has_no_trail(store: Arc<dyn OrderStore>) {
    let unknown = order("train");
    assert_eq!(store.trail(unknown.id).await.unwrap(), None);
    keep(&*store, &[attempt(&unknown, 1, AfterFailure::Again)]).await;
    assert_eq!(store.trail(unknown.id).await.unwrap(), None);
}

/// By whom, when, and how long it took.
pub async fn the_validation_is_kept_with_the_final_state(store: Arc<dyn OrderStore>) {
    for outcome in [success(), rejected("too large"), failed("no validator")] {
        let new = inserted(&*store).await;
        let made = validation(3);
        let ended = validated(decision(&new, outcome.clone()), &made);
        assert_eq!(store.finish(&[ended]).await.unwrap(), [Transition::Applied]);
        let kept = trail(&*store, &new).await;
        assert_eq!(kept.ended_by.as_ref(), Some(&made), "{outcome:?}");
        assert_eq!((kept.kept, kept.publishing), (Some(KeptIn::Store), Publishing::Done));
        assert_eq!(Some(&kept.order), store.order(new.id).await.unwrap().as_ref());
    }
}

/// The store learns of it when it ends.
pub async fn an_order_that_came_by_the_broker_alone_says_so(store: Arc<dyn OrderStore>) {
    let (new, by_hand) = (order("train"), order("boat"));
    let made = validation(1);
    let batch = [validated(decision(&new, success()), &made), decision(&by_hand, failed("lost"))];
    let _ = store.finish(&batch).await.unwrap();
    let kept = trail(&*store, &new).await;
    assert_eq!((kept.kept, kept.ended_by), (Some(KeptIn::Broker), Some(made)));
    let kept = trail(&*store, &by_hand).await;
    assert_eq!((kept.kept, kept.ended_by), (Some(KeptIn::Broker), None));
    // A copy that is stored late was not where it was kept.
    let _ = insert(&*store, std::slice::from_ref(&new), LONG).await;
    assert_eq!(trail(&*store, &new).await.kept, Some(KeptIn::Broker));
}

/// As when an operator ends it.
pub async fn an_end_without_a_validation_tells_none(store: Arc<dyn OrderStore>) {
    let new = inserted(&*store).await;
    let _ = finish(&*store, &new, failed("by hand")).await;
    let kept = trail(&*store, &new).await;
    assert_eq!((kept.kept, kept.ended_by, kept.attempts), (Some(KeptIn::Store), None, vec![]));
}

/// The first final state wins, and with it what is told of it.
pub async fn a_validation_that_comes_too_late_leaves_no_trail(store: Arc<dyn OrderStore>) {
    let new = inserted(&*store).await;
    let (first, late) = (validation(1), validation(2));
    let batch = [
        validated(decision(&new, success()), &first),
        validated(decision(&new, failed("late")), &late),
    ];
    let _ = store.finish(&batch).await.unwrap();
    for outcome in [success(), rejected("late"), failed("late")] {
        let _ = store.finish(&[validated(decision(&new, outcome), &late)]).await.unwrap();
    }
    let kept = trail(&*store, &new).await;
    assert_eq!((kept.ended_by, kept.attempts), (Some(first), vec![]));
}

/// Only one that is there can be cancelled.
pub async fn a_cancelled_order_has_been_kept_in_the_store(store: Arc<dyn OrderStore>) {
    let new = inserted(&*store).await;
    let _ = cancel(&*store, &new, Some("changed their mind")).await;
    let late = validated(decision(&new, success()), &validation(1));
    let _ = store.finish(&[late]).await.unwrap();
    let kept = trail(&*store, &new).await;
    assert_eq!((kept.kept, kept.ended_by), (Some(KeptIn::Store), None));
    assert_eq!(kept.publishing, Publishing::Done);
}

/// And the attempt that had failed is still there.
pub async fn a_redrive_tells_its_own_validation_and_keeps_where_the_order_was_kept(
    store: Arc<dyn OrderStore>,
) {
    let (known, unseen) = (inserted(&*store).await, order("boat"));
    for (new, kept_in) in [(&known, KeptIn::Store), (&unseen, KeptIn::Broker)] {
        let last = attempt(new, 5, AfterFailure::GivenUp);
        let given_up = Outcome::Failed(last.reason.clone());
        let first = validated(decision(new, given_up), &last.validation);
        let again = Validation { redriven: true, ..validation(1) };
        let second = validated(redriven(new, success()), &again);
        // In one batch, and one after the other.
        if new.id == known.id {
            let _ = store.finish(&[first, second]).await.unwrap();
        } else {
            let _ = store.finish(&[first]).await.unwrap();
            let _ = store.finish(&[second]).await.unwrap();
        }
        let kept = trail(&*store, new).await;
        assert_eq!((kept.kept, kept.ended_by), (Some(kept_in), Some(again)));
        let attempts: Vec<_> = kept.attempts.into_iter().map(|kept| kept.failed).collect();
        assert_eq!(attempts, [last]);
    }
}

/// Whatever order they come in, and with those of other orders.
pub async fn failed_attempts_are_kept_the_oldest_first(store: Arc<dyn OrderStore>) {
    let (new, other) = (inserted(&*store).await, inserted(&*store).await);
    let all: Vec<_> = (1..=4).map(|nth| attempt(&new, nth, AfterFailure::Again)).collect();
    let its = attempt(&other, 1, AfterFailure::Again);
    keep(&*store, &[all[1].clone(), its.clone(), all[0].clone()]).await;
    keep(&*store, &[all[3].clone()]).await;
    keep(&*store, &[all[2].clone()]).await;
    let kept = trail(&*store, &new).await;
    assert!(kept.attempts.iter().all(|kept| kept.times == 1));
    let failed: Vec<_> = kept.attempts.iter().map(|kept| kept.failed.clone()).collect();
    assert_eq!(failed, all);
    assert_eq!(trail(&*store, &other).await.attempts.len(), 1);
    // It ends, and they stay.
    let _ = finish(&*store, &new, success()).await;
    assert_eq!(trail(&*store, &new).await.attempts, kept.attempts);
}

/// What waits for hours fills no table. Another attempt ends the row.
pub async fn attempts_that_are_postponed_over_and_over_are_counted_together(
    store: Arc<dyn OrderStore>,
) {
    let new = inserted(&*store).await;
    let postponed = |nth: u32, number: u32| {
        let mut attempt = attempt(&new, nth, AfterFailure::Postponed);
        attempt.validation.attempt = number;
        attempt
    };
    keep(&*store, &[postponed(1, 1), postponed(2, 1)]).await;
    for nth in 3..=60 {
        keep(&*store, &[postponed(nth, 1)]).await;
    }
    keep(&*store, &[attempt(&new, 61, AfterFailure::Again), postponed(62, 62)]).await;
    keep(&*store, &[postponed(63, 62)]).await;
    let attempts = trail(&*store, &new).await.attempts;
    let told: Vec<_> = attempts.iter().map(|kept| (kept.times, kept.failed.clone())).collect();
    let expected = [
        (60, postponed(60, 1)),
        (1, attempt(&new, 61, AfterFailure::Again)),
        (2, postponed(63, 62)),
    ];
    assert_eq!(told, expected);
    assert_eq!(attempts[0].first_at, postponed(1, 1).validation.ended_at());
    assert_eq!(attempts[2].first_at, postponed(62, 62).validation.ended_at());
}

/// Of one order and time: who is not told that it is kept sends it again.
pub async fn an_attempt_that_is_kept_again_stays_one(store: Arc<dyn OrderStore>) {
    let new = inserted(&*store).await;
    for then in [AfterFailure::Again, AfterFailure::Postponed] {
        let once = attempt(&new, if then == AfterFailure::Again { 1 } else { 2 }, then);
        keep(&*store, &[once.clone(), once.clone()]).await;
        keep(&*store, std::slice::from_ref(&once)).await;
    }
    let times: Vec<_> = trail(&*store, &new).await.attempts.iter().map(|kept| kept.times).collect();
    assert_eq!(times, [1, 1]);
}

/// Also when many fail together with others that do not.
pub async fn the_last_attempt_is_kept_with_the_failure(store: Arc<dyn OrderStore>) {
    let new = orders(30);
    let _ = insert(&*store, &new, LONG).await;
    let batch: Vec<_> = new
        .iter()
        .zip(1..)
        .map(|(new, nth)| {
            let outcome = if nth % 2 == 0 { failed("no answer") } else { success() };
            validated(decision(new, outcome), &attempt(new, nth, AfterFailure::GivenUp).validation)
        })
        .collect();
    let _ = store.finish(&batch).await.unwrap();
    for (new, nth) in new.iter().zip(1..) {
        let kept = trail(&*store, new).await;
        let mut last = attempt(new, nth, AfterFailure::GivenUp);
        last.reason = Reason::new("no answer");
        assert_eq!(kept.ended_by.as_ref(), Some(&last.validation));
        let attempts: Vec<_> = kept.attempts.into_iter().map(|kept| kept.failed).collect();
        let expected = if nth % 2 == 0 { vec![last] } else { vec![] };
        assert_eq!(attempts, expected);
    }
}

/// Those that come later are left out.
pub async fn no_more_attempts_than_a_trail_has_room_for_are_kept(store: Arc<dyn OrderStore>) {
    let new = inserted(&*store).await;
    let most = u32::try_from(OrderTrail::MOST_ATTEMPTS).unwrap();
    let all: Vec<_> = (1..=most + 5).map(|nth| attempt(&new, nth, AfterFailure::Again)).collect();
    keep(&*store, &all[..30]).await;
    keep(&*store, &all[30..]).await;
    keep(&*store, &[attempt(&new, most + 6, AfterFailure::Again)]).await;
    let kept = trail(&*store, &new).await.attempts;
    let failed: Vec<_> = kept.into_iter().map(|kept| kept.failed).collect();
    assert_eq!(failed, all[..OrderTrail::MOST_ATTEMPTS]);
}

/// They came by the broker alone, and are stored once they end.
pub async fn attempts_of_orders_that_are_not_there_are_kept(store: Arc<dyn OrderStore>) {
    let new = order("train");
    let first = attempt(&new, 1, AfterFailure::Again);
    keep(&*store, std::slice::from_ref(&first)).await;
    let _ = store.finish(&[validated(decision(&new, success()), &validation(2))]).await.unwrap();
    let kept = trail(&*store, &new).await;
    assert_eq!(kept.kept, Some(KeptIn::Broker));
    assert_eq!(kept.attempts.into_iter().map(|kept| kept.failed).collect::<Vec<_>>(), [first]);
}

/// Of its reason, and of the worker's name as far as that is kept.
pub async fn every_character_of_an_attempt_survives(store: Arc<dyn OrderStore>) {
    let new = inserted(&*store).await;
    let hard = HARD_TEXTS.iter().zip(1..).map(|(text, nth)| {
        let mut attempt = attempt(&new, nth, AfterFailure::Again);
        attempt.reason = Reason::new(text);
        let name: String = text.chars().take(Validation::MAX_NAME_CHARS).collect();
        attempt.validation.worker = Label::new(name);
        attempt
    });
    let all: Vec<_> = hard.collect();
    keep(&*store, &all).await;
    let kept = trail(&*store, &new).await.attempts;
    assert_eq!(kept.into_iter().map(|kept| kept.failed).collect::<Vec<_>>(), all);
    let long = Validation { worker: Label::new("w".repeat(99)), ..validation(1) };
    let _ = store.finish(&[validated(decision(&new, success()), &long)]).await.unwrap();
    let name = "w".repeat(Validation::MAX_NAME_CHARS);
    assert_eq!(trail(&*store, &new).await.ended_by.unwrap().worker, Label::new(name));
}

/// While a broker that is away fills the outbox.
pub async fn a_trail_is_found_among_many_entries(store: Arc<dyn OrderStore>) {
    let new = orders(450);
    for batch in new.chunks(90) {
        let _ = insert(&*store, batch, LONG).await;
    }
    for new in new.iter().step_by(80) {
        assert_eq!(trail(&*store, new).await.publishing, Publishing::Waits);
        store.clear_outbox(&[new.id]).await.unwrap();
        assert_eq!(trail(&*store, new).await.publishing, Publishing::Done);
    }
}

/// Whichever way the order came, and only with the order that was first.
pub async fn an_orders_trace_stays_with_it(store: Arc<dyn OrderStore>) {
    let context = |sampled| {
        let flags = if sampled { "01" } else { "00" };
        let text = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}");
        text.parse::<TraceContext>().unwrap()
    };
    let traced = |trace| NewOrder { trace: Some(trace), ..order("train") };
    let (inserted, finished) = (traced(context(true)), traced(context(false)));
    let _ = insert(&*store, std::slice::from_ref(&inserted), OVER).await;
    let again = NewOrder { trace: Some(context(false)), ..inserted.clone() };
    let _ = insert(&*store, std::slice::from_ref(&again), OVER).await;
    let claimed = claim(&*store, 9, LONG).await;
    assert_eq!(claimed.iter().map(|order| order.trace).collect::<Vec<_>>(), [inserted.trace]);
    let batch = [decision(&again, success()), decision(&finished, success())];
    let _ = store.finish(&batch).await.unwrap();
    for told in [&inserted, &finished] {
        let one = store.order(told.id).await.unwrap().unwrap();
        let many = store.orders_by_id(&[told.id]).await.unwrap().remove(0).unwrap().unwrap();
        assert_eq!([one.trace, many.trace], [told.trace; 2]);
        assert_eq!(trail(&*store, told).await.order.trace, told.trace);
    }
    let untraced = self::inserted(&*store).await;
    assert_eq!(store.order(untraced.id).await.unwrap().unwrap().trace, None);
}
