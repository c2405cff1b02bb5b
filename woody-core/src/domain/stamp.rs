use std::fmt::Write;

use time::{OffsetDateTime, UtcOffset};

/// `t` in UTC as Python's `str(datetime)` writes it: `2026-11-23 19:12:00.123456`.
///
/// There are always six digits of microseconds; Python leaves them out when
/// they are zero, which readers of this text have no need to know.
///
/// ```
/// use time::macros::datetime;
/// use woody_core::domain::python_stamp;
///
/// assert_eq!(python_stamp(datetime!(2026-11-23 19:12:00.5 UTC)), "2026-11-23 19:12:00.500000");
/// ```
pub fn python_stamp(t: OffsetDateTime) -> String {
    let t = t.to_offset(UtcOffset::UTC);
    let (year, month, day) = t.to_calendar_date();
    let (hour, minute, second, micros) = t.to_hms_micro();
    let mut text = String::with_capacity(26);
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "{year:04}-{:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micros:06}",
        u8::from(month)
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn whole_seconds_have_their_six_digits_too() {
        let stamp = python_stamp(datetime!(2026-01-02 03:04:05 UTC));
        assert_eq!(stamp, "2026-01-02 03:04:05.000000");
    }

    #[test]
    fn every_offset_is_told_in_utc() {
        let stamp = python_stamp(datetime!(2026-01-01 00:30:00.000001 +1));
        assert_eq!(stamp, "2025-12-31 23:30:00.000001");
    }
}
