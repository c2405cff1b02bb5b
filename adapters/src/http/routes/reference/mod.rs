//! The API's reference as a page for people, made from the documents for programs: no script, and
//! nothing from elsewhere.

mod json;
mod schemas;
mod text;

use std::{collections::BTreeMap, fmt::Write as _, sync::LazyLock};

use serde_json::Value;

use super::{asyncapi::asyncapi, file::File, openapi::openapi};
use crate::http::response::reply;
use json::{fields, list, text_of};
use schemas::{kind, schema_table};
use text::{escaped, prose};

/// The pages and what they are made of, which people find by themselves.
const NOT_SHOWN: &str = "front";

/// The page, written once.
pub(super) fn page() -> &'static File {
    static PAGE: LazyLock<File> = LazyLock::new(|| {
        // A document of strings: serialising it cannot fail.
        let openapi = serde_json::to_value(openapi()).unwrap_or_default();
        File::new(reply::HTML, written(&openapi, &asyncapi()).into()).plain()
    });
    &PAGE
}

/// Writes the page. (Writing to a `String` cannot fail.)
fn written(openapi: &Value, asyncapi: &Value) -> String {
    let mut page = String::with_capacity(128 * 1024);
    let version = escaped(text_of(&openapi["info"]["version"]));
    page.push_str(&include_str!("head.html").replace("{version}", &version));
    page.push_str(&prose(text_of(&openapi["info"]["description"])));
    let tags: Vec<_> =
        list(&openapi["tags"]).iter().filter(|tag| tag["name"] != NOT_SHOWN).collect();
    contents(&mut page, openapi, asyncapi, &tags);
    for tag in tags {
        let name = text_of(&tag["name"]);
        let _ = write!(page, "<h2 id=\"{0}\">{0}</h2>", escaped(name));
        page.push_str(&prose(text_of(&tag["description"])));
        for (method, path, operation) in operations(openapi, name) {
            route(&mut page, method, path, operation);
        }
    }
    page.push_str("<h2 id=\"messages\">messages</h2>");
    page.push_str(&prose(text_of(&asyncapi["info"]["description"])));
    for (name, channel) in fields(&asyncapi["channels"]) {
        messages(&mut page, asyncapi, name, channel);
    }
    page.push_str("<h2 id=\"schemas\">schemas</h2>");
    // Those in both are the same.
    let all: BTreeMap<_, _> = [asyncapi, openapi]
        .iter()
        .flat_map(|document| fields(&document["components"]["schemas"]))
        .collect();
    for (name, schema) in all {
        page.push_str(&schema_table(name, schema));
    }
    page.push_str(include_str!("foot.html"));
    page
}

/// Where everything is.
fn contents(page: &mut String, openapi: &Value, asyncapi: &Value, tags: &[&Value]) {
    page.push_str("<nav aria-label=\"Contents\"><ul>");
    for tag in tags {
        let name = text_of(&tag["name"]);
        let _ = write!(page, "<li><a href=\"#{0}\">{0}</a><ul>", escaped(name));
        for (method, path, operation) in operations(openapi, name) {
            let id = escaped(text_of(&operation["operationId"]));
            let (method, path) = (method.to_uppercase(), escaped(path));
            let _ = write!(page, "<li><a href=\"#{id}\"><code>{method} {path}</code></a></li>");
        }
        page.push_str("</ul></li>");
    }
    page.push_str("<li><a href=\"#messages\">messages</a><ul>");
    for (name, channel) in fields(&asyncapi["channels"]) {
        let (name, address) = (escaped(name), escaped(text_of(&channel["address"])));
        let _ = write!(page, "<li><a href=\"#channel-{name}\"><code>{address}</code></a></li>");
    }
    page.push_str("</ul></li><li><a href=\"#schemas\">schemas</a></li></ul></nav>");
}

/// Method, path and description of each operation with this tag.
fn operations<'d>(
    openapi: &'d Value,
    tag: &str,
) -> impl Iterator<Item = (&'d String, &'d String, &'d Value)> {
    let all = fields(&openapi["paths"]).into_iter().flat_map(|(path, item)| {
        fields(item).into_iter().map(move |(method, operation)| (method, path, operation))
    });
    all.filter(move |(_, _, operation)| operation["tags"][0] == tag)
}

