use std::sync::Arc;

use super::{LONG, OVER, Told, ids, postponed};
use crate::ports::Store;

/// As long as its lease lasts.
pub async fn a_claimed_notice_is_nobody_elses(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    told.one().await;
    assert!(told.claim(9, LONG).await.is_empty());
    assert_eq!(told.counts().await, (1, 0), "it is there still");
}

/// Who claimed it has died.
pub async fn a_lease_that_is_over_frees_its_notice(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let ended = told.ended(1).await;
    for attempt in 1..4 {
        let claimed = told.claim(9, OVER).await;
        assert_eq!(ids(&claimed), ended);
        assert_eq!(claimed[0].attempt, attempt);
    }
}

/// The others are left to others.
pub async fn a_claim_takes_no_more_than_its_limit(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    told.ended(5).await;
    assert!(told.claim(0, LONG).await.is_empty());
    for expected in [2, 2, 1, 0] {
        assert_eq!(told.claim(2, LONG).await.len(), expected);
    }
}

/// So that what fails again and again keeps nobody back.
pub async fn what_is_due_for_longest_comes_first(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let ended = told.ended(4).await;
    for id in &ended {
        assert_eq!(ids(&told.claim(1, LONG).await), [*id]);
    }
    // Due again one after another, the other way round.
    for id in ended.iter().rev() {
        told.settle(*id, postponed(OVER)).await;
    }
    let again: Vec<_> = ended.into_iter().rev().collect();
    assert_eq!(ids(&told.claim(9, LONG).await), again);
}

/// Whether or not anything is heard of it again.
pub async fn every_claim_counts_an_attempt(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let id = told.ended(1).await[0];
    for attempt in 1..4 {
        assert_eq!(told.claim(9, LONG).await[0].attempt, attempt);
        told.settle(id, postponed(OVER)).await;
    }
}
