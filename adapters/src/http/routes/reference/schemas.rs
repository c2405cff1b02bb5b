//! JSON Schemas in words.

use std::fmt::Write as _;

use serde_json::Value;

use super::{
    json::{fields, list, text_of},
    text::{escaped, prose},
};

/// What a value of this schema is, in a line.
pub(super) fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|to| to.rsplit('/').next()) {
        let name = escaped(name);
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    for (key, between) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " with ")] {
        let parts = list(&schema[key]).iter().filter(|part| part["type"] != "null");
        let parts: Vec<_> = parts.map(kind).collect();
        if !parts.is_empty() {
            return parts.join(between);
        }
    }
    let choices: Vec<_> = list(&schema["enum"]).iter().map(code).collect();
    if !choices.is_empty() {
        return choices.join(", ");
    }
    let types: Vec<_> = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        several => list(several).iter().map(text_of).filter(|name| *name != "null").collect(),
    };
    let mut said = match types[..] {
        ["array"] => format!("array of {}", kind(&schema["items"])),
        [] => "anything".to_owned(),
        _ => escaped(&types.join(" or ")),
    };
    if let Some(format) = schema["format"].as_str().filter(|format| !format.starts_with("int")) {
        let _ = write!(said, ", {}", escaped(format));
    }
    for (least, most, of) in [
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
    ] {
        let _ = match (schema[least].as_i64(), schema[most].as_i64()) {
            (Some(least), Some(most)) => write!(said, ", {least} to {most}{of}"),
            (Some(least), None) => write!(said, ", at least {least}{of}"),
            (None, Some(most)) => write!(said, ", at most {most}{of}"),
            (None, None) => Ok(()),
        };
    }
    if !schema["default"].is_null() {
        let _ = write!(said, ", {} if left out", code(&schema["default"]));
    }
    said
}

fn code(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    format!("<code>{}</code>", escaped(&text))
}

/// A schema of the components: what it is, and a table of its fields if it has any.
pub(super) fn schema_table(name: &str, schema: &Value) -> String {
    let name = escaped(name);
    let mut html = format!(
        "<section class=\"entry\" aria-labelledby=\"schema-{name}\"><h3 id=\"schema-{name}\">{name}</h3>"
    );
    html.push_str(&prose(text_of(&schema["description"])));
    let properties = fields(&schema["properties"]);
    if properties.is_empty() {
        let _ = write!(html, "<p>{}</p>", kind(schema));
    } else {
        html.push_str("<table><caption>Fields</caption><thead><tr><th scope=\"col\">name</th><th scope=\"col\">is</th><th scope=\"col\">about</th></tr></thead><tbody>");
        for (field, about) in properties {
            let needed = list(&schema["required"]).iter().any(|name| name == field.as_str());
            let left_out = if needed { "" } else { ", or left out" };
            let (is, told) = (kind(about), prose(text_of(&about["description"])));
            let field = escaped(field);
            let _ = write!(
                html,
                "<tr><th scope=\"row\"><code>{field}</code></th><td>{is}{left_out}</td><td>{told}</td></tr>"
            );
        }
        html.push_str("</tbody></table>");
    }
    html.push_str("</section>");
    html
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_is_told_in_a_line() {
        for (schema, said) in [
            (
                json!({"$ref": "#/components/schemas/Problem"}),
                "<a href=\"#schema-Problem\">Problem</a>",
            ),
            (
                json!({"type": "array", "items": {"type": "string", "format": "uuid"}, "maxItems": 3}),
                "array of string, uuid, at most 3 items",
            ),
            (
                json!({"type": ["string", "null"], "minLength": 1, "maxLength": 200}),
                "string, 1 to 200 characters",
            ),
            (
                json!({"type": "integer", "format": "int32", "minimum": 1, "maximum": 1000, "default": 20}),
                "integer, 1 to 1000, <code>20</code> if left out",
            ),
            (
                json!({"oneOf": [{"type": "null"}, {"$ref": "#/a/B"}]}),
                "<a href=\"#schema-B\">B</a>",
            ),
            (
                json!({"type": "string", "enum": ["<a>", "b"]}),
                "<code>&lt;a&gt;</code>, <code>b</code>",
            ),
            (json!({}), "anything"),
        ] {
            assert_eq!(kind(&schema), said);
        }
    }

    #[test]
    fn a_field_says_whether_it_may_be_left_out() {
        let table = schema_table(
            "A",
            &json!({"required": ["b"], "properties": {
                "b": {"type": "string"}, "c": {"type": "string", "description": "See `b`."},
            }}),
        );
        assert!(table.contains("<code>b</code></th><td>string</td>"), "{table}");
        let left_out =
            "<code>c</code></th><td>string, or left out</td><td><p>See <code>b</code>.</p></td>";
        assert!(table.contains(left_out), "{table}");
    }
}
