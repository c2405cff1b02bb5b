use serde::Deserialize;
use serde_ignored::Path;
use serde_json::error::Category;
use serde_path_to_error::Track;

use crate::http::response::{Failure, FailureKind};

type Json<'b> = serde_json::Deserializer<serde_json::de::SliceRead<'b>>;

/// Reads a `T` from an object.
pub(in crate::http) fn parse<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, Failure> {
    refuse_array(body)?;
    read(body, |json| {
        serde_path_to_error::deserialize(json)
            .map_err(|error| failure(&error.path().to_string(), error.inner()))
    })
}

/// Reads a `T` from an object, and refuses fields that a `T` does not have.
pub(in crate::http) fn parse_whole<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, Failure> {
    refuse_array(body)?;
    let mut left_over = None;
    let value = read(body, |json| {
        let mut track = Track::new();
        let tracked = serde_path_to_error::Deserializer::new(json, &mut track);
        let read = serde_ignored::deserialize(tracked, |field| {
            left_over.get_or_insert_with(|| name(&field));
        });
        read.map_err(|error| failure(&track.path().to_string(), &error))
    })?;
    match left_over {
        None => Ok(value),
        Some(field) => Err(Failure::field(FailureKind::InvalidValue, short(&field), "is no field")),
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

pub(super) fn read<'b, T>(
    body: &'b [u8],
    value: impl FnOnce(&mut Json<'b>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Failure::new(
            FailureKind::MalformedJson,
            "The body is empty, and should be JSON.",
        ));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = value(&mut json)?;
    json.end().map_err(|error| failure(".", &error))?;
    Ok(value)
}

/// A field's name as errors write it: `toppings[2].name`.
fn name(path: &Path<'_>) -> String {
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}[{index}]", name(parent)),
        Path::Map { parent, key } => match name(parent) {
            parent if parent.is_empty() => key.clone(),
            parent => format!("{parent}.{key}"),
        },
        Path::Some { parent }
        | Path::NewtypeStruct { parent }
        | Path::NewtypeVariant { parent } => name(parent),
    }
}

fn short(text: &str) -> String {
    text.chars().take(200).collect()
}

/// Tells a syntax error by its position, and a wrong value by its field.
pub(super) fn failure(path: &str, error: &serde_json::Error) -> Failure {
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
    // Unknown, missing and doubled fields are reported by the object that should
    // (not) have them: `unknown field `colour`, expected …`.
    let of_object = ["unknown field `", "missing field `", "duplicate field `"]
        .iter()
        .find_map(|what| problem.strip_prefix(what)?.split_once('`'));
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
        None => {
            // A type of its own may say anything.
            let is_serde = ["invalid ", "unknown "].iter().any(|said| problem.starts_with(said));
            let how = if is_serde { "has an" } else { "is refused:" };
            let told = format!("{how} {}", short(problem));
            Failure::field(FailureKind::InvalidValue, short(parent), told)
        }
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
            ("[]", FailureKind::InvalidValue, "it is an array, and should be an object"),
            (
                " [\"x\", [], 1]",
                FailureKind::InvalidValue,
                "it is an array, and should be an object",
            ),
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
            let failure = parse::<Toy>(body.as_bytes()).unwrap_err();
            assert_eq!(failure.kind(), kind, "{body}: {}", failure.detail());
            assert!(failure.detail().contains(says), "{body}: {}", failure.detail());
        }
    }

    #[test]
    fn invalid_utf8_and_deep_nesting_are_refused() {
        let deep = "[".repeat(10_000);
        for body in [&b"{\"name\": \"\xff\"}"[..], deep.as_bytes()] {
            assert!(parse::<Toy>(body).is_err());
        }
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read to see what serde says")]
    struct Open {
        name: Option<Name>,
        #[serde(default)]
        parts: Vec<OpenPart>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read to see what serde says")]
    struct OpenPart {
        size: Option<i64>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(try_from = "String")]
    struct Name;

    impl TryFrom<String> for Name {
        type Error = &'static str;

        fn try_from(name: String) -> Result<Self, Self::Error> {
            if name.is_empty() { Err("nothing has no name") } else { Ok(Self) }
        }
    }

    #[test]
    fn what_a_type_would_pass_over_is_refused_by_its_name() {
        assert!(parse_whole::<Open>(br#"{"name": "x", "parts": [{"size": 1}, {}]}"#).is_ok());
        for (body, says) in [
            (r#"{"colour": 1}"#, "colour is no field"),
            (
                r#"{"parts": [{}, {"size": 1, "gr\u00f6\u00dfe": {}}]}"#,
                "parts[1].größe is no field",
            ),
            (r#"{"parts": [{"size": "x"}], "colour": 1}"#, "parts[0].size has an invalid type"),
            (r#"{"name": ""}"#, "name is refused: nothing has no name"),
            (r#"{"colour": 1} x"#, "The body is no JSON: trailing characters"),
        ] {
            let failure = parse_whole::<Open>(body.as_bytes()).unwrap_err();
            assert!(failure.detail().starts_with(says), "{body}: {}", failure.detail());
        }
        assert!(parse::<Open>(br#"{"colour": 1}"#).is_ok(), "unless it is asked to pass it over");
    }
}
