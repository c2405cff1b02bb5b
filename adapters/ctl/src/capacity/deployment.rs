//! What is asked of a shop, and what it is made of.

use super::random::Spread;

/// The validation of an order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Validation {
    /// Seconds, on average.
    pub(crate) mean: f64,
    pub(crate) spread: Spread,
    /// Whether it takes a core for as long as it lasts, or waits for somebody else.
    pub(crate) computes: bool,
}

/// What orders come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// Orders a second, on average.
    pub(crate) rate: f64,
    /// How the times between two orders vary.
    pub(crate) arrivals: Spread,
    pub(crate) validation: Validation,
}

/// The processes that an order passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Process {
    OrderService,
    Postgres,
    RabbitMq,
    OrderWorker,
}

impl Process {
    pub(crate) const ALL: [Self; 4] =
        [Self::OrderService, Self::Postgres, Self::RabbitMq, Self::OrderWorker];
}

/// Whose cores they are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hardware {
    /// One machine for everything.
    Shared(f64),
    /// Each kind of process has so many of its own, in the order of [`Process::ALL`].
    Apart([f64; 4]),
}

impl Hardware {
    /// So many that nobody waits for one.
    pub(super) const PLENTY: Self = Self::Apart([1e6; 4]);

    /// How many cores there are for heavy work in one worker.
    pub(super) fn of_workers(self) -> f64 {
        match self {
            Self::Shared(cores) | Self::Apart([.., cores]) => cores,
        }
    }
}

/// The shop that orders come to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deployment {
    pub(crate) order_services: u32,
    pub(crate) workers: u32,
    pub(crate) prefetch: u32,
    pub(crate) hardware: Hardware,
}

impl Deployment {
    /// How many orders its workers may have in hand at once.
    pub(super) fn slots(&self) -> f64 {
        f64::from(self.workers) * f64::from(self.prefetch)
    }
}
