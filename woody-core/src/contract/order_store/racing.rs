use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;

use super::{
    LONG, OVER, cancel, cancelled, claim, counts, decision, ids, insert, order, orders, refill,
    rejected, status, success,
};
use crate::domain::{Details, NewOrder, OrderId, OrderStatus, Outcome, Reason};
use crate::ports::{Decision, Insert, OrderCounts, OrderStore, Transition};

/// Fifty submits of one cart, on fifty tasks.
pub async fn fifty_inserts_of_one_id_at_once_create_one_order(store: Arc<dyn OrderStore>) {
    let new = order("train");
    let callers = (0..50).map(|_| {
        let (store, new) = (store.clone(), new.clone());
        tokio::spawn(async move { insert(&*store, &[new], LONG).await.remove(0) })
    });
    let answers: Vec<_> = join_all(callers).await.into_iter().map(Result::unwrap).collect();
    let created = answers.iter().filter(|answer| **answer == Insert::Created).count();
    assert_eq!(created, 1);
    assert!(answers.iter().all(|answer| !matches!(answer, Insert::Conflict(_))));
    assert_eq!(
        counts(&*store).await,
        OrderCounts { pending: 1, outbox: 1, ..OrderCounts::default() }
    );
}

/// The same orders in opposite directions: no deadlock, and each is created once.
pub async fn batches_that_cross_do_not_block_each_other(store: Arc<dyn OrderStore>) {
    for _ in 0..10 {
        let batch = orders(100);
        let reversed: Vec<_> = batch.iter().rev().cloned().collect();
        let inserts = [&batch, &reversed, &batch, &reversed].map(|batch| {
            let (store, batch) = (store.clone(), batch.clone());
            tokio::spawn(async move { insert(&*store, &batch, LONG).await })
        });
        let answers = join_all(inserts).await.into_iter().flat_map(Result::unwrap);
        assert_eq!(answers.filter(|answer| *answer == Insert::Created).count(), 100);
        let finishes = [&batch, &reversed, &batch, &reversed].map(|batch| {
            let (store, decisions) = (store.clone(), all(batch));
            tokio::spawn(async move { store.finish(&decisions).await.unwrap() })
        });
        let answers = join_all(finishes).await.into_iter().flat_map(Result::unwrap);
        assert_eq!(answers.filter(|answer| *answer == Transition::Applied).count(), 100);
    }
}

/// Many workers, one verdict: one is told `Applied`, all others what it was.
pub async fn concurrent_finishes_apply_once(store: Arc<dyn OrderStore>) {
    let (known, unseen) = (order("train"), order("boat"));
    let _ = insert(&*store, std::slice::from_ref(&known), LONG).await;
    let callers = (0..20).map(|i| {
        let store = store.clone();
        let outcome = rejected(&format!("worker {i}"));
        let decisions = [decision(&known, outcome.clone()), decision(&unseen, outcome.clone())];
        tokio::spawn(async move {
            (OrderStatus::from(outcome), store.finish(&decisions).await.unwrap())
        })
    });
    let answers: Vec<_> = join_all(callers).await.into_iter().map(Result::unwrap).collect();
    for (i, order) in [known, unseen].iter().enumerate() {
        let stays = status(&*store, order).await;
        for (said, transitions) in &answers {
            let expected = if *said == stays {
                Transition::Applied
            } else {
                Transition::Superseded(stays.clone())
            };
            assert_eq!(transitions[i], expected);
        }
    }
}

/// Many clicks on one button: one is told `Applied`, all others its reason.
pub async fn concurrent_cancels_apply_once(store: Arc<dyn OrderStore>) {
    let new = order("train");
    let _ = insert(&*store, std::slice::from_ref(&new), LONG).await;
    let callers = (0..20).map(|i| {
        let (store, new) = (store.clone(), new.clone());
        let reason = format!("click {i}");
        tokio::spawn(async move {
            let answer = cancel(&*store, &new, Some(&reason)).await;
            (cancelled(Some(&reason)), answer)
        })
    });
    let answers: Vec<_> = join_all(callers).await.into_iter().map(Result::unwrap).collect();
    let stays = status(&*store, &new).await;
    for (said, answer) in answers {
        let expected =
            if said == stays { Transition::Applied } else { Transition::Superseded(stays.clone()) };
        assert_eq!(answer, expected);
    }
}

