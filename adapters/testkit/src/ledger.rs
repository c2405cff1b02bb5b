//! What clients were told, in their own books.

use std::{
    collections::{HashMap, HashSet},
    sync::Mutex,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use uuid::Uuid;

/// How one submit was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// 202 and an id: a promise.
    Promised(Uuid),
    /// 503: no promise.
    Refused,
    /// Nothing was heard: no promise either, whatever was stored.
    Silence,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    began: Instant,
    ended: Instant,
    answer: Answer,
}

/// The books of all clients under one load. Every submit has a number, and asks
/// for a product of its own, by which its orders are found in the database.
pub struct Ledger {
    tag: String,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    entries: Vec<Entry>,
    sent: HashSet<u64>,
    promises: HashMap<u64, Uuid>,
    broken: Vec<String>,
}

impl Ledger {
    /// `tag` begins the names of the products.
    pub fn new(tag: &str) -> Self {
        Self { tag: tag.to_owned(), books: Mutex::default() }
    }

    /// Returns what the names of the products begin with.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Returns the product that this submit asks for.
    pub fn product(&self, submit: u64) -> String {
        format!("{} {submit}", self.tag)
    }

    /// Notes an answer. One submit that is sent twice must be one order.
    pub fn note(&self, submit: u64, began: Instant, answer: Answer) {
        let mut books = self.books.lock().unwrap();
        books.sent.insert(submit);
        books.entries.push(Entry { began, ended: Instant::now(), answer });
        if let Answer::Promised(id) = answer
            && let Some(earlier) = books.promises.insert(submit, id)
            && earlier != id
        {
            books.broken.push(format!("submit {submit} was promised as {earlier} and as {id}"));
        }
    }

    /// Notes what must not be.
    pub fn note_broken(&self, what: String) {
        self.books.lock().unwrap().broken.push(what);
    }

    /// Returns everything that must not be and was.
    pub fn broken(&self) -> Vec<String> {
        self.books.lock().unwrap().broken.clone()
    }

    /// Whether this submit was made and answered, or given up.
    pub fn has_sent(&self, submit: u64) -> bool {
        self.books.lock().unwrap().sent.contains(&submit)
    }

    /// The ids that were promised so far.
    pub fn promised(&self) -> Vec<Uuid> {
        self.books.lock().unwrap().promises.values().copied().collect()
    }

    /// The submits that were promised so far, and their ids.
    pub fn promises(&self) -> Vec<(u64, Uuid)> {
        self.books.lock().unwrap().promises.iter().map(|(submit, id)| (*submit, *id)).collect()
    }

    /// Counts the submits that were not answered.
    pub fn silent(&self) -> usize {
        self.count(|entry| entry.answer == Answer::Silence)
    }

    /// Counts the submits that were answered 503.
    pub fn refused(&self) -> usize {
        self.count(|entry| entry.answer == Answer::Refused)
    }

    /// Those refused that were asked for after `moment`.
    pub fn refused_after(&self, moment: Instant) -> usize {
        self.count(|entry| entry.answer == Answer::Refused && entry.began >= moment)
    }

    fn count(&self, which: impl Fn(&Entry) -> bool) -> usize {
        self.books.lock().unwrap().entries.iter().filter(|entry| which(entry)).count()
    }

    /// The longest time from a refusal to the next promise.
    pub fn longest_refusal(&self) -> Duration {
        let mut entries = self.books.lock().unwrap().entries.clone();
        entries.sort_by_key(|entry| entry.ended);
        let (mut longest, mut since) = (Duration::ZERO, None);
        for entry in entries {
            match entry.answer {
                Answer::Refused => {
                    let since = *since.get_or_insert(entry.ended);
                    longest = longest.max(entry.ended - since);
                }
                Answer::Promised(_) => {
                    if let Some(since) = since.take() {
                        longest = longest.max(entry.ended - since);
                    }
                }
                Answer::Silence => {}
            }
        }
        longest
    }

    /// How long 99 of 100 promises took at most, of those asked for in this time.
    pub fn p99(&self, from: Instant, to: Instant) -> Option<Duration> {
        let books = self.books.lock().unwrap();
        let promised = books.entries.iter().filter(|entry| {
            matches!(entry.answer, Answer::Promised(_)) && (from..to).contains(&entry.began)
        });
        let mut took = Histogram::<u64>::new_with_bounds(1, 60_000_000, 3).unwrap();
        for entry in promised {
            let micros = (entry.ended - entry.began).as_micros();
            took.saturating_record(u64::try_from(micros).unwrap());
        }
        (!took.is_empty()).then(|| Duration::from_micros(took.value_at_quantile(0.99)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_lasts_until_the_next_promise() {
        let ledger = Ledger::new("toy");
        let began = Instant::now();
        ledger.note(1, began, Answer::Refused);
        assert_eq!(ledger.longest_refusal(), Duration::ZERO);
        ledger.note(2, began, Answer::Silence);
        ledger.note(3, began, Answer::Promised(Uuid::new_v4()));
        assert!(ledger.longest_refusal() > Duration::ZERO);
        assert_eq!((ledger.refused(), ledger.silent(), ledger.promised().len()), (1, 1, 1));
        assert_eq!(ledger.refused_after(Instant::now()), 0);
    }

    #[test]
    fn two_ids_for_one_submit_are_noticed() {
        let (ledger, now) = (Ledger::new("toy"), Instant::now());
        let id = Uuid::new_v4();
        ledger.note(1, now, Answer::Promised(id));
        ledger.note(1, now, Answer::Promised(id));
        assert!(ledger.broken().is_empty());
        ledger.note(1, now, Answer::Promised(Uuid::new_v4()));
        assert_eq!(ledger.broken().len(), 1);
    }
}
