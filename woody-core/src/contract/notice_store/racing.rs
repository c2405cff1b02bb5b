use std::collections::HashSet;
use std::sync::Arc;

use futures::future::join_all;
use tokio::task::yield_now;

use super::{LONG, OrderId, Told, decision, ids, mail, order, sorted};
use crate::domain::{NoticeId, Outcome};
use crate::ports::{Attempt, Store};

/// However many claim at once.
pub async fn two_claimers_never_share_a_notice(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let ended = told.ended(40).await;
    let claiming = (0..8).map(|_| {
        let notices = store.notices();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let some = notices.claim(&mail(), 3, LONG).await.unwrap();
                if some.is_empty() {
                    return mine;
                }
                mine.extend(ids(&some));
            }
        })
    });
    let claimed = join_all(claiming.collect::<Vec<_>>()).await;
    let claimed: Vec<_> = claimed.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(sorted(claimed), sorted(ended));
}

/// Workers and clients end the same orders.
pub async fn orders_that_end_at_once_are_each_told_once(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let mut orders = Vec::new();
    for _ in 0..12 {
        orders.push(told.inserted().await);
    }
    let ending = (0..4).map(|n| {
        let (store, orders) = (store.orders(), orders.clone());
        tokio::spawn(async move {
            if n == 0 {
                for order in &orders {
                    let _ = store.cancel(order.id, None).await.unwrap();
                }
            } else {
                let decided = orders.iter().map(|o| decision(o, Outcome::Success(None), false));
                let _ = store.finish(&decided.collect::<Vec<_>>()).await.unwrap();
            }
        })
    });
    for ended in join_all(ending.collect::<Vec<_>>()).await {
        ended.unwrap();
    }
    let mut expected = Vec::new();
    for order in &orders {
        let status = told.orders.order(order.id).await.unwrap().unwrap().status;
        expected.push(NoticeId::of(order.id, status.outcome().unwrap()));
    }
    assert_eq!(sorted(ids(&told.claim(99, LONG).await)), sorted(expected));
}

/// Neither comes before the other.
pub async fn no_reader_sees_a_final_state_without_its_notice(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    for _ in 0..20 {
        let order = told.inserted().await;
        let (orders, decided) = (store.orders(), decision(&order, Outcome::Success(None), false));
        let finishing = tokio::spawn(async move {
            let _ = orders.finish(&[decided]).await.unwrap();
        });
        while !told.orders.order(order.id).await.unwrap().unwrap().status.is_final() {
            yield_now().await;
        }
        let id = NoticeId::of(order.id, &Outcome::Success(None));
        assert_eq!(ids(&told.claim(9, LONG).await), [id]);
        finishing.await.unwrap();
    }
}

/// Wherever it is dropped.
pub async fn a_dropped_finish_leaves_both_or_neither(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    for polls in 0..12 {
        let order = told.inserted().await;
        let orders = store.orders();
        let batch = [decision(&order, Outcome::Success(None), false)];
        dropped_after(polls, orders.finish(&batch)).await;
        is_both_or_neither(&told, order.id).await;
    }
}

/// The same of a cancel.
pub async fn a_dropped_cancel_leaves_both_or_neither(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    for polls in 0..12 {
        let order = told.inserted().await;
        dropped_after(polls, store.orders().cancel(order.id, None)).await;
        is_both_or_neither(&told, order.id).await;
    }
}

/// Polls a call so many times and drops it.
async fn dropped_after<T>(polls: usize, call: impl Future<Output = T>) {
    let mut call = Box::pin(call);
    for _ in 0..polls {
        if futures::poll!(call.as_mut()).is_ready() {
            return;
        }
        yield_now().await;
    }
}

async fn is_both_or_neither(told: &Told, order: OrderId) {
    // A call that was committing when it was dropped may end a little later: the one that comes
    // next ends the order if it has not.
    let _ = told.orders.cancel(order, None).await.unwrap();
    let status = told.orders.order(order).await.unwrap().unwrap().status;
    let end = NoticeId::of(order, status.outcome().expect("it was just cancelled"));
    assert_eq!(ids(&told.claim(9, LONG).await), [end]);
}

/// Also by calls that began before.
pub async fn what_ends_after_subscribing_is_told(store: Arc<dyn Store>) {
    for round in 0..10 {
        let told = Told { orders: store.orders(), notices: store.notices() };
        let ending = (0..4).map(|_| {
            let (orders, notices) = (store.orders(), store.notices());
            tokio::spawn(async move {
                let mut ended = Vec::new();
                for _ in 0..8 {
                    // Whether it was subscribed before this order ended.
                    let counts = notices.subscriptions(99).await.unwrap();
                    let was_subscribed = counts.iter().any(|counts| counts.is_subscribed);
                    let order = order();
                    let decided = decision(&order, Outcome::Success(None), false);
                    let _ = orders.finish(&[decided]).await.unwrap();
                    if was_subscribed {
                        ended.push(NoticeId::of(order.id, &Outcome::Success(None)));
                    }
                }
                ended
            })
        });
        let ending: Vec<_> = ending.collect();
        told.notices.subscribe(&mail()).await.unwrap();
        let ended = join_all(ending).await.into_iter().flat_map(Result::unwrap);
        let told_of: HashSet<_> = ids(&told.claim(99, LONG).await).into_iter().collect();
        for id in ended {
            assert!(told_of.contains(&id), "round {round}: {id} ended after it was subscribed");
        }
        told.notices.unsubscribe(&mail()).await.unwrap();
        assert!(told.notices.subscriptions(99).await.unwrap().is_empty());
    }
}

/// Processes that share the work neither block each other nor lose anything.
pub async fn what_is_claimed_and_settled_at_once_by_many_is_delivered_once(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let mut ended = told.ended(30).await;
    let working = (0..4).map(|n| {
        let (orders, notices) = (store.orders(), store.notices());
        tokio::spawn(async move {
            let (mut delivered, mut more) = (Vec::new(), Vec::new());
            for round in 0.. {
                let some = notices.claim(&mail(), 4, LONG).await.unwrap();
                if some.is_empty() && round >= 3 {
                    break;
                }
                let settled: Vec<_> = some
                    .iter()
                    .map(|notice| match notice.attempt {
                        1 if n % 2 == 0 => (notice.id, super::postponed(super::OVER)),
                        _ => (notice.id, Attempt::Delivered),
                    })
                    .collect();
                notices.settle(&mail(), &settled).await.unwrap();
                let done = settled.iter().filter(|(_, how)| *how == Attempt::Delivered);
                delivered.extend(done.map(|(id, _)| *id));
                if round < 3 {
                    let order = order();
                    let decided = decision(&order, Outcome::Success(None), false);
                    let _ = orders.finish(&[decided]).await.unwrap();
                    more.push(NoticeId::of(order.id, &Outcome::Success(None)));
                }
            }
            (delivered, more)
        })
    });
    let mut delivered = Vec::new();
    for worked in join_all(working.collect::<Vec<_>>()).await {
        let (done, more) = worked.unwrap();
        delivered.extend(done);
        ended.extend(more);
    }
    // One may have stopped while another had postponed something.
    let rest = told.claim(99, LONG).await;
    delivered.extend(ids(&rest));
    assert_eq!(sorted(delivered), sorted(ended));
}
