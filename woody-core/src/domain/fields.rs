//! The fields of one flat JSON object, kept as they were written.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use time::OffsetDateTime;

use super::OrderId;

/// The names of the fields that every order has.
pub(super) const RESERVED: [&str; 5] =
    ["order_id", "accepted_at", "status", "reason", "finished_at"];

/// A message taken apart: the order's own fields, and the text of all others.
pub(super) struct Flat {
    pub(super) order_id: OrderId,
    pub(super) accepted_at: Option<OffsetDateTime>,
    pub(super) details: String,
}

#[derive(Deserialize)]
struct Stamp(#[serde(with = "time::serde::rfc3339::option")] Option<OffsetDateTime>);

impl<'de> Deserialize<'de> for Flat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FlatVisitor)
    }
}

struct FlatVisitor;

impl<'de> Visitor<'de> for FlatVisitor {
    type Value = Flat;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an order as a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Flat, A::Error> {
        let (mut order_id, mut accepted_at) = (None, None);
        let mut details = String::from("{");
        while let Some(Key(key)) = map.next_key()? {
            match &*key {
                "order_id" if order_id.is_some() => {
                    return Err(A::Error::duplicate_field("order_id"));
                }
                "order_id" => order_id = Some(map.next_value()?),
                "accepted_at" if accepted_at.is_some() => {
                    return Err(A::Error::duplicate_field("accepted_at"));
                }
                "accepted_at" => accepted_at = Some(map.next_value::<Stamp>()?.0),
                // Such a field is not one of the order's details.
                name if RESERVED.contains(&name) => {
                    map.next_value::<serde::de::IgnoredAny>()?;
                }
                name => {
                    let value: &RawValue = map.next_value()?;
                    if details.len() > 1 {
                        details.push(',');
                    }
                    push_key(&mut details, name);
                    details.push_str(value.get());
                }
            }
        }
        details.push('}');
        let order_id = order_id.ok_or_else(|| A::Error::missing_field("order_id"))?;
        Ok(Flat { order_id, accepted_at: accepted_at.flatten(), details })
    }
}

/// A field's name, borrowed where nothing in it is escaped.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(name)))
    }

    fn visit_str<E>(self, name: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(name.to_owned())))
    }
}

fn push_key(text: &mut String, name: &str) {
    if name.bytes().all(|b| b >= b' ' && b != b'"' && b != b'\\') {
        text.push('"');
        text.push_str(name);
        text.push('"');
    } else {
        // A string: writing it cannot fail.
        text.push_str(&serde_json::to_string(name).unwrap_or_default());
    }
    text.push(':');
}

/// Returns the first reserved name among the fields of the object that `text` is.
pub(super) fn reserved_name(text: &str) -> serde_json::Result<Option<&'static str>> {
    struct Names(Option<&'static str>);
    impl<'de> Deserialize<'de> for Names {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(NamesVisitor)
        }
    }
    struct NamesVisitor;
    impl<'de> Visitor<'de> for NamesVisitor {
        type Value = Names;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
            let mut reserved = None;
            while let Some(Key(key)) = map.next_key()? {
                map.next_value::<serde::de::IgnoredAny>()?;
                let clash = RESERVED.into_iter().find(|name| *name == &*key);
                reserved = reserved.or(clash);
            }
            Ok(Names(reserved))
        }
    }
    serde_json::from_str(text).map(|Names(reserved)| reserved)
}
