//! What channels and operations are described with.

use serde_json::{Value, json};

/// A reference to what stands at this path of the document.
pub(super) fn at(path: &str) -> Value {
    json!({"$ref": format!("#/{path}")})
}

/// A schema of the components.
pub(super) fn schema(name: &str) -> Value {
    at(&format!("components/schemas/{name}"))
}

/// The messages of a channel, by their names in the components.
pub(super) fn messages(names: &[&str]) -> Value {
    let refer = |name: &&str| ((*name).to_owned(), at(&format!("components/messages/{name}")));
    names.iter().map(refer).collect::<serde_json::Map<_, _>>().into()
}

/// An operation of the shop's: it sends or receives these messages of a channel.
pub(super) fn operation(
    action: &str,
    channel: &str,
    carried: &[&str],
    summary: &str,
    about: &str,
) -> Value {
    let carried: Vec<_> =
        carried.iter().map(|name| at(&format!("channels/{channel}/messages/{name}"))).collect();
    json!({
        "action": action,
        "channel": at(&format!("channels/{channel}")),
        "messages": carried,
        "summary": summary,
        "description": about,
    })
}

/// The same with a tag, which the document describes.
pub(super) fn tagged(mut operation: Value, tag: &str) -> Value {
    operation["tags"] = json!([{"name": tag}]);
    operation
}
