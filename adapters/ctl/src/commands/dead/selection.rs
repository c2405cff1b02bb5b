//! Which dead letters a command means.

use clap::Args;
use woody_core::ports::{BrokerAdmin, DeadLetter};

use super::super::{error::CtlError, shop::MOST_LETTERS};
use woody_adapters::config::ConfigError;

/// Which dead letters a command means.
#[derive(Debug, Args)]
pub(in crate::commands) struct Selection {
    /// Names of dead letters, as `dead list` prints them.
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// All of them.
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// Those whose reason or body holds this text.
    #[arg(long, value_name = "TEXT", conflicts_with = "ids")]
    matching: Option<String>,
    /// Only say what would be done.
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// The dead letters that are meant. Meaning all of them takes saying so.
pub(super) async fn select(
    admin: &dyn BrokerAdmin,
    selection: &Selection,
) -> Result<Vec<DeadLetter>, CtlError> {
    if selection.ids.is_empty() && selection.matching.is_none() && !selection.all {
        return Err(ConfigError::new("which? name them, or give --matching TEXT or --all").into());
    }
    let mut letters = admin.dead_letters(MOST_LETTERS).await?;
    if let Some(text) = &selection.matching {
        letters.retain(|letter| holds(letter, text));
    } else if !selection.all {
        if let Some(unknown) =
            selection.ids.iter().find(|id| !letters.iter().any(|letter| letter.id.as_str() == **id))
        {
            return Err(CtlError::NotFound(format!("there is no dead letter {unknown}")));
        }
        letters.retain(|letter| selection.ids.iter().any(|id| id == letter.id.as_str()));
    }
    Ok(letters)
}

pub(super) fn holds(letter: &DeadLetter, text: &str) -> bool {
    letter.reason.as_str().contains(text) || String::from_utf8_lossy(&letter.body).contains(text)
}
