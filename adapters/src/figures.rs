//! Numbers as people read them.

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
