//! What an order asks for, whatever its type: fields for programs, lines for people.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value, json, value::RawValue};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use woody_core::domain::{Details, OrderId};

/// The fields of an order, in the order in which they were written.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}

/// Details are an object, so there are fields; of anything else there are none.
fn fields(details: &Details) -> Vec<(String, &RawValue)> {
    serde_json::from_str(details.as_str()).map_or_else(|_| Vec::new(), |Fields(fields)| fields)
}

/// A value without blanks around its parts. What is nested too deep to be read stays as it is.
fn compact(value: &RawValue) -> String {
    let read = serde_json::from_str::<Value>(value.get());
    read.map_or_else(|_| value.get().to_owned(), |value| value.to_string())
}

/// Returns each field's name and its whole value.
pub(super) fn pairs(details: &Details) -> Vec<(String, String)> {
    let bare = |value: &RawValue| serde_json::from_str::<String>(value.get()).ok();
    let fields = fields(details).into_iter();
    fields.map(|(name, value)| (name, bare(value).unwrap_or_else(|| compact(value)))).collect()
}

/// Returns all fields in one line: `product="Train" quantity=2`.
pub(super) fn line(details: &Details) -> String {
    let fields = fields(details).into_iter();
    let words = fields.map(|(name, value)| format!("{name}={}", compact(value)));
    words.collect::<Vec<_>>().join(" ")
}

/// Returns the fields as they stand in an order's JSON. What is nested too deep to be
/// read is one field, `details`, with their text.
pub(super) fn flat(details: &Details) -> Map<String, Value> {
    serde_json::from_str(details.as_str())
        .unwrap_or_else(|_| Map::from_iter([("details".to_owned(), Value::from(details.as_str()))]))
}

/// Returns an order as one flat object.
pub(super) fn order(
    id: OrderId,
    details: &Details,
    accepted_at: Option<OffsetDateTime>,
) -> Map<String, Value> {
    // No field of the details has the name of one of these.
    let mut order = flat(details);
    order.insert("order_id".to_owned(), json!(id));
    let accepted_at = accepted_at.and_then(|at| at.format(&Rfc3339).ok());
    order.insert("accepted_at".to_owned(), json!(accepted_at));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(text: &str) -> Details {
        Details::parse(text).unwrap()
    }

    #[test]
    fn a_field_is_shown_whatever_its_type_and_in_the_order_in_which_it_was_written() {
        let nested = details(
            r#"{"size": "groß 🍕", "crust": {"thin": true, "at": [1, 2.50]}, "note": null, "a": 1e3}"#,
        );
        let shown = pairs(&nested);
        let shown: Vec<_> = shown.iter().map(|(name, value)| (&**name, &**value)).collect();
        let crust = r#"{"at":[1,2.5],"thin":true}"#;
        assert_eq!(
            shown,
            [("size", "groß 🍕"), ("crust", crust), ("note", "null"), ("a", "1000.0")]
        );
        assert!(line(&nested).starts_with(r#"size="groß 🍕" crust={"#), "{}", line(&nested));
        assert_eq!(flat(&nested)["crust"]["thin"], true);
        assert_eq!((line(&details("{}")), pairs(&details("{}"))), (String::new(), Vec::new()));
    }

    #[test]
    fn what_is_nested_too_deep_to_be_read_is_shown_as_text() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        let Ok(deep) = Details::parse(&deep) else { return };
        assert_eq!(flat(&deep)["details"], deep.as_str());
        assert!(line(&deep).starts_with("a=[[["), "{}", line(&deep));
    }
}
