//! The way of orders, drawn with what is on it.

use std::{
    fmt::{self, Write as _},
    time::Duration,
};

use woody_core::ports::{Backlog, QueueDepth};

use crate::{
    figures::{age, grouped},
    http::response::Text,
    rates::Rates,
    status::{Evidence, ShopStatus},
};

/// What is shown where nothing is known.
const UNKNOWN: &str = "unknown";

/// Returns the section: the picture, and the same in words.
pub(super) fn section(status: &ShopStatus, rates: &Rates, until_empty: Option<Duration>) -> String {
    let seen = status.evidence();
    let (backlog, queue) = (seen.store.as_ref().ok(), seen.queue.as_ref().ok());
    let mut section = String::from(
        "<section id=\"way\" aria-labelledby=\"way-title\">
<h2 id=\"way-title\">What goes through</h2>
<div class=\"way\">\n",
    );
    // Writing to a String cannot fail.
    let _ = picture(&mut section, backlog, queue, rates);
    section.push_str("<dl class=\"facts\">\n");
    let waited = |since: Option<time::OffsetDateTime>| {
        let since = since.and_then(|since| Duration::try_from(seen.looked_at - since).ok());
        since.map_or_else(|| "none waits".to_owned(), age)
    };
    let counted = |count: Option<u64>| count.map_or_else(|| UNKNOWN.to_owned(), whole);
    let facts = [
        ("Pending orders", counted(backlog.map(|backlog| backlog.pending))),
        (
            "The oldest has waited",
            backlog.map_or_else(|| UNKNOWN.to_owned(), |backlog| waited(backlog.oldest_pending)),
        ),
        ("Until the queue is empty", empty_in(queue, until_empty)),
        ("Workers", counted(queue.and_then(|queue| queue.consumers))),
    ];
    for (name, value) in facts {
        let _ = fact(&mut section, name, &value);
    }
    for notices in &seen.notices {
        let name = format!("Ends to be told to {}", notices.subscription);
        let value = format!("{}; {} given up", whole(notices.open), whole(notices.dead));
        let _ = fact(&mut section, &name, &value);
    }
    section.push_str(
        "</dl>
</div>
<p class=\"hint\">Rates are this process’s own, of the last seconds; – stands where it has counted none: it has just begun, nothing \
came yet, or other processes do that. What waits is the whole shop’s.</p>
</section>\n",
    );
    section
}

fn fact(section: &mut String, name: &str, value: &str) -> fmt::Result {
    writeln!(section, "<div><dt>{}</dt><dd>{}</dd></div>", Text(name), Text(value))
}

/// How long the queue lasts if nothing more comes.
fn empty_in(queue: Option<&QueueDepth>, foretold: Option<Duration>) -> String {
    match (queue, foretold) {
        (Some(queue), _) if queue.ready == 0 => "it is".to_owned(),
        (Some(_), Some(wait)) => format!("about {}, if none comes", age(wait)),
        (Some(_), None) | (None, _) => "not known here".to_owned(),
    }
}

