//! A body that is a JSON array, and its items as they were written.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::json;
use crate::http::response::{Failure, FailureKind};

/// The items of a body.
#[derive(Debug)]
pub(in crate::http) struct Items<'b> {
    /// The first of them, as many as were asked for.
    pub(in crate::http) first: Vec<&'b RawValue>,
    /// How many there are.
    pub(in crate::http) count: usize,
}

/// Reads an array, and keeps its first items, `most` of them.
///
/// # Errors
/// A [`Failure`] when it is none.
pub(in crate::http) fn items(body: &[u8], most: usize) -> Result<Items<'_>, Failure> {
    json::read(body, "an array", |json| AtMost(most).deserialize(json))
}

struct AtMost(usize);

impl<'de> DeserializeSeed<'de> for AtMost {
    type Value = Items<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Items<'de>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for AtMost {
    type Value = Items<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Items<'de>, A::Error> {
        let mut first = Vec::new();
        while first.len() < self.0 {
            let Some(item) = seq.next_element()? else { break };
            first.push(item);
        }
        let mut count = first.len();
        while seq.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Items { first, count })
    }
}

/// Takes the member `name` out of `item`; returns it and what is left, each as it was written.
/// What is no object has no members.
///
/// # Errors
/// A [`Failure`] when it stands twice, or a name is no text.
pub(in crate::http) fn take_member<'b>(
    item: &'b RawValue,
    name: &'static str,
) -> Result<(Option<&'b RawValue>, Cow<'b, str>), Failure> {
    let text = item.get();
    if !text.starts_with('{') {
        return Ok((None, text.into()));
    }
    let Members(members) =
        json::read(text.as_bytes(), "an object", |json| Members::deserialize(json))?;
    let mut taken = None;
    for (_, value) in members.iter().filter(|(own, _)| own == name) {
        if taken.replace(*value).is_some() {
            return Err(Failure::field(FailureKind::InvalidValue, name, "stands twice"));
        }
    }
    if taken.is_none() {
        return Ok((None, text.into()));
    }
    let mut rest = String::with_capacity(text.len());
    for (own, value) in members.iter().filter(|(own, _)| own != name) {
        rest.push(if rest.is_empty() { '{' } else { ',' });
        rest.push_str(&serde_json::to_string(own).map_err(Failure::internal)?);
        rest.push(':');
        rest.push_str(value.get());
    }
    rest.push_str(if rest.is_empty() { "{}" } else { "}" });
    Ok((taken, rest.into()))
}

/// The members of an object in their order, doubled ones too.
struct Members<'b>(Vec<(Cow<'b, str>, &'b RawValue)>);

#[derive(Deserialize)]
struct Name<'b>(#[serde(borrow)] Cow<'b, str>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some((Name(name), value)) = map.next_entry()? {
            members.push((name, value));
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_kept_as_they_were_written_and_only_counted_past_the_bound() {
        let Items { first, count } = items(br#" [ {"a" : 1e3}, [2], "x" ,null] "#, 3).unwrap();
        let first: Vec<_> = first.into_iter().map(RawValue::get).collect();
        assert_eq!((first, count), (vec![r#"{"a" : 1e3}"#, "[2]", r#""x""#], 4));
        assert_eq!(items(b"[]", 3).unwrap().count, 0);
        for (body, says) in [
            ("", "The body is empty"),
            ("{}", "The body is not as expected: it is an object, and should be an array."),
            ("7", "The body is not as expected: it is a number, and should be an array."),
            ("[1, 2", "The body is no JSON: EOF while parsing a list at line 1, column 5."),
            ("[1, x]", "The body is no JSON: expected value at line 1, column 5."),
            ("[1] 2", "The body is no JSON: trailing characters at line 1, column 5."),
        ] {
            let failure = items(body.as_bytes(), 3).unwrap_err();
            assert!(failure.detail().starts_with(says), "{body}: {}", failure.detail());
        }
    }

    #[test]
    fn a_member_is_taken_out_and_nothing_else_is_changed() {
        let take = |text: &str| {
            let item: &RawValue = serde_json::from_str(text).unwrap();
            let (taken, rest) = take_member(item, "key").map_err(|f| f.detail().to_owned())?;
            Ok::<_, String>((taken.map(|value| value.get().to_owned()), rest.into_owned()))
        };
        for (text, taken, rest) in [
            (r#"{"a": 1}"#, None, r#"{"a": 1}"#),
            ("[]", None, "[]"),
            (r#"{"key": null}"#, Some("null"), "{}"),
            (r#"{"a": 1.50, "key": "x", "a": [ ]}"#, Some(r#""x""#), r#"{"a":1.50,"a":[ ]}"#),
            (r#"{"k\u0065y": 7, "\"": 1e99}"#, Some("7"), r#"{"\"":1e99}"#),
        ] {
            assert_eq!(take(text), Ok((taken.map(str::to_owned), rest.to_owned())), "{text}");
        }
        assert_eq!(take(r#"{"key": 1, "key": 1}"#), Err("key stands twice".to_owned()));
        assert!(take(r#"{"\ud800": 1}"#).is_err());
    }
}
