//! Flags and environment variables: nothing else configures a service.
//!
//! Each group of flags is a struct that the binaries flatten into their own, so
//! that `--help` of a service shows what this service reads and no more.

mod addresses;
pub mod bounds;
mod broker;
mod heavy;
mod http;
mod intake;
mod parse;
mod process;
mod relay;
mod secret;
mod store;
mod text_file;
mod trace;
mod webhook;
mod worker;
mod workshop;

pub use addresses::{AdminArgs, ListenArgs};
pub use broker::BrokerArgs;
pub use heavy::{HeavyArgs, HeavyCacheArgs};
pub use http::{GatewayArgs, HttpArgs, RefusalStatus, StreamArgs, Switch};
pub use intake::IntakeArgs;
pub use parse::{ConfigError, parse_args};
pub use process::{LogArgs, LogFormat, ProcessArgs};
pub use relay::RelayArgs;
pub use secret::SecretArg;
pub use store::StoreArgs;
pub use trace::TraceArgs;
pub use webhook::{Pauses, WebhookArgs};
pub use worker::{Validation, WorkerArgs};
pub use workshop::WorkshopArgs;
