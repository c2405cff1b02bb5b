//! Dead letters by what killed them.

use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use woody_adapters::dead_groups::DeadGroup;
use woody_core::ports::{BrokerAdmin, DeadLetterId};

use super::super::{error::CtlError, output::Output, shop::MOST_LETTERS};

/// Lists the groups, the largest first.
pub(super) async fn groups(admin: &dyn BrokerAdmin) -> Result<Output, CtlError> {
    let letters = admin.dead_letters(MOST_LETTERS).await?;
    let groups = DeadGroup::of(&letters);
    let rows = groups.iter().map(|group| {
        let DeadGroup { reason, count, first, last, examples } = group;
        let (first, last) = (text(*first), text(*last));
        let such_as: Vec<_> = examples.iter().map(DeadLetterId::as_str).collect();
        let row = [json!(count), json!(first), json!(last), json!(such_as.first()), json!(reason)];
        let object = json!({
            "count": count,
            "first_died_at": first,
            "last_died_at": last,
            "reason": reason,
            "such_as": such_as,
        });
        (row, object)
    });
    let columns = ["count", "first_died_at", "last_died_at", "such_as", "reason"];
    let table = Output::table(columns, rows.collect());
    let told = match groups.len() {
        0 => return Ok(table),
        1 => "1 group".to_owned(),
        n => format!("{n} groups"),
    };
    let of = if letters.len() == MOST_LETTERS { "the oldest " } else { "" };
    let told =
        format!("{told} of {of}{} dead letters; one of them is meant by --like ID", letters.len());
    Ok(table.below(&told))
}

fn text(at: Option<OffsetDateTime>) -> Option<String> {
    at.and_then(|at| at.format(&Rfc3339).ok())
}
