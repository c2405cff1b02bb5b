//! What is measured, one subject a file. Each returns rows: a name and its figures.

mod accept;
mod burst;
mod deployments;
mod end_to_end;
mod followers;
mod held;
mod limits;
mod overload;
mod peers;
mod process;
mod reads;
mod sizes;
mod slow;
mod workers;

use std::{pin::Pin, time::Duration};

use crate::{figures::Figures, services::Servers};

/// What a scenario is told.
#[derive(Clone)]
pub struct Setting {
    pub servers: Servers,
    pub lasting: Duration,
    pub prefetch: u64,
    pub orders: u64,
    /// How long a transaction is held open.
    pub held: Duration,
}

/// A row of the table.
pub struct Row {
    pub name: String,
    pub figures: Figures,
    /// The row that shows how fast this one could be at most.
    pub limit: Option<&'static str>,
}

impl Row {
    fn new(name: impl Into<String>, limit: Option<&'static str>, figures: Figures) -> Self {
        Self { name: name.into(), figures, limit }
    }
}

type Rows = Pin<Box<dyn Future<Output = Vec<Row>>>>;

/// A scenario by its name.
pub struct Scenario {
    pub name: &'static str,
    pub measure: fn(Setting) -> Rows,
}

macro_rules! scenarios {
    ($($name:literal => $measure:path),* $(,)?) => {
        /// All of them, the limits first.
        pub const ALL: &[Scenario] = &[$(Scenario {
            name: $name,
            measure: |setting| Box::pin($measure(setting)),
        }),*];
    };
}

scenarios! {
    "limits" => limits::measure,
    "accept" => accept::measure,
    "process" => process::measure,
    "end to end" => end_to_end::measure,
    "reads" => reads::measure,
    "sizes" => sizes::measure,
    "held open" => held::measure,
    "workers" => workers::measure,
    "deployments" => deployments::measure,
    "followers" => followers::measure,
    "overload" => overload::measure,
    "slow" => slow::measure,
    "burst" => burst::measure,
    "peers" => peers::measure,
}
