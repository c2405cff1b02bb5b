//! What `docker stack deploy` takes for a stack file, and what it refuses.
//!
//! Version 3 of the format, up to 3.13, as docker 28 reads it: an unknown key, a
//! list in place of a map or a number in place of a text is refused before
//! anything is deployed.

mod keys;
mod shape;

use self::shape::{Form, Key, Keys, Shape};
use crate::meant::nearest;

use super::{
    settings::go_duration,
    tree::{Node, Scalar, ScalarKind, Value},
};

/// The newest version of the format, which a file without one has.
const NEWEST: u32 = 13;

/// Something that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The keys that lead there.
    pub(super) path: Vec<String>,
    pub(super) line: usize,
    pub(super) what: What,
}

/// Why it is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// No such version of the format.
    Version { named: String },
    /// No such key, and perhaps one that was meant.
    Unknown { meant: Option<&'static str> },
    /// A key of a later version than the file says it has.
    Later { since: u32, named: u32 },
    /// Something else than what must stand there.
    Form { is: &'static str, must_be: &'static str },
}

impl Refusal {
    /// The service it is about.
    pub(super) fn service(&self) -> Option<&str> {
        match self.path.as_slice() {
            [section, service, ..] if section == "services" => Some(service),
            _ => None,
        }
    }

    /// The path within the service, or within the file.
    pub(super) fn key(&self) -> String {
        let skipped = if self.service().is_some() { 2 } else { 0 };
        self.path.iter().skip(skipped).map(String::as_str).collect::<Vec<_>>().join(".")
    }
}

/// What is refused of a stack file.
pub(super) fn refusals(tree: &Node) -> Vec<Refusal> {
    let mut reader = Reader { version: NEWEST, path: Vec::new(), found: Vec::new() };
    if let Some(node) = tree.get("version") {
        match node.text().map(version) {
            Some(Some(version)) => reader.version = version,
            Some(None) => {
                reader.path.push("version".to_owned());
                let named = node.text().unwrap_or_default().to_owned();
                reader.refuse(node.line, What::Version { named });
                return reader.found;
            }
            None => {}
        }
    }
    reader.node(tree, &keys::FILE);
    reader.found
}

/// The minor version of version 3.
fn version(text: &str) -> Option<u32> {
    let minor = if text == "3" { "0" } else { text.strip_prefix("3.")? };
    minor.parse().ok().filter(|minor| *minor <= NEWEST)
}

struct Reader {
    version: u32,
    path: Vec<String>,
    found: Vec<Refusal>,
}

impl Reader {
    fn refuse(&mut self, line: usize, what: What) {
        self.found.push(Refusal { path: self.path.clone(), line, what });
    }

    fn node(&mut self, node: &Node, shape: &Shape) {
        match (&node.value, shape) {
            (Value::Null, Shape { may_be_empty: true, .. }) => {}
            (Value::Scalar(scalar), Shape { scalar: Some(form), .. }) => {
                if !form.takes(scalar) {
                    let (is, must_be) = (kind_of(scalar), form.name());
                    self.refuse(node.line, What::Form { is, must_be });
                }
            }
            (Value::List(items), Shape { list: Some(shape), .. }) => {
                for (i, item) in items.iter().enumerate() {
                    self.path.push(i.to_string());
                    self.node(item, shape);
                    self.path.pop();
                }
            }
            (Value::Map(_), Shape { map: Some(keys), .. }) => self.map(node, *keys),
            (value, shape) => {
                let is = match value {
                    Value::Null => "empty",
                    Value::Scalar(scalar) => kind_of(scalar),
                    Value::List(_) => "a list",
                    Value::Map(_) => "a map",
                };
                self.refuse(node.line, What::Form { is, must_be: shape.name() });
            }
        }
    }

