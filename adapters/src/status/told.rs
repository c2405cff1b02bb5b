//! Counts and times as people read them.

use std::time::Duration;

use time::OffsetDateTime;

use super::evidence::Evidence;
use crate::figures;

/// `1 order`, `1,204 orders`, `100,000 orders or more`.
pub(super) fn orders(count: u64) -> String {
    match count {
        1 => "1 order".to_owned(),
        Evidence::COUNTED_UP_TO.. => format!("{} orders or more", grouped(count)),
        _ => format!("{} orders", grouped(count)),
    }
}

/// `1,204`.
pub(super) fn grouped(count: u64) -> String {
    figures::grouped(&count.to_string())
}

/// `02:58 UTC`, with the day before it when that is another one.
pub(super) fn clock(at: OffsetDateTime, looked_at: OffsetDateTime) -> String {
    let time = format!("{:02}:{:02} UTC", at.hour(), at.minute());
    if at.date() == looked_at.date() { time } else { format!("{} {time}", at.date()) }
}

/// How long ago `at` was; nothing of what is still to come by another clock.
pub(super) fn ago(at: OffsetDateTime, looked_at: OffsetDateTime) -> Duration {
    Duration::try_from(looked_at - at).unwrap_or_default()
}

/// The sentence as it goes on from another.
pub(super) fn lower_first(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn numbers_are_grouped_and_bounded() {
        for (count, text) in [
            (0, "0 orders"),
            (1, "1 order"),
            (999, "999 orders"),
            (1_204, "1,204 orders"),
            (100_000, "100,000 orders or more"),
        ] {
            assert_eq!(orders(count), text);
        }
        assert_eq!(grouped(12_345_678), "12,345,678");
    }

    #[test]
    fn a_time_of_another_day_says_so() {
        let looked_at = datetime!(2026-11-29 03:10 UTC);
        assert_eq!(clock(datetime!(2026-11-29 02:58 UTC), looked_at), "02:58 UTC");
        assert_eq!(clock(datetime!(2026-11-28 23:58 UTC), looked_at), "2026-11-28 23:58 UTC");
        assert_eq!(ago(datetime!(2026-11-29 03:20 UTC), looked_at), Duration::ZERO);
    }
}
