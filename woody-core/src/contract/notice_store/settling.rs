use std::sync::Arc;
use std::time::Duration;

use super::{LONG, OVER, Told, decision, erp, failed, ids, mail, order, postponed, sorted};
use crate::domain::{NoticeId, Outcome, Reason};
use crate::ports::{Attempt, Store};

/// Nothing is left of it.
pub async fn a_delivered_notice_is_gone(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let id = told.ended(1).await[0];
    told.claim(9, OVER).await;
    told.settle(id, Attempt::Delivered).await;
    assert!(told.claim(9, OVER).await.is_empty());
    assert_eq!(told.counts().await, (0, 0));
}

/// Its lease is over all the same.
pub async fn a_postponed_notice_is_not_due(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let id = told.ended(1).await[0];
    told.claim(9, OVER).await;
    told.settle(id, postponed(LONG)).await;
    assert!(told.claim(9, OVER).await.is_empty());
    assert_eq!(told.counts().await, (1, 0));
}

/// Whoever tries it next sees why.
pub async fn a_postponed_notice_comes_again_with_its_problem(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let id = told.one().await;
    told.settle(id, postponed(OVER)).await;
    let again = told.claim(9, LONG).await.remove(0);
    assert_eq!((again.id, again.attempt), (id, 2));
    assert_eq!(again.problem, Some(Reason::new("no response")));
}

/// A process that ends gives back what it has not begun.
pub async fn a_released_notice_is_due_at_once_and_was_not_tried(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let id = told.one().await;
    for _ in 0..3 {
        told.settle(id, Attempt::Released).await;
        let again = told.claim(9, LONG).await.remove(0);
        assert_eq!((again.id, again.attempt, again.problem), (id, 1, None));
    }
}

/// It is kept for an operator, with its reason.
pub async fn what_is_given_up_is_dead(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let id = told.ended(1).await[0];
    told.claim(9, OVER).await;
    told.settle(id, Attempt::GivenUp("410 Gone".into())).await;
    assert!(told.claim(9, OVER).await.is_empty());
    let dead = told.dead().await.remove(0);
    assert_eq!((dead.id, dead.attempt), (id, 1));
    assert_eq!(dead.problem, Some(Reason::new("410 Gone")));
    assert_eq!(told.counts().await, (0, 1));
}

/// Somebody whose lease was over may have more to say, and only good news counts.
pub async fn what_is_dead_stays_dead_unless_it_was_delivered(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let id = told.one().await;
    told.settle(id, Attempt::GivenUp("first".into())).await;
    for late in [postponed(OVER), Attempt::Released, Attempt::GivenUp("second".into())] {
        told.settle(id, late).await;
        assert!(told.claim(9, OVER).await.is_empty());
    }
    let dead = told.dead().await.remove(0);
    assert_eq!((dead.attempt, dead.problem), (1, Some(Reason::new("first"))));
    told.settle(id, Attempt::Delivered).await;
    assert!(told.dead().await.is_empty());
}

/// Each once, by their ids.
pub async fn dead_notices_are_listed_in_pages(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let mut expected = told.ended(4).await;
    // An order with two ends.
    let new = order();
    for outcome in [failed(), Outcome::Success(None)] {
        let again = decision(&new, outcome.clone(), true);
        let _ = told.orders.finish(&[again]).await.unwrap();
        expected.push(NoticeId::of(new.id, &outcome));
    }
    let dead: Vec<_> = told
        .claim(9, LONG)
        .await
        .into_iter()
        .map(|notice| (notice.id, Attempt::GivenUp("gone".into())))
        .collect();
    told.notices.settle(&mail(), &dead).await.unwrap();
    told.ended(1).await;
    let mut listed = Vec::new();
    loop {
        let after = listed.last().copied();
        let page = told.notices.dead(&mail(), after, 4).await.unwrap();
        listed.extend(ids(&page));
        if page.len() < 4 {
            break;
        }
    }
    assert_eq!(listed, sorted(expected));
}

/// An operator has mended what was wrong.
pub async fn a_dead_notice_that_is_redriven_is_as_new(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let open = told.one().await;
    let mut dead = Vec::new();
    for _ in 0..2 {
        let id = told.one().await;
        told.settle(id, Attempt::GivenUp("gone".into())).await;
        dead.push(id);
    }
    assert_eq!(told.notices.redrive(&mail(), &[]).await.unwrap(), 0);
    assert_eq!(told.notices.redrive(&mail(), &[open, dead[0]]).await.unwrap(), 1);
    let again = told.claim(9, LONG).await;
    assert_eq!((ids(&again), again[0].attempt), (vec![dead[0]], 1));
    assert_eq!(told.counts().await, (2, 1));
    assert_eq!(told.notices.redrive(&mail(), &dead).await.unwrap(), 1);
    assert!(told.dead().await.is_empty());
}

