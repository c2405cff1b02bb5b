//! Dead letters by what killed them: thousands of them have a few causes, and those are what an operator mends.

use std::collections::HashMap;

use time::OffsetDateTime;
use woody_core::ports::{DeadLetter, DeadLetterId};

/// How many letters of a group are named.
const EXAMPLES: usize = 3;
/// What stands for a number or an id, which differ from letter to letter.
const ANY: char = '#';

/// Dead letters that were given up for the same reason, but for numbers, ids and quoted texts in it.
///
/// ```
/// use bytes::Bytes;
/// use woody_adapters::dead_groups::DeadGroup;
/// use woody_core::{domain::Reason, ports::{DeadLetter, DeadLetterId}};
///
/// let letter = |id: &str, reason: &str| DeadLetter {
///     id: DeadLetterId::new(id),
///     body: Bytes::new(),
///     reason: Reason::new(reason),
///     attempts: 5,
///     died_at: None,
/// };
/// let letters = [letter("1", "no response within 5 s"), letter("2", "no response within 7.5 s")];
/// let [group] = &DeadGroup::of(&letters)[..] else { panic!("one cause") };
/// assert_eq!((group.reason.as_str(), group.count), ("no response within # s", 2));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadGroup {
    /// Their reason, with `#` for numbers and ids and `"…"` for quoted texts.
    pub reason: String,
    /// How many they are.
    pub count: usize,
    /// When the first was given up, of those of which that is known.
    pub first: Option<OffsetDateTime>,
    /// When the last was given up, of those of which that is known.
    pub last: Option<OffsetDateTime>,
    /// The oldest of them, three at most.
    pub examples: Vec<DeadLetterId>,
}

