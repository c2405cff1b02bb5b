//! Which dead letters a command means.

use clap::Args;
use woody_core::ports::{BrokerAdmin, DeadLetter};

use super::super::{error::CtlError, shop::MOST_LETTERS};
use woody_adapters::{
    config::{ConfigError, bounds::whole},
    dead_groups::likeness,
};

/// Which dead letters a command means.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Names of dead letters, as `dead list` prints them.
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// All of them.
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// Those whose reason or body holds this text.
    #[arg(long, value_name = "TEXT", conflicts_with = "ids")]
    matching: Option<String>,
    /// Those that died for the same reason as this one: its group in `dead groups`.
    #[arg(long, value_name = "ID", conflicts_with_all = ["ids", "all", "matching"])]
    like: Option<String>,
    /// No more than so many of them, the oldest (1 to 100000).
    #[arg(long, value_name = "N", value_parser = whole::<usize>(1, MOST_LETTERS as u64))]
    limit: Option<usize>,
    /// Only say what would be done.
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// The dead letters that are meant, oldest first. Meaning all of them takes saying so.
pub(super) async fn select(
    admin: &dyn BrokerAdmin,
    selection: &Selection,
) -> Result<Vec<DeadLetter>, CtlError> {
    let Selection { ids, all, matching, like, limit, dry_run: _ } = selection;
    if ids.is_empty() && matching.is_none() && like.is_none() && !all {
        let which = "which? name them, or give --like ID, --matching TEXT or --all";
        return Err(ConfigError::new(which).into());
    }
    let mut letters = admin.dead_letters(MOST_LETTERS).await?;
    for id in ids {
        named(&letters, id)?;
    }
    if let Some(like) = like {
        let killed_by = likeness(named(&letters, like)?.reason.as_str());
        letters.retain(|letter| likeness(letter.reason.as_str()) == killed_by);
    } else if let Some(text) = matching {
        letters.retain(|letter| holds(letter, text));
    } else if !all {
        letters.retain(|letter| ids.iter().any(|id| id == letter.id.as_str()));
    }
    letters.truncate(limit.unwrap_or(MOST_LETTERS));
    Ok(letters)
}

pub(super) fn named<'a>(letters: &'a [DeadLetter], id: &str) -> Result<&'a DeadLetter, CtlError> {
    let found = letters.iter().find(|letter| letter.id.as_str() == id);
    found.ok_or_else(|| CtlError::NotFound(format!("there is no dead letter {id}")))
}

pub(super) fn holds(letter: &DeadLetter, text: &str) -> bool {
    letter.reason.as_str().contains(text) || String::from_utf8_lossy(&letter.body).contains(text)
}
