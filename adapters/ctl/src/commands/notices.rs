//! Notices of orders that have ended: who is told, and what was given up.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use woody_core::{
    domain::{NoticeId, SubscriptionName},
    ports::{Notice, NoticeCounts, NoticeStore, Store},
};

use super::{
    consent::Consent,
    error::CtlError,
    logbook::{ActArgs, Deed, Done, Logbook},
    output::Output,
    shop::Shop,
};
use crate::meant::hint;
use woody_adapters::config::{ConfigError, bounds::whole};

#[derive(Debug, Subcommand)]
pub(super) enum NoticesCommand {
    /// Count what is to be told, and what was given up, by subscription: at most 1,000,000 of each.
    Stats,
    /// See to notices that were given up.
    #[command(subcommand)]
    Dead(DeadNoticesCommand),
    /// End a subscription: what it was still to be told is dropped. A program that delivers for it
    /// subscribes again when it starts, so take that away first.
    Unsubscribe {
        /// Its name, as `notices stats` prints it.
        name: SubscriptionName,
        #[command(flatten)]
        consent: Consent,
        #[command(flatten)]
        act: ActArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum DeadNoticesCommand {
    /// List them, by their ids.
    List {
        /// The subscription, as `notices stats` prints it.
        name: SubscriptionName,
        /// How many at most (1 to 10000).
        #[arg(long, default_value = "100", value_name = "N",
              value_parser = whole::<usize>(1, 10_000))]
        limit: usize,
    },
    /// Have them told once more, their attempts at zero.
    Redrive {
        /// The subscription, as `notices stats` prints it.
        name: SubscriptionName,
        #[command(flatten)]
        selection: Selection,
        #[command(flatten)]
        act: ActArgs,
    },
}

/// Which dead notices a command means.
#[derive(Debug, Args)]
pub(super) struct Selection {
    /// Ids of dead notices, as `notices dead list` prints them.
    #[arg(value_name = "ID")]
    ids: Vec<NoticeId>,
    /// All of them.
    #[arg(long, conflicts_with = "ids")]
    all: bool,
}

/// How many are redriven by one call.
const BATCH: usize = 500;
/// How many notices of a kind are counted at most.
const MOST: u64 = 1_000_000;

pub(super) async fn run(command: NoticesCommand, shop: &Shop<'_>) -> Result<Output, CtlError> {
    let store = shop.store().await?;
    let notices = store.notices();
    let done = match command {
        NoticesCommand::Stats => stats(notices.as_ref()).await,
        NoticesCommand::Dead(DeadNoticesCommand::List { name, limit }) => {
            list(notices.as_ref(), &name, limit).await
        }
        NoticesCommand::Dead(DeadNoticesCommand::Redrive { name, selection, act }) => {
            redrive(&store, &name, selection, act).await
        }
        NoticesCommand::Unsubscribe { name, consent, act } => {
            unsubscribe(&store, &name, consent, act).await
        }
    };
    store.close().await;
    done
}

async fn stats(notices: &dyn NoticeStore) -> Result<Output, CtlError> {
    let counts = notices.subscriptions(MOST).await?;
    let row = |counts: &NoticeCounts| {
        let oldest = counts.oldest.and_then(|at| at.format(&Rfc3339).ok());
        let row = [
            json!(counts.subscription.as_str()),
            json!(counts.open),
            json!(counts.dead),
            json!(oldest),
            json!(counts.problem.as_ref()),
        ];
        let object = json!({
            "subscription": counts.subscription.as_str(),
            "is_subscribed": counts.is_subscribed,
            "open": counts.open,
            "dead": counts.dead,
            "oldest": oldest,
            "problem": counts.problem.as_ref(),
            "counted_up_to": MOST,
        });
        (row, object)
    };
    let columns = ["subscription", "open", "dead", "oldest", "problem"];
    Ok(Output::table(columns, counts.iter().map(row).collect()))
}

