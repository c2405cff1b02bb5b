use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use hyper::body::{Body as _, Incoming};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::http::response::{Failure, FailureKind};

/// A request's body.
#[derive(Debug)]
pub struct RequestBody {
    incoming: Option<Incoming>,
    arrived: Bytes,
    remainder: Remainder,
}

/// Whether something of a body was left unread.
#[derive(Debug, Clone)]
pub(in crate::http) struct Remainder(Option<Arc<AtomicBool>>);

impl Remainder {
    /// Whether there is any: the connection cannot go on after it.
    pub(in crate::http) fn is_left(&self) -> bool {
        self.0.as_ref().is_some_and(|left| left.load(Ordering::Relaxed))
    }
}

impl RequestBody {
    /// The body `incoming`, of which nothing was read.
    pub(in crate::http) fn new(incoming: Incoming) -> Self {
        let left = (!incoming.is_end_stream()).then(|| Arc::new(AtomicBool::new(true)));
        let remainder = Remainder(left);
        Self { incoming: Some(incoming), arrived: Bytes::new(), remainder }
    }

    pub(in crate::http) fn remainder(&self) -> Remainder {
        self.remainder.clone()
    }

    /// What is still to be read.
    pub(in crate::http) fn incoming(&mut self) -> Option<&mut Incoming> {
        self.incoming.as_mut()
    }

    /// All of it is there.
    pub(in crate::http) fn arrived(&mut self, whole: Bytes) {
        self.incoming = None;
        self.arrived = whole;
        if let Some(left) = &self.remainder.0 {
            left.store(false, Ordering::Relaxed);
        }
    }

    /// Its bytes; there are some when the request is a `POST`.
    pub fn bytes(&self) -> &Bytes {
        &self.arrived
    }

    /// Reads it as JSON.
    ///
    /// # Errors
    /// A [`Failure`] when it is no `T`: it names the field.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        parse_json(&self.arrived)
    }
}

fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Failure::new(
            FailureKind::MalformedJson,
            "The body is empty, and should be JSON.",
        ));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        failure(&path, error.inner())
    })?;
    json.end().map_err(|error| failure(".", &error))?;
    Ok(value)
}

/// Tells a syntax error by its position, and a wrong value by its field.
fn failure(path: &str, error: &serde_json::Error) -> Failure {
    let said = error.to_string();
    // serde_json puts the position at the end.
    let position = format!(" at line {} column {}", error.line(), error.column());
    let problem = said.strip_suffix(&position).unwrap_or(&said);
    if error.classify() != Category::Data {
        let detail = format!(
            "The body is no JSON: {problem} at line {}, column {}.",
            error.line(),
            error.column()
        );
        return Failure::new(FailureKind::MalformedJson, detail);
    }
    let parent = path.trim_end_matches('.');
    let parent = if parent == "?" { "" } else { parent };
    // Unknown, missing and doubled fields are told by the object that should
    // (not) have them: `unknown field `colour`, expected …`.
    let of_object = ["unknown field `", "missing field `", "duplicate field `"]
        .iter()
        .find_map(|what| problem.strip_prefix(what)?.split_once('`'));
    let short = |text: &str| text.chars().take(200).collect::<String>();
    match of_object {
        Some((name, rest)) => {
            let name = short(name);
            // serde_path_to_error already has an unknown field in its path.
            let parent = match parent.strip_suffix(name.as_str()) {
                Some(rest) if rest.is_empty() || rest.ends_with('.') => rest.trim_end_matches('.'),
                _ => parent,
            };
            let field = if parent.is_empty() { name.clone() } else { format!("{parent}.{name}") };
            let told = if problem.starts_with("unknown") {
                format!("is no field{}", short(rest))
            } else if problem.starts_with("missing") {
                "is missing".to_owned()
            } else {
                "stands twice".to_owned()
            };
            Failure::field(FailureKind::InvalidValue, field, told)
        }
        None if parent.is_empty() => Failure::new(
            FailureKind::InvalidValue,
            format!("The body is not as expected: {}.", short(problem)),
        ),
        None => Failure::field(
            FailureKind::InvalidValue,
            short(parent),
            format!("has an {}", short(problem)),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read to see what serde says")]
    struct Toy {
        name: String,
        #[serde(default)]
        parts: Vec<Part>,
        quantity: Option<i64>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read to see what serde says")]
    struct Part {
        width_mm: i64,
    }

    #[test]
    fn what_is_wrong_is_told_with_its_position() {
        for (body, kind, says) in [
            ("", FailureKind::MalformedJson, "The body is empty"),
            ("{\n  \"name\": }", FailureKind::MalformedJson, "expected value at line 2, column 11"),
            (
                "{\"name\": \"x\"} {}",
                FailureKind::MalformedJson,
                "trailing characters at line 1, column 15",
            ),
            ("{\"name\": \"x\"", FailureKind::MalformedJson, "EOF while parsing"),
            ("[]", FailureKind::InvalidValue, "The body is not as expected: invalid length 0"),
            (
                "7",
                FailureKind::InvalidValue,
                "The body is not as expected: invalid type: integer `7`",
            ),
            ("{}", FailureKind::InvalidValue, "name is missing"),
            (
                "{\"name\": 7}",
                FailureKind::InvalidValue,
                "name has an invalid type: integer `7`, expected a string",
            ),
            ("{\"name\": \"x\", \"name\": \"y\"}", FailureKind::InvalidValue, "name stands twice"),
            (
                "{\"name\": \"x\", \"colour\": 1}",
                FailureKind::InvalidValue,
                "colour is no field, expected one of",
            ),
            (
                "{\"name\": \"x\", \"quantity\": 1.5}",
                FailureKind::InvalidValue,
                "quantity has an invalid type: floating point",
            ),
            (
                "{\"name\": \"x\", \"parts\": [{\"width_mm\": 1}, {\"width_mm\": \"2\"}]}",
                FailureKind::InvalidValue,
                "parts[1].width_mm has an invalid type",
            ),
            (
                "{\"name\": \"x\", \"parts\": [{}]}",
                FailureKind::InvalidValue,
                "parts[0].width_mm is missing",
            ),
            (
                "{\"name\": \"x\", \"parts\": [{\"width_mm\": 1, \"x\": 1}]}",
                FailureKind::InvalidValue,
                "parts[0].x is no field",
            ),
        ] {
            let failure = parse_json::<Toy>(body.as_bytes()).unwrap_err();
            assert_eq!(failure.kind(), kind, "{body}: {}", failure.detail());
            assert!(failure.detail().contains(says), "{body}: {}", failure.detail());
        }
    }

    #[test]
    fn invalid_utf8_and_deep_nesting_are_refused() {
        let deep = "[".repeat(10_000);
        for body in [&b"{\"name\": \"\xff\"}"[..], deep.as_bytes()] {
            assert!(parse_json::<Toy>(body).is_err());
        }
    }
}
