//! Takes one safeguard out at a time: a simulation that does not notice proves nothing.

use crate::{
    coverage::Coverage,
    ledger::Invariant,
    runner::{run_many, tell},
    sabotage::Sabotage,
    world::{Options, Watch},
};

/// Schedules that a sabotage has to show itself, at most: the first that shows it ends the search.
const WITHIN: u64 = 6_000;

/// Schedules of a sabotage that must not show.
const HARMLESS: u64 = 600;

fn sabotaged(sabotage: Sabotage, watch: Watch) -> Options {
    Options { sabotage: Some(sabotage), watch, trace: false }
}

/// Asserts that clients lose by it: that `invariant` breaks, among what a client
/// can see.
#[track_caller]
fn breaks(sabotage: Sabotage, invariant: Invariant) {
    assert!(!invariant.is_inside(), "no client would notice");
    breaks_watching(Watch::Only(invariant), sabotage, invariant);
}

#[track_caller]
fn breaks_watching(watch: Watch, sabotage: Sabotage, invariant: Invariant) {
    let options = sabotaged(sabotage, watch);
    let report = run_many(0..WITHIN, options, |broken| broken.invariant == invariant);
    let first = report.broken.iter().find(|(_, broken)| broken.invariant == invariant);
    let Some((seed, broken)) = first else {
        panic!("{sabotage:?}: {} schedules do not break {invariant:?}", report.schedules);
    };
    tell(&format!("{sabotage:?} breaks {invariant:?}, as seed {seed} shows: {}", broken.detail));
}

/// What happens in some schedules that break nothing.
#[track_caller]
fn breaks_nothing(options: Options) -> Coverage {
    let report = run_many(0..HARMLESS, options, |_| true);
    assert!(report.broken.is_empty(), "{:?} breaks {:?}", options.sabotage, report.broken);
    report.coverage
}

#[test]
fn an_ack_before_the_save_loses_orders() {
    breaks(Sabotage::AckOnHandOut, Invariant::AcceptedIsKept);
    breaks_watching(Watch::Everything, Sabotage::AckOnHandOut, Invariant::AckAfterSave);
}

#[test]
fn a_confirmation_before_the_message_is_stored_loses_orders() {
    breaks(Sabotage::ConfirmBeforeStored, Invariant::AcceptedIsKept);
}

#[test]
fn a_deliverys_drop_without_redelivery_loses_orders() {
    breaks(Sabotage::DroppedIsNotRedelivered, Invariant::AcceptedIsKept);
}

#[test]
fn a_retry_that_leaves_its_old_place_first_loses_orders() {
    breaks(Sabotage::RemoveBeforeMove, Invariant::AcceptedIsKept);
}

#[test]
fn a_store_that_knows_only_what_it_inserted_loses_orders() {
    breaks(Sabotage::UnseenIsNotStored, Invariant::AcceptedIsKept);
}

#[test]
fn a_store_that_lies_about_its_disk_loses_orders() {
    breaks(Sabotage::StoreLies, Invariant::AcceptedIsKept);
}

#[test]
fn a_wiped_broker_loses_orders_unless_somebody_reconciles() {
    breaks(Sabotage::NoReconciliation, Invariant::AcceptedIsKept);
}

/// Either alone is enough in the end, though an order without an entry waits
/// until it is old enough to be looked for; with neither it is lost.
#[test]
fn an_order_without_an_outbox_entry_is_saved_by_the_reconciliation_alone() {
    breaks_watching(Watch::Everything, Sabotage::InsertWithoutOutbox, Invariant::Covered);
    breaks_nothing(sabotaged(Sabotage::InsertWithoutOutbox, Watch::Outcomes));
    breaks(Sabotage::NoOutboxNorReconciliation, Invariant::AcceptedIsKept);
}

/// Here too the reconciliation finds them in the end.
#[test]
fn an_outbox_cleared_before_the_publish_leaves_orders_with_nobody() {
    breaks_watching(Watch::Everything, Sabotage::ClearBeforePublish, Invariant::Covered);
}

#[test]
fn an_unknown_depth_taken_for_an_empty_queue_publishes_what_is_not_lost() {
    let invariant = Invariant::OnlyTheLostArePublishedAgain;
    breaks_watching(Watch::Everything, Sabotage::UnknownIsEmpty, invariant);
}

#[test]
fn a_worker_that_marks_nothing_has_published_what_it_holds() {
    let invariant = Invariant::OnlyTheLostArePublishedAgain;
    breaks_watching(Watch::Everything, Sabotage::NothingIsMarked, invariant);
}

#[test]
fn a_last_state_that_wins_shows_two_final_states() {
    breaks(Sabotage::LastStateWins, Invariant::OneFinalState);
}

#[test]
fn a_verdict_that_replaces_a_cancel_brings_a_cancelled_order_back() {
    breaks(Sabotage::VerdictReplacesCancel, Invariant::CancelledStaysCancelled);
    breaks(Sabotage::VerdictReplacesCancel, Invariant::OneFinalState);
}

#[test]
fn a_cancel_that_replaces_a_verdict_shows_two_final_states() {
    breaks(Sabotage::CancelReplacesVerdict, Invariant::OneFinalState);
}

#[test]
fn a_cancel_that_is_told_before_it_is_stored_is_none() {
    breaks(Sabotage::CancelIsNotStored, Invariant::CancelledStaysCancelled);
}

#[test]
fn an_intake_without_a_way_around_the_store_refuses_orders() {
    breaks(Sabotage::NoDirectRoute, Invariant::TakenWhileOneIsUp);
}

#[test]
fn an_id_that_does_not_come_from_the_key_makes_two_orders_of_one() {
    breaks(Sabotage::KeyForgotten, Invariant::OneOrderPerKey);
}

/// An order that ends every process that validates it is handed out for ever.
#[test]
fn workers_that_die_uncounted_never_end_the_order_that_kills_them() {
    breaks(Sabotage::DeathsForgotten, Invariant::AcceptedIsKept);
}

#[test]
fn a_notice_that_is_written_after_its_state_is_lost_at_times() {
    breaks(Sabotage::NoticeAfterTheState, Invariant::EveryEndIsTold);
}

#[test]
fn a_notice_that_is_gone_once_it_is_claimed_dies_with_its_process() {
    breaks(Sabotage::NoticeGoneWithItsClaim, Invariant::EveryEndIsTold);
}

/// Leases only save work: ids and first-state-wins make doubles harmless.
#[test]
fn without_leases_more_is_published_and_nothing_breaks() {
    let with = breaks_nothing(Options::default()).of("messages published");
    let without = breaks_nothing(sabotaged(Sabotage::LeaseIgnored, Watch::Everything));
    let without = without.of("messages published");
    assert!(without > with, "{without} messages without leases, {with} with them");
    tell(&format!("LeaseIgnored breaks nothing: {without} messages published instead of {with}"));
}
