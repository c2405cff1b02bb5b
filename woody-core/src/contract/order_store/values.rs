use std::cell::Cell;
use std::sync::Arc;

use time::{OffsetDateTime, macros::datetime};
use uuid::Uuid;

use super::{
    LONG, OVER, aged, cancel, cancelled, claim, counts, failed, finish, ids, insert, order, orders,
    pieces_of, refill, rejected, success,
};
use crate::contract::HARD_TEXTS;
use crate::domain::{Details, NewOrder, OrderStatus, Outcome, Reason};
use crate::ports::{Backlog, Insert, OrderCounts, OrderStore, Transition};

/// Quotes, backslashes, other scripts, 200 characters: as they came, by every
/// way that leads out.
pub async fn every_character_of_the_details_survives(store: Arc<dyn OrderStore>) {
    for text in HARD_TEXTS {
        let details = pieces_of(text, 1);
        let new = NewOrder { details: details.clone(), ..order("x") };
        assert_eq!(insert(&*store, std::slice::from_ref(&new), OVER).await, [Insert::Created]);
        assert_eq!(
            insert(&*store, std::slice::from_ref(&new), OVER).await,
            [Insert::AlreadyPresent],
            "{text}"
        );
        assert_eq!(store.order(new.id).await.unwrap().unwrap().details, details);
        assert_eq!(claim(&*store, 1, LONG).await, std::slice::from_ref(&new));
        assert_eq!(store.stuck(OVER, 1).await.unwrap()[0].details, details);
        let _ = finish(&*store, &new, success()).await;
        let unseen = NewOrder { details: details.clone(), ..order("x") };
        let _ = finish(&*store, &unseen, success()).await;
        assert_eq!(store.order(unseen.id).await.unwrap().unwrap().details, details);
    }
}

/// The same for reasons, up to their full length.
pub async fn every_character_of_a_reason_survives(store: Arc<dyn OrderStore>) {
    let long = "蛇'\"\\".repeat(125);
    for text in HARD_TEXTS.iter().copied().chain([long.as_str()]) {
        let new = order("train");
        let stays = OrderStatus::Ended(Outcome::Failed(Reason::new(text)));
        assert_eq!(finish(&*store, &new, failed(text)).await, Transition::Applied);
        assert_eq!(store.order(new.id).await.unwrap().unwrap().status, stays);
        let answer = finish(&*store, &new, success()).await;
        assert_eq!(answer, Transition::Superseded(stays), "{text}");
        let taken_back = order("boat");
        let _ = insert(&*store, std::slice::from_ref(&taken_back), LONG).await;
        let _ = cancel(&*store, &taken_back, Some(text)).await;
        let read = store.order(taken_back.id).await.unwrap().unwrap().status;
        assert_eq!(read, cancelled(Some(text)), "{text}");
    }
}

