use clap::{Args, Subcommand};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use woody_core::domain::OrderMessage;
use woody_core::ports::{BrokerAdmin, BrokerError, DeadLetter, DeadLetterId, Store};

use super::{
    canary,
    consent::Consent,
    details,
    error::CtlError,
    logbook::{ActArgs, Deed, Done, Logbook},
    output::{Output, progress_bar},
    shop::{MOST_LETTERS, Shop},
};
use woody_adapters::config::{ConfigError, bounds::whole};

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

/// Which dead letters a command means.
#[derive(Debug, Args)]
pub(super) struct Selection {
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
    dry_run: bool,
}

/// How many are moved or deleted by one call.
const BATCH: usize = 100;

pub(super) async fn run(command: DeadCommand, shop: &Shop<'_>) -> Result<Output, CtlError> {
    let broker = shop.broker().await?;
    let admin = broker.admin();
    let done = match command {
        DeadCommand::List { limit, matching } => list(admin.as_ref(), limit, matching).await,
        DeadCommand::Show { id } => show(admin.as_ref(), &DeadLetterId::new(id)).await,
        DeadCommand::Redrive { selection, canary, rate, act } => {
            let how = if canary { Act::RedriveWithCare { rate } } else { Act::Redrive };
            on_selected(admin.as_ref(), &selection, how, None, act, shop).await
        }
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

#[derive(Clone, Copy)]
enum Act {
    Redrive,
    RedriveWithCare { rate: usize },
    Purge,
}

impl Act {
    fn verb(self) -> &'static str {
        match self {
            Self::Redrive | Self::RedriveWithCare { .. } => "dead redrive",
            Self::Purge => "dead purge",
        }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Redrive | Self::RedriveWithCare { .. } => ("redriven", "redriving"),
            Self::Purge => ("purged", "purging"),
        }
    }

    async fn on(self, admin: &dyn BrokerAdmin, ids: &[DeadLetterId]) -> Result<u64, BrokerError> {
        match self {
            Self::Redrive | Self::RedriveWithCare { .. } => admin.redrive(ids).await,
            Self::Purge => admin.purge(ids).await,
        }
    }
}

/// Does this to what is selected, once it is agreed to and written down.
async fn on_selected(
    admin: &dyn BrokerAdmin,
    selection: &Selection,
    act: Act,
    consent: Option<Consent>,
    args: ActArgs,
    shop: &Shop<'_>,
) -> Result<Output, CtlError> {
    let letters = select(admin, selection).await?;
    if selection.dry_run {
        let told = format!("{} dead letters would be {}", letters.len(), act.words().0);
        return Ok(Output::report(&told, json!({ "message": told, "would_be": letters.len() })));
    }
    if let Some(consent) = consent.filter(|_| !letters.is_empty()) {
        let letters = match letters.len() {
            1 => "1 dead letter".to_owned(),
            n => format!("{n} dead letters"),
        };
        consent.to(&format!("Delete {letters}, for good?"))?;
    }
    let logbook = Logbook::open(shop).await;
    let doing = async {
        match act {
            Act::RedriveWithCare { rate } => {
                redrive_with_care(admin, &letters, rate, logbook.store()?.as_ref()).await
            }
            act => in_batches(admin, &letters, act).await,
        }
    };
    let done = logbook.act(args, deed(act, &letters), doing).await;
    logbook.close().await;
    done
}

/// What is done to these letters: a single one is named, with its order.
fn deed(act: Act, letters: &[DeadLetter]) -> Deed {
    let (order, target) = match letters {
        [letter] => {
            let message = OrderMessage::parse(&letter.body).ok();
            (message.map(|message| message.order_id), format!("dead letter {}", letter.id))
        }
        letters => (None, format!("{} dead letters", letters.len())),
    };
    Deed { verb: act.verb(), order, target }
}

async fn in_batches(
    admin: &dyn BrokerAdmin,
    letters: &[DeadLetter],
    act: Act,
) -> Result<Done, CtlError> {
    let ids: Vec<DeadLetterId> = letters.iter().map(|letter| letter.id.clone()).collect();
    let (done_word, doing_word) = act.words();
    let progress = progress_bar(ids.len(), doing_word);
    let mut done = 0;
    for batch in ids.chunks(BATCH) {
        done += act.on(admin, batch).await?;
        progress.inc(batch.len() as u64);
    }
    progress.finish_and_clear();
    let told = format!("{done} dead letters {done_word}");
    let output = Output::report(&told, json!({ "message": told, done_word: done }));
    Ok(Done { output, told: Some(told) })
}

async fn redrive_with_care(
    admin: &dyn BrokerAdmin,
    letters: &[DeadLetter],
    rate: usize,
    store: &dyn Store,
) -> Result<Done, CtlError> {
    let progress = progress_bar(letters.len(), "redriving");
    let done = canary::redrive(admin, store.orders().as_ref(), letters, rate, &progress).await;
    progress.finish_and_clear();
    let done = done?;
    let told = format!(
        "{} of {} dead letters redriven, {} died again, {} undecided",
        done.sent,
        letters.len(),
        done.failed_again,
        done.undecided
    );
    let output = Output::report(
        &told,
        json!({
            "message": told,
            "redriven": done.sent,
            "of": letters.len(),
            "died_again": done.failed_again,
            "undecided": done.undecided,
        }),
    );
    let output = if done.is_clean() { output } else { output.failing() };
    Ok(Done { output, told: Some(told) })
}

/// The dead letters that are meant. Meaning all of them takes saying so.
async fn select(
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

fn holds(letter: &DeadLetter, text: &str) -> bool {
    letter.reason.as_str().contains(text) || String::from_utf8_lossy(&letter.body).contains(text)
}

fn died_at(letter: &DeadLetter) -> Option<String> {
    letter.died_at.and_then(|at| at.format(&Rfc3339).ok())
}
