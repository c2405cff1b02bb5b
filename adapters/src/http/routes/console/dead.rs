//! Messages that were given up, by what killed them, and what can be done with each group.

use std::{fmt::Write as _, time::Duration};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::{sync::Mutex, time::Instant};
use woody_core::ports::{BrokerError, DeadLetter};

use super::{
    document::{document, html},
    page,
};
use crate::{
    dead_groups::DeadGroup,
    environment::Environment,
    figures::grouped,
    http::response::{Failure, Response, Text, reply},
    status::StatusBoard,
};

/// How many dead letters are looked at, the oldest: a look takes them from the broker and gives them back.
const MOST_LETTERS: usize = 1_000;
/// How many reasons are shown, the most frequent.
const MOST_GROUPS: usize = 50;
/// For how long what a look has found is shown to whoever asks.
const FRESH: Duration = Duration::from_secs(10);

/// What was found lately.
#[derive(Debug, Default)]
pub(super) struct DeadPage {
    last: Mutex<Option<(Instant, String)>>,
}

impl DeadPage {
    /// Responds with the page.
    pub(super) async fn respond(
        &self,
        environment: Option<&Environment>,
        shop: &StatusBoard,
    ) -> Response {
        match self.look(shop).await {
            Ok(groups) => page_of(environment, &groups),
            Err(error) => {
                let failure = Failure::from(error);
                let why = "<p class=\"note\" role=\"status\">The broker cannot tell it now. The first line of the \
                           console says why.</p>\n";
                let mut response = page_of(environment, why);
                *response.status_mut() = failure.kind().status();
                reply::noting(response, failure)
            }
        }
    }

    async fn look(&self, shop: &StatusBoard) -> Result<String, BrokerError> {
        // Who comes while another looks is shown what that one has found.
        let mut last = self.last.lock().await;
        if let Some((at, found)) = &*last
            && at.elapsed() < FRESH
        {
            return Ok(found.clone());
        }
        let found = section(&shop.dead_letters(MOST_LETTERS).await?);
        *last = Some((Instant::now(), found.clone()));
        Ok(found)
    }
}

fn page_of(environment: Option<&Environment>, found: &str) -> Response {
    let title = format!("Given up · {}", page::title(None, environment));
    let main = format!(
        "<section aria-labelledby=\"dead-title\">
<h2 id=\"dead-title\">What was given up, and why</h2>
{found}<p><a href=\"/console\">Back to the shop</a></p>
</section>\n"
    );
    html(document(&title, environment, "", &main))
}

fn section(letters: &[DeadLetter]) -> String {
    let groups = DeadGroup::of(letters);
    let count = grouped(&letters.len().to_string());
    let mut html = match (letters.len(), groups.len()) {
        (0, _) => {
            return "<p class=\"note\" role=\"status\">No message was given up.</p>\n".to_owned();
        }
        (MOST_LETTERS, reasons) => {
            format!("<p>Of the oldest {count} dead letters: {reasons} reasons.</p>\n")
        }
        (1, _) => "<p>One dead letter.</p>\n".to_owned(),
        (_, 1) => format!("<p>{count} dead letters, for one reason.</p>\n"),
        (_, reasons) => format!("<p>{count} dead letters, for {reasons} reasons.</p>\n"),
    };
    html.push_str("<ol class=\"story\">\n");
    for group in groups.iter().take(MOST_GROUPS) {
        // Writing to a String cannot fail.
        let _ = item(&mut html, group);
    }
    html.push_str("</ol>\n");
    if groups.len() > MOST_GROUPS {
        let _ = writeln!(
            html,
            "<p class=\"hint\">Those are the most frequent; <code>woodyctl dead groups</code> lists all.</p>"
        );
    }
    html.push_str(
        "<p class=\"hint\">A # stands for a number or an id, “…” for what was quoted: reasons that differ in no more are one.</p>\n",
    );
    html
}

fn item(html: &mut String, group: &DeadGroup) -> std::fmt::Result {
    let DeadGroup { reason, count, first, last, examples } = group;
    writeln!(
        html,
        "<li><strong>{} × {}</strong><br>\n<span class=\"hint\">{}</span>",
        grouped(&count.to_string()),
        Text(reason),
        when(*first, *last),
    )?;
    if let Some(id) = examples.first() {
        let id = Text(id.as_str());
        writeln!(
            html,
            "<dl class=\"commands\">
<div><dt>See the oldest of them</dt><dd><code>woodyctl dead show {id}</code></dd></div>
<div><dt>Send them again, one first</dt><dd><code>woodyctl dead redrive --like {id} --canary</code></dd></div>
<div><dt>See what deleting them would do</dt><dd><code>woodyctl dead purge --like {id} --dry-run</code></dd></div>
</dl>"
        )?;
    }
    html.push_str("</li>\n");
    Ok(())
}

/// When the first and the last were given up.
fn when(first: Option<OffsetDateTime>, last: Option<OffsetDateTime>) -> String {
    let time = |at: OffsetDateTime| {
        at.format(&Rfc3339).map_or_else(
            |_| "at a time that is not known".to_owned(),
            |at| format!("<time datetime=\"{at}\">{at}</time>"),
        )
    };
    match (first, last) {
        (Some(first), Some(last)) if first == last => time(first),
        (Some(first), Some(last)) => format!("from {} to {}", time(first), time(last)),
        _ => "when is not kept: the broker itself gave them up".to_owned(),
    }
}
