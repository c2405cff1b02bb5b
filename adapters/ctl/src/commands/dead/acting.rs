//! What is done to dead letters, once it is agreed to and written down.

use serde_json::json;
use woody_core::domain::OrderMessage;
use woody_core::ports::{BrokerAdmin, BrokerError, DeadLetter, DeadLetterId, Store};

use super::{
    super::{
        canary,
        consent::Consent,
        error::CtlError,
        logbook::{ActArgs, Deed, Done, Logbook},
        output::{Output, progress_bar},
        shop::Shop,
    },
    selection::{Selection, select},
};

/// How many are moved or deleted by one call.
const BATCH: usize = 100;

#[derive(Clone, Copy)]
pub(super) enum Act {
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
pub(super) async fn on_selected(
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
