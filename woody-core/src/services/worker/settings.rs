use std::time::Duration;

use crate::domain::Label;

/// How a worker tries and gives up.
#[non_exhaustive]
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// After this many attempts an order is `Failed` and its message a dead letter.
    pub max_attempts: u32,
    /// The pause before the second attempt; it doubles with each further one.
    pub retry_base: Duration,
    /// The longest one validation may take.
    pub validation_timeout: Duration,
    /// The first pause of a worker that waits for an unavailable dependency; it grows to
    /// 5 s.
    pub wait_base: Duration,
    /// How often the orders that this worker holds for long are marked in the store,
    /// so that their messages are not taken for lost.
    pub mark_held_every: Duration,
    /// What the worker is called in the stories of its orders, cut to
    /// [`MAX_NAME_CHARS`](crate::domain::Validation::MAX_NAME_CHARS); by default `process` and
    /// the process's number.
    pub name: Label,
}

impl WorkerSettings {
    crate::__setters! {
        max_attempts: u32,
        retry_base: Duration,
        validation_timeout: Duration,
        wait_base: Duration,
        mark_held_every: Duration,
        name: Label,
    }
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            retry_base: Duration::from_secs(1),
            validation_timeout: Duration::from_secs(10),
            wait_base: Duration::from_millis(100),
            mark_held_every: Duration::from_secs(1),
            name: Label::new(format!("process {}", std::process::id())),
        }
    }
}