/// They were delivered by somebody else, or their subscription has ended.
pub async fn notices_that_are_not_there_are_ignored(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let gone = NoticeId::of(order().id, &Outcome::Success(None));
    for attempt in
        [Attempt::Delivered, postponed(OVER), Attempt::GivenUp("gone".into()), Attempt::Released]
    {
        told.settle(gone, attempt).await;
    }
    told.notices.settle(&mail(), &[]).await.unwrap();
    assert_eq!(told.notices.redrive(&mail(), &[gone]).await.unwrap(), 0);
    assert_eq!(told.counts().await, (0, 0));
}

/// Of each what became of it.
pub async fn a_batch_of_attempts_is_settled_together(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    told.ended(8).await;
    let claimed = told.claim(9, LONG).await;
    let results = [
        Attempt::Delivered,
        postponed(OVER),
        postponed(LONG),
        Attempt::GivenUp("gone".into()),
        Attempt::Released,
    ];
    let all: Vec<_> = ids(&claimed).into_iter().zip(results.into_iter().cycle()).collect();
    told.notices.settle(&mail(), &all).await.unwrap();
    assert_eq!(told.counts().await, (5, 1));
    let again = told.claim(9, LONG).await;
    let mut again: Vec<_> = again.into_iter().map(|n| (n.id, n.attempt)).collect();
    again.sort_unstable();
    let mut expected = vec![(all[1].0, 2), (all[4].0, 1), (all[6].0, 2)];
    expected.sort_unstable();
    assert_eq!(again, expected);
}

/// It is never due then.
pub async fn the_longest_pauses_are_no_error(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let id = told.ended(1).await[0];
    told.claim(9, Duration::MAX).await;
    assert!(told.claim(9, OVER).await.is_empty());
    told.settle(id, postponed(Duration::MAX)).await;
    assert!(told.claim(usize::MAX, OVER).await.is_empty());
    assert_eq!(told.counts().await, (1, 0));
}

/// And say when the oldest open one ended.
pub async fn counts_tell_open_from_dead(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let counts = async || told.notices.subscriptions(99).await.unwrap().remove(0);
    let none = counts().await;
    assert_eq!((none.open, none.dead, none.oldest), (0, 0, None));
    told.ended(3).await;
    let claimed = told.claim(2, LONG).await;
    told.settle(claimed[0].id, Attempt::GivenUp("gone".into())).await;
    let some = counts().await;
    assert_eq!((some.open, some.dead, some.oldest), (2, 1, Some(claimed[1].ended_at)));
    assert_eq!(some.problem, None, "it was not tried yet");
    told.settle(claimed[1].id, postponed(LONG)).await;
    assert_eq!(counts().await.problem, Some(Reason::new("no response")));
}

/// However many there are, no more are looked at than was asked for.
pub async fn no_more_is_counted_than_was_asked_for(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let ended = told.ended(7).await;
    for id in &ended[..3] {
        told.settle(*id, Attempt::GivenUp("gone".into())).await;
    }
    for (most, expected) in [(0, (0, 0)), (1, (1, 1)), (3, (3, 3)), (4, (4, 3)), (u64::MAX, (4, 3))]
    {
        let counts = told.notices.subscriptions(most).await.unwrap().remove(0);
        assert_eq!((counts.open, counts.dead), expected, "at most {most}");
        assert_eq!(counts.oldest.is_some(), most > 0);
    }
}

/// Open and dead ones, and that there are none; of another order nothing.
pub async fn the_notices_of_an_order_are_told_of_each_subscription(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    told.notices.subscribe(&erp()).await.unwrap();
    let order = told.inserted().await;
    let of_order = async || told.notices.of_order(order.id).await.unwrap();
    assert_eq!(of_order().await, [(erp(), vec![]), (mail(), vec![])]);
    let _ = told.finish(&order, failed()).await;
    told.ended(1).await;
    let id = NoticeId::of(order.id, &failed());
    let states = async || {
        let states = of_order().await.into_iter().map(|(name, notices)| {
            let notices =
                notices.iter().map(|kept| (kept.notice.id, kept.notice.attempt, kept.is_dead));
            (name, notices.collect::<Vec<_>>())
        });
        states.collect::<Vec<_>>()
    };
    assert_eq!(states().await, [(erp(), vec![(id, 0, false)]), (mail(), vec![(id, 0, false)])]);
    let _ = told.claim(9, LONG).await;
    told.settle(id, Attempt::GivenUp(Reason::new("gone"))).await;
    assert_eq!(states().await, [(erp(), vec![(id, 0, false)]), (mail(), vec![(id, 1, true)])]);
    told.notices.settle(&erp(), &[(id, Attempt::Delivered)]).await.unwrap();
    let again = decision(&order, Outcome::Success(None), true);
    let _ = told.orders.finish(&[again]).await.unwrap();
    let verdict = NoticeId::of(order.id, &Outcome::Success(None));
    let both = vec![(id, 1, true), (verdict, 0, false)];
    assert_eq!(states().await, [(erp(), vec![(verdict, 0, false)]), (mail(), both)]);
    let kept = of_order().await.remove(1).1.remove(0);
    assert_eq!(kept.notice.problem, Some(Reason::new("gone")));
    told.notices.unsubscribe(&mail()).await.unwrap();
    assert_eq!(states().await, [(erp(), vec![(verdict, 0, false)])]);
}
