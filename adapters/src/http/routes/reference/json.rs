//! Reading a document: what is not there is empty.

use serde_json::Value;

pub(super) fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The fields of an object; of anything else, none.
pub(super) fn fields(value: &Value) -> Vec<(&String, &Value)> {
    value.as_object().into_iter().flatten().collect()
}
