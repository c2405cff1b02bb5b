use std::sync::Arc;
use std::time::Duration;

use super::{
    LONG, OVER, aged, claim, counts, finish, ids, insert, order, orders, pieces_of, refill, success,
};
use crate::domain::{Details, NewOrder, OrderId, OrderStatus};
use crate::ports::OrderStore;

const MINUTE: Duration = Duration::from_mins(1);

/// The caller that inserts an order publishes it; no other may until the lease expires.
pub async fn a_new_entry_is_leased_to_its_inserter(store: Arc<dyn OrderStore>) {
    let _ = insert(&*store, &orders(3), LONG).await;
    assert_eq!(counts(&*store).await.outbox, 3);
    assert_eq!(claim(&*store, 9, LONG).await, []);
}

/// A holder that died gives its entries back by saying nothing.
pub async fn an_expired_lease_can_be_claimed_again(store: Arc<dyn OrderStore>) {
    let batch = orders(3);
    let _ = insert(&*store, &batch, OVER).await;
    for _ in 0..3 {
        assert_eq!(claim(&*store, 9, OVER).await, batch);
    }
}

/// What one relay holds, another does not get.
pub async fn a_claim_leases_what_it_takes(store: Arc<dyn OrderStore>) {
    let batch = orders(3);
    let _ = insert(&*store, &batch, OVER).await;
    assert_eq!(claim(&*store, 2, LONG).await, batch[..2]);
    assert_eq!(claim(&*store, 9, LONG).await, batch[2..]);
    assert_eq!(claim(&*store, 9, LONG).await, []);
    assert_eq!(counts(&*store).await.outbox, 3);
}

/// A relay can write the whole message from what it claims.
pub async fn a_claim_tells_the_whole_order(store: Arc<dyn OrderStore>) {
    let new = NewOrder { details: pieces_of("\"train\" ü", 12), ..order("\"train\" ü") };
    let _ = insert(&*store, std::slice::from_ref(&new), OVER).await;
    assert_eq!(claim(&*store, 1, LONG).await, [new]);
}

/// By acceptance, not by insertion, id or end of lease.
pub async fn claims_come_oldest_first(store: Arc<dyn OrderStore>) {
    let batch = orders(9);
    let shuffled: Vec<_> = [4, 0, 8, 2, 6, 1, 7, 3, 5].map(|i: usize| batch[i].clone()).into();
    for one in &shuffled {
        let _ = insert(&*store, std::slice::from_ref(one), OVER).await;
    }
    // The oldest are claimed once more, so their leases end last.
    assert_eq!(claim(&*store, 3, OVER).await, batch[..3]);
    assert_eq!(claim(&*store, 4, LONG).await, batch[..4]);
    assert_eq!(claim(&*store, 9, LONG).await, batch[4..]);
}

/// They may be kept as one entry; each of them comes once all the same.
pub async fn orders_of_one_insert_are_claimed_apart_as_far_as_limits_ask(
    store: Arc<dyn OrderStore>,
) {
    let (old, young) = (orders(230), orders(150));
    let _ = insert(&*store, &young, OVER).await;
    let _ = insert(&*store, &old, OVER).await;
    let mut claimed = claim(&*store, 120, LONG).await;
    claimed.extend(claim(&*store, 1, LONG).await);
    store.clear_outbox(&ids(&claimed[..50])).await.unwrap();
    assert_eq!(counts(&*store).await.outbox, 330);
    claimed.extend(claim(&*store, 200, LONG).await);
    claimed.extend(claim(&*store, 200, LONG).await);
    let come: std::collections::BTreeSet<_> = ids(&claimed).into_iter().collect();
    assert_eq!((claimed.len(), come.len()), (380, 380));
    store.clear_outbox(&ids(&claimed)).await.unwrap();
    assert_eq!(counts(&*store).await.outbox, 0);
}

/// A limit is a limit, also at its ends.
pub async fn a_claim_takes_no_more_than_its_limit(store: Arc<dyn OrderStore>) {
    let batch = orders(5);
    let _ = insert(&*store, &batch, OVER).await;
    assert_eq!(claim(&*store, 0, LONG).await, []);
    assert_eq!(claim(&*store, 4, LONG).await, batch[..4]);
    assert_eq!(claim(&*store, usize::MAX, LONG).await, batch[4..]);
}

/// A confirmed message is not sent again; the order stays.
pub async fn a_cleared_entry_is_gone(store: Arc<dyn OrderStore>) {
    let batch = orders(3);
    let _ = insert(&*store, &batch, OVER).await;
    store.clear_outbox(&[batch[0].id, batch[2].id]).await.unwrap();
    assert_eq!(claim(&*store, 9, OVER).await, batch[1..2]);
    let counted = counts(&*store).await;
    assert_eq!((counted.pending, counted.outbox), (3, 1));
}

/// Ids without an entry, unknown ids and ids that stand twice.
pub async fn clearing_what_is_not_there_is_fine(store: Arc<dyn OrderStore>) {
    let new = order("train");
    let _ = insert(&*store, std::slice::from_ref(&new), OVER).await;
    store.clear_outbox(&[OrderId::fresh(), new.id, new.id]).await.unwrap();
    store.clear_outbox(&[new.id]).await.unwrap();
    assert_eq!(counts(&*store).await.outbox, 0);
}

/// Only pending ones, only old ones, the oldest first, with or without an entry.
pub async fn stuck_lists_the_oldest_pending_orders(store: Arc<dyn OrderStore>) {
    let batch = orders(5);
    let young = aged("young", 30);
    let mut all: Vec<_> = batch.iter().rev().cloned().collect();
    all.push(young);
    let _ = insert(&*store, &all, LONG).await;
    store.clear_outbox(&[batch[3].id]).await.unwrap();
    let _ = finish(&*store, &batch[1], success()).await;
    let listed = |orders: Vec<crate::domain::Order<Details>>| -> Vec<_> {
        assert!(orders.iter().all(|order| order.status == OrderStatus::Pending));
        orders.into_iter().map(|order| order.id).collect()
    };
    let found = listed(store.stuck(MINUTE, 9).await.unwrap());
    assert_eq!(found, [batch[0].id, batch[2].id, batch[3].id, batch[4].id]);
    let found = listed(store.stuck(MINUTE, 2).await.unwrap());
    assert_eq!(found, [batch[0].id, batch[2].id]);
    assert_eq!(store.stuck(MINUTE, 0).await.unwrap(), []);
}

/// A caller that says "for ever" is understood.
pub async fn the_longest_times_are_no_error(store: Arc<dyn OrderStore>) {
    let batch = orders(2);
    let _ = insert(&*store, &batch[..1], Duration::MAX).await;
    assert_eq!(claim(&*store, 9, Duration::MAX).await, []);
    let _ = insert(&*store, &batch[1..], OVER).await;
    assert_eq!(claim(&*store, 9, Duration::MAX).await, batch[1..]);
    assert_eq!(claim(&*store, 9, OVER).await, []);
    store.clear_outbox(&ids(&batch)).await.unwrap();
    assert_eq!(refill(&*store, Duration::MAX, usize::MAX).await, 0);
    assert_eq!(store.stuck(Duration::MAX, usize::MAX).await.unwrap(), []);
    assert_eq!(refill(&*store, Duration::ZERO, usize::MAX).await, 2);
    assert_eq!(store.stuck(Duration::ZERO, usize::MAX).await.unwrap().len(), 2);
}
