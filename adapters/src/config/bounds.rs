//! The bounds of every number and time that can be set. `--help` names them as
//! `(FROM to TO)`, and a test holds the two together.

use std::{str::FromStr, time::Duration};

/// Returns a reader of whole numbers from `from` to `to`.
pub fn whole<T>(
    from: u64,
    to: u64,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + Clone + Send + Sync + 'static,
{
    move |text| {
        text.parse::<u64>()
            .ok()
            .filter(|number| (from..=to).contains(number))
            .and_then(|_| text.parse().ok())
            .ok_or_else(|| format!("must be a whole number from {from} to {to}"))
    }
}

/// Returns a reader of times such as `500ms`, `10s`, `2m` or `1h`, from `from` to `to`.
pub fn time(
    from: Duration,
    to: Duration,
) -> impl Fn(&str) -> Result<Duration, String> + Clone + Send + Sync + 'static {
    move |text| {
        duration(text).filter(|time| (from..=to).contains(time)).ok_or_else(|| {
            let (from, to) = (humantime::format_duration(from), humantime::format_duration(to));
            format!("must be from {from} to {to}, a number with its unit, such as 500ms, 10s or 2m")
        })
    }
}

/// Reads a time whatever its bounds are. Returns `None` for what is no time.
pub fn duration(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok()
}

/// One millisecond: what has to take some time at all takes that.
pub const MILLISECOND: Duration = Duration::from_millis(1);
/// One second.
pub const SECOND: Duration = Duration::from_secs(1);
/// One minute.
pub const MINUTE: Duration = Duration::from_mins(1);
/// One hour.
pub const HOUR: Duration = Duration::from_hours(1);
/// Longer than anything in a shop takes.
pub const MONTH: Duration = Duration::from_hours(30 * 24);
/// As humantime counts it. What is looked back to may be that old.
pub const YEAR: Duration = Duration::from_hours(8_766);

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use super::*;

    #[test]
    fn numbers_have_bounds_and_say_them() {
        let read = whole::<NonZeroU16>(1, 300);
        assert_eq!(read("1").unwrap().get(), 1);
        assert_eq!(read("300").unwrap().get(), 300);
        for bad in ["0", "301", "70000", "-1", "1.5", "", " 1", "many", "99999999999999999999999"] {
            assert_eq!(read(bad).unwrap_err(), "must be a whole number from 1 to 300", "{bad}");
        }
    }

    #[test]
    fn times_have_units_and_bounds_and_say_them() {
        let read = time(MILLISECOND, HOUR);
        assert_eq!(read("1500ms"), Ok(Duration::from_millis(1_500)));
        assert_eq!(read("1h"), Ok(HOUR));
        for bad in ["0s", "10", "61m", "400000d", "999999999999999999999d", "-1s", "", "soon"] {
            let says = "must be from 1ms to 1h, a number with its unit, such as 500ms, 10s or 2m";
            assert_eq!(read(bad).unwrap_err(), says, "{bad}");
        }
    }
}
