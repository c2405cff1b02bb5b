use time::{OffsetDateTime, UtcOffset};

/// Returns the same instant in UTC, truncated to microseconds: some backends keep no
/// more, so none shows more.
pub(crate) fn whole_micros(at: OffsetDateTime) -> OffsetDateTime {
    let at = at.checked_to_offset(UtcOffset::UTC).unwrap_or(at);
    at.replace_nanosecond(at.nanosecond() / 1_000 * 1_000).unwrap_or(at)
}
