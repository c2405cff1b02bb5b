//! For the fault suite alone: has the process end, or panic, at a step of its work.

use std::sync::atomic::{AtomicU64, Ordering};

use woody_core::step::fail;

use crate::config::ConfigError;

/// `STEP` or `STEP:N`: the process ends as if by `kill -9` when it comes to that
/// step for the Nth time.
const ABORT_AT: &str = "WOODY_ABORT_AT";

/// Arms the steps that the environment names: [`ABORT_AT`], and the crate's own
/// `FAILPOINTS` (`worker.validating=30%panic`).
pub(super) fn arm() -> Result<(), ConfigError> {
    // They stay armed to the end of the process.
    std::mem::forget(fail::FailScenario::setup());
    let Ok(place) = std::env::var(ABORT_AT) else { return Ok(()) };
    let (step, times) = place.split_once(':').unwrap_or((&place, "1"));
    let times: u64 = times
        .parse()
        .map_err(|error| ConfigError::because(format!("{ABORT_AT}={place}"), &error))?;
    let left = AtomicU64::new(times);
    let ends = move || {
        if left.fetch_sub(1, Ordering::Relaxed) == 1 {
            std::process::abort();
        }
    };
    fail::cfg_callback(step, ends)
        .map_err(|error| ConfigError::new(format!("{ABORT_AT}={place}: {error}")))
}
