//! The use-cases, as structs over the ports.
//!
//! Each takes its ports when it is made and a [`TaskTracker`] for whatever runs
//! beside it, so that a program can wait for all of it when it shuts down.
//!
//! [`TaskTracker`]: tokio_util::task::TaskTracker

mod announcer;
mod catalogue;
mod forecasts;
mod group_commit;
#[cfg(feature = "workshop")]
mod heavy;
#[cfg(feature = "workshop")]
mod heavy_answer;
mod intake;
mod lines;
mod looks;
mod notices;
mod panics;
mod pause_watch;
mod pipeline;
mod relay;
mod retry;
mod spans;
mod story;
mod tracker;
mod turns;
mod worker;

pub use catalogue::{Catalogue, Page};
pub use forecasts::{OrderForecasts, Ready};
#[cfg(feature = "workshop")]
pub use heavy::{CacheStatus, HeavyComputation, HeavyConfig, HeavyFailure};
#[cfg(feature = "workshop")]
pub use heavy_answer::HeavyAnswer;
pub use intake::{
    Accepted, Cancellation, IntakeError, IntakeSettings, Kept, OrderIntake, OrderRequest, Outage,
};
pub use lines::ORDER_LINES;
pub use notices::{NoticeBell, NoticeDelivery, NoticeSettings};
pub use pause_watch::PauseWatch;
pub use pipeline::{Pipeline, PipelineBuilder};
pub use relay::{OutboxRelay, RelayError, RelayFeed, RelaySettings};
pub use retry::{OrderRetry, Retried, RetryError};
pub use story::{OrderStories, OrderStory, StoryEvent, StoryStep};
pub use tracker::{OrderTracker, TrackedOrder};
pub use worker::{Handled, OrderWorker, Wait, Waits, WorkerSettings};
