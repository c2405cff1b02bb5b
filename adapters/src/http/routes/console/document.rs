//! What all pages of the console have.

use bytes::Bytes;
use hyper::header::{CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY};

use crate::{
    environment::Environment,
    http::response::{Response, Text, reply},
};

/// What a page may load, and from where: its own files, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// HTML that is not to be kept, under the policy.
pub(super) fn html(text: String) -> Response {
    let mut response = reply::no_store(reply::bytes(reply::HTML, Bytes::from(text)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Returns a whole page.
pub(super) fn document(
    title: &str,
    environment: Option<&Environment>,
    head: &str,
    main: &str,
) -> String {
    let banner = environment.map_or_else(String::new, |environment| {
        let colour = environment.colour().as_str();
        format!("<p class=\"environment {colour}\">{}</p>\n", Text(environment.name()))
    });
    format!(
        "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
<meta name=\"robots\" content=\"noindex\">
<title>{}</title>
<link rel=\"icon\" href=\"/console/icon.svg\" type=\"image/svg+xml\">
<link rel=\"stylesheet\" href=\"/console/console.css\">
{head}</head>
<body>
<header>
{banner}<h1><a href=\"/console\">WoodyToys console</a></h1>
<p class=\"hint\">It only shows. Acts are <code>woodyctl</code>’s.</p>
</header>
<main>
{main}</main>
<footer><p class=\"hint\">Version {}</p></footer>
</body>
</html>
",
        Text(title),
        env!("CARGO_PKG_VERSION"),
    )
}
