//! A body as JSON, and of what a type does not read all that is wrong, in sentences for clients.

mod diagnosis;
mod node;
mod problem;
mod reading;
mod stand_in;

use serde::de::DeserializeOwned;
use serde_json::error::Category;
use woody_core::domain::Invalid;

use crate::http::response::{Failure, FailureKind};
use diagnosis::Diagnosis;
use node::Node;

type Json<'b> = serde_json::Deserializer<serde_json::de::SliceRead<'b>>;

/// Bytes that may be read to find what is wrong with one body: some milliseconds.
pub(in crate::http) const EFFORT: usize = 512 * 1024;

/// Reads a `T` from an object. To find all that is wrong with one that is none, it is read again and again, for some
/// `effort` bytes, which are taken from it.
///
/// # Errors
/// A [`Failure`] that tells of all wrong fields.
pub(in crate::http) fn parse<T: DeserializeOwned>(
    body: &[u8],
    effort: &mut usize,
) -> Result<T, Failure> {
    refuse_array(body)?;
    serde_json::from_slice(body)
        .map_err(|error| wrong::<T>(body, false, &error, |_| Vec::new(), effort))
}

/// Reads a `T` from an object, and refuses fields that a `T` does not have. What `check` says against a `T` is told
/// beside these. `effort` is as for [`parse`].
///
/// # Errors
/// A [`Failure`] that tells of all wrong fields.
pub(in crate::http) fn parse_whole<T: DeserializeOwned>(
    body: &[u8],
    check: impl FnOnce(&T) -> Vec<Invalid>,
    effort: &mut usize,
) -> Result<T, Failure> {
    refuse_array(body)?;
    let mut is_whole = true;
    let json = &mut serde_json::Deserializer::from_slice(body);
    let read = serde_ignored::deserialize(&mut *json, |_| is_whole = false);
    match read.and_then(|value| json.end().map(|()| value)) {
        Ok(value) if is_whole => Ok(value),
        Ok(value) => {
            let failure = tree(body).map(|mut tree| {
                Diagnosis::<T>::of(&mut tree, true, body.len(), effort).failure(&check(&value))
            });
            Err(failure.unwrap_or_else(|failure| failure))
        }
        Err(error) => Err(wrong(body, true, &error, check, effort)),
    }
}

/// What is wrong with a body that is no `T`.
fn wrong<T: DeserializeOwned>(
    body: &[u8],
    is_whole: bool,
    error: &serde_json::Error,
    check: impl FnOnce(&T) -> Vec<Invalid>,
    effort: &mut usize,
) -> Failure {
    if error.classify() != Category::Data {
        return malformed(body, error);
    }
    match tree(body) {
        Ok(mut tree) => {
            let mut diagnosis = Diagnosis::<T>::of(&mut tree, is_whole, body.len(), effort);
            let invalid = diagnosis.take().map_or_else(Vec::new, |value| check(&value));
            diagnosis.failure(&invalid)
        }
        Err(failure) => failure,
    }
}

/// Refuses a list of values: serde would take them for the fields in their order.
fn refuse_array(body: &[u8]) -> Result<(), Failure> {
    if body.trim_ascii_start().starts_with(b"[") {
        let detail = "The body is not as expected: it is an array, and should be an object.";
        return Err(Failure::new(FailureKind::InvalidValue, detail));
    }
    Ok(())
}

fn tree(body: &[u8]) -> Result<Node, Failure> {
    serde_json::from_slice(body).map_err(|error| malformed(body, &error))
}

/// Reads a body by `value`, to its end.
///
/// # Errors
/// A [`Failure`] when it is no JSON; where it is, and is still not read, it is no `wanted`.
pub(super) fn read<'b, T>(
    body: &'b [u8],
    wanted: &str,
    value: impl FnOnce(&mut Json<'b>) -> serde_json::Result<T>,
) -> Result<T, Failure> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = value(&mut json).and_then(|value| json.end().map(|()| value));
    read.map_err(|error| match error.classify() {
        Category::Data => {
            let found = match body.trim_ascii_start().first() {
                Some(b'{') => "an object",
                Some(b'[') => "an array",
                Some(b'"') => "a string",
                Some(b't' | b'f') => "true or false",
                Some(b'n') => "null",
                _ => "a number",
            };
            let detail =
                format!("The body is not as expected: it is {found}, and should be {wanted}.");
            Failure::new(FailureKind::InvalidValue, detail)
        }
        _ => malformed(body, &error),
    })
}

/// Tells a syntax error by its position.
fn malformed(body: &[u8], error: &serde_json::Error) -> Failure {
    if body.iter().all(u8::is_ascii_whitespace) {
        let detail = "The body is empty, and should be JSON.";
        return Failure::new(FailureKind::MalformedJson, detail);
    }
    let said = error.to_string();
    let (line, column) = (error.line(), error.column());
    // serde_json puts the position at the end.
    let problem = said.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&said);
    let detail = format!("The body is no JSON: {problem} at line {line}, column {column}.");
    Failure::new(FailureKind::MalformedJson, detail)
}

#[cfg(test)]
mod tests;
