use std::time::Duration;

/// How a [`SqliteBroker`](super::SqliteBroker) uses its file.
#[non_exhaustive]
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// The queue's name. A file holds one queue and remembers its name.
    pub queue: String,
    /// How long to wait for another process's write.
    pub busy_timeout: Duration,
    /// How often an idle consumer looks for what other processes have published.
    pub poll: Duration,
    /// How large the file may grow; a full file refuses what is published.
    pub max_bytes: Option<u64>,
}

impl SqliteOptions {
    woody_core::__setters! {
        queue: String,
        busy_timeout: Duration,
        poll: Duration,
        max_bytes: Option<u64>,
    }
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            queue: "order_processing".to_owned(),
            busy_timeout: Duration::from_secs(5),
            poll: Duration::from_millis(500),
            max_bytes: None,
        }
    }
}

impl SqliteOptions {
    /// Returns the defaults for another queue.
    pub fn for_queue(queue: impl Into<String>) -> Self {
        Self { queue: queue.into(), ..Self::default() }
    }
}
