use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::{
    HeaderMap,
    body::{Body as _, Incoming},
    header::CONTENT_TYPE,
};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::{failure::Failure, problem::Kind, query::quoted};

/// How much a client may send, and how slowly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimits {
    /// The largest body that is read, in bytes.
    pub max_bytes: usize,
    /// How long all of it may take to arrive.
    pub patience: Duration,
}

impl Default for BodyLimits {
    /// 64 KiB, ten seconds.
    fn default() -> Self {
        Self { max_bytes: 64 * 1024, patience: Duration::from_secs(10) }
    }
}

/// A request's body, not read yet.
#[derive(Debug)]
pub struct Input {
    incoming: Incoming,
    limits: BodyLimits,
}

impl Input {
    /// The body `incoming`, to be read within `limits`.
    pub fn new(incoming: Incoming, limits: BodyLimits) -> Self {
        Self { incoming, limits }
    }

    /// Reads it whole.
    ///
    /// # Errors
    /// A [`Failure`] when it is too large, too slow, or breaks off.
    pub async fn read(mut self) -> Result<Bytes, Failure> {
        let BodyLimits { max_bytes, patience } = self.limits;
        let too_large = || {
            Failure::new(
                Kind::BodyTooLarge,
                format!("The body may have {max_bytes} bytes at most."),
            )
        };
        if self.incoming.size_hint().lower() > max_bytes as u64 {
            return Err(too_large());
        }
        let arrive = async {
            let mut whole = BytesMut::new();
            while let Some(frame) = self.incoming.frame().await {
                let frame =
                    frame.map_err(|_| Failure::new(Kind::BrokenBody, "The body broke off."))?;
                let Ok(data) = frame.into_data() else { continue };
                if whole.len() + data.len() > max_bytes {
                    return Err(too_large());
                }
                whole.extend_from_slice(&data);
            }
            Ok(whole.freeze())
        };
        tokio::time::timeout(patience, arrive).await.unwrap_or_else(|_elapsed| {
            Err(Failure::new(
                Kind::SlowBody,
                format!("The body did not arrive within {patience:?}."),
            ))
        })
    }

    /// Reads it as JSON.
    ///
    /// # Errors
    /// A [`Failure`] as [`read`](Self::read) gives, when `headers` say that it
    /// is something else, or when it is no `T`: that one names the field.
    pub async fn json<T: DeserializeOwned>(self, headers: &HeaderMap) -> Result<T, Failure> {
        require_json(headers)?;
        parse_json(&self.read().await?)
    }
}

fn require_json(headers: &HeaderMap) -> Result<(), Failure> {
    let unsupported = |found: &str| {
        let detail = format!("Send application/json, not {found}.");
        Err(Failure::new(Kind::UnsupportedMediaType, detail))
    };
    let Some(given) = headers.get(CONTENT_TYPE) else {
        return unsupported("a body without Content-Type");
    };
    let given = given.to_str().unwrap_or("something unreadable");
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        unsupported(&quoted(essence))
    }
}

fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Failure::new(Kind::MalformedJson, "The body is empty, and should be JSON."));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        failure(&path, error.inner())
    })?;
    json.end().map_err(|error| failure(".", &error))?;
    Ok(value)
}

/// Tells a syntax error by its place, and a wrong value by its field.
fn failure(path: &str, error: &serde_json::Error) -> Failure {
    let said = error.to_string();
    // serde_json puts the place at the end.
    let place = format!(" at line {} column {}", error.line(), error.column());
    let problem = said.strip_suffix(&place).unwrap_or(&said);
    if error.classify() != Category::Data {
        let detail = format!(
            "The body is no JSON: {problem} at line {}, column {}.",
            error.line(),
            error.column()
        );
        return Failure::new(Kind::MalformedJson, detail);
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
            Failure::field(Kind::InvalidValue, field, told)
        }
        None if parent.is_empty() => Failure::new(
            Kind::InvalidValue,
            format!("The body is not as expected: {}.", short(problem)),
        ),
        None => {
            Failure::field(Kind::InvalidValue, short(parent), format!("has an {}", short(problem)))
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
    fn what_is_wrong_is_told_with_its_place() {
        for (body, kind, says) in [
            ("", Kind::MalformedJson, "The body is empty"),
            ("{\n  \"name\": }", Kind::MalformedJson, "expected value at line 2, column 11"),
            (
                "{\"name\": \"x\"} {}",
                Kind::MalformedJson,
                "trailing characters at line 1, column 15",
            ),
            ("{\"name\": \"x\"", Kind::MalformedJson, "EOF while parsing"),
            ("[]", Kind::InvalidValue, "The body is not as expected: invalid length 0"),
            ("7", Kind::InvalidValue, "The body is not as expected: invalid type: integer `7`"),
            ("{}", Kind::InvalidValue, "name is missing"),
            (
                "{\"name\": 7}",
                Kind::InvalidValue,
                "name has an invalid type: integer `7`, expected a string",
            ),
            ("{\"name\": \"x\", \"name\": \"y\"}", Kind::InvalidValue, "name stands twice"),
            (
                "{\"name\": \"x\", \"colour\": 1}",
                Kind::InvalidValue,
                "colour is no field, expected one of",
            ),
            (
                "{\"name\": \"x\", \"quantity\": 1.5}",
                Kind::InvalidValue,
                "quantity has an invalid type: floating point",
            ),
            (
                "{\"name\": \"x\", \"parts\": [{\"width_mm\": 1}, {\"width_mm\": \"2\"}]}",
                Kind::InvalidValue,
                "parts[1].width_mm has an invalid type",
            ),
            (
                "{\"name\": \"x\", \"parts\": [{}]}",
                Kind::InvalidValue,
                "parts[0].width_mm is missing",
            ),
            (
                "{\"name\": \"x\", \"parts\": [{\"width_mm\": 1, \"x\": 1}]}",
                Kind::InvalidValue,
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
