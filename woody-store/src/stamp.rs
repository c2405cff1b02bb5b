use time::{OffsetDateTime, UtcOffset};

/// The same instant, UTC, with what is finer than a microsecond cut off: no
/// backend keeps more, so none shows more.
pub(crate) fn whole_micros(at: OffsetDateTime) -> OffsetDateTime {
    let at = at.checked_to_offset(UtcOffset::UTC).unwrap_or(at);
    at.replace_nanosecond(at.nanosecond() / 1_000 * 1_000).unwrap_or(at)
}
