//! The clauses of [`ActLog`]'s contract.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc)]

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::join_all;
use time::{Duration, OffsetDateTime, macros::datetime};

use super::{HARD_TEXTS, OrderType};
use crate::domain::{Act, ActId, ActResult, Label, NewAct, OrderId, Reason, now};
use crate::ports::{ActCursor, ActLog, ActQuery, PageSize};

/// No clause is about what an order asks for.
pub const ORDER_TYPES: &[OrderType] = OrderType::ONE;

/// Runs every clause against what `fresh` returns.
#[macro_export]
macro_rules! act_log_contract {
    ($(#[$attr:meta])* $fresh:path) => {
        $crate::__contract_clauses! {
            [$(#[$attr])*] $fresh, $crate::contract::act_log =>
            an_act_is_listed_from_before_it_is_done
            an_act_ends_once
            what_was_never_recorded_is_not_closed
            an_act_that_is_recorded_again_is_one
            an_act_is_stamped_by_the_store
            the_newest_act_comes_first
            pages_of_acts_have_no_gaps_and_no_repeats
            a_page_of_acts_stays_where_it_is_when_acts_come
            acts_are_found_by_their_order
            acts_are_found_by_their_time
            every_character_of_an_act_survives
            acts_recorded_at_once_are_all_there
        }
    };
}

fn act(verb: &str, order: Option<OrderId>) -> NewAct {
    NewAct {
        id: ActId::fresh(),
        by: "ada".into(),
        because: Some("asked by the client".into()),
        verb: verb.into(),
        order,
        target: "".into(),
    }
}

async fn record(log: &dyn ActLog, verb: &str, order: Option<OrderId>) -> NewAct {
    let act = act(verb, order);
    log.record(&act).await.unwrap();
    act
}

/// All acts that a query selects, a page of `size` at a time.
async fn listed(log: &dyn ActLog, query: ActQuery, size: u16) -> Vec<Act> {
    let mut query = ActQuery { limit: PageSize::new(size).unwrap(), ..query };
    let mut acts = Vec::new();
    loop {
        let page = log.list(&query).await.unwrap();
        assert!(page.acts.len() <= usize::from(size));
        assert!(page.next.is_none() || page.next == page.acts.last().map(ActCursor::of));
        acts.extend(page.acts);
        query.after = page.next;
        if query.after.is_none() {
            return acts;
        }
    }
}

async fn all(log: &dyn ActLog) -> Vec<Act> {
    listed(log, ActQuery::default(), 100).await
}

/// It is there whole, and has no result until it is given one.
pub async fn an_act_is_listed_from_before_it_is_done(log: Arc<dyn ActLog>) {
    let asked = record(&*log, "order cancel", Some(OrderId::fresh())).await;
    let [begun] = <[Act; 1]>::try_from(all(&*log).await).unwrap();
    assert_eq!((&begun.asked, &begun.result), (&asked, &None));
    let result = ActResult::Done(Some("it is cancelled".into()));
    log.close(asked.id, &result).await.unwrap();
    assert_eq!(all(&*log).await, [Act { result: Some(result), ..begun }]);
}

/// Whatever is told later.
pub async fn an_act_ends_once(log: Arc<dyn ActLog>) {
    for result in [
        ActResult::Done(None),
        ActResult::Refused("it has ended as success".into()),
        ActResult::Failed("the broker is unavailable".into()),
    ] {
        let act = record(&*log, "dead purge", None).await;
        log.close(act.id, &result).await.unwrap();
        for later in [&result, &ActResult::Done(Some("after all".into()))] {
            log.close(act.id, later).await.unwrap();
        }
        assert_eq!(all(&*log).await[0].result, Some(result));
    }
}

/// No act appears by its end.
pub async fn what_was_never_recorded_is_not_closed(log: Arc<dyn ActLog>) {
    log.close(ActId::fresh(), &ActResult::Done(None)).await.unwrap();
    assert_eq!(all(&*log).await, []);
}

/// As after a call of which nobody knows whether it took effect.
pub async fn an_act_that_is_recorded_again_is_one(log: Arc<dyn ActLog>) {
    let first = record(&*log, "order cancel", Some(OrderId::fresh())).await;
    log.close(first.id, &ActResult::Done(None)).await.unwrap();
    let before = all(&*log).await;
    log.record(&first).await.unwrap();
    log.record(&NewAct { id: first.id, ..act("dead purge", None) }).await.unwrap();
    assert_eq!(all(&*log).await, before);
}

/// The acts of several machines are in one order.
pub async fn an_act_is_stamped_by_the_store(log: Arc<dyn ActLog>) {
    record(&*log, "one", None).await;
    record(&*log, "two", None).await;
    let acts = all(&*log).await;
    assert!(acts[0].at >= acts[1].at);
    // Of a server on another machine.
    let apart = (acts[0].at - now()).abs();
    assert!(apart < Duration::hours(1), "{apart}");
}

/// What was done last is what an operator asks for.
pub async fn the_newest_act_comes_first(log: Arc<dyn ActLog>) {
    let mut recorded = Vec::new();
    for verb in ["one", "two", "three"] {
        recorded.insert(0, record(&*log, verb, None).await);
    }
    let acts = all(&*log).await;
    assert_eq!(
        acts.iter().map(|act| &act.asked).collect::<Vec<_>>(),
        recorded.iter().collect::<Vec<_>>()
    );
}

/// Of any size, acts of one moment among them.
pub async fn pages_of_acts_have_no_gaps_and_no_repeats(log: Arc<dyn ActLog>) {
    let order = OrderId::fresh();
    join_all((0..11).map(|_| record(&*log, "order retry", Some(order)))).await;
    let acts = all(&*log).await;
    assert_eq!(acts.len(), 11);
    assert!(acts.windows(2).all(|two| ActCursor::of(&two[0]) > ActCursor::of(&two[1])));
    for size in [1, 2, 5, 11, 12] {
        let of_order = ActQuery { order: Some(order), ..ActQuery::default() };
        assert_eq!(listed(&*log, ActQuery::default(), size).await, acts, "{size}");
        assert_eq!(listed(&*log, of_order, size).await, acts, "{size}");
    }
}

/// New acts come before it.
pub async fn a_page_of_acts_stays_where_it_is_when_acts_come(log: Arc<dyn ActLog>) {
    for verb in ["one", "two", "three"] {
        record(&*log, verb, None).await;
    }
    let limit = PageSize::new(1).unwrap();
    let first = log.list(&ActQuery { limit, ..ActQuery::default() }).await.unwrap();
    record(&*log, "four", None).await;
    let rest = listed(&*log, ActQuery { after: first.next, ..ActQuery::default() }, 1).await;
    let verbs: Vec<_> = rest.iter().map(|act| act.asked.verb.as_str()).collect();
    assert_eq!(verbs, ["two", "one"]);
}

/// And by no other's.
pub async fn acts_are_found_by_their_order(log: Arc<dyn ActLog>) {
    let (one, other) = (OrderId::fresh(), OrderId::fresh());
    let first = record(&*log, "order cancel", Some(one)).await;
    record(&*log, "order cancel", Some(other)).await;
    record(&*log, "dead purge", None).await;
    let last = record(&*log, "order fail", Some(one)).await;
    let of = |order| ActQuery { order: Some(order), ..ActQuery::default() };
    let acts = listed(&*log, of(one), 100).await;
    let acts: Vec<_> = acts.into_iter().map(|act| act.asked).collect();
    assert_eq!(acts, [last, first]);
    assert_eq!(listed(&*log, of(OrderId::fresh()), 100).await, []);
}

/// To the microsecond, and whatever time is asked for.
pub async fn acts_are_found_by_their_time(log: Arc<dyn ActLog>) {
    let order = OrderId::fresh();
    record(&*log, "one", Some(order)).await;
    record(&*log, "two", Some(order)).await;
    let acts = all(&*log).await;
    let newest = acts[0].at;
    for order in [None, Some(order)] {
        let since = async |since: OffsetDateTime| {
            listed(&*log, ActQuery { since: Some(since), order, ..ActQuery::default() }, 1).await
        };
        assert_eq!(since(acts[1].at).await, acts);
        assert_eq!(since(newest).await[0], acts[0]);
        assert_eq!(since(newest + Duration::nanoseconds(1)).await, []);
        assert_eq!(since(newest + Duration::days(1)).await, []);
        assert_eq!(since(datetime!(-9999-01-01 0:00 UTC)).await, acts);
        assert_eq!(since(datetime!(9999-12-31 23:59:59 UTC)).await, []);
    }
}

/// Names, reasons and results are any text.
pub async fn every_character_of_an_act_survives(log: Arc<dyn ActLog>) {
    for text in HARD_TEXTS {
        let (label, reason) = (Label::new(text), Reason::new(text));
        let asked = NewAct {
            id: ActId::fresh(),
            by: label.clone(),
            because: Some(reason.clone()),
            verb: label.clone(),
            order: None,
            target: label,
        };
        log.record(&asked).await.unwrap();
        let result = ActResult::Failed(reason);
        log.close(asked.id, &result).await.unwrap();
        let newest = all(&*log).await.remove(0);
        assert_eq!((newest.asked, newest.result), (asked, Some(result)));
    }
    let nothing = NewAct { because: None, by: "".into(), ..act("", None) };
    log.record(&nothing).await.unwrap();
    assert_eq!(all(&*log).await[0].asked, nothing);
}

/// Nobody's act is lost for another's.
pub async fn acts_recorded_at_once_are_all_there(log: Arc<dyn ActLog>) {
    let recorded = join_all((0..20).map(|_| record(&*log, "order cancel", None))).await;
    let ids = |acts: &[NewAct]| acts.iter().map(|act| act.id).collect::<BTreeSet<_>>();
    let there: Vec<_> = all(&*log).await.into_iter().map(|act| act.asked).collect();
    assert_eq!((there.len(), ids(&there)), (20, ids(&recorded)));
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_suite_forgets_no_clause() {
        let source = include_str!("act_log.rs");
        assert_eq!(super::super::unlisted_clauses(source, &[source]), Vec::<&str>::new());
    }
}
