//! What was promised lately, as compactly as it can be told again.

use std::{collections::VecDeque, mem::size_of};

use time::OffsetDateTime;

use crate::domain::{ClientName, Details, Label, NewOrder, OrderId, Reason, TraceContext, now};

/// Something that was promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Promised {
    Kept(NewOrder<Details>),
    Cancelled(OrderId, Option<Reason>),
}

/// The last promises, as many as there is room for.
///
/// They are copied into pieces that are used again. To hold the orders themselves would cost as much as all
/// else that an intake does for them: each would give back its memory tens of thousands of orders later, when
/// no cache knows it any more.
#[derive(Default)]
pub(super) struct Lately {
    /// The oldest first; promises are added to the last one.
    pieces: VecDeque<Piece>,
    /// One that was forgotten, to be filled again.
    spare: Option<Piece>,
    /// What all pieces hold, in bytes.
    bytes: usize,
    /// How many bytes are remembered: none while nobody looks for another timeline.
    room: usize,
    /// How many were forgotten, so that one is found by its number while others go.
    forgotten: u64,
}

#[derive(Default)]
struct Piece {
    /// When the first of them was given.
    since: Option<OffsetDateTime>,
    notes: Vec<Note>,
    /// What the notes need of text, one after the other.
    text: String,
}

/// A promise, whose texts stand in its piece: from `begin` to the first end, and from there to the next.
struct Note {
    id: OrderId,
    begin: usize,
    what: Noted,
}

enum Noted {
    Kept {
        details_end: usize,
        found_by_end: Option<usize>,
        accepted_at: OffsetDateTime,
        trace: Option<TraceContext>,
        client: Option<ClientName>,
    },
    Cancelled {
        reason_end: Option<usize>,
    },
}

/// The largest piece, but for one order that is larger.
const PIECE: usize = 64 * 1024;

impl Lately {
    /// Remembers as much from now on, and forgets what is more.
    pub(super) fn remember_up_to(&mut self, room: usize) {
        self.room = room;
        self.forget();
        if room == 0 {
            self.spare = None;
        }
    }

    /// Whether nothing is remembered.
    pub(super) fn is_off(&self) -> bool {
        self.room == 0
    }

    /// Remembers an order that was accepted.
    pub(super) fn kept(&mut self, order: &NewOrder<Details>) {
        let NewOrder { id, details, accepted_at, trace, client, found_by } = order;
        self.add(*id, order.text_bytes(), *accepted_at, |text| Noted::Kept {
            details_end: push(text, details.as_str()),
            found_by_end: found_by.as_ref().map(|found_by| push(text, found_by.as_str())),
            accepted_at: *accepted_at,
            trace: *trace,
            client: client.clone(),
        });
    }

    /// Remembers that an order was cancelled.
    pub(super) fn cancelled(&mut self, id: OrderId, reason: Option<&Reason>) {
        let bytes = reason.map_or(0, |reason| reason.as_str().len());
        self.add(id, bytes, now(), |text| Noted::Cancelled {
            reason_end: reason.map(|reason| push(text, reason.as_str())),
        });
    }

    fn add(
        &mut self,
        id: OrderId,
        text: usize,
        at: OffsetDateTime,
        note: impl FnOnce(&mut String) -> Noted,
    ) {
        let bytes = size_of::<Note>() + text;
        // Of a small room little is forgotten at once, too.
        let most = PIECE.min(self.room / 16);
        if self.pieces.back().is_none_or(|last| last.bytes() + bytes > most) {
            let next = self.spare.take().unwrap_or_else(|| Piece::like(self.pieces.back()));
            self.pieces.push_back(next);
        }
        let Some(piece) = self.pieces.back_mut() else { return };
        piece.since.get_or_insert(at);
        let begin = piece.text.len();
        let what = note(&mut piece.text);
        piece.notes.push(Note { id, begin, what });
        self.bytes += bytes;
        self.forget();
    }

    /// Forgets the oldest of what is more than there is room for.
    fn forget(&mut self) {
        while self.bytes > self.room {
            let Some(mut oldest) = self.pieces.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(oldest.bytes());
            self.forgotten += oldest.notes.len() as u64;
            oldest.clear();
            // What a large order needed is given back.
            if oldest.text.capacity() <= 2 * PIECE {
                self.spare = Some(oldest);
            }
        }
    }

