use std::any::Any;

use crate::domain::Reason;

/// Says that `who` panicked, and with what words.
pub(super) fn panic_reason(who: &str, panic: &(dyn Any + Send)) -> Reason {
    let said = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    Reason::new(match said {
        Some(text) => format!("{who} panicked: {text}"),
        None => format!("{who} panicked"),
    })
}
