//! The shop under faults, over real servers and with clients that keep books.
//!
//! `dev/faults.sh` runs it for long; `dev/test.sh` runs a selection.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod alerts;
mod campaign;
mod deadly;
mod disk;
mod evidence;
mod false_alarms;
mod faults;
mod first_sentence;
mod load;
mod orders;
mod poison;
mod prometheus;
mod raw;
mod receiver;
mod shop;
mod steps;
mod submits;
mod table;
mod validator;
mod watch;
mod wiped;

/// One test at a time: each wants the machine for itself.
async fn turn() -> tokio::sync::MutexGuard<'static, ()> {
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    TURN.lock().await
}