fn route(page: &mut String, method: &str, path: &str, operation: &Value) {
    let id = escaped(text_of(&operation["operationId"]));
    let (method, path) = (method.to_uppercase(), escaped(path));
    let _ = write!(
        page,
        "<section class=\"entry\" aria-labelledby=\"{id}\"><h3 id=\"{id}\"><code>{method} {path}</code></h3>"
    );
    page.push_str(&prose(&format!("{}.", text_of(&operation["summary"]))));
    page.push_str(&prose(text_of(&operation["description"])));
    let parameters = list(&operation["parameters"]);
    if !parameters.is_empty() {
        page.push_str("<table><caption>Parameters</caption><thead><tr><th scope=\"col\">name</th><th scope=\"col\">in</th><th scope=\"col\">is</th><th scope=\"col\">about</th></tr></thead><tbody>");
        for parameter in parameters {
            let name = escaped(text_of(&parameter["name"]));
            let place = escaped(text_of(&parameter["in"]));
            let needed = if parameter["required"] == true { ", required" } else { "" };
            let (is, about) =
                (kind(&parameter["schema"]), prose(text_of(&parameter["description"])));
            let _ = write!(
                page,
                "<tr><th scope=\"row\"><code>{name}</code></th><td>{place}{needed}</td><td>{is}</td><td>{about}</td></tr>"
            );
        }
        page.push_str("</tbody></table>");
    }
    for (media_type, content) in fields(&operation["requestBody"]["content"]) {
        let _ = write!(
            page,
            "<p>Body: <code>{}</code>, {}</p>",
            escaped(media_type),
            kind(&content["schema"])
        );
        example(page, &content["example"]);
    }
    page.push_str("<table><caption>Responses</caption><thead><tr><th scope=\"col\">status</th><th scope=\"col\">body</th><th scope=\"col\">about</th></tr></thead><tbody>");
    for (status, response) in fields(&operation["responses"]) {
        let bodies = fields(&response["content"]).into_iter().map(|(media_type, content)| {
            let schema = kind(&content["schema"]);
            format!("<code>{}</code> {schema}", escaped(media_type))
        });
        let bodies = bodies.collect::<Vec<_>>().join("<br>");
        let about = prose(text_of(&response["description"]));
        let _ = write!(
            page,
            "<tr><th scope=\"row\">{status}</th><td>{bodies}</td><td>{about}</td></tr>"
        );
    }
    page.push_str("</tbody></table></section>");
}

fn messages(page: &mut String, asyncapi: &Value, name: &str, channel: &Value) {
    let (id, address) =
        (format!("channel-{}", escaped(name)), escaped(text_of(&channel["address"])));
    let _ = write!(
        page,
        "<section class=\"entry\" aria-labelledby=\"{id}\"><h3 id=\"{id}\"><code>{address}</code></h3>"
    );
    page.push_str(&prose(&format!("{}.", text_of(&channel["title"]))));
    page.push_str(&prose(text_of(&channel["description"])));
    page.push_str("<ul>");
    let here = format!("#/channels/{name}");
    let doing = fields(&asyncapi["operations"]).into_iter();
    for (_, operation) in doing.filter(|(_, operation)| operation["channel"]["$ref"] == here) {
        let said =
            format!("{}. {}", text_of(&operation["summary"]), text_of(&operation["description"]));
        let _ = write!(page, "<li>{}</li>", prose(&said));
    }
    page.push_str("</ul>");
    for (name, _) in fields(&channel["messages"]) {
        let message = &asyncapi["components"]["messages"][name];
        let payload = kind(&message["payload"]);
        let headers = match &message["headers"] {
            Value::Null => String::new(),
            headers => format!(", with {}", kind(headers)),
        };
        let title = escaped(text_of(&message["summary"]));
        let _ = write!(page, "<p>{title}: {payload}{headers}</p>");
        for shown in list(&message["examples"]) {
            example(page, &shown["payload"]);
        }
    }
    page.push_str("</section>");
}

fn example(page: &mut String, value: &Value) {
    let text = match value {
        Value::Null => return,
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    // One that scrolls is reached by the keyboard.
    let _ = write!(page, "<pre tabindex=\"0\"><code>{}</code></pre>", escaped(&text));
}
