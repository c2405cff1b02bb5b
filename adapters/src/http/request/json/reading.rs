//! Reads a type from a tree, and says where it could not.

use std::cell::RefCell;

use serde::{
    Deserializer,
    de::{
        DeserializeSeed, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess,
        Unexpected, VariantAccess, Visitor, value::StrDeserializer,
    },
};

use super::{
    node::{Node, Step},
    problem::{Problem, What},
    stand_in::StandIn,
};

/// A value of the tree as a type reads it.
#[derive(Clone, Copy)]
pub(super) struct Reading<'t> {
    pub(super) node: &'t Node,
    pub(super) place: Place<'t>,
    /// Where the fields are that the type has passed over.
    pub(super) passed_over: &'t RefCell<Vec<Vec<Step>>>,
}

/// Where a value is, from the innermost step to the first.
#[derive(Clone, Copy)]
pub(super) enum Place<'t> {
    Root,
    In(&'t Place<'t>, Step),
}

impl Place<'_> {
    pub(super) fn path(&self) -> Vec<Step> {
        match self {
            Self::Root => Vec::new(),
            Self::In(outer, step) => {
                let mut path = outer.path();
                path.push(*step);
                path
            }
        }
    }
}

/// Has a value read that is one `step` further in.
fn seeded<'de, S: DeserializeSeed<'de>>(
    within: Reading<'_>,
    node: &Node,
    step: Step,
    seed: S,
) -> Result<S::Value, Problem> {
    let place = Place::In(&within.place, step);
    seed.deserialize(Reading { node, place, passed_over: within.passed_over })
        .map_err(|problem| problem.at(|| place.path()))
}

