use std::borrow::Cow;

/// A value that the domain refuses, with the field it was meant for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct Invalid {
    /// Name of the field as clients write it, for example `quantity`.
    pub field: Cow<'static, str>,
    /// What is wrong, as the end of a sentence that begins with the field.
    pub problem: String,
}

impl Invalid {
    /// Says that `field` has `problem`.
    pub fn new(field: impl Into<Cow<'static, str>>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}