impl DeadGroup {
    /// Returns the groups of `letters`, which come oldest first: the largest group first, and of equal ones the oldest.
    pub fn of(letters: &[DeadLetter]) -> Vec<Self> {
        let (mut groups, mut places) = (Vec::<Self>::new(), HashMap::<String, usize>::new());
        for letter in letters {
            let reason = likeness(letter.reason.as_str());
            let place = *places.entry(reason).or_insert_with_key(|reason| {
                groups.push(Self::named(reason.clone()));
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(place) {
                group.take(letter);
            }
        }
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        groups
    }

    fn named(reason: String) -> Self {
        Self { reason, count: 0, first: None, last: None, examples: Vec::new() }
    }

    fn take(&mut self, letter: &DeadLetter) {
        self.count += 1;
        self.first = self.first.into_iter().chain(letter.died_at).min();
        self.last = self.last.max(letter.died_at);
        if self.examples.len() < EXAMPLES {
            self.examples.push(letter.id.clone());
        }
    }
}

/// Returns what a reason has in common with others of the same cause: `#` stands where a word has a digit, `"…"` for
/// what is quoted.
///
/// Names in backticks stay: a field has few, and each is a cause of its own.
///
/// ```
/// use woody_adapters::dead_groups::likeness;
///
/// let reason = "order 0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f: no toy is called \"Bear 3\" (3 tries)";
/// assert_eq!(likeness(reason), "order #: no toy is called \"…\" (# tries)");
/// ```
pub fn likeness(reason: &str) -> String {
    let mut like = String::with_capacity(reason.len());
    // What is after the last quote has none that belongs to it.
    let mut parts = reason.split('"').peekable();
    let mut is_quoted = false;
    while let Some(part) = parts.next() {
        if is_quoted && parts.peek().is_some() {
            like.push_str("\"…\"");
        } else {
            if is_quoted {
                like.push('"');
            }
            unnumbered(part, &mut like);
        }
        is_quoted = !is_quoted;
    }
    like
}

/// Adds `text` with `#` for each of its words that has a digit. The hyphens and dots within ids, numbers and addresses
/// belong to the word, those at its ends do not.
fn unnumbered(text: &str, like: &mut String) {
    let is_inner = |character: char| matches!(character, '-' | '.' | '_');
    let is_of_word = |character: char| character.is_alphanumeric() || is_inner(character);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if !is_of_word(character) {
            like.push(character);
            rest = &rest[character.len_utf8()..];
            continue;
        }
        let end = rest.find(|character| !is_of_word(character)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let core = word.trim_matches(is_inner);
        match word.split_once(core) {
            Some((before, behind)) if core.contains(|character: char| character.is_numeric()) => {
                like.push_str(before);
                like.push(ANY);
                like.push_str(behind);
            }
            _ => like.push_str(word),
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use time::Duration;
    use woody_core::domain::Reason;

    use super::*;

    fn letter(id: usize, reason: &str, died_at: Option<OffsetDateTime>) -> DeadLetter {
        DeadLetter {
            id: DeadLetterId::new(id.to_string()),
            body: Bytes::new(),
            reason: Reason::new(reason),
            attempts: 1,
            died_at,
        }
    }

    #[test]
    fn reasons_of_one_cause_are_alike_and_those_of_others_are_not() {
        for (reason, like) in [
            ("validation took longer than 5.003 s", "validation took longer than # s"),
            ("connect to 10.0.3.17:8080: refused", "connect to #:#: refused"),
            ("status 503 from http://prices:80/check", "status # from http://prices:#/check"),
            ("unknown field `colour`, expected `toy`", "unknown field `colour`, expected `toy`"),
            ("\"Bear\" is \"sold out\"", "\"…\" is \"…\""),
            ("it says \"half", "it says \"half"),
            ("no body at line 1 column 12.", "no body at line # column #."),
            ("", ""),
        ] {
            assert_eq!(likeness(reason), like);
        }
    }

    #[test]
    fn groups_come_by_size_and_say_when_and_which() {
        let at = |minutes| Some(OffsetDateTime::UNIX_EPOCH + Duration::minutes(minutes));
        let letters = [
            letter(0, "sold out", at(1)),
            letter(1, "no response within 5 s", None),
            letter(2, "no response within 6 s", at(9)),
            letter(3, "no response within 7 s", at(3)),
            letter(4, "no response within 8 s", at(5)),
        ];
        let groups = DeadGroup::of(&letters);
        let ids = |ids: &[&str]| ids.iter().copied().map(DeadLetterId::new).collect::<Vec<_>>();
        let late = DeadGroup {
            reason: "no response within # s".to_owned(),
            count: 4,
            first: at(3),
            last: at(9),
            examples: ids(&["1", "2", "3"]),
        };
        let sold_out = DeadGroup {
            reason: "sold out".to_owned(),
            count: 1,
            first: at(1),
            last: at(1),
            examples: ids(&["0"]),
        };
        assert_eq!(groups, [late, sold_out]);
        assert_eq!(DeadGroup::of(&[]), []);
    }

    proptest! {
        #[test]
        fn what_is_alike_stays_as_it_is(reason in any::<String>()) {
            let like = likeness(&reason);
            prop_assert_eq!(likeness(&like), like);
        }

        #[test]
        fn numbers_make_no_cause(one in any::<u32>(), other in any::<f64>()) {
            let reason = |number: String| likeness(&format!("no response within {number} s"));
            prop_assert_eq!(reason(one.to_string()), reason(format!("{:.3}", other.abs())));
        }

        #[test]
        fn each_letter_is_in_one_group(reasons in prop::collection::vec("[a-c1-3 \"]{0,4}", 0..40)) {
            let letters: Vec<_> =
                reasons.iter().enumerate().map(|(id, reason)| letter(id, reason, None)).collect();
            let groups = DeadGroup::of(&letters);
            prop_assert_eq!(groups.iter().map(|group| group.count).sum::<usize>(), letters.len());
            prop_assert!(groups.is_sorted_by(|a, b| a.count >= b.count));
        }
    }
}