    /// How many are remembered.
    pub(super) fn len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.notes.len()).sum()
    }

    /// Returns the numbers of the first one and of the next to come, and when the first was given.
    pub(super) fn span(&self) -> (u64, u64, Option<OffsetDateTime>) {
        let since = self.pieces.front().and_then(|first| first.since);
        (self.forgotten, self.forgotten + self.len() as u64, since)
    }

    /// Returns so many from the one with this number, and the first one's number: some may have been forgotten
    /// meanwhile.
    pub(super) fn from(&self, number: u64, most: usize) -> (u64, Vec<Promised>) {
        let number = number.max(self.forgotten);
        let skip = usize::try_from(number - self.forgotten).unwrap_or(usize::MAX);
        let all = self.pieces.iter();
        let all = all.flat_map(|piece| piece.notes.iter().map(|note| (note, &*piece.text)));
        (number, all.skip(skip).take(most).map(|(note, text)| note.told(text)).collect())
    }
}

impl Piece {
    /// Returns an empty one with room for as much as `last` holds: orders resemble each other.
    fn like(last: Option<&Self>) -> Self {
        let (notes, text) = last.map_or((0, 0), |last| (last.notes.len(), last.text.len()));
        Self {
            since: None,
            notes: Vec::with_capacity(notes),
            text: String::with_capacity(text.min(PIECE)),
        }
    }

    fn bytes(&self) -> usize {
        self.notes.len() * size_of::<Note>() + self.text.len()
    }

    fn clear(&mut self) {
        self.since = None;
        self.notes.clear();
        self.text.clear();
    }
}

impl Note {
    fn told(&self, all: &str) -> Promised {
        let (id, begin) = (self.id, self.begin);
        let text = |begin: usize, end: usize| all.get(begin..end).unwrap_or_default();
        match &self.what {
            Noted::Kept { details_end, found_by_end, accepted_at, trace, client } => {
                Promised::Kept(NewOrder {
                    id,
                    details: Details::again(text(begin, *details_end)),
                    accepted_at: *accepted_at,
                    trace: *trace,
                    client: client.clone(),
                    found_by: found_by_end.map(|end| Label::new(text(*details_end, end))),
                })
            }
            Noted::Cancelled { reason_end } => {
                Promised::Cancelled(id, reason_end.map(|end| text(begin, end).into()))
            }
        }
    }
}

/// Writes more text, and returns where it ends.
fn push(text: &mut String, more: &str) -> usize {
    text.push_str(more);
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(n: usize, details: usize, found_by: bool) -> NewOrder<Details> {
        let details = Details::parse(&format!(r#"{{"n":{n},"x":"{}"}}"#, "é".repeat(details)));
        NewOrder {
            client: "acme".parse().ok().filter(|_| n.is_multiple_of(3)),
            found_by: found_by.then(|| Label::new(format!("cart {n}"))),
            ..NewOrder::new(details.unwrap())
        }
    }

    proptest! {
        /// The last are told as they were given, whatever was forgotten, and no more than there is room for.
        #[test]
        fn the_last_are_told_as_they_were_given(
            given in proptest::collection::vec((0_usize..400, any::<bool>(), any::<bool>()), 0..300),
            room in 0_usize..100_000,
            from in 0_u64..400,
        ) {
            let (mut lately, mut all) = (Lately::default(), Vec::new());
            lately.remember_up_to(room);
            for (n, (details, found_by, cancels)) in given.into_iter().enumerate() {
                let order = order(n, details, found_by);
                if cancels {
                    let reason = found_by.then(|| Reason::from(format!("by {n}")));
                    lately.cancelled(order.id, reason.as_ref());
                    all.push(Promised::Cancelled(order.id, reason));
                } else {
                    lately.kept(&order);
                    all.push(Promised::Kept(order));
                }
                prop_assert!(lately.bytes <= room);
                prop_assert_eq!(lately.bytes, lately.pieces.iter().map(Piece::bytes).sum::<usize>());
            }
            let (first, until, _) = lately.span();
            prop_assert_eq!(until, all.len() as u64);
            // Less than the largest piece beside the largest order goes unused.
            let unused = PIECE.min(room / 16) + size_of::<Note>() + 1_000;
            prop_assert!(first == 0 || lately.bytes + 2 * unused >= room);
            let (number, told) = lately.from(from, 500);
            prop_assert_eq!(number, from.max(first));
            let expected = all.iter().skip(usize::try_from(number).unwrap());
            prop_assert_eq!(told, expected.cloned().collect::<Vec<_>>());
        }
    }
}
