//! Places in lists that are sorted by time and id, as text.

use std::fmt;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::Invalid;

/// Returns the time without what no store keeps.
pub(super) fn whole_micros(at: OffsetDateTime) -> OffsetDateTime {
    at.replace_nanosecond(at.nanosecond() / 1_000 * 1_000).unwrap_or(at)
}

/// Writes a place: microseconds since 1970, and the id.
pub(super) fn write(f: &mut fmt::Formatter<'_>, at: OffsetDateTime, id: Uuid) -> fmt::Result {
    write!(f, "{}.{}", at.unix_timestamp_nanos().div_euclid(1_000), id.simple())
}

/// Reads what [`write`] has written.
pub(super) fn read(text: &str) -> Result<(OffsetDateTime, Uuid), Invalid> {
    let read = || {
        let (micros, id) = text.split_once('.')?;
        let nanos = i128::from(micros.parse::<i64>().ok()?) * 1_000;
        let at = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?;
        Some((at, Uuid::try_parse(id).ok()?))
    };
    read().ok_or_else(|| Invalid::new("cursor", "must be one that a page ended with"))
}
