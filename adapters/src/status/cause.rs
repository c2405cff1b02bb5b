//! What may be behind the evidence.

use time::OffsetDateTime;

use super::{
    evidence::{Evidence, Servers},
    scene::{Scene, Told},
};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is wrong.
    Well,
    /// Something is wrong, and mends by itself or can wait.
    Wrong,
    /// Somebody must act.
    Act,
}

impl Severity {
    /// Its name for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Wrong => "wrong",
            Self::Act => "act",
        }
    }
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Neither the store nor the broker can be reached.
    NothingAnswers,
    /// The store cannot be reached.
    StoreUnavailable,
    /// The store refuses: a missing table or right, a full disk.
    StoreRefuses,
    /// The broker cannot be reached.
    BrokerUnavailable,
    /// The broker refuses: a missing queue or right.
    BrokerRefuses,
    /// The broker takes messages, and cannot say what it holds.
    QueueUncertain,
    /// An operator has paused the workers.
    Paused,
    /// No worker takes orders.
    NoWorker,
    /// Nobody sends to the broker what the store holds for it.
    NotSent,
    /// What validations need refuses, so that waiting alone does not help.
    ValidationRefused,
    /// Validations wait for what does not respond.
    ValidationWaits,
    /// Validations do not succeed.
    NotValidated,
    /// Workers do not keep up.
    Behind,
    /// Those who want to be told how orders end do not hear it.
    Unheard,
    /// Messages were given up.
    DeadLetters,
    /// Commits wait for standbys that are not there.
    StandbysMissing,
    /// The death of one standby would have all commits wait.
    LastStandby,
    /// The store's server does not put its log into the archive.
    NotArchived,
    /// What was committed last is lost with the store's server.
    Asynchronous,
    /// Telling how orders ended was given up.
    DeadNotices,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub cause: Cause,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, and what happens by itself: whole sentences.
    pub says: String,
    /// Since when at least, as far as it is known.
    pub since: Option<OffsetDateTime>,
    /// What to do: whole sentences.
    pub act: String,
}

impl Cause {
    /// All causes, the worst first: what is said of a shop begins with the first that is found.
    pub const ALL: [Self; 20] = [
        Self::NothingAnswers,
        Self::StoreRefuses,
        Self::StoreUnavailable,
        Self::BrokerRefuses,
        Self::BrokerUnavailable,
        Self::StandbysMissing,
        Self::QueueUncertain,
        Self::Paused,
        Self::NoWorker,
        Self::NotSent,
        Self::NotArchived,
        Self::ValidationRefused,
        Self::ValidationWaits,
        Self::NotValidated,
        Self::Behind,
        Self::Unheard,
        Self::DeadLetters,
        Self::DeadNotices,
        Self::LastStandby,
        Self::Asynchronous,
    ];

    /// Its name for programs, and in the documentation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NothingAnswers => "nothing-answers",
            Self::StoreUnavailable => "store-unavailable",
            Self::StoreRefuses => "store-refuses",
            Self::BrokerUnavailable => "broker-unavailable",
            Self::BrokerRefuses => "broker-refuses",
            Self::QueueUncertain => "queue-uncertain",
            Self::Paused => "paused",
            Self::NoWorker => "no-worker",
            Self::NotSent => "not-sent",
            Self::ValidationRefused => "validation-refused",
            Self::ValidationWaits => "validation-waits",
            Self::NotValidated => "not-validated",
            Self::Behind => "behind",
            Self::Unheard => "unheard",
            Self::DeadLetters => "dead-letters",
            Self::DeadNotices => "dead-notices",
            Self::StandbysMissing => "standbys-missing",
            Self::LastStandby => "last-standby",
            Self::Asynchronous => "asynchronous",
            Self::NotArchived => "not-archived",
        }
    }

    /// How bad it is.
    pub fn severity(self) -> Severity {
        match self {
            Self::Paused
            | Self::ValidationWaits
            | Self::NotValidated
            | Self::Behind
            | Self::Unheard
            | Self::DeadLetters
            | Self::DeadNotices
            | Self::LastStandby
            | Self::Asynchronous => Severity::Wrong,
            _ => Severity::Act,
        }
    }

    /// Returns what this cause says of the evidence; `None` when it is not there.
    pub(super) fn look(self, seen: &Evidence, servers: &Servers) -> Option<Finding> {
        let scene = Scene::new(seen, servers);
        let told = match self {
            Self::NothingAnswers => scene.nothing_answers(),
            Self::StoreUnavailable => scene.store_unavailable(),
            Self::StoreRefuses => scene.store_refuses(),
            Self::BrokerUnavailable => scene.broker_unavailable(),
            Self::BrokerRefuses => scene.broker_refuses(),
            Self::QueueUncertain => scene.queue_uncertain(),
            Self::Paused => scene.paused(),
            Self::NoWorker => scene.no_worker(),
            Self::NotSent => scene.not_sent(),
            Self::ValidationRefused => scene.validation_waits(true),
            Self::ValidationWaits => scene.validation_waits(false),
            Self::NotValidated => scene.not_validated(),
            Self::Behind => scene.behind(),
            Self::Unheard => scene.unheard(),
            Self::DeadLetters => scene.dead_letters(),
            Self::DeadNotices => scene.dead_notices(),
            Self::StandbysMissing => scene.standbys_missing(),
            Self::LastStandby => scene.last_standby(),
            Self::Asynchronous => scene.asynchronous(),
            Self::NotArchived => scene.not_archived(),
        }?;
        let Told { says, since, act } = told;
        Some(Finding { cause: self, severity: self.severity(), says, since, act })
    }
}