/// The verdict and the client's change of mind arrive together: one of them is told that it was
/// first, and the other what it was.
pub async fn cancelling_while_finishing_has_one_winner(store: Arc<dyn OrderStore>) {
    for _ in 0..20 {
        let batch = orders(10);
        let _ = insert(&*store, &batch, OVER).await;
        let finishing = {
            let (store, decisions) = (store.clone(), all(&batch));
            tokio::spawn(async move { store.finish(&decisions).await.unwrap() })
        };
        let cancels = join_all(batch.iter().rev().map(|order| cancel(&*store, order, None))).await;
        let finishes = finishing.await.unwrap();
        for ((order, finished), taken_back) in
            batch.iter().zip(finishes).zip(cancels.into_iter().rev())
        {
            let expected = match status(&*store, order).await {
                won @ OrderStatus::Ended(Outcome::Cancelled(_)) => {
                    (Transition::Superseded(won), Transition::Applied)
                }
                won => (Transition::Applied, Transition::Superseded(won)),
            };
            assert_eq!((finished, taken_back), expected);
        }
        assert_eq!(counts(&*store).await.outbox, 0);
    }
}

/// It comes before the order does, or after it; a cancelled order leaves no entry either way.
pub async fn cancelling_while_inserting_finds_the_order_or_does_not(store: Arc<dyn OrderStore>) {
    for _ in 0..30 {
        let new = order("train");
        let inserting = {
            let (store, new) = (store.clone(), new.clone());
            tokio::spawn(async move { insert(&*store, &[new], OVER).await })
        };
        let answer = store.cancel(new.id, None).await.unwrap();
        assert_eq!(inserting.await.unwrap(), [Insert::Created]);
        match answer {
            None => assert_eq!(status(&*store, &new).await, OrderStatus::Pending),
            Some(answer) => {
                assert_eq!(answer, Transition::Applied);
                assert_eq!(status(&*store, &new).await, cancelled(None));
                assert!(!claim(&*store, 99, OVER).await.contains(&new));
            }
        }
    }
}

/// A refill brings back nothing that was taken back meanwhile.
pub async fn cancelling_while_refilling_leaves_no_entry(store: Arc<dyn OrderStore>) {
    let batch = orders(100);
    let _ = insert(&*store, &batch, LONG).await;
    store.clear_outbox(&ids(&batch)).await.unwrap();
    let refilling = {
        let store = store.clone();
        tokio::spawn(async move {
            while refill(&*store, OVER, 5).await > 0 {
                tokio::task::yield_now().await;
            }
        })
    };
    for order in &batch {
        let _ = cancel(&*store, order, None).await;
    }
    refilling.await.unwrap();
    let expected = OrderCounts { cancelled: 100, ..OrderCounts::default() };
    assert_eq!(counts(&*store).await, expected);
    assert_eq!(claim(&*store, 999, OVER).await, []);
}

/// Whichever comes first, no count is left that nothing would delete.
pub async fn cancelling_while_a_validation_begins_leaves_no_count(store: Arc<dyn OrderStore>) {
    for _ in 0..30 {
        let new = order("train");
        let _ = insert(&*store, std::slice::from_ref(&new), LONG).await;
        let beginning = {
            let (store, id) = (store.clone(), new.id);
            tokio::spawn(async move { store.begin(id, false).await.unwrap() })
        };
        assert_eq!(cancel(&*store, &new, None).await, Transition::Applied);
        beginning.await.unwrap();
        assert_eq!(store.begun(new.id).await.unwrap().times, 0);
    }
}

/// Relays on several replicas share the outbox without overlap.
pub async fn two_claimers_never_share_an_entry(store: Arc<dyn OrderStore>) {
    let batch = orders(300);
    let _ = insert(&*store, &batch, OVER).await;
    let claimers = (0..4).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let claimed = claim(&*store, 7, LONG).await;
                if claimed.is_empty() {
                    return mine;
                }
                mine.extend(ids(&claimed));
            }
        })
    });
    let claimed: Vec<_> = join_all(claimers).await.into_iter().flat_map(Result::unwrap).collect();
    let distinct: BTreeSet<_> = claimed.iter().copied().collect();
    assert_eq!(claimed.len(), distinct.len(), "an entry was claimed twice");
    assert_eq!(distinct, ids(&batch).into_iter().collect());
}

/// Several replicas refill at once; what they count adds up.
pub async fn two_refills_never_count_an_order_twice(store: Arc<dyn OrderStore>) {
    let batch = orders(100);
    let _ = insert(&*store, &batch, LONG).await;
    store.clear_outbox(&ids(&batch)).await.unwrap();
    let refills = (0..4).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { refill(&*store, OVER, 1_000).await })
    });
    let counted: u64 = join_all(refills).await.into_iter().map(Result::unwrap).sum();
    let rest = refill(&*store, OVER, 1_000).await;
    assert_eq!(counted + rest, 100);
    assert_eq!(counts(&*store).await.outbox, 100);
}

