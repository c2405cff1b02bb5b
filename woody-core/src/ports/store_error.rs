use std::error::Error;

/// A store could not do what it was asked.
///
/// The variants are what the caller can do about it.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store is unreachable, overloaded or timed out: the same call may succeed later,
    /// and whether this one took effect is not known.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The store refuses: the same call will fail again. A full disk, a missing table or a
    /// missing right are of this kind too, until an operator acts.
    #[error("the store refused")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// The store holds something that it should not be able to hold.
    #[error("the store holds a value that cannot be read: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// Makes an `Unavailable` with this source.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }

    /// Makes a `Refused` with this source.
    pub fn refused(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Refused(source.into())
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
