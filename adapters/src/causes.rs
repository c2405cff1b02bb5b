//! Errors with what is behind them, in one line.

use std::error::Error;

/// Returns what an error says, down to its last cause.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut says = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        says.push_str(": ");
        says.push_str(&error.to_string());
        cause = error.source();
    }
    says
}
