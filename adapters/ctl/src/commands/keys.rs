//! Keys for clients that are programs.

use clap::Subcommand;
use serde_json::json;

use woody_adapters::{
    config::ConfigError,
    keys::{ApiKey, ClientName, Scopes},
};

use super::{error::CtlError, output::Output};

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Make a key for a client, and print it, this once, with the line that goes into the file of keys
    /// (`WOODY_API_KEYS_FILE`). Nothing is written, and nothing is asked.
    New {
        /// What the client is called: 1 to 64 of a to z, 0 to 9, -, _ and ., the first a letter or a digit.
        name: ClientName,
        /// What it may do, parted by commas: order, read, operate.
        #[arg(long, value_name = "SCOPES")]
        scopes: Scopes,
    },
}

pub(super) fn run(command: KeysCommand) -> Result<Output, CtlError> {
    let KeysCommand::New { name, scopes } = command;
    if scopes.is_empty() {
        let none = "--scopes names nothing that the client may do: order, read or operate";
        return Err(ConfigError::new(none).into());
    }
    let key = ApiKey::fresh();
    let line = format!("{name} {scopes} {}", key.hash());
    let json = json!({
        "name": name.as_str(),
        "scopes": scopes.to_string(),
        "key": key.expose(),
        "line": line,
    });
    let pairs =
        [("key, for the client alone", key.expose().to_owned()), ("line, for the file", line)];
    Ok(Output::pairs(&pairs, json))
}
