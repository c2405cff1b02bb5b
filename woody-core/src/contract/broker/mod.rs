//! The contract of [`Broker`](crate::ports::Broker) and of all that belongs to it.
//!
//! A clause proves that something does not happen by something else that does:
//! a message that must not come is followed by one that must, and a second
//! consumer receives what the first may not hold. So no clause sleeps, but one
//! that waits for something waits up to [`PATIENCE`], and a backend that hangs fails.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a clause that fails panics: it is a test"
)]

mod closing;
mod consuming;
mod dead_letters;
mod depth;
mod events;
mod parking;
mod proof;
mod publishing;
mod retrying;
mod settling;
mod steps;

pub use {
    closing::*,
    consuming::*,
    dead_letters::*,
    depth::*,
    events::*,
    parking::*,
    proof::{acknowledge, saved},
    publishing::*,
    retrying::*,
    settling::*,
    steps::PATIENCE,
};

use super::OrderType;

/// Clauses run with each of these.
pub const ORDER_TYPES: &[OrderType] = OrderType::ALL;

/// Runs every clause against what `fresh` returns: `(Arc<dyn Broker>, guard)`,
/// an empty queue of its own for each clause.
#[macro_export]
macro_rules! broker_contract {
    ($(#[$attr:meta])* $fresh:path) => {
        $crate::__contract_clauses! {
            [$(#[$attr])*] $fresh, $crate::contract::broker =>

            what_is_published_comes_out_in_order_byte_for_byte
        }
        $crate::broker_contract_without_order!($(#[$attr])* $fresh);
    };
}

/// Runs every clause but that one message comes after the other, for a broker that spreads them
/// over several queues.
#[macro_export]
macro_rules! broker_contract_without_order {
    ($(#[$attr:meta])* $fresh:path) => {
        $crate::__contract_clauses! {
            [$(#[$attr])*] $fresh, $crate::contract::broker =>

            a_batch_comes_whole
            an_empty_batch_is_fine
            poison_bytes_go_through_unread
            concurrent_publishers_lose_nothing
            a_ready_publisher_answers_a_ping

            a_waiting_consumer_is_woken_by_a_publish
            a_consumer_says_that_it_is_consuming_and_that_it_has_stopped
            a_prefetch_of_one_hands_out_one_delivery
            a_prefetch_of_three_hands_out_three_deliveries
            settling_makes_room_for_the_next_delivery
            two_consumers_share_the_queue_without_doubles
            a_stopped_consumer_gives_back_what_it_had_buffered
            a_dropped_consumer_gives_back_what_it_had_buffered
            a_stopped_consumer_ends
            a_cancelled_next_loses_nothing

            an_acknowledged_message_never_comes_again
            an_unsettled_delivery_that_is_dropped_comes_again_at_no_attempt
            a_released_delivery_comes_again_at_no_attempt
            a_proof_for_another_order_is_refused_and_the_message_comes_again
            an_ack_after_the_consumer_stopped_still_counts
            many_deliveries_settle_at_once_in_any_order

            a_retry_comes_back_later_with_its_attempt_counted
            a_retrying_message_does_not_hold_back_the_next
            a_postponed_delivery_comes_back_later_at_no_attempt
            attempts_survive_every_round_trip

            a_dead_letter_keeps_its_body_its_reason_and_its_attempts
            a_dead_letter_never_comes_by_itself
            dead_letters_are_listed_oldest_first_and_stay
            a_purged_dead_letter_is_gone_and_the_others_stay
            a_redriven_dead_letter_comes_again_with_its_attempts_at_zero
            a_redriven_message_keeps_its_mark
            a_message_that_is_sent_again_is_marked_as_redriven
            unknown_dead_letters_are_ignored
            poison_bytes_die_and_are_listed_unread

            depth_counts_what_is_ready_delayed_and_dead
            depth_counts_what_a_consumer_holds_where_the_broker_says
            what_waits_is_counted_without_what_a_consumer_holds

            events_reach_every_subscriber
            a_change_announced_to_nobody_is_no_error

            a_closed_broker_ends_its_consumers
            a_closed_broker_refuses_everything
            a_closed_broker_ends_its_subscriptions
            a_delivery_that_outlives_its_broker_does_no_harm
            closing_twice_is_fine
        }
    };
}
