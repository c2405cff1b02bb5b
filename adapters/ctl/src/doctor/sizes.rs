//! Sizes, as Docker and PostgreSQL write them.

/// Reads a size as Docker writes it: `64m`, `1G`, `512MB`, `1024`.
pub(super) fn docker_size(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let unit = unit.trim().to_ascii_lowercase();
    let unit = unit.strip_suffix('b').unwrap_or(&unit);
    let power = match unit.strip_suffix('i').unwrap_or(unit) {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return None,
    };
    scaled(number, power)
}

/// Reads a size as PostgreSQL writes it: a number of blocks of 8 kB, or one with
/// a unit.
pub(super) fn postgres_size(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    match unit.trim() {
        "" => scaled(number * 8.0, 1),
        "B" => scaled(number, 0),
        "kB" => scaled(number, 1),
        "MB" => scaled(number, 2),
        "GB" => scaled(number, 3),
        "TB" => scaled(number, 4),
        _ => None,
    }
}

/// Reads a size as RabbitMQ writes it, in powers of a thousand: `600MB`; `GiB` and
/// the like are in powers of 1024.
pub(super) fn rabbitmq_size(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let unit = unit.trim();
    if unit.contains('i') {
        return docker_size(text);
    }
    let factor = match unit.trim_end_matches(['b', 'B']).to_ascii_lowercase().as_str() {
        "" => 1.0,
        "k" => 1e3,
        "m" => 1e6,
        "g" => 1e9,
        "t" => 1e12,
        _ => return None,
    };
    whole(number * factor)
}

fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit))
}

fn scaled(number: f64, power: i32) -> Option<u64> {
    whole(number * 1024_f64.powi(power))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is within the bounds, and parts of a byte do not count"
)]
fn whole(bytes: f64) -> Option<u64> {
    (0.0..1e18).contains(&bytes).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_has_its_units() {
        for (text, bytes) in [
            ("64m", 64 << 20),
            ("1G", 1 << 30),
            ("1.5GB", 3 << 29),
            ("128MiB", 128 << 20),
            ("7", 7),
        ] {
            assert_eq!(docker_size(text), Some(bytes), "{text}");
        }
        for (text, bytes) in [("256MB", 256 << 20), ("16384", 128 << 20), ("8 kB", 8 << 10)] {
            assert_eq!(postgres_size(text), Some(bytes), "{text}");
        }
        for (text, bytes) in [("600MB", 600_000_000), ("1GiB", 1 << 30), ("1000", 1_000)] {
            assert_eq!(rabbitmq_size(text), Some(bytes), "{text}");
        }
        for text in ["", "much", "1q", "-1m", "1..2m"] {
            assert_eq!(docker_size(text), None, "{text}");
            assert_eq!(postgres_size(text), None, "{text}");
            assert_eq!(rabbitmq_size(text), None, "{text}");
        }
    }
}
