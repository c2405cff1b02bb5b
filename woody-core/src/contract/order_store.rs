//! The clauses of [`OrderStore`]'s contract.
//!
//! Clauses that race callers against each other prove a fault when they fail;
//! that they pass once proves little, so they run many rounds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc)]

mod archiving;
mod cancelling;
mod finishing;
mod inserting;
mod listing;
mod lost;
mod outbox;
mod racing;
mod trail;
mod trials;
mod values;

use std::time::Duration;

pub use archiving::*;
pub use cancelling::*;
pub use finishing::*;
pub use inserting::*;
pub use listing::*;
pub use lost::*;
pub use outbox::*;
pub use racing::*;
pub use trail::*;
pub use trials::*;
pub use values::*;

use super::order_type::{OrderType, pieces_of};
use crate::domain::{Details, NewOrder, OrderId, OrderStatus, Outcome, Reason, now};
use crate::ports::{Decision, Insert, OrderCounts, OrderStore, Transition, Watermark};

/// Runs every clause against what `fresh` returns.
#[macro_export]
macro_rules! order_store_contract {
    ($(#[$attr:meta])* $fresh:path) => {
        $crate::__contract_clauses! {
            [$(#[$attr])*] $fresh, $crate::contract::order_store =>
            // inserting
            an_inserted_order_is_there_and_pending
            an_unknown_order_is_none
            many_orders_are_read_in_the_order_asked
            a_second_insert_is_reported_not_stored
            another_body_under_the_same_id_conflicts
            one_id_twice_in_a_batch_is_one_order
            an_order_that_has_ended_is_not_opened_again
            answers_come_in_the_order_asked
            an_empty_batch_is_fine
            a_large_batch_is_one_call
            // archiving
            only_orders_that_have_ended_for_good_may_be_archived
            archivable_orders_come_in_pages_and_the_oldest_first
            an_archived_order_keeps_its_end_and_leaves_the_lists
            an_archived_order_is_not_made_anew
            archiving_again_changes_nothing
            // finishing
            the_first_outcome_wins
            the_first_outcome_in_a_batch_wins
            an_order_never_seen_is_stored_by_its_decision
            a_decision_does_not_rewrite_the_order
            a_failed_order_moves_only_when_redriven
            a_redrive_that_fails_again_changes_nothing
            a_redrive_moves_nothing_but_a_failure
            a_failure_and_its_redrive_fit_in_one_batch
            finishing_clears_the_outbox_entry
            finishing_tells_the_stores_time
            every_outcome_is_read_back
            decisions_are_answered_in_the_order_asked
            // cancelling
            a_pending_order_can_be_cancelled
            an_unknown_order_cannot_be_cancelled
            an_order_that_has_ended_cannot_be_cancelled
            an_order_is_cancelled_once
            a_cancelled_order_stays_cancelled
            a_redriven_failure_is_not_cancelled
            cancelling_clears_the_outbox_entry
            cancelling_takes_the_counts_away
            a_cancelled_order_is_not_looked_for
            // trials
            a_validation_counts_from_its_beginning_to_its_end
            counts_are_of_one_order_and_need_not_know_it
            a_final_state_takes_the_counts_away_even_when_it_is_not_the_first
            an_order_that_has_ended_is_counted_only_when_it_failed_and_is_redriven
            // trail
            a_pending_order_has_been_kept_and_waits_in_the_outbox
            an_unknown_order_has_no_trail
            the_validation_is_kept_with_the_final_state
            an_order_that_came_by_the_broker_alone_says_so
            an_end_without_a_validation_tells_none
            a_validation_that_comes_too_late_leaves_no_trail
            a_cancelled_order_has_been_kept_in_the_store
            a_redrive_tells_its_own_validation_and_keeps_where_the_order_was_kept
            failed_attempts_are_kept_the_oldest_first
            attempts_that_are_postponed_over_and_over_are_counted_together
            an_attempt_that_is_kept_again_stays_one
            the_last_attempt_is_kept_with_the_failure
            no_more_attempts_than_a_trail_has_room_for_are_kept
            attempts_of_orders_that_are_not_there_are_kept
            every_character_of_an_attempt_survives
            a_trail_is_found_among_many_entries
            an_orders_trace_stays_with_it
            // outbox
            a_new_entry_is_leased_to_its_inserter
            an_expired_lease_can_be_claimed_again
            a_claim_leases_what_it_takes
            a_claim_tells_the_whole_order
            claims_come_oldest_first
            orders_of_one_insert_are_claimed_apart_as_far_as_limits_ask
            a_claim_takes_no_more_than_its_limit
            a_cleared_entry_is_gone
            clearing_what_is_not_there_is_fine
            stuck_lists_the_oldest_pending_orders
            the_longest_times_are_no_error
            // listing
            pages_hold_every_order_once_and_the_oldest_first
            a_list_is_of_the_time_that_was_asked_for
            a_list_is_of_the_status_that_was_asked_for
            a_list_is_of_the_client_that_was_asked_for
            a_claimed_order_names_its_client
            orders_are_found_by_what_they_say
            orders_that_end_stay_where_they_are_in_the_list
            orders_accepted_at_one_instant_are_paged_by_id
            a_listed_order_is_whole
            any_time_can_be_asked_for
            // lost
            an_order_without_a_message_is_refilled_once
            a_refill_takes_the_oldest_up_to_its_limit
            a_refill_takes_no_more_than_are_without_a_message
            a_young_order_is_not_refilled
            a_finished_order_is_not_refilled
            what_waits_in_the_outbox_is_not_published_yet
            a_marked_order_is_in_somebodys_hands
            an_order_whose_validation_was_begun_is_marked_for_longer
            an_order_inserted_late_is_new_to_a_watermark
            a_refilled_order_is_new_to_older_watermarks
            marking_what_is_not_there_is_fine
            a_queue_is_told_of_the_others_and_not_of_itself
            a_note_without_a_reading_leaves_the_last_one
            a_watermark_tells_the_stores_time
            // racing
            fifty_inserts_of_one_id_at_once_create_one_order
            batches_that_cross_do_not_block_each_other
            concurrent_finishes_apply_once
            concurrent_cancels_apply_once
            cancelling_while_finishing_has_one_winner
            cancelling_while_inserting_finds_the_order_or_does_not
            cancelling_while_refilling_leaves_no_entry
            cancelling_while_a_validation_begins_leaves_no_count
            a_dropped_cancel_leaves_all_or_nothing
            two_claimers_never_share_an_entry
            two_refills_never_count_an_order_twice
            finishing_and_clearing_at_once_both_succeed
            finishing_while_inserting_leaves_no_entry
            finishing_while_refilling_leaves_no_entry
            a_dropped_insert_leaves_all_or_nothing
            a_dropped_finish_leaves_all_or_nothing
            // values
            every_character_of_the_details_survives
            every_character_of_a_reason_survives
            details_survive_as_they_were_written
            every_order_of_a_batch_keeps_its_details
            times_survive_to_the_microsecond
            any_uuid_is_an_id
            counts_follow_every_step
            the_backlog_is_what_waits_and_since_when
            a_backlog_is_counted_up_to_a_bound
            it_answers_a_ping
        }
    };
}

/// Clauses run with each of these.
pub const ORDER_TYPES: &[OrderType] = OrderType::ALL;

/// A lease that outlives every test.
const LONG: Duration = Duration::from_hours(1);
/// A lease that is over when it is given.
const OVER: Duration = Duration::ZERO;

/// Returns an order that was accepted `age` seconds ago.
fn aged(product: &str, age: i64) -> NewOrder<Details> {
    let accepted_at = now() - time::Duration::seconds(age);
    NewOrder { accepted_at, ..NewOrder::new(pieces_of(product, 1)) }
}

/// Returns an order that was accepted a minute ago.
fn order(product: &str) -> NewOrder<Details> {
    aged(product, 60)
}

/// `n` orders, the oldest first.
fn orders(n: u16) -> Vec<NewOrder<Details>> {
    (0..n).map(|i| aged(&format!("toy {i}"), i64::from(n - i) + 60)).collect()
}

fn ids(orders: &[NewOrder<Details>]) -> Vec<OrderId> {
    orders.iter().map(|order| order.id).collect()
}

fn decision(order: &NewOrder<Details>, outcome: Outcome) -> Decision {
    Decision { order: order.clone(), outcome, redriven: false, validation: None }
}

fn redriven(order: &NewOrder<Details>, outcome: Outcome) -> Decision {
    Decision { order: order.clone(), outcome, redriven: true, validation: None }
}

fn success() -> Outcome {
    Outcome::Success(None)
}

fn rejected(why: &str) -> Outcome {
    Outcome::Rejected(Reason::new(why))
}

fn failed(why: &str) -> Outcome {
    Outcome::Failed(Reason::new(why))
}

async fn insert(
    store: &dyn OrderStore,
    orders: &[NewOrder<Details>],
    lease: Duration,
) -> Vec<Insert> {
    store.insert(orders, lease).await.unwrap()
}

async fn finish(store: &dyn OrderStore, order: &NewOrder<Details>, outcome: Outcome) -> Transition {
    store.finish(&[decision(order, outcome)]).await.unwrap().remove(0)
}

fn cancelled(reason: Option<&str>) -> OrderStatus {
    Outcome::Cancelled(reason.map(Reason::new)).into()
}

/// Cancels an order that is there.
async fn cancel(
    store: &dyn OrderStore,
    order: &NewOrder<Details>,
    reason: Option<&str>,
) -> Transition {
    let answer = store.cancel(order.id, reason.map(Reason::new)).await.unwrap();
    answer.expect("the order is there")
}

async fn status(store: &dyn OrderStore, order: &NewOrder<Details>) -> OrderStatus {
    store.order(order.id).await.unwrap().expect("the order is there").status
}

async fn claim(store: &dyn OrderStore, limit: usize, lease: Duration) -> Vec<NewOrder<Details>> {
    store.claim_outbox(limit, lease).await.unwrap()
}

/// Returns a watermark of orders older than `age`, as if everything that was marked had been
/// marked long ago.
async fn watermark(store: &dyn OrderStore, age: Duration) -> Watermark {
    let read = async || {
        let watermark = store.watermark(age).await.unwrap();
        let now = watermark.unmarked_since + Watermark::LONGEST_WRITE;
        Watermark { unmarked_since: now, ..watermark }
    };
    let before = read().await;
    loop {
        let watermark = read().await;
        if watermark.unmarked_since > before.unmarked_since {
            return watermark;
        }
    }
}

/// Refills orders older than `age`, for whom there is no message at all.
async fn refill(store: &dyn OrderStore, age: Duration, limit: usize) -> u64 {
    let watermark = watermark(store, age).await;
    store.refill_outbox(&watermark, 0, limit).await.unwrap()
}

async fn counts(store: &dyn OrderStore) -> OrderCounts {
    store.counts().await.unwrap()
}

#[cfg(test)]
mod tests {
    use crate::contract::unlisted_clauses;

    #[test]
    fn every_clause_is_in_the_macro() {
        let clauses = [
            include_str!("order_store/archiving.rs"),
            include_str!("order_store/inserting.rs"),
            include_str!("order_store/cancelling.rs"),
            include_str!("order_store/finishing.rs"),
            include_str!("order_store/listing.rs"),
            include_str!("order_store/lost.rs"),
            include_str!("order_store/outbox.rs"),
            include_str!("order_store/racing.rs"),
            include_str!("order_store/trail.rs"),
            include_str!("order_store/trials.rs"),
            include_str!("order_store/values.rs"),
        ];
        assert_eq!(unlisted_clauses(include_str!("order_store.rs"), &clauses), [""; 0]);
    }
}
