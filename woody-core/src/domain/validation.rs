//! What is kept of the work on an order, for its story.

use std::{fmt, str::FromStr, time::Duration};

use time::OffsetDateTime;

use super::{Invalid, Label, OrderId, Reason};

/// One validation of an order: by whom, when, and how long it took.
///
/// As text it is what a store keeps beside the final state, some 40 bytes:
/// `1764457419123456 1250 1 order-worker-1` is when the order was taken up in microseconds since
/// 1970, how long it took in microseconds, which attempt it was (with an `r` behind it when an
/// operator had sent the message again), and the worker.
///
/// ```
/// use woody_core::domain::Validation;
///
/// let validation: Validation = "1764457419123456 1250 2r order-worker-1".parse()?;
/// assert_eq!((validation.attempt, validation.redriven), (2, true));
/// assert_eq!(validation.to_string(), "1764457419123456 1250 2r order-worker-1");
/// # Ok::<(), woody_core::domain::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    /// The worker's name.
    pub worker: Label,
    /// Which attempt it was, counting from 1.
    pub attempt: u32,
    /// Whether an operator had sent the message again, so that attempts began anew.
    pub redriven: bool,
    /// When the worker took the order up, by its clock, UTC.
    pub taken_up_at: OffsetDateTime,
    /// From then until there was a verdict or an error, waits for what was unavailable included.
    pub took: Duration,
}

impl Validation {
    /// How much of a worker's name is kept, in characters: it is written with every order.
    pub const MAX_NAME_CHARS: usize = 32;

    /// Returns when it ended, by the worker's clock, in whole microseconds.
    pub fn ended_at(&self) -> OffsetDateTime {
        let took = time::Duration::try_from(self.took).unwrap_or(time::Duration::MAX);
        let at = self.taken_up_at.checked_add(took).unwrap_or(self.taken_up_at);
        at.replace_nanosecond(at.nanosecond() / 1_000 * 1_000).unwrap_or(at)
    }
}

impl fmt::Display for Validation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.taken_up_at.unix_timestamp_nanos().div_euclid(1_000);
        let (took, attempt) = (self.took.as_micros(), self.attempt);
        let mark = if self.redriven { "r" } else { "" };
        let worker = self.worker.as_str();
        let end =
            worker.char_indices().nth(Self::MAX_NAME_CHARS).map_or(worker.len(), |(at, _)| at);
        write!(f, "{at} {took} {attempt}{mark} {}", worker[..end].trim_end())
    }
}

impl FromStr for Validation {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        read(text).ok_or_else(|| Invalid::new("validation", "must be TIME TOOK ATTEMPT WORKER"))
    }
}

fn read(text: &str) -> Option<Validation> {
    let mut fields = text.splitn(4, ' ');
    let at: i64 = fields.next()?.parse().ok()?;
    let took: u64 = fields.next()?.parse().ok()?;
    let attempt = fields.next()?;
    let worker = Label::new(fields.next()?);
    let (attempt, redriven) =
        attempt.strip_suffix('r').map_or((attempt, false), |attempt| (attempt, true));
    Some(Validation {
        worker,
        attempt: attempt.parse().ok()?,
        redriven,
        taken_up_at: OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000).ok()?,
        took: Duration::from_micros(took),
    })
}

/// An attempt on an order that reached no verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempt {
    /// The order.
    pub order: OrderId,
    /// The attempt.
    pub validation: Validation,
    /// Why there is no verdict.
    pub reason: Reason,
    /// What became of the order's message.
    pub then: AfterFailure,
}

/// What becomes of an order's message after an attempt without a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// It comes again, the attempt counted.
    Again,
    /// It comes again, and the attempt does not count: it waited for something else.
    Postponed,
    /// It was the last attempt: the order is `Failed`, the message a dead letter.
    GivenUp,
}

impl AfterFailure {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Again, Self::Postponed, Self::GivenUp];

    /// Returns the word for it: `again`, `postponed` or `given_up`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Again => "again",
            Self::Postponed => "postponed",
            Self::GivenUp => "given_up",
        }
    }

    /// Returns what the word stands for; `None` for another word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|then| then.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            worker in any::<String>(), attempt: u32, redriven: bool,
            at in 0i64..4_000_000_000_000_000, took in 0u64..1 << 50,
        ) {
            let worker: String = Label::new(worker).as_str().chars().take(Validation::MAX_NAME_CHARS).collect();
            let validation = Validation {
                worker: Label::new(worker),
                attempt,
                redriven,
                taken_up_at: OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000).unwrap(),
                took: Duration::from_micros(took),
            };
            prop_assert_eq!(validation.to_string().parse(), Ok(validation));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in any::<String>()) {
            let _ = text.parse::<Validation>();
        }

        #[test]
        fn the_text_is_bounded(worker in "\\PC{0,200}", attempt: u32, took: u32) {
            let validation = Validation {
                worker: Label::new(worker),
                attempt,
                redriven: true,
                taken_up_at: OffsetDateTime::UNIX_EPOCH,
                took: Duration::from_micros(took.into()),
            };
            prop_assert!(validation.to_string().chars().count() <= 32 + 16 + 10 + 11 + 3);
        }
    }

    #[test]
    fn what_is_no_validation_is_refused() {
        for text in
            ["", "1", "1 2 3", "x 2 3 w", "1 -2 3 w", "1 2 r w", "99999999999999999999 2 3 w"]
        {
            assert!(text.parse::<Validation>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_word_is_read_as_it_is_written() {
        for then in AfterFailure::ALL {
            assert_eq!(AfterFailure::from_word(then.as_str()), Some(then));
        }
        assert_eq!(AfterFailure::from_word("gone"), None);
    }
}
