use std::{error::Error, sync::Arc};

use crate::ports::{BrokerError, StoreError};

/// What a group commit knows of the errors of a commit.
pub(crate) trait CommitError: Error + Send + Sync + 'static {
    /// Makes the error of a commit that did not return one result for each item.
    fn miscounted(problem: String) -> Self;

    /// Whether one item may be the reason why the whole batch was not committed.
    fn may_be_one_items_fault(&self) -> bool;
}

impl CommitError for StoreError {
    fn miscounted(problem: String) -> Self {
        Self::Corrupt(problem)
    }

    fn may_be_one_items_fault(&self) -> bool {
        !self.is_transient()
    }
}

impl CommitError for BrokerError {
    fn miscounted(problem: String) -> Self {
        Self::refused(problem)
    }

    /// A broker does not look into what it keeps, and may have kept some of it.
    fn may_be_one_items_fault(&self) -> bool {
        false
    }
}

/// Why an item was not committed, as far as this caller can know.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GroupError<E> {
    /// Too many callers are waiting.
    #[error("too many callers are waiting for a commit")]
    Full,
    /// The process is shutting down.
    #[error("the process is shutting down")]
    Closed,
    /// The commit failed with this.
    #[error(transparent)]
    Failed(Arc<E>),
}
