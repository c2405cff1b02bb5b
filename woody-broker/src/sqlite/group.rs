//! What is executed in one commit.

use woody_core::ports::SettleError;

use super::{
    error::{Shared, broker_error, settle_error},
    handle::{Request, Settle},
    statements::Row,
};

/// Requests, settlements and more that are executed together, all or nothing.
#[derive(Debug, Default)]
pub(super) struct Group(Vec<Item>);

/// A part of a group.
#[derive(Debug)]
pub(super) enum Item {
    /// A caller's request.
    Asked(Request),
    /// The settlement of a delivery.
    Settled(Settle),
    /// A message that the file says this process holds, though no consumer has it.
    Owed(i64),
    /// The number of consumers, which has changed.
    Consumers(usize),
}

/// The result of a group's transaction.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) claimed: Vec<Row>,
    /// When the next delayed message is due; known if those that are due were brought back.
    pub(super) next_due: Option<i64>,
    /// Whether this process is, or was in between, no longer registered as a holder.
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

    /// Whether it publishes anything.
    pub(super) fn publishes(&self) -> bool {
        self.0.iter().any(|item| matches!(item, Item::Asked(Request::Publish { .. })))
    }

    /// Replies to every caller that it is done.
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
                // If this process did not hold all of them, which ones is not known: a
                // message that comes again is harmless, one believed settled is not.
                Item::Settled(settle) if done.lost => settle.end(Err(SettleError::Gone)),
                Item::Settled(settle) => settle.end(Ok(())),
                Item::Owed(_) | Item::Consumers(_) => {}
            }
        }
    }

    /// Replies to the publishers that it failed, and leaves out what they published: a
    /// full file has no room for it, and must still let consumers take messages out.
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

    /// Replies to every caller that it failed. Returns the messages that the file still
    /// says this process holds, though no consumer has them.
    pub(super) fn fail(self, error: &Shared) -> Vec<i64> {
        self.0.into_iter().filter_map(|item| item.fail(error)).collect()
    }
}

impl Item {
    /// Replies to the caller that it failed. Returns the message that no consumer has now.
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
