//! What stands for a value that was wrong or is missing, so that the rest can still be read.

use serde::{
    Deserializer,
    de::{
        DeserializeSeed, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess,
        VariantAccess, Visitor, value::StrDeserializer,
    },
};

use super::problem::Problem;

/// How deep stand-ins may stand in each other: a type may hold itself.
const DEEPEST: u8 = 8;

/// Is read as whatever is asked for. What it is differs from try to try, since a type may refuse one.
#[derive(Debug, Clone, Copy)]
pub(super) struct StandIn {
    tries: u8,
    depth: u8,
}

/// Texts that one type or another takes: any, a number, a time, a UUID.
const TEXTS: [&str; StandIn::TRIES as usize] =
    ["x", "1", "2000-01-01T00:00:00Z", "00000000-0000-4000-8000-000000000000"];

impl StandIn {
    /// How many there are.
    pub(super) const TRIES: u8 = 4;

    pub(super) fn new(tries: u8) -> Self {
        Self { tries: tries.min(Self::TRIES - 1), depth: 0 }
    }

    fn text(self) -> &'static str {
        TEXTS[usize::from(self.tries)]
    }

    fn number(self) -> u8 {
        [1, 0, 10, 100][usize::from(self.tries)]
    }

    fn deeper(self) -> Result<Self, Problem> {
        if self.depth == DEEPEST {
            return Err(Problem::custom("is too deep"));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
            visitor.$visit(self.number().into())
        }
    )*};
}

impl<'de> Deserializer<'de> for StandIn {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.tries {
            0 => visitor.visit_borrowed_str(self.text()),
            1 => visitor.visit_u64(1),
            2 => visitor.visit_map(Within { one: self.deeper()?, names: &[], left: 0 }),
            _ => visitor.visit_unit(),
        }
    }

    numbers! {
        deserialize_f32 visit_f32 deserialize_f64 visit_f64
        deserialize_i16 visit_i16 deserialize_i32 visit_i32
        deserialize_i64 visit_i64 deserialize_i128 visit_i128
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32
        deserialize_u64 visit_u64 deserialize_u128 visit_u128
    }

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_u8(self.number())
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_bool(self.tries == 1)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_char(if self.tries == 0 { 'x' } else { '1' })
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_borrowed_str(self.text())
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_borrowed_str(self.text())
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_borrowed_bytes(self.text().as_bytes())
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_borrowed_bytes(self.text().as_bytes())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_none()
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self.deeper()?)
    }

    /// Nothing first, then some items: a type may want them. Within others there are none, or they would become many.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_tuple(if self.depth == 0 { self.tries.into() } else { 0 }, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_seq(Within { one: self.deeper()?, names: &[], left: len })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_map(Within { one: self.deeper()?, names: &[], left: 0 })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_map(Within { one: self.deeper()?, names: fields, left: 0 })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let last = variants.len().saturating_sub(1);
        match variants.get(usize::from(self.tries).min(last)) {
            Some(variant) => visitor.visit_enum(Form { variant, content: self.deeper()? }),
            None => Err(Problem::custom("has no form")),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_borrowed_str(self.text())
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }
}

/// Stand-ins in an array or an object.
struct Within {
    one: StandIn,
    names: &'static [&'static str],
    left: usize,
}

impl<'de> SeqAccess<'de> for Within {
    type Error = Problem;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Problem> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(self.one).map(Some)
    }
}

impl<'de> MapAccess<'de> for Within {
    type Error = Problem;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Problem> {
        let Some((name, rest)) = self.names.split_first() else { return Ok(None) };
        self.names = rest;
        let name: StrDeserializer<'_, Problem> = (*name).into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Problem> {
        seed.deserialize(self.one)
    }
}

/// One of the forms that a value may have.
struct Form {
    variant: &'static str,
    content: StandIn,
}

impl<'de> EnumAccess<'de> for Form {
    type Error = Problem;
    type Variant = StandIn;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, StandIn), Problem> {
        let variant: StrDeserializer<'_, Problem> = self.variant.into_deserializer();
        Ok((seed.deserialize(variant)?, self.content))
    }
}

impl<'de> VariantAccess<'de> for StandIn {
    type Error = Problem;

    fn unit_variant(self) -> Result<(), Problem> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Problem> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.deserialize_struct("", fields, visitor)
    }
}
