//! The operator's command.

use std::process::ExitCode;

use woody_adapters::{
    config::{ConfigError, parse_args},
    process::start_logging,
    terminal,
};
use woodyctl::{Ctl, CtlError};

#[tokio::main]
async fn main() -> ExitCode {
    let at_home = |flags: clap::Command| {
        flags
            .mut_arg("store_url", |flag| flag.default_value("sqlite:data/woody.db"))
            .mut_arg("broker_url", |flag| flag.default_value("sqlite:data/woody-queue.db"))
            .mut_arg("log", |flag| flag.default_value("error"))
    };
    let done =
        match parse_args::<Ctl>(at_home).and_then(|ctl| start_logging(ctl.log()).map(|()| ctl)) {
            Ok(ctl) => ctl.run().await,
            Err(error) => Err(error.into()),
        };
    match done.and_then(|output| Ok(terminal::print(&output).map(|()| output.exit_code())?)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            terminal::complain(ConfigError::new(error.to_string()));
            ExitCode::from(if matches!(error, CtlError::Config(_)) { 2 } else { 1 })
        }
    }
}