/// The methods by which a stand-in must know what is asked for, while a value says it itself.
macro_rules! as_it_is {
    ($($method:ident($($argument:ident: $type:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, Problem> {
            match self.node {
                Node::StandIn(tries) => StandIn::new(*tries).$method($($argument,)* visitor),
                _ => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Reading<'_> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.node {
            Node::Null | Node::Skipped | Node::Gone => visitor.visit_unit(),
            Node::Bool(value) => visitor.visit_bool(*value),
            Node::Number(number) => {
                if let Some(number) = number.as_u64() {
                    visitor.visit_u64(number)
                } else if let Some(number) = number.as_i64() {
                    visitor.visit_i64(number)
                } else {
                    visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN))
                }
            }
            Node::Text(text) => visitor.visit_str(text),
            Node::Array(items) => {
                let mut access = Items { within: self, all: items, next: 0 };
                let value = visitor.visit_seq(&mut access)?;
                if items[access.next..].iter().all(|item| *item == Node::Skipped) {
                    Ok(value)
                } else {
                    Err(Problem::invalid_length(items.len(), &"a shorter array"))
                }
            }
            Node::Object(members) => {
                let mut access = Members { within: self, all: members, next: 0 };
                let read = visitor.visit_map(&mut access);
                let current = access.next.checked_sub(1);
                read.map_err(|problem| match (&problem.what, current) {
                    // The type has seen the name of a member, and refuses it.
                    (What::Unknown(_) | What::Twice, Some(member)) => {
                        problem.at(|| Place::In(&self.place, Step::Member(member)).path())
                    }
                    _ => problem,
                })
            }
            Node::StandIn(tries) => StandIn::new(*tries).deserialize_any(visitor),
        }
    }

    as_it_is! {
        deserialize_bool()
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64()
        deserialize_char() deserialize_str() deserialize_string()
        deserialize_bytes() deserialize_byte_buf()
        deserialize_unit() deserialize_unit_struct(name: &'static str)
        deserialize_seq() deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_map()
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_identifier()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.node {
            Node::Null | Node::StandIn(_) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        if name.starts_with("$serde_json") {
            let json = self.node.to_json();
            return json
                .deserialize_newtype_struct(name, visitor)
                .map_err(|error| Problem::custom(error.to_string()));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        match self.node {
            Node::Text(variant) => {
                let variant: StrDeserializer<'_, Problem> = variant.as_str().into_deserializer();
                visitor.visit_enum(variant)
            }
            Node::Object(members) => match members.as_slice() {
                [(variant, value)] => {
                    visitor.visit_enum(Variant { within: self, name: variant, value })
                }
                _ => Err(Problem::none_of(variants, &Unexpected::Map)),
            },
            Node::StandIn(tries) => StandIn::new(*tries).deserialize_enum(name, variants, visitor),
            Node::Array(_) => Err(Problem::none_of(variants, &Unexpected::Seq)),
            Node::Bool(value) => Err(Problem::none_of(variants, &Unexpected::Bool(*value))),
            Node::Number(number) => {
                let number = number.as_f64().unwrap_or(f64::NAN);
                Err(Problem::none_of(variants, &Unexpected::Float(number)))
            }
            Node::Null | Node::Skipped | Node::Gone => {
                Err(Problem::none_of(variants, &Unexpected::Unit))
            }
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.passed_over.borrow_mut().push(self.place.path());
        visitor.visit_unit()
    }
}

struct Items<'t> {
    within: Reading<'t>,
    all: &'t [Node],
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Problem;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Problem> {
        while let Some(item) = self.all.get(self.next) {
            self.next += 1;
            if *item != Node::Skipped {
                return seeded(self.within, item, Step::Item(self.next - 1), seed).map(Some);
            }
        }
        Ok(None)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.all.len() - self.next)
    }
}

struct Members<'t> {
    within: Reading<'t>,
    all: &'t [(String, Node)],
    next: usize,
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Problem;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Problem> {
        while let Some((name, value)) = self.all.get(self.next) {
            self.next += 1;
            if *value != Node::Gone {
                return seed.deserialize(Key(name)).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Problem> {
        let member = self.next.saturating_sub(1);
        match self.all.get(member) {
            Some((_, value)) => seeded(self.within, value, Step::Member(member), seed),
            None => Err(Problem::custom("a value was asked for before its name")),
        }
    }
}

/// The name of a member, which is a number where a map has numbers as keys.
struct Key<'t>(&'t str);

macro_rules! number_keys {
    ($($method:ident $visit:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
            match self.0.parse() {
                Ok(number) => visitor.$visit(number),
                Err(_) => visitor.visit_str(self.0),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Key<'_> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_str(self.0)
    }

    number_keys! {
        deserialize_bool visit_bool
        deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32
        deserialize_i64 visit_i64 deserialize_i128 visit_i128
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32
        deserialize_u64 visit_u64 deserialize_u128 visit_u128
        deserialize_f32 visit_f32 deserialize_f64 visit_f64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let name: StrDeserializer<'_, Problem> = self.0.into_deserializer();
        visitor.visit_enum(name)
    }

    serde::forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

/// An object of one member, as one of several forms.
struct Variant<'t> {
    within: Reading<'t>,
    name: &'t str,
    value: &'t Node,
}

impl<'t, 'de> EnumAccess<'de> for Variant<'t> {
    type Error = Problem;
    type Variant = Content<'t>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Content<'t>), Problem> {
        let variant = seed.deserialize(Key(self.name))?;
        Ok((variant, Content { within: self.within, value: self.value }))
    }
}

/// What one of several forms holds.
struct Content<'t> {
    within: Reading<'t>,
    value: &'t Node,
}

impl Content<'_> {
    fn read<T>(self, read: impl FnOnce(Reading<'_>) -> Result<T, Problem>) -> Result<T, Problem> {
        let Reading { ref place, passed_over, .. } = self.within;
        let place = Place::In(place, Step::Member(0));
        read(Reading { node: self.value, place, passed_over })
            .map_err(|problem| problem.at(|| place.path()))
    }
}

impl<'de> VariantAccess<'de> for Content<'_> {
    type Error = Problem;

    fn unit_variant(self) -> Result<(), Problem> {
        self.read(|value| match value.node {
            Node::Null | Node::StandIn(_) => Ok(()),
            _ => Err(Problem::custom("must be null")),
        })
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Problem> {
        self.read(|value| seed.deserialize(value))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Problem> {
        self.read(|value| value.deserialize_tuple(len, visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.read(|value| value.deserialize_struct("", fields, visitor))
    }
}
