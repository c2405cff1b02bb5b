use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It works, until something happens.
    Warning,
    /// It does not do what it is there for.
    Error,
}

impl Severity {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Place {
    /// The service it is about; what is in the gateway's or RabbitMQ's files has none.
    pub service: Option<String>,
    /// The file.
    #[serde(serialize_with = "as_shown")]
    pub file: PathBuf,
    /// The line, from 1, when it is about one.
    pub line: Option<usize>,
}

/// A path need not be text, and serde refuses one that is not.
fn as_shown<S: Serializer>(file: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&file.display())
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.file.display())?;
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

/// What a rule finds.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) severity: Severity,
    pub(super) place: Place,
    pub(super) what: String,
    pub(super) why: &'static str,
    pub(super) mend: String,
}

impl Found {
    /// Something that does not do what it is there for.
    pub(super) fn error(
        place: Place,
        what: impl Into<String>,
        why: &'static str,
        mend: impl Into<String>,
    ) -> Self {
        Self { severity: Severity::Error, place, what: what.into(), why, mend: mend.into() }
    }

    /// Something that works, until something happens.
    pub(super) fn warning(
        place: Place,
        what: impl Into<String>,
        why: &'static str,
        mend: impl Into<String>,
    ) -> Self {
        Self { severity: Severity::Warning, ..Self::error(place, what, why, mend) }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule that found it.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
    /// What is wrong.
    pub what: String,
    /// Why that matters.
    pub why: &'static str,
    /// How to mend it.
    pub mend: String,
}