/// The confirm and the verdict of the same orders arrive together all the
/// time: neither waits for ever, and nothing is left over.
pub async fn finishing_and_clearing_at_once_both_succeed(store: Arc<dyn OrderStore>) {
    for _ in 0..10 {
        let batch = orders(100);
        let _ = insert(&*store, &batch, OVER).await;
        let clearing = {
            let (store, mut published) = (store.clone(), ids(&batch));
            published.reverse();
            tokio::spawn(async move { store.clear_outbox(&published).await.unwrap() })
        };
        let claiming = {
            let store = store.clone();
            tokio::spawn(async move { claim(&*store, 50, OVER).await })
        };
        let answers = store.finish(&all(&batch)).await.unwrap();
        assert!(answers.iter().all(|answer| *answer == Transition::Applied));
        clearing.await.unwrap();
        let _ = claiming.await.unwrap();
        assert_eq!(counts(&*store).await.outbox, 0);
    }
}

/// The order came by both ways, and the broker's was as fast as the store's.
pub async fn finishing_while_inserting_leaves_no_entry(store: Arc<dyn OrderStore>) {
    for _ in 0..30 {
        let batch = orders(10);
        let inserting = {
            let (store, batch) = (store.clone(), batch.clone());
            tokio::spawn(async move { insert(&*store, &batch, OVER).await })
        };
        let answers = store.finish(&all(&batch)).await.unwrap();
        assert!(answers.iter().all(|answer| *answer == Transition::Applied));
        let _ = inserting.await.unwrap();
        assert_eq!(claim(&*store, 99, OVER).await, []);
    }
    assert_eq!(counts(&*store).await, OrderCounts { success: 300, ..OrderCounts::default() });
}

/// A refill that meets the workers brings back nothing that they have ended.
pub async fn finishing_while_refilling_leaves_no_entry(store: Arc<dyn OrderStore>) {
    let batch = orders(300);
    let _ = insert(&*store, &batch, LONG).await;
    store.clear_outbox(&ids(&batch)).await.unwrap();
    let refilling = {
        let store = store.clone();
        tokio::spawn(async move {
            while refill(&*store, OVER, 5).await > 0 {
                tokio::task::yield_now().await;
            }
        })
    };
    for part in batch.chunks(5) {
        let _ = store.finish(&all(part)).await.unwrap();
    }
    refilling.await.unwrap();
    assert_eq!(counts(&*store).await, OrderCounts { success: 300, ..OrderCounts::default() });
}

/// The caller is cancelled at any moment: the batch is there or it is not.
pub async fn a_dropped_insert_leaves_all_or_nothing(store: Arc<dyn OrderStore>) {
    let mut created = 0;
    for round in 0..40 {
        let batch = orders(20);
        dropped_after(round, store.insert(&batch, LONG)).await;
        let answers = insert(&*store, &batch, LONG).await;
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        created += 20;
        let counted = counts(&*store).await;
        assert_eq!((counted.pending, counted.outbox), (created, created));
    }
}

/// As for an insert: some of the orders ended is no possible state.
pub async fn a_dropped_finish_leaves_all_or_nothing(store: Arc<dyn OrderStore>) {
    for round in 0..40 {
        let batch = orders(20);
        let _ = insert(&*store, &batch, LONG).await;
        dropped_after(round, store.finish(&all(&batch))).await;
        let later: Vec<_> = batch.iter().map(|order| decision(order, rejected("later"))).collect();
        let answers = store.finish(&later).await.unwrap();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        assert_eq!(counts(&*store).await.outbox, 0);
        let ended: HashMap<OrderId, OrderStatus> =
            join_all(batch.iter().map(async |order| (order.id, status(&*store, order).await)))
                .await
                .into_iter()
                .collect();
        assert!(ended.values().all(|status| *status == ended[&batch[0].id]));
    }
}

/// As for a finish: an order that is cancelled and still in the outbox is no possible state.
pub async fn a_dropped_cancel_leaves_all_or_nothing(store: Arc<dyn OrderStore>) {
    for round in 0..40 {
        let new = order("train");
        let _ = insert(&*store, std::slice::from_ref(&new), LONG).await;
        store.begin(new.id, false).await.unwrap();
        dropped_after(round, store.cancel(new.id, Some(Reason::new("first")))).await;
        match cancel(&*store, &new, Some("second")).await {
            Transition::Applied => {}
            Transition::Superseded(first) => assert_eq!(first, cancelled(Some("first"))),
        }
        assert_eq!(store.begun(new.id).await.unwrap().times, 0);
        assert_eq!(counts(&*store).await.outbox, 0);
    }
}

fn all(orders: &[NewOrder<Details>]) -> Vec<Decision> {
    orders.iter().map(|order| decision(order, success())).collect()
}

/// Drops `call` when it has run for `round` times 50 µs; timers are too coarse.
async fn dropped_after<T>(round: u32, call: impl Future<Output = T>) {
    let started = Instant::now();
    let patience = async {
        while started.elapsed() < Duration::from_micros(50) * round {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = patience => {}
        _ = call => {}
    }
}