    fn map(&mut self, node: &Node, keys: Keys) {
        for entry in node.entries() {
            self.path.push(entry.key.clone());
            match keys {
                Keys::Named(shape) => self.node(&entry.node, shape),
                Keys::Known { keys, is_open } => {
                    match keys.iter().find(|key| key.name == entry.key) {
                        Some(key) if key.since > self.version => {
                            let named = self.version;
                            self.refuse(entry.line, What::Later { since: key.since, named });
                        }
                        Some(key) => self.node(&entry.node, &key.shape),
                        None if is_open || is_extension(&entry.key, self.path.len()) => {}
                        None => {
                            self.refuse(
                                entry.line,
                                What::Unknown { meant: meant(&entry.key, keys) },
                            );
                        }
                    }
                }
            }
            self.path.pop();
        }
    }
}

/// Keys of the author's own are let be at the top, in services and in what the
/// sections define.
fn is_extension(key: &str, depth: usize) -> bool {
    key.starts_with("x-") && [1, 3].contains(&depth)
}

/// The known key that is nearest, if it is near.
fn meant(key: &str, keys: &'static [Key]) -> Option<&'static str> {
    nearest(key, keys.iter().map(|known| known.name))
}

fn kind_of(scalar: &Scalar) -> &'static str {
    match scalar.kind {
        ScalarKind::Text => "a text",
        ScalarKind::Number => "a number",
        ScalarKind::Boolean => "a boolean",
        ScalarKind::FilledIn { .. } => "a text with variables",
    }
}

impl Form {
    fn takes(self, Scalar { text, kind }: &Scalar) -> bool {
        let (is_filled, is_number) =
            (matches!(kind, ScalarKind::FilledIn { .. }), *kind == ScalarKind::Number);
        let is_text = *kind == ScalarKind::Text || is_filled;
        let is_whole = || text.parse::<i64>().is_ok();
        match self {
            Self::Anything => true,
            Self::Text => is_text,
            Self::TextOrNumber => is_text || is_number,
            Self::Duration => is_text && go_duration(text).is_some(),
            Self::Whole => is_number && is_whole(),
            Self::FilledWhole => (is_number || is_filled) && is_whole(),
            Self::FilledNumber => (is_number || is_filled) && text.parse::<f64>().is_ok(),
            Self::Boolean => *kind == ScalarKind::Boolean,
            Self::FilledBoolean => *kind == ScalarKind::Boolean || (is_filled && is_boolean(text)),
            Self::Port => (is_text || is_number) && is_port(text),
            Self::Order => is_text && ["start-first", "stop-first"].contains(&text.as_str()),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Anything => "a scalar",
            Self::Text => "a text in quotes",
            Self::TextOrNumber => "a text in quotes or a number",
            Self::Duration => "a duration in text, such as 10s",
            Self::Whole | Self::FilledWhole => "a whole number without quotes",
            Self::FilledNumber => "a number without quotes",
            Self::Boolean | Self::FilledBoolean => "true or false without quotes",
            Self::Port => "a port such as 80:8080, at most 65535",
            Self::Order => "start-first or stop-first",
        }
    }
}

impl Shape {
    fn name(&self) -> &'static str {
        match (self.scalar, self.list, self.map) {
            (Some(form), None, None) => form.name(),
            (_, Some(_), None) => "a list",
            (_, None, Some(_)) => "a map",
            (_, Some(_), Some(_)) => "a list or a map",
            (None, None, None) => "nothing",
        }
    }
}

fn is_boolean(text: &str) -> bool {
    let words = ["y", "yes", "true", "on", "n", "no", "false", "off"];
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// `[[IP:]PUBLISHED:]TARGET[/PROTOCOL]`, with ranges.
fn is_port(text: &str) -> bool {
    let (numbers, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let mut parts = numbers.rsplitn(3, ':');
    let is_range = |part: &str| part.split('-').all(|port| port.parse::<u16>().is_ok());
    ["tcp", "udp", "sctp"].iter().any(|known| protocol.eq_ignore_ascii_case(known))
        && parts.next().is_some_and(is_range)
        && parts.next().is_none_or(|published| published.is_empty() || is_range(published))
}

#[cfg(test)]
mod tests;
