//! The database is saved while the shop goes on, and brought back.

use crate::{
    commands::{audit, program, run, within},
    docker::is_whole,
    hosts::place_orders,
    suite::{note, work},
};

pub(crate) fn the_database_is_saved_and_brought_back() {
    let stored = || audit()["stored"].as_u64().unwrap();
    let dump = work().join("shop.dump");
    let dump = dump.to_str().unwrap();
    run("stack/backup.sh", &[dump]);
    let before = stored();
    let placed = place_orders(10, "1s");
    assert_eq!(
        (placed["failed"].as_u64(), placed["refused"].as_u64()),
        (Some(0), Some(0)),
        "{placed}"
    );
    run("stack/restore.sh", &[dump, "--yes"]);
    within(90, "the services are back", || is_whole("order-service") && is_whole("order-worker"));
    let after = stored();
    note(&format!("{before} orders before, {after} after"));
    assert!(after >= before);
}

pub(crate) fn the_doctor_has_nothing_to_say() {
    run(&program("woodyctl"), &["doctor", "stack/stack.yml"]);
}
