//! The operator's command.

use std::process::ExitCode;

use woody_adapters::{
    config::{ConfigError, parse_args},
    process::start_logging,
    terminal,
};
use woodyctl::{Ctl, CtlError, Screen};

#[tokio::main]
async fn main() -> ExitCode {
    let started =
        parse_args::<Ctl>(Ctl::at_home).and_then(|ctl| start_logging(ctl.log()).map(|()| ctl));
    let done = match started {
        Ok(ctl) => ctl.run().await,
        Err(error) => Err(error.into()),
    };
    let printed = done.and_then(|output| {
        terminal::print(output.on(&Screen::of_stdout()))?;
        Ok(output.exit_code())
    });
    match printed {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            terminal::complain(ConfigError::new(error.to_string()));
            ExitCode::from(if matches!(error, CtlError::Config(_)) { 2 } else { 1 })
        }
    }
}