/// Fails for a name that is no subscription's, and says which may be meant.
async fn is_there(notices: &dyn NoticeStore, name: &SubscriptionName) -> Result<(), CtlError> {
    let counts = notices.subscriptions(1).await?;
    let mut names = counts.iter().map(|counts| counts.subscription.as_str());
    if names.clone().any(|known| known == name.as_str()) {
        return Ok(());
    }
    let hint = hint(name.as_str(), &mut names);
    Err(CtlError::NotFound(format!("there is no subscription {name}{hint}")))
}

async fn list(
    notices: &dyn NoticeStore,
    name: &SubscriptionName,
    limit: usize,
) -> Result<Output, CtlError> {
    is_there(notices, name).await?;
    let dead = notices.dead(name, None, limit).await?;
    let row = |notice: &Notice| {
        let ended_at = notice.ended_at.format(&Rfc3339).ok();
        let id = notice.id.to_string();
        let row =
            [json!(id), json!(ended_at), json!(notice.attempt), json!(notice.problem.as_ref())];
        let object: Value = json!({
            "id": id,
            "order_id": notice.id.order(),
            "status": notice.outcome.as_str(),
            "ended_at": ended_at,
            "attempts": notice.attempt,
            "problem": notice.problem.as_ref(),
        });
        (row, object)
    };
    let columns = ["id", "ended_at", "attempts", "problem"];
    Ok(Output::table(columns, dead.iter().map(row).collect()))
}

async fn redrive(
    store: &std::sync::Arc<dyn Store>,
    name: &SubscriptionName,
    selection: Selection,
    act: ActArgs,
) -> Result<Output, CtlError> {
    let Selection { ids, all } = selection;
    if ids.is_empty() && !all {
        return Err(ConfigError::new("which? name them, or give --all").into());
    }
    is_there(&*store.notices(), name).await?;
    let (order, target) = match &ids[..] {
        [id] => (Some(id.order()), format!("notice {id} to {name}")),
        [] => (None, format!("all dead notices to {name}")),
        ids => (None, format!("{} notices to {name}", ids.len())),
    };
    let notices = store.notices();
    let doing = async {
        let mut done = 0;
        for batch in ids.chunks(BATCH) {
            done += notices.redrive(name, batch).await?;
        }
        if all {
            done += redrive_all(notices.as_ref(), name).await?;
        }
        if !ids.is_empty() && done == 0 {
            return Err(CtlError::NotFound(format!("none of these is a dead notice to {name}")));
        }
        let told = format!("{done} dead notices redriven");
        let output = Output::report(&told, json!({ "message": told, "redriven": done }));
        Ok(Done { output, told: Some(told) })
    };
    let deed = Deed { verb: "notices redrive", order, target };
    Logbook::of(store).act(act, deed, doing).await
}

/// Goes on from page to page, so that what dies again meanwhile is not redriven for ever.
async fn redrive_all(notices: &dyn NoticeStore, name: &SubscriptionName) -> Result<u64, CtlError> {
    let (mut done, mut after) = (0, None);
    loop {
        let page = notices.dead(name, after, BATCH).await?;
        let page: Vec<_> = page.into_iter().map(|notice| notice.id).collect();
        after = page.last().copied();
        if after.is_none() {
            return Ok(done);
        }
        done += notices.redrive(name, &page).await?;
    }
}

async fn unsubscribe(
    store: &std::sync::Arc<dyn Store>,
    name: &SubscriptionName,
    consent: Consent,
    act: ActArgs,
) -> Result<Output, CtlError> {
    let notices = store.notices();
    is_there(&*notices, name).await?;
    consent.to(&format!("End the subscription {name}, and drop what it is still to be told?"))?;
    let doing = async {
        let dropped = notices.unsubscribe(name).await?;
        let told = format!("{name} is told no more; {dropped} notices dropped");
        let output = Output::report(&told, json!({ "message": told, "dropped": dropped }));
        Ok(Done { output, told: Some(told) })
    };
    let deed = Deed { verb: "notices unsubscribe", order: None, target: name.to_string() };
    Logbook::of(store).act(act, deed, doing).await
}
