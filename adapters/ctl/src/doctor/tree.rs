//! YAML as a tree that knows its lines. JSON is YAML, so it serves for
//! RabbitMQ's definitions too.

use std::path::Path;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{Spanned, UserMessageFormatter};

use super::{files::Unreadable, lines::At};

/// A value and the line on which it is written: where its anchor stands, if it
/// came by an alias or a merge.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A scalar: its text, and what it is without being asked for more.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scalar {
    pub(super) text: String,
    pub(super) kind: ScalarKind,
}

/// What YAML takes a scalar for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ScalarKind {
    Text,
    Number,
    Boolean,
    /// A text in which variables were filled in: `docker stack deploy` makes of it
    /// what its key asks for.
    FilledIn {
        /// As it is written.
        written: String,
    },
}

/// A key of a map, the line it stands on, and its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) node: Node,
}

impl Node {
    /// Reads the text of `file`.
    pub(super) fn parse(file: &Path, text: &str) -> Result<Self, Unreadable> {
        // `off` stays a word, as it does for Docker: it may be the value of a setting.
        // `0400` is octal, as it is for Docker.
        let options = serde_saphyr::options! { strict_booleans: true, legacy_octal_numbers: true };
        serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let error = error.without_snippet();
            let line = error.location().map(|at| to_line(at.line()));
            let what = error.render_with_formatter(&UserMessageFormatter);
            // It ends with the place, which stands in front here.
            let what = what.rsplit_once(" at line ").map_or(what.as_str(), |(what, _)| what);
            Unreadable::new(file, line, what)
        })
    }

    /// The entry of a map, if this is one and has it.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The text of a key.
    pub(super) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// The entries of a map; of anything else none.
    pub(super) fn entries(&self) -> &[Entry] {
        if let Value::Map(entries) = &self.value { entries } else { &[] }
    }

    /// The items of a list; of anything else none.
    pub(super) fn items(&self) -> &[Self] {
        if let Value::List(items) = &self.value { items } else { &[] }
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        self.scalar().map(|scalar| scalar.text.as_str())
    }

    /// The scalar, if it is one.
    pub(super) fn scalar(&self) -> Option<&Scalar> {
        if let Value::Scalar(scalar) = &self.value { Some(scalar) } else { None }
    }

    /// What is at the end of a path of keys.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The text at the end of a path of keys.
    pub(super) fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.text()
    }

    /// The text of a key, and the line it stands on.
    pub(super) fn marked(&self, path: &[&str]) -> Option<At<String>> {
        let node = self.at(path)?;
        Some(At { value: node.text()?.to_owned(), line: node.line })
    }

    /// The items of a list, or the one scalar that stands for a list of one.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.text().into_iter().chain(self.items().iter().filter_map(Self::text))
    }

    /// Whether a key is true, as Docker reads what it has filled in.
    pub(super) fn is_true(&self, key: &str) -> bool {
        let is_yes =
            |text: &str| ["true", "yes", "on", "y"].iter().any(|y| text.eq_ignore_ascii_case(y));
        self.text_of(key).is_some_and(is_yes)
    }

    /// Changes every text below and at this node.
    pub(super) fn fill_in<E>(
        &mut self,
        fill: &mut impl FnMut(usize, &str) -> Result<String, E>,
    ) -> Result<(), E> {
        match &mut self.value {
            Value::Null => Ok(()),
            Value::Scalar(Scalar { text, kind }) => {
                let filled = fill(self.line, text)?;
                if filled != *text {
                    *kind = ScalarKind::FilledIn { written: std::mem::replace(text, filled) };
                }
                Ok(())
            }
            Value::List(items) => items.iter_mut().try_for_each(|item| item.fill_in(fill)),
            Value::Map(entries) => entries.iter_mut().try_for_each(|e| e.node.fill_in(fill)),
        }
    }

    /// Adds to the number of every line below and at this node.
    pub(super) fn move_down(&mut self, lines: usize) {
        self.line += lines;
        match &mut self.value {
            Value::Null | Value::Scalar(_) => {}
            Value::List(items) => items.iter_mut().for_each(|item| item.move_down(lines)),
            Value::Map(entries) => {
                for entry in entries {
                    entry.line += lines;
                    entry.node.move_down(lines);
                }
            }
        }
    }
}

fn to_line(line: u64) -> usize {
    usize::try_from(line).unwrap_or(usize::MAX)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self { line: to_line(spanned.defined.line()), value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

fn scalar(text: String, kind: ScalarKind) -> Value {
    Value::Scalar(Scalar { text, kind })
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a scalar, a list or a map")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(scalar(value.to_string(), ScalarKind::Boolean))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(scalar(value.to_string(), ScalarKind::Number))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(scalar(value.to_string(), ScalarKind::Number))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(scalar(value.to_string(), ScalarKind::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(scalar(value.to_owned(), ScalarKind::Text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, node)) = map.next_entry::<Spanned<String>, Node>()? {
            entries.push(Entry { key: key.value, line: to_line(key.defined.line()), node });
        }
        Ok(Value::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Node, Unreadable> {
        Node::parse(Path::new("a.yml"), text)
    }

    #[test]
    fn what_comes_by_an_alias_or_a_merge_stands_at_its_anchor() {
        let text =
            "base: &base\n  one: 1\n  two: &two 2\nuser:\n  <<: *base\n  one: own\n  again: *two\n";
        let tree = parse(text).unwrap();
        let user = tree.get("user").unwrap();
        let found: Vec<_> =
            user.entries().iter().map(|e| (&*e.key, e.node.text(), e.node.line)).collect();
        assert_eq!(
            found,
            [("one", Some("own"), 6), ("again", Some("2"), 3), ("two", Some("2"), 3)]
        );
    }

    #[test]
    fn json_is_read_as_it_is() {
        let tree = parse("{\n\t\"a\": [true, null, -1, \"\\u00e9\\/\"],\n\t\"b\": {}\n}").unwrap();
        let items: Vec<_> = tree.get("a").unwrap().items().iter().map(Node::text).collect();
        assert_eq!(items, [Some("true"), None, Some("-1"), Some("é/")]);
        assert_eq!(tree.entry("b").map(|entry| entry.line), Some(3));
    }

    #[test]
    fn only_true_and_false_are_booleans() {
        let tree = parse("[on, off, yes, No, y, true, False]").unwrap();
        let items: Vec<_> = tree.items().iter().filter_map(Node::text).collect();
        assert_eq!(items, ["on", "off", "yes", "No", "y", "true", "false"]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, says) in [
            ("a: 1\nb: [1\nc: 2\n", "a.yml:3: "),
            ("a: 1\na: 2\n", "a.yml:2: duplicate mapping key"),
            ("a:\n  - *b\n", "a.yml:2: "),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with(says), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
            assert!(!error.contains(" at line"), "{error}");
        }
    }
}
