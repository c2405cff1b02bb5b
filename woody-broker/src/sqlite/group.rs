//! What shares one commit.

use woody_core::ports::SettleError;

use super::{
    error::{Shared, broker_error, settle_error},
    handle::{Request, Settle},
    statements::Row,
};

/// What is executed together, all or nothing, in the order in which it came.
#[derive(Debug, Default)]
pub(super) struct Group(Vec<Item>);

/// A part of a group.
#[derive(Debug)]
pub(super) enum Item {
    /// A caller waits for it.
    Asked(Request),
    /// A delivery ends.
    Settled(Settle),
    /// A message is on our name though nobody has it.
    Owed(i64),
    /// There are so many consumers now.
    Consumers(usize),
}

/// What a group's transaction has done.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) claimed: Vec<Row>,
    /// When the next delayed message is due, if what is due was to be brought back.
    pub(super) next_due: Option<i64>,
    /// This process is no longer on the list of holders, or was not all the time.
    pub(super) lost: bool,
    /// How many dead letters each of the operator's calls has moved.
    pub(super) moved: Vec<u64>,
}

impl Group {
    pub(super) fn add(&mut self, item: Item) {
        self.0.push(item);
    }

    pub(super) fn items(&self) -> &[Item] {
        &self.0
    }

    /// Whether anyone publishes.
    pub(super) fn publishes(&self) -> bool {
        self.0.iter().any(|item| matches!(item, Item::Asked(Request::Publish { .. })))
    }

    /// Tells everyone that it is done.
    pub(super) fn succeed(self, done: &Done) {
        let mut moved = done.moved.iter();
        for item in self.0 {
            match item {
                Item::Asked(Request::Publish { done, .. } | Request::Ping { done }) => {
                    let _ = done.send(Ok(()));
                }
                Item::Asked(Request::Redrive { done, .. } | Request::Purge { done, .. }) => {
                    let _ = done.send(Ok(moved.next().copied().unwrap_or_default()));
                }
                // When some were not ours, which ones is not known: a message that
                // comes again does no harm, one that is believed to be gone would.
                Item::Settled(settle) if done.lost => settle.end(Err(SettleError::Gone)),
                Item::Settled(settle) => settle.end(Ok(())),
                Item::Owed(_) | Item::Consumers(_) => {}
            }
        }
    }

    /// Tells the publishers that it failed, and leaves out what they published: a full
    /// file has no room for it, and must not keep anyone from taking messages out.
    /// Returns whether anything else is left to do.
    pub(super) fn fail_publishes(&mut self, error: &Shared) -> bool {
        let is_refused = |item: &mut Item| {
            matches!(item, Item::Asked(Request::Publish { .. } | Request::Ping { .. }))
        };
        for item in self.0.extract_if(.., is_refused) {
            item.fail(error);
        }
        !self.0.is_empty()
    }

    /// Tells everyone that it failed. Returns what is still on our name in the file,
    /// though nobody has it.
    pub(super) fn fail(self, error: &Shared) -> Vec<i64> {
        self.0.into_iter().filter_map(|item| item.fail(error)).collect()
    }
}

impl Item {
    /// Tells whoever waits that it failed. Returns the message that nobody has now.
    fn fail(self, error: &Shared) -> Option<i64> {
        let why = || broker_error(Shared::clone(error));
        match self {
            Self::Asked(Request::Publish { done, .. } | Request::Ping { done }) => {
                let _ = done.send(Err(why()));
                None
            }
            Self::Asked(Request::Redrive { done, .. } | Request::Purge { done, .. }) => {
                let _ = done.send(Err(why()));
                None
            }
            Self::Settled(settle) => {
                let message = settle.held.message;
                settle.end(Err(settle_error(Shared::clone(error))));
                Some(message)
            }
            Self::Owed(message) => Some(message),
            Self::Consumers(_) => None,
        }
    }
}
