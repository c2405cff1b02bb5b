//! The pages as HTML. Whatever came from outside is escaped.

use std::fmt::Write as _;

use hyper::{
    StatusCode,
    header::{CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY, REFRESH, RETRY_AFTER},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use time::OffsetDateTime;
use woody_core::{
    domain::{OrderId, OrderStatus, Outcome, now, python_stamp},
    services::TrackedOrder,
};

use super::words::Words;
use crate::http::response::{Response, Text, reply};

/// How often a page looks again, in seconds.
const LOOK_EVERY_S: u32 = 5;
/// Most orders take less, in seconds.
const LONG_S: i64 = 8;
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// What stands in the form.
#[derive(Debug)]
pub(super) struct Filled {
    pub(super) product: String,
    pub(super) quantity: String,
    /// What this form is called: sent twice, it is one order.
    pub(super) key: String,
}

/// What there is to show of an order.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shown<'a> {
    Order(&'a TrackedOrder),
    Unknown,
    Malformed,
    /// It cannot be looked up now.
    Away(StatusCode),
}

/// Returns the form to order by.
pub(super) fn form(
    words: &Words,
    filled: &Filled,
    said: Option<&str>,
    status: StatusCode,
) -> Response {
    let say = |key| Text(words.say(key));
    let title = words.say("orders.title");
    let notice = said.map_or_else(String::new, |said| {
        let tone = if status.is_success() { "notice" } else { "notice wrong" };
        format!("<p class=\"{tone}\" role=\"status\">{}</p>\n", Text(said))
    });
    let main = format!(
        "<section class=\"board one\" aria-labelledby=\"title\">
<h1 id=\"title\" class=\"looking\">{}</h1>
{notice}<form action=\"/orders\" method=\"post\">
<div class=\"field\"><label for=\"product\">{}</label>
<input id=\"product\" name=\"product\" required maxlength=\"200\" autocomplete=\"off\" value=\"{}\"></div>
<div class=\"field\"><label for=\"quantity\">{}</label>
<input id=\"quantity\" name=\"quantity\" type=\"number\" inputmode=\"numeric\" required min=\"1\" max=\"1000\" step=\"1\" value=\"{}\"></div>
<input type=\"hidden\" name=\"key\" value=\"{}\">
<input type=\"hidden\" name=\"lang\" value=\"{}\">
<button type=\"submit\" class=\"main\">{}</button>
</form>
<p class=\"hint\">{}</p>
</section>",
        Text(title),
        say("orders.product"),
        Text(&filled.product),
        say("orders.quantity"),
        Text(&filled.quantity),
        Text(&filled.key),
        words.tag(),
        say("orders.place"),
        say("orders.hint"),
    );
    document(words, title, None, "", &main, status)
}

/// Returns an order's page.
pub(super) fn order(words: &Words, id: Option<OrderId>, shown: Shown<'_>) -> Response {
    let (state, status, looks_again) = match shown {
        Shown::Order(order) => (order.status.as_str(), StatusCode::OK, !order.status.is_final()),
        Shown::Unknown => ("unknown", StatusCode::NOT_FOUND, true),
        Shown::Malformed => ("malformed", StatusCode::UNPROCESSABLE_ENTITY, false),
        Shown::Away(status) => ("looking", status, true),
    };
    let (headline, more) = (format!("order.{state}"), format!("order.{state}.more"));
    let details = match shown {
        Shown::Order(order) => order.stored.as_ref().map(|order| &order.details),
        _ => None,
    };
    let what = details.map(|toy| match toy.quantity.get() {
        1 => toy.product.as_str().to_owned(),
        n => format!("{n} × {}", toy.product),
    });
    let mut main = String::from("<article class=\"board one\" aria-labelledby=\"state\">\n<div>\n");
    if let Some(what) = &what {
        let _ = writeln!(main, "<p class=\"what\">{}</p>", Text(what));
    }
    let _ =
        writeln!(main, "<h1 id=\"state\" class=\"{state}\">{}</h1>", Text(words.say(&headline)));
    let explained = if let Shown::Away(_) = shown { "order.away" } else { &more };
    let _ = writeln!(main, "<p>{}</p>", Text(words.say(explained)));
    if let Shown::Order(order) = shown {
        of_order(&mut main, words, order);
    }
    main.push_str("</div>\n<div class=\"acts\">\n");
    if let Some(toy) = details {
        let product = utf8_percent_encode(toy.product.as_str(), NON_ALPHANUMERIC);
        let _ = writeln!(
            main,
            "<a class=\"button main\" href=\"/orders?product={product}&amp;quantity={}&amp;lang={}\">{}</a>",
            toy.quantity.get(),
            words.tag(),
            Text(words.say("order.again")),
        );
    }
    if let (Some(id), Shown::Order(TrackedOrder { status: OrderStatus::Pending, .. })) = (id, shown)
    {
        let _ = writeln!(
            main,
            "<form action=\"/orders/{id}/cancel\" method=\"post\"><input type=\"hidden\" name=\"lang\" value=\"{}\">\
             <button type=\"submit\">{}</button></form>",
            words.tag(),
            Text(words.say("order.cancel")),
        );
    }
    let _ = writeln!(
        main,
        "<a class=\"button\" href=\"/\">{}</a>\n</div>",
        Text(words.say("order.back"))
    );
    if let Some(id) = id {
        let number = Text(words.say("order.number"));
        let _ = writeln!(main, "<p class=\"meta\"><span>{number}</span> <code>{id}</code></p>");
    }
    main.push_str("</article>");
    let title = what.map_or_else(
        || words.say(&headline).to_owned(),
        |what| format!("{} · {what}", words.say(&headline)),
    );
    let again = looks_again.then_some(LOOK_EVERY_S);
    document(words, &title, again, "plain&amp;", &main, status)
}

/// What is known of an order beside its status.
fn of_order(main: &mut String, words: &Words, order: &TrackedOrder) {
    if let OrderStatus::Ended(Outcome::Rejected(why)) = &order.status {
        let _ = writeln!(main, "<blockquote>{}</blockquote>", Text(&why.to_string()));
        let _ = writeln!(main, "<p>{}</p>", Text(words.say("order.rejected.help")));
    }
    let Some(stored) = &order.stored else { return };
    if order.status == OrderStatus::Pending
        && (now() - stored.accepted_at).whole_seconds() >= LONG_S
    {
        let _ = writeln!(main, "<p class=\"notice\">{}</p>", Text(words.say("order.longer")));
    }
    let mut time = |key: &str, at: OffsetDateTime| {
        let at: String = python_stamp(at).chars().take(19).collect();
        let _ = writeln!(main, "<p>{}<br>{at} UTC</p>", Text(words.say(key)));
    };
    time("order.step.received", stored.accepted_at);
    if let (OrderStatus::Ended(Outcome::Success(_)), Some(at)) = (&order.status, stored.finished_at)
    {
        time("order.step.ready", at);
    }
}

/// Returns a page; `query` stands before the language in links to the same page in another.
fn document(
    words: &Words,
    title: &str,
    again: Option<u32>,
    query: &str,
    main: &str,
    status: StatusCode,
) -> Response {
    let link = |(tag, name)| {
        format!("<a href=\"?{query}lang={tag}\" lang=\"{tag}\" hreflang=\"{tag}\">{name}</a>")
    };
    let languages = words.others().map(link).collect::<Vec<_>>().concat();
    let html = format!(
        "<!doctype html>
<html lang=\"{tag}\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
<meta name=\"robots\" content=\"noindex\">
<title>{title} · WoodyToys</title>
<link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\">
<link rel=\"stylesheet\" href=\"/style.css\">
</head>
<body>
<header class=\"top\"><div class=\"wrap\">
<img src=\"/favicon.svg\" alt=\"\" width=\"60\" height=\"60\">
<p class=\"name\"><a href=\"/\">WoodyToys</a></p>
<nav class=\"languages\" aria-label=\"{language}\">{languages}</nav>
</div></header>
<main class=\"wrap\">
{main}
</main>
</body>
</html>
",
        tag = words.tag(),
        title = Text(title),
        language = Text(words.say("language")),
    );
    let mut response = reply::no_store(reply::bytes(reply::HTML, html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if let Some(seconds) = again {
        headers.insert(REFRESH, HeaderValue::from(seconds));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from(LOOK_EVERY_S));
    }
    response
}
