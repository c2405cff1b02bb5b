//! Flags and environment variables: nothing else configures a service.
//!
//! Each group of flags is a struct that the binaries flatten into their own, so
//! that `--help` of a service shows what this service reads and no more.

mod args;
pub mod bounds;
mod parse;
mod secret;

pub use args::{
    AdminArgs, BrokerArgs, GatewayArgs, HeavyArgs, HeavyCacheArgs, HttpArgs, ListenArgs, LogArgs,
    LogFormat, ProcessArgs, RelayArgs, StoreArgs, Switch, Validation, WorkerArgs,
};
pub use parse::{ConfigError, parse_args};
pub use secret::SecretArg;