/// From two bytes to the largest, written in every way that JSON allows.
pub async fn details_survive_as_they_were_written(store: Arc<dyn OrderStore>) {
    let texts = [
        "{}".to_owned(),
        r#"{ "b" : 1.50, "a" : [ 1e3, {"\u00e9\u0000": null} ], "a": "\ud83e\udeb5 \/" }"#
            .to_owned(),
        format!(r#"{{"n":{}1{}}}"#, "[".repeat(100), "]".repeat(100)),
        r#"{"n":123456789012345678901234567890.1234567890123456789}"#.to_owned(),
        format!("{{\"long\":\"{}\"}}", "🪵".repeat(Details::LARGEST / 4 - 3)),
    ];
    for text in texts {
        let details = Details::parse(&text).unwrap();
        let inserted = NewOrder { details: details.clone(), ..order("x") };
        let finished = NewOrder { details, ..order("x") };
        assert_eq!(insert(&*store, std::slice::from_ref(&inserted), OVER).await, [Insert::Created]);
        let again = insert(&*store, std::slice::from_ref(&inserted), OVER).await;
        assert_eq!(again, [Insert::AlreadyPresent]);
        let _ = finish(&*store, &finished, success()).await;
        for new in [&inserted, &finished] {
            assert_eq!(store.order(new.id).await.unwrap().unwrap().details.as_str(), text);
        }
        assert_eq!(claim(&*store, 1, LONG).await, [inserted]);
    }
}

/// A thousand different orders in one batch.
pub async fn every_order_of_a_batch_keeps_its_details(store: Arc<dyn OrderStore>) {
    let mut batch = orders(1_000);
    for (new, pieces) in batch.iter_mut().zip(1..) {
        new.details = pieces_of("train", pieces);
    }
    let _ = insert(&*store, &batch, OVER).await;
    assert_eq!(claim(&*store, 1_000, LONG).await, batch);
    let last = store.order(batch[999].id).await.unwrap().unwrap();
    assert_eq!(last.details, batch[999].details);
}

/// Microseconds are kept, what is finer is cut off, the instant is what counts.
pub async fn times_survive_to_the_microsecond(store: Arc<dyn OrderStore>) {
    for (given, kept) in [
        (datetime!(2026-11-23 19:12:00.123456 UTC), datetime!(2026-11-23 19:12:00.123456 UTC)),
        (datetime!(2026-11-23 19:12:00.999999999 UTC), datetime!(2026-11-23 19:12:00.999999 UTC)),
        (datetime!(2026-11-23 19:12:00.5 +05:45), datetime!(2026-11-23 13:27:00.5 UTC)),
        (datetime!(2000-01-01 0:00 UTC), datetime!(2000-01-01 0:00 UTC)),
        (datetime!(1969-12-31 23:59:59.999998999 UTC), datetime!(1969-12-31 23:59:59.999998 UTC)),
        // The ends of what a message can say.
        (datetime!(0000-01-01 0:00 UTC), datetime!(0000-01-01 0:00 UTC)),
        (datetime!(9999-12-31 23:59:59.999999 UTC), datetime!(9999-12-31 23:59:59.999999 UTC)),
    ] {
        let inserted = NewOrder { accepted_at: given, ..order("train") };
        let finished = NewOrder { accepted_at: given, ..order("train") };
        let _ = insert(&*store, std::slice::from_ref(&inserted), OVER).await;
        let _ = finish(&*store, &finished, success()).await;
        for new in [&inserted, &finished] {
            let read = store.order(new.id).await.unwrap().unwrap().accepted_at;
            assert_eq!(read, kept);
            assert_eq!(read.offset(), time::UtcOffset::UTC);
        }
        assert_eq!(claim(&*store, 1, LONG).await[0].accepted_at, kept);
    }
}

/// Ids come from clients of any kind: random, derived, all zeros, all ones.
pub async fn any_uuid_is_an_id(store: Arc<dyn OrderStore>) {
    let mut batch = orders(5);
    let uuids = [Uuid::nil(), Uuid::max(), Uuid::new_v4(), Uuid::new_v8([7; 16]), Uuid::now_v7()];
    for (new, uuid) in batch.iter_mut().zip(uuids) {
        new.id = uuid.into();
    }
    assert_eq!(insert(&*store, &batch, OVER).await, vec![Insert::Created; 5]);
    assert_eq!(claim(&*store, 9, LONG).await, batch);
    for new in &batch {
        assert_eq!(store.order(new.id).await.unwrap().unwrap().id, new.id);
        assert_eq!(finish(&*store, new, success()).await, Transition::Applied);
    }
}

/// Each step of an order's way moves the counts that it should, and no other.
pub async fn counts_follow_every_step(store: Arc<dyn OrderStore>) {
    let cancelled = Cell::new(0);
    let expect = async |pending, success, rejected, failed, outbox| {
        let cancelled = cancelled.get();
        let expected = OrderCounts { pending, success, rejected, failed, cancelled, outbox };
        assert_eq!(counts(&*store).await, expected);
    };
    expect(0, 0, 0, 0, 0).await;
    let batch = orders(6);
    let _ = insert(&*store, &batch, OVER).await;
    expect(6, 0, 0, 0, 6).await;
    let _ = claim(&*store, 2, LONG).await;
    expect(6, 0, 0, 0, 6).await;
    store.clear_outbox(&ids(&batch[..2])).await.unwrap();
    expect(6, 0, 0, 0, 4).await;
    let outcomes: [Outcome; 3] = [success(), rejected("too large"), failed("no validator")];
    for (new, outcome) in batch[1..].iter().zip(outcomes) {
        let _ = finish(&*store, new, outcome).await;
    }
    expect(3, 1, 1, 1, 2).await;
    let _ = store.finish(&[super::redriven(&batch[3], success())]).await.unwrap();
    expect(3, 2, 1, 0, 2).await;
    assert_eq!(refill(&*store, OVER, 9).await, 1);
    expect(3, 2, 1, 0, 3).await;
    let _ = finish(&*store, &order("never seen"), failed("no validator")).await;
    expect(3, 2, 1, 1, 3).await;
    let _ = cancel(&*store, &batch[5], None).await;
    cancelled.set(1);
    expect(2, 2, 1, 1, 2).await;
}

/// The backlog tells of pending orders and of the outbox, and of the oldest of each.
pub async fn the_backlog_is_what_waits_and_since_when(store: Arc<dyn OrderStore>) {
    let backlog = async || store.backlog(100).await.unwrap();
    assert_eq!(backlog().await, Backlog::default());
    let (old, young) = ([aged("old", 60), aged("old", 50)], [aged("young", 20), aged("young", 10)]);
    let _ = insert(&*store, &young, OVER).await;
    let _ = insert(&*store, &old, LONG).await;
    let micros = |order: &NewOrder<Details>| order.accepted_at.unix_timestamp_nanos() / 1_000;
    let seen = |backlog: Backlog| {
        let micros = |at: Option<OffsetDateTime>| at.map(|at| at.unix_timestamp_nanos() / 1_000);
        let pending = (backlog.pending, micros(backlog.oldest_pending));
        (pending, (backlog.unpublished, micros(backlog.oldest_unpublished)))
    };
    let [oldest, middle] = [&old[0], &young[0]].map(micros).map(Some);
    assert_eq!(seen(backlog().await), ((4, oldest), (4, oldest)));
    store.clear_outbox(&ids(&old)).await.unwrap();
    assert_eq!(seen(backlog().await), ((4, oldest), (2, middle)));
    for order in &old {
        let _ = finish(&*store, order, success()).await;
    }
    assert_eq!(seen(backlog().await), ((2, middle), (2, middle)));
    for order in &young {
        let _ = cancel(&*store, order, None).await;
    }
    assert_eq!(backlog().await, Backlog::default());
}

/// However much waits, no more is counted than was asked for.
pub async fn a_backlog_is_counted_up_to_a_bound(store: Arc<dyn OrderStore>) {
    let _ = insert(&*store, &orders(6), OVER).await;
    let backlog = store.backlog(4).await.unwrap();
    assert_eq!((backlog.pending, backlog.unpublished), (4, 4));
}

/// A store that serves calls says so.
pub async fn it_answers_a_ping(store: Arc<dyn OrderStore>) {
    store.ping().await.unwrap();
}
