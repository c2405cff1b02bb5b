//! The shop's page, and its first lines.

use std::fmt::Write as _;

use super::document::{document, html};
use crate::{
    environment::Environment,
    http::response::{Response, Text},
    status::{Severity, ShopStatus},
};

/// How often the page looks again where no script does it, in seconds.
const AGAIN_S: u32 = 15;

/// What an operator can do, and by which command.
const ACTS: [(&str, &str); 7] = [
    ("See why messages were given up", "woodyctl dead groups"),
    ("Send them again, one first", "woodyctl dead redrive --all --canary"),
    ("Take an order back", "woodyctl order cancel ID --reason WHY"),
    ("Have an order validated again", "woodyctl order retry ID --because WHY"),
    ("Have the workers pause", "woodyctl queue pause --because WHY"),
    ("Have them go on", "woodyctl queue resume"),
    ("See who has done what", "woodyctl acts"),
];

/// Returns the page around `shown`, its sections that change.
pub(super) fn console(
    title: &str,
    shown: &str,
    environment: Option<&Environment>,
    is_still: bool,
    tells_stories: bool,
) -> Response {
    let again = if is_still {
        String::new()
    } else {
        format!("<noscript><meta http-equiv=\"refresh\" content=\"{AGAIN_S}\"></noscript>\n")
    };
    let order = if tells_stories {
        form("")
    } else {
        "<p>This process tells no stories of orders: see the console of an order-service.</p>\n"
            .to_owned()
    };
    let main = format!(
        "<p id=\"stale\" class=\"note\" role=\"alert\" hidden>This process has not responded lately: what stands here is \
         old.</p>
<div id=\"live\">
{}</div>
<p class=\"acts\"><button type=\"button\" id=\"pause\" hidden>Stop refreshing</button></p>
<noscript><p class=\"note\">{}</p></noscript>
<section aria-labelledby=\"order-title\">
<h2 id=\"order-title\">One order</h2>
{order}</section>
{}",
        shown,
        if is_still {
            "This page stays as it is. <a href=\"/console\">Have it look again by itself</a>.".to_owned()
        } else {
            format!(
                "This page looks again every {AGAIN_S} s. <a href=\"/console?still=1\">Have it stay as it is</a>."
            )
        },
        acts(),
    );
    let head = format!("{again}<script type=\"module\" src=\"/console/console.js\"></script>\n");
    html(document(title, environment, &head, &main))
}

/// Returns what of the page changes, with its name.
pub(super) fn live(title: &str, shown: &str) -> Response {
    html(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title></head>\n<body><div \
         id=\"live\">\n{}</div></body></html>\n",
        Text(title),
        shown
    ))
}

/// Returns the name of a page.
pub(super) fn title(severity: Option<Severity>, environment: Option<&Environment>) -> String {
    let severity = severity.map(in_words);
    let parts = [severity, environment.map(Environment::name), Some("WoodyToys console")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// Returns the first lines: is anything lost, what is wrong, since when, what happens by itself, what to do.
pub(super) fn status(status: &ShopStatus) -> String {
    let severity = status.severity();
    let mut section = format!(
        "<section id=\"said\" class=\"said {}\" aria-labelledby=\"said-title\">
<h2 id=\"said-title\"><span class=\"badge\">{}</span></h2>
<p class=\"headline\">{}</p>\n",
        severity.as_str(),
        in_words(severity),
        Text(&status.headline()),
    );
    for (nth, finding) in status.findings().iter().enumerate() {
        // Writing to a String cannot fail.
        if nth > 0 {
            let _ = writeln!(section, "<p class=\"also\"><b>Also:</b> {}</p>", Text(&finding.says));
        }
        let _ = writeln!(section, "<p class=\"act\"><b>To do:</b> {}</p>", Text(&finding.act));
    }
    section.push_str("</section>\n");
    section
}

/// Returns the form that asks for an order.
pub(super) fn form(id: &str) -> String {
    format!(
        "<form action=\"/console/order\" method=\"get\">
<label for=\"id\">Its id, as the client has it, or what it is found by</label>
<input id=\"id\" name=\"id\" required maxlength=\"100\" autocomplete=\"off\" spellcheck=\"false\" value=\"{}\">
<button type=\"submit\">Tell its story</button>
</form>\n",
        Text(id)
    )
}

fn acts() -> String {
    let mut section = String::from(
        "<section aria-labelledby=\"acts-title\">
<h2 id=\"acts-title\">What to do it with</h2>
<dl class=\"commands\">\n",
    );
    for (what, command) in ACTS {
        // Writing to a String cannot fail.
        let _ = writeln!(section, "<div><dt>{what}</dt><dd><code>{command}</code></dd></div>");
    }
    section.push_str(
        "</dl>\n<p><a href=\"/console/dead\">What was given up, and why</a></p>\n</section>\n",
    );
    section
}

fn in_words(severity: Severity) -> &'static str {
    match severity {
        Severity::Well => "All is well",
        Severity::Wrong => "Something is wrong",
        Severity::Act => "Somebody must act",
    }
}
