//! Numbers and ages as people read them.

use std::time::Duration;

/// Returns the digits of a whole number in threes: `1,204`.
///
/// ```
/// assert_eq!(woody_adapters::figures::grouped("1204"), "1,204");
/// ```
pub fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns how long something is or was, in the units that fit: `8 s`, `12 min`, `3 h 20 min`, `2 d`.
///
/// ```
/// use std::time::Duration;
///
/// assert_eq!(woody_adapters::figures::age(Duration::from_secs(725)), "12 min");
/// ```
pub fn age(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..100 => format!("{seconds} s"),
        seconds @ 100..6_000 => format!("{} min", seconds / 60),
        seconds @ 6_000..172_800 => match (seconds / 3_600, seconds % 3_600 / 60) {
            (hours, 0) => format!("{hours} h"),
            (hours, minutes) => format!("{hours} h {minutes} min"),
        },
        seconds => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_the_unit_that_fits() {
        for (seconds, text) in [
            (0, "0 s"),
            (99, "99 s"),
            (100, "1 min"),
            (720, "12 min"),
            (7_200, "2 h"),
            (12_000, "3 h 20 min"),
            (200_000, "2 d"),
        ] {
            assert_eq!(age(Duration::from_secs(seconds)), text);
        }
    }
}
