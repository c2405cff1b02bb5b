//! The clauses of [`NoticeStore`]'s contract.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc)]

mod claiming;
mod racing;
mod settling;
mod subscribing;
mod telling;

use std::sync::Arc;
use std::time::Duration;

pub use claiming::*;
pub use racing::*;
pub use settling::*;
pub use subscribing::*;
pub use telling::*;

use super::order_type::{OrderType, pieces_of};
use crate::domain::{Details, NewOrder, NoticeId, OrderId, Outcome, Reason, SubscriptionName};
use crate::ports::{Attempt, Decision, Notice, NoticeStore, OrderStore, Store, Transition};

/// Runs every clause against what `fresh` returns: a store that is migrated.
#[macro_export]
macro_rules! notice_store_contract {
    ($(#[$attr:meta])* $fresh:path) => {
        $crate::__contract_clauses! {
            [$(#[$attr])*] $fresh, $crate::contract::notice_store =>
            // subscribing
            without_a_subscription_there_are_no_notices
            subscribing_again_changes_nothing
            what_ended_before_is_not_told
            each_subscription_has_its_own_notices
            an_ended_subscription_is_told_no_more
            subscriptions_that_are_not_there_are_ignored
            // telling
            every_final_state_is_told
            an_order_never_seen_is_told_of
            a_superseded_state_is_not_told
            a_cancel_that_comes_too_late_is_not_told
            a_redriven_failure_is_told_once_more
            a_batch_is_told_as_if_it_came_one_by_one
            a_large_batch_is_told_whole
            every_character_of_a_notice_survives
            an_order_of_which_somebody_is_to_be_told_is_not_archived
            // claiming
            a_claimed_notice_is_nobody_elses
            a_lease_that_is_over_frees_its_notice
            a_claim_takes_no_more_than_its_limit
            what_is_due_for_longest_comes_first
            every_claim_counts_an_attempt
            // settling
            a_delivered_notice_is_gone
            a_postponed_notice_is_not_due
            a_postponed_notice_comes_again_with_its_problem
            a_released_notice_is_due_at_once_and_was_not_tried
            what_is_given_up_is_dead
            what_is_dead_stays_dead_unless_it_was_delivered
            dead_notices_are_listed_in_pages
            a_dead_notice_that_is_redriven_is_as_new
            notices_that_are_not_there_are_ignored
            a_batch_of_attempts_is_settled_together
            the_longest_pauses_are_no_error
            counts_tell_open_from_dead
            no_more_is_counted_than_was_asked_for
            the_notices_of_an_order_are_told_of_each_subscription
            // racing
            two_claimers_never_share_a_notice
            orders_that_end_at_once_are_each_told_once
            no_reader_sees_a_final_state_without_its_notice
            a_dropped_finish_leaves_both_or_neither
            a_dropped_cancel_leaves_both_or_neither
            what_ends_after_subscribing_is_told
            what_is_claimed_and_settled_at_once_by_many_is_delivered_once
        }
    };
}

/// What an order asks for is no matter of notices.
pub const ORDER_TYPES: &[OrderType] = OrderType::ONE;

/// A lease or pause that outlives every test.
const LONG: Duration = Duration::from_hours(1);
/// One that is over when it is given.
const OVER: Duration = Duration::ZERO;

fn mail() -> SubscriptionName {
    SubscriptionName::parse("mail").unwrap()
}

fn erp() -> SubscriptionName {
    SubscriptionName::parse("erp-2.eu_west").unwrap()
}

/// A store with its orders, and `mail` subscribed.
struct Told {
    orders: Arc<dyn OrderStore>,
    notices: Arc<dyn NoticeStore>,
}

impl Told {
    async fn by(store: &Arc<dyn Store>) -> Self {
        let told = Self { orders: store.orders(), notices: store.notices() };
        told.notices.subscribe(&mail()).await.unwrap();
        told
    }

    async fn inserted(&self) -> NewOrder<Details> {
        let order = order();
        let _ = self.orders.insert(std::slice::from_ref(&order), LONG).await.unwrap();
        order
    }

    async fn finish(&self, order: &NewOrder<Details>, outcome: Outcome) -> Transition {
        self.orders.finish(&[decision(order, outcome, false)]).await.unwrap().remove(0)
    }

    /// Ends so many orders well, one after another.
    async fn ended(&self, n: usize) -> Vec<NoticeId> {
        let mut ids = Vec::new();
        for _ in 0..n {
            let order = order();
            let _ = self.finish(&order, Outcome::Success(None)).await;
            ids.push(NoticeId::of(order.id, &Outcome::Success(None)));
        }
        ids
    }

    async fn claim(&self, limit: usize, lease: Duration) -> Vec<Notice> {
        self.notices.claim(&mail(), limit, lease).await.unwrap()
    }

    /// Ends an order and claims its notice.
    async fn one(&self) -> NoticeId {
        self.ended(1).await;
        let mut claimed = self.claim(9, LONG).await;
        assert_eq!(claimed.len(), 1, "{claimed:?}");
        claimed.remove(0).id
    }

    async fn settle(&self, id: NoticeId, attempt: Attempt) {
        self.notices.settle(&mail(), &[(id, attempt)]).await.unwrap();
    }

    async fn dead(&self) -> Vec<Notice> {
        self.notices.dead(&mail(), None, 99).await.unwrap()
    }

    /// How many notices `mail` has open and dead.
    async fn counts(&self) -> (u64, u64) {
        let counts = self.notices.subscriptions(99).await.unwrap();
        let mail = counts.iter().find(|counts| counts.subscription == mail());
        mail.map_or((0, 0), |counts| (counts.open, counts.dead))
    }
}

fn order() -> NewOrder<Details> {
    NewOrder::new(pieces_of("train", 1))
}

fn decision(order: &NewOrder<Details>, outcome: Outcome, redriven: bool) -> Decision {
    Decision { order: order.clone(), outcome, redriven, validation: None }
}

fn failed() -> Outcome {
    Outcome::Failed(Reason::new("no validator"))
}

fn postponed(by: Duration) -> Attempt {
    Attempt::Postponed { by, problem: Reason::new("no response") }
}

fn ids(notices: &[Notice]) -> Vec<NoticeId> {
    notices.iter().map(|notice| notice.id).collect()
}

fn sorted(mut ids: Vec<NoticeId>) -> Vec<NoticeId> {
    ids.sort_unstable();
    ids
}

#[cfg(test)]
mod tests {
    use crate::contract::unlisted_clauses;

    #[test]
    fn every_clause_is_in_the_macro() {
        let clauses = [
            include_str!("notice_store/claiming.rs"),
            include_str!("notice_store/racing.rs"),
            include_str!("notice_store/settling.rs"),
            include_str!("notice_store/subscribing.rs"),
            include_str!("notice_store/telling.rs"),
        ];
        assert_eq!(unlisted_clauses(include_str!("notice_store.rs"), &clauses), [""; 0]);
    }
}