/// The boxes: from the top to the bottom the way of an order, at the right what did not go well.
fn picture(
    out: &mut String,
    backlog: Option<&Backlog>,
    queue: Option<&QueueDepth>,
    rates: &Rates,
) -> fmt::Result {
    let outbox = count(backlog.map(|backlog| backlog.unpublished));
    let ready = count(queue.map(|queue| queue.ready));
    let at_workers = count(queue.and_then(|queue| queue.in_flight));
    let delayed = count(queue.map(|queue| queue.delayed));
    let dead = count(queue.map(|queue| queue.dead));
    let [accepted, published, validated, retried, ended] =
        [rates.accepted, rates.published, rates.validated, rates.retried, rates.ended].map(rate);
    writeln!(
        out,
        "<svg class=\"pipeline\" role=\"img\" viewBox=\"0 0 344 412\" aria-label=\"Accepted {accepted}. In the outbox: {outbox}. \
         Published {published}. In the queue: {ready}. Taken up {validated}. In validation: {at_workers}. Ended {ended}. \
         Retried {retried}. Waiting for another attempt: {delayed}. Dead letters: {dead}.\">"
    )?;
    let mut arrow = |path: &str| writeln!(out, "<path class=\"arrow\" d=\"{path}\"/>");
    // Each ends in its head.
    arrow("M85 12V48m-5-7l5 7l5-7")?;
    arrow("M85 104V148m-5-7l5 7l5-7")?;
    arrow("M85 204V248m-5-7l5 7l5-7")?;
    arrow("M85 304V348m-5-7l5 7l5-7")?;
    // To be retried, and back into the queue; or given up.
    arrow("M160 268H282V232m-5 7l5-7l5 7")?;
    arrow("M282 176V164H168m7-5l-7 5l7 5")?;
    arrow("M160 284H282V308m-5-7l5 7l5-7")?;
    for (y, said, rate) in [
        (34, "accepted", &accepted),
        (131, "published", &published),
        (231, "taken up", &validated),
        (331, "ended", &ended),
    ] {
        writeln!(
            out,
            "<text x=\"94\" y=\"{y}\">{said} <tspan class=\"number\">{rate}</tspan></text>"
        )?;
    }
    writeln!(
        out,
        "<text class=\"end\" x=\"274\" y=\"246\">retried</text>\n<text class=\"end number\" x=\"274\" y=\"262\">{retried}</text>"
    )?;
    let is_bad = dead != "0" && dead != UNKNOWN;
    for (x, y, width, name, number, class) in [
        (10, 48, 150, "Outbox", &*outbox, "box"),
        (10, 148, 150, "Queue", &ready, "box"),
        (10, 248, 150, "In validation", &at_workers, "box"),
        (10, 348, 150, "Ended", "", "box end"),
        (228, 176, 108, "To be retried", &delayed, "box"),
        (228, 308, 108, "Dead letters", &dead, if is_bad { "box bad" } else { "box" }),
    ] {
        let middle = x + width / 2;
        writeln!(
            out,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"56\" rx=\"8\"/>"
        )?;
        let name_y = if number.is_empty() { y + 33 } else { y + 22 };
        writeln!(out, "<text class=\"middle\" x=\"{middle}\" y=\"{name_y}\">{name}</text>")?;
        if !number.is_empty() {
            let y = y + 43;
            writeln!(
                out,
                "<text class=\"middle number\" x=\"{middle}\" y=\"{y}\">{number}</text>"
            )?;
        }
    }
    writeln!(out, "</svg>")
}

/// As much as a box has room for.
fn count(count: Option<u64>) -> String {
    let short = |count: u64| {
        let more = if count >= Evidence::COUNTED_UP_TO { "+" } else { "" };
        format!("{}{more}", grouped(&count.to_string()))
    };
    count.map_or_else(|| UNKNOWN.to_owned(), short)
}

/// `1,204`; of what is not counted further `100,000 or more`.
fn whole(count: u64) -> String {
    let more = if count >= Evidence::COUNTED_UP_TO { " or more" } else { "" };
    format!("{}{more}", grouped(&count.to_string()))
}

/// `12.3/s`.
fn rate(rate: Option<f64>) -> String {
    match rate {
        None => "–".to_owned(),
        Some(rate) if rate < 99.95 => format!("{rate:.1}/s"),
        Some(rate) => format!("{}/s", grouped(&format!("{rate:.0}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_a_digit_while_they_are_small() {
        for (number, text) in [
            (None, "–"),
            (Some(0.0), "0.0/s"),
            (Some(12.34), "12.3/s"),
            (Some(99.97), "100/s"),
            (Some(12_345.6), "12,346/s"),
        ] {
            assert_eq!(rate(number), text);
        }
    }

    #[test]
    fn what_is_counted_up_to_a_bound_says_so() {
        assert_eq!(whole(1_204), "1,204");
        assert_eq!(whole(100_000), "100,000 or more");
        assert_eq!(count(Some(100_000)), "100,000+");
    }

    #[test]
    fn nobody_says_when_a_queue_will_be_empty_that_nobody_sees() {
        let of = |ready| QueueDepth { ready, ..QueueDepth::default() };
        let wait = Some(Duration::from_secs(90));
        assert_eq!(empty_in(Some(&of(0)), None), "it is");
        assert_eq!(empty_in(Some(&of(9)), wait), "about 90 s, if none comes");
        assert_eq!(empty_in(Some(&of(9)), None), "not known here");
        assert_eq!(empty_in(None, wait), "not known here");
    }
}
