mod acting;
mod edit;
mod groups;
mod selection;

use clap::Subcommand;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use woody_core::domain::OrderMessage;
use woody_core::ports::{BrokerAdmin, DeadLetter, DeadLetterId};

use self::{
    acting::{Act, on_selected},
    edit::{EditArgs, edit},
    selection::{Selection, holds},
};
use super::{
    consent::Consent,
    details,
    error::CtlError,
    logbook::ActArgs,
    output::Output,
    shop::{MOST_LETTERS, Shop},
};
use woody_adapters::config::bounds::whole;

#[derive(Debug, Subcommand)]
pub(super) enum DeadCommand {
    /// List them, oldest first.
    List {
        /// How many at most (1 to 100000).
        #[arg(long, default_value = "100", value_name = "N",
              value_parser = whole::<usize>(1, MOST_LETTERS as u64))]
        limit: usize,
        /// Only those whose reason or body holds this text.
        #[arg(long, value_name = "TEXT")]
        matching: Option<String>,
    },
    /// List what killed them: how many died for the same reason, but for numbers, ids and quoted
    /// texts in it; the most first.
    Groups,
    /// Show one of them, whole.
    Show {
        /// Its name, as `dead list` prints it.
        id: String,
    },
    /// Put them back on the queue, their attempts at zero.
    Redrive {
        #[command(flatten)]
        selection: Selection,
        /// One first, then ten, then --rate a second; stop when any dies again.
        #[arg(long)]
        canary: bool,
        /// How many a second, after the first steps of a canary (1 to 100000).
        #[arg(long, default_value = "100", value_name = "N", requires = "canary",
              value_parser = whole::<usize>(1, MOST_LETTERS as u64))]
        rate: usize,
        #[command(flatten)]
        act: ActArgs,
    },
    /// Send one of them again with another body, and delete it.
    ///
    /// For a message that is no order, or none that a worker can read: its publisher left out a field, or wrote a wrong one.
    /// The order of one that the store has stays as its client placed it, and is not edited.
    Edit(EditArgs),
    /// Delete them, for good.
    Purge {
        #[command(flatten)]
        selection: Selection,
        #[command(flatten)]
        consent: Consent,
        #[command(flatten)]
        act: ActArgs,
    },
}

pub(super) async fn run(command: DeadCommand, shop: &Shop<'_>) -> Result<Output, CtlError> {
    let broker = shop.broker().await?;
    let admin = broker.admin();
    let done = match command {
        DeadCommand::List { limit, matching } => list(admin.as_ref(), limit, matching).await,
        DeadCommand::Groups => groups::groups(admin.as_ref()).await,
        DeadCommand::Show { id } => show(admin.as_ref(), &DeadLetterId::new(id)).await,
        DeadCommand::Redrive { selection, canary, rate, act } => {
            let how = if canary { Act::RedriveWithCare { rate } } else { Act::Redrive };
            on_selected(admin.as_ref(), &selection, how, None, act, shop).await
        }
        DeadCommand::Edit(args) => edit(admin.as_ref(), args, shop).await,
        DeadCommand::Purge { selection, consent, act } => {
            on_selected(admin.as_ref(), &selection, Act::Purge, Some(consent), act, shop).await
        }
    };
    broker.close().await;
    done
}

async fn list(
    admin: &dyn BrokerAdmin,
    limit: usize,
    matching: Option<String>,
) -> Result<Output, CtlError> {
    let looked_at = if matching.is_some() { MOST_LETTERS } else { limit };
    let mut letters = admin.dead_letters(looked_at).await?;
    if let Some(text) = matching {
        letters.retain(|letter| holds(letter, &text));
        letters.truncate(limit);
    }
    let rows = letters.iter().map(|letter| {
        let message = OrderMessage::parse(&letter.body).ok();
        let what = message.as_ref().map_or_else(
            || String::from_utf8_lossy(&letter.body).into_owned(),
            |message| details::line(&message.details),
        );
        let row = [
            json!(letter.id.as_str()),
            json!(died_at(letter)),
            json!(letter.attempts),
            json!(letter.reason),
            json!(message.as_ref().map_or_else(|| "none".to_owned(), |m| m.order_id.to_string())),
            json!(what),
        ];
        (row, object(letter, message.as_ref()))
    });
    let columns = ["id", "died_at", "attempts", "reason", "order", "details"];
    Ok(Output::table(columns, rows.collect()))
}

/// A dead letter for programs: `order` is null where its body is no order.
fn object(letter: &DeadLetter, message: Option<&OrderMessage>) -> Value {
    json!({
        "id": letter.id.as_str(),
        "died_at": died_at(letter),
        "attempts": letter.attempts,
        "reason": letter.reason,
        "order": message.map(|m| details::order(m.order_id, &m.details, m.accepted_at)),
        "body": String::from_utf8_lossy(&letter.body),
    })
}

async fn show(admin: &dyn BrokerAdmin, id: &DeadLetterId) -> Result<Output, CtlError> {
    let letters = admin.dead_letters(MOST_LETTERS).await?;
    let letter = letters
        .iter()
        .find(|letter| letter.id == *id)
        .ok_or_else(|| CtlError::NotFound(format!("there is no dead letter {id}")))?;
    let message = OrderMessage::parse(&letter.body).ok();
    let mut pairs = vec![
        ("id", letter.id.to_string()),
        ("died at", died_at(letter).unwrap_or_else(|| "unknown".to_owned())),
        ("attempts", letter.attempts.to_string()),
        ("reason", letter.reason.to_string()),
    ];
    pairs.extend(message.as_ref().map(|message| ("order", message.order_id.to_string())));
    pairs.push(("body", String::from_utf8_lossy(&letter.body).into_owned()));
    Ok(Output::pairs(&pairs, object(letter, message.as_ref())))
}

fn died_at(letter: &DeadLetter) -> Option<String> {
    letter.died_at.and_then(|at| at.format(&Rfc3339).ok())
}
