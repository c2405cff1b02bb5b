//! Orders that ended long ago are written to a file, and their details dropped from the store.

mod file;

use std::{path::PathBuf, time::Duration};

use clap::Args;
use serde_json::json;
use woody_core::{
    domain::OrderId,
    ports::{OrderStore, PageSize},
};

use self::file::ArchiveFile;
use super::{
    consent::Consent,
    error::CtlError,
    logbook::{ActArgs, Deed, Done, Logbook},
    output::Output,
    shop::Shop,
};
use woody_adapters::config::bounds::{HOUR, YEAR, time, whole};

/// Longer than any law asks for.
const LONGEST: Duration = YEAR.saturating_mul(100);

#[derive(Debug, Args)]
pub(super) struct ArchiveArgs {
    /// Of orders that were accepted longer ago than this (1h to 100years).
    #[arg(long, value_name = "TIME", value_parser = time(HOUR, LONGEST))]
    older_than: Duration,
    /// The file, which is made unless it is there, and appended to: one JSON object a line.
    #[arg(long, value_name = "FILE", required_unless_present = "dry_run")]
    to: Option<PathBuf>,
    /// How many orders are written and dropped at once (1 to 500).
    #[arg(long, default_value = "500", value_name = "N", value_parser = whole::<u16>(1, 500))]
    batch: u16,
    /// Count them, and change nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    act: ActArgs,
}

pub(super) async fn run(args: ArchiveArgs, shop: &Shop<'_>) -> Result<Output, CtlError> {
    let ArchiveArgs { older_than, to, batch, dry_run, consent, act } = args;
    let size = PageSize::new(batch)?;
    let age = humantime::format_duration(older_than);
    if let Some(path) = to.as_ref().filter(|_| !dry_run) {
        let drop = format!("Drop from the store what orders older than {age} asked for");
        consent.to(&format!("{drop}, once it is in {}?", path.display()))?;
    }
    let store = shop.store().await?;
    let orders = store.orders();
    let Some(path) = to.filter(|_| !dry_run) else {
        let counted = walk(&*orders, older_than, size, None).await;
        store.close().await;
        return Ok(counted?.output("may be archived"));
    };
    let logbook = Logbook::of(&store);
    let deed = Deed {
        verb: "orders archive",
        order: None,
        target: format!("older than {age}, to {}", path.display()),
    };
    let archiving = async {
        let failed = |source| CtlError::Archive { path: path.clone(), source };
        let file = ArchiveFile::open(&path).await.map_err(failed)?;
        let done = walk(&*orders, older_than, size, Some((&file, &failed))).await?;
        let told = Some(format!("{} orders", done.archived));
        Ok(Done { output: done.output("archived"), told })
    };
    let archived = logbook.act(act, deed, archiving).await;
    logbook.close().await;
    archived
}

/// What was gone through.
#[derive(Default)]
struct Walked {
    archived: u64,
}

impl Walked {
    fn output(&self, what: &str) -> Output {
        let Self { archived } = self;
        let orders = if *archived == 1 { "order" } else { "orders" };
        Output::pairs(
            &[(what, format!("{archived} {orders}"))],
            json!({ (what.replace(' ', "_")): archived }),
        )
    }
}

type To<'a> = (&'a ArchiveFile, &'a (dyn Fn(std::io::Error) -> CtlError + Sync));

/// Goes through all that may be archived, a batch at a time: each is on the disk before it is
/// dropped. Without a file they are counted.
///
/// Broken off between the two, what was written is written again the next time: a line may be
/// there twice, and none is missing.
async fn walk(
    orders: &dyn OrderStore,
    older_than: Duration,
    size: PageSize,
    to: Option<To<'_>>,
) -> Result<Walked, CtlError> {
    let (mut walked, mut after) = (Walked::default(), None);
    loop {
        let page = orders.archivable(older_than, after, size).await?;
        match to {
            None => walked.archived += page.orders.len() as u64,
            Some((file, failed)) if !page.orders.is_empty() => {
                file.append(&page.orders).await.map_err(failed)?;
                let ids: Vec<OrderId> = page.orders.iter().map(|order| order.id).collect();
                walked.archived += orders.archive(&ids).await?;
            }
            Some(_) => {}
        }
        match page.next {
            None => return Ok(walked),
            next => after = next,
        }
    }
}
