//! A body as a tree in which what was wrong can be replaced.

use std::fmt::{self, Write as _};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::Number;

/// A value of a body.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Array(Vec<Node>),
    /// Its members in their order, doubled ones too.
    Object(Vec<(String, Node)>),
    /// Stands for a value that was wrong or missing: it is read as whatever is asked for, and the number
    /// says which try this is.
    StandIn(u8),
    /// An item that is passed over, since nothing could stand in for it.
    Skipped,
    /// A member that should not be there.
    Gone,
}

/// A step from a value to one within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// To the member at this place.
    Member(usize),
    /// To this item.
    Item(usize),
}

impl Node {
    /// Returns the value at the end of `path`, or the stand-in that is met before; and how many steps lead to it.
    pub(super) fn at(&self, path: &[Step]) -> (&Self, usize) {
        let mut node = self;
        for (depth, step) in path.iter().enumerate() {
            node = match (node, *step) {
                (Self::Object(members), Step::Member(n)) if n < members.len() => &members[n].1,
                (Self::Array(items), Step::Item(n)) if n < items.len() => &items[n],
                _ => return (node, depth),
            };
        }
        (node, path.len())
    }

    /// Returns the value at the end of `path`, to be replaced.
    pub(super) fn at_mut(&mut self, path: &[Step]) -> Option<&mut Self> {
        path.iter().try_fold(self, |node, step| match (node, *step) {
            (Self::Object(members), Step::Member(n)) => members.get_mut(n).map(|(_, value)| value),
            (Self::Array(items), Step::Item(n)) => items.get_mut(n),
            _ => None,
        })
    }

    /// Returns the name of what is at the end of `path`, as problems write it: `toppings[2].name`.
    pub(super) fn name(&self, path: &[Step]) -> String {
        let mut name = String::new();
        for (depth, step) in path.iter().enumerate() {
            match (self.at(&path[..depth]).0, *step) {
                (Self::Object(members), Step::Member(n)) if n < members.len() => {
                    if !name.is_empty() {
                        name.push('.');
                    }
                    name.push_str(&members[n].0);
                }
                (_, Step::Item(n)) => {
                    // Writing to a String cannot fail.
                    let _ = write!(name, "[{n}]");
                }
                _ => {}
            }
        }
        name
    }

    /// Whether something in it stands for what was wrong.
    pub(super) fn is_made_up(&self) -> bool {
        match self {
            Self::StandIn(_) | Self::Skipped => true,
            Self::Array(items) => items.iter().any(Self::is_made_up),
            Self::Object(members) => members.iter().any(|(_, value)| value.is_made_up()),
            _ => false,
        }
    }

    /// Returns the same as serde_json has it, for types that it alone can read.
    pub(super) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(number) => Value::Number(number.clone()),
            Self::Text(text) => Value::String(text.clone()),
            Self::Array(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Self::Object(members) => {
                let present = members.iter().filter(|(_, value)| *value != Self::Gone);
                present.map(|(name, value)| (name.clone(), value.to_json())).collect()
            }
            Self::Null | Self::StandIn(_) | Self::Skipped | Self::Gone => Value::Null,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNode)
    }
}

struct AnyNode;

impl<'de> Visitor<'de> for AnyNode {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Ok(Number::from_f64(value).map_or(Node::Null, Node::Number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }
}
