//! What a client has seen of several orders, as it travels in the ids of their events.

use std::fmt;

use woody_core::domain::{OrderId, OrderStatus, Outcome};

/// What stands for an order of which no end was sent.
const NONE: u8 = b'.';
const ENDS: [u8; 4] = *b"srfc";

/// The ends of orders that were sent to a client: a letter for each order, in the order in
/// which it asked for them, after a number that tells this list of orders from others. Such as
/// `5f3a9c1e-..s.r`: the third has succeeded, the fifth was rejected.
///
/// It says all that there is to know, so any replica can go on, and after any time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    list: u32,
    letters: Vec<u8>,
}

impl Seen {
    /// Nothing of these orders.
    pub(super) fn nothing_of(ids: &[OrderId]) -> Self {
        Self { list: number_of(ids), letters: vec![NONE; ids.len()] }
    }

    /// What the id of an event says of these orders; nothing if it is of others, or of none.
    pub(super) fn read(text: &str, ids: &[OrderId]) -> Self {
        let nothing = Self::nothing_of(ids);
        let letters = text.strip_prefix(&format!("{:08x}-", nothing.list)).unwrap_or_default();
        let is_ours = letters.len() == ids.len()
            && letters.bytes().all(|letter| letter == NONE || ENDS.contains(&letter));
        if is_ours { Self { letters: letters.into(), ..nothing } } else { nothing }
    }

    /// Whether the client has seen the order in this place end like this: one that has failed
    /// may end again.
    pub(super) fn has(&self, place: usize, status: &OrderStatus) -> bool {
        let letter = letter(status);
        letter != NONE && self.letters.get(place) == Some(&letter)
    }

    /// Notes what is sent of the order in this place.
    pub(super) fn note(&mut self, place: usize, status: &OrderStatus) {
        if let Some(noted) = self.letters.get_mut(place) {
            *noted = letter(status);
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{}", self.list, String::from_utf8_lossy(&self.letters))
    }
}

fn letter(status: &OrderStatus) -> u8 {
    match status {
        OrderStatus::Pending => NONE,
        OrderStatus::Ended(Outcome::Success(_)) => ENDS[0],
        OrderStatus::Ended(Outcome::Rejected(_)) => ENDS[1],
        OrderStatus::Ended(Outcome::Failed(_)) => ENDS[2],
        OrderStatus::Ended(Outcome::Cancelled(_)) => ENDS[3],
    }
}

/// FNV-1a of the ids: the same in every process and version.
fn number_of(ids: &[OrderId]) -> u32 {
    let bytes = ids.iter().flat_map(|id| id.as_uuid().into_bytes());
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> OrderId {
        OrderId::from(uuid::Uuid::from_bytes([n; 16]))
    }

    fn ends() -> [OrderStatus; 4] {
        [
            Outcome::Success(None).into(),
            Outcome::Rejected("too large".into()).into(),
            Outcome::Failed("odd".into()).into(),
            Outcome::Cancelled(None).into(),
        ]
    }

    #[test]
    fn what_was_sent_is_read_back_by_any_replica_and_version() {
        let ids: Vec<_> = (0..5).map(id).collect();
        let mut seen = Seen::nothing_of(&ids);
        seen.note(0, &OrderStatus::Pending);
        for (place, end) in (1..).zip(ends()) {
            seen.note(place, &end);
        }
        assert_eq!(seen.to_string(), "548cd8a5-.srfc");
        let read = Seen::read("548cd8a5-.srfc", &ids);
        assert_eq!(read, seen);
        for (place, end) in (1..).zip(ends()) {
            assert!(read.has(place, &end));
            assert!(!read.has(0, &end) && !read.has(place % 4 + 1, &end) && !read.has(5, &end));
        }
        assert!(!read.has(0, &OrderStatus::Pending), "only an end is the last of an order");
        assert!(!read.has(3, &ends()[0]), "it had failed, and has succeeded since");
    }

    #[test]
    fn what_is_of_other_orders_or_of_none_says_nothing() {
        let ids: Vec<_> = (0..5).map(id).collect();
        let nothing = Seen::nothing_of(&ids);
        let number = nothing.to_string().replace("-.....", "");
        for text in [
            String::new(),
            "success".to_owned(),
            number.clone(),
            format!("{number}-"),
            format!("{number}-....."),
            format!("{number}-srfc"),
            format!("{number}-srfcsr"),
            format!("{number}-srfcx"),
            format!("{number}-srfé"),
            "00000000-srfcs".to_owned(),
            format!("{number}-srfcs").to_uppercase(),
        ] {
            assert_eq!(Seen::read(&text, &ids), nothing, "{text}");
        }
        let turned: Vec<_> = ids.iter().rev().copied().collect();
        let of_others = format!("{number}-sssss");
        assert_eq!(Seen::read(&of_others, &turned), Seen::nothing_of(&turned));
    }
}
