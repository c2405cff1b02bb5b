//! What a type says against a value, as a sentence without Rust's words.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use super::node::Step;
use crate::http::request::query::quoted;

/// Why a type does not read a body.
#[derive(Debug)]
pub(super) struct Problem {
    /// Where; `None` until it is known.
    pub(super) path: Option<Vec<Step>>,
    pub(super) what: What,
}

/// What is wrong.
#[derive(Debug)]
pub(super) enum What {
    /// The value is of another kind, or out of bounds.
    Wrong(String),
    /// An array has too few or too many items.
    Length(String),
    /// The type has refused the value with words of its own.
    Refused(String),
    /// A field is missing.
    Missing(&'static str),
    /// There is no such field.
    Unknown(String),
    /// A field stands twice.
    Twice,
}

impl Problem {
    fn of(what: What) -> Self {
        Self { path: None, what }
    }

    /// A value that is none of `variants`.
    pub(super) fn none_of(variants: &[&str], found: &Unexpected<'_>) -> Self {
        let found = match found {
            Unexpected::Str(text) => quoted(text),
            other => self::found(other),
        };
        Self::of(What::Wrong(format!("must be one of {}, not {found}", listed(variants, true))))
    }

    /// The same problem, which is at `path` unless that is known better.
    pub(super) fn at(mut self, path: impl FnOnce() -> Vec<Step>) -> Self {
        self.path.get_or_insert_with(path);
        self
    }
}

impl What {
    /// Returns the rest of a sentence that begins with the field.
    pub(super) fn sentence(&self) -> String {
        match self {
            Self::Wrong(problem) | Self::Length(problem) => problem.clone(),
            Self::Refused(said) => refused(said),
            Self::Missing(_) => "is missing".to_owned(),
            Self::Unknown(known) => format!("is no field{known}"),
            Self::Twice => "stands twice".to_owned(),
        }
    }
}

/// What a type has said itself: a sentence already if it begins like one.
fn refused(said: &str) -> String {
    if ["must ", "may ", "is ", "has ", "cannot "].iter().any(|verb| said.starts_with(verb)) {
        said.to_owned()
    } else if said.starts_with("data did not match any variant") {
        "is in none of the forms that it may have".to_owned()
    } else if said.is_empty()
        || said.starts_with("invalid type: ")
        || said.starts_with("invalid value: ")
    {
        // What serde says of values within: in Rust's words.
        "is refused".to_owned()
    } else {
        format!("is refused: {said}")
    }
}

impl de::Error for Problem {
    fn custom<T: fmt::Display>(said: T) -> Self {
        Self::of(What::Refused(said.to_string()))
    }

    fn invalid_type(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        let found = self::found(&found);
        Self::of(What::Wrong(match self::wanted(&wanted.to_string()) {
            Some(wanted) => format!("must be {wanted}, not {found}"),
            None => format!("cannot be {found}"),
        }))
    }

    fn invalid_value(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        match found {
            Unexpected::Str(text) => {
                let found = quoted(text);
                Self::of(What::Wrong(match self::wanted(&wanted.to_string()) {
                    Some(wanted) => format!("must be {wanted}, not {found}"),
                    None => format!("cannot be {found}"),
                }))
            }
            found => Self::invalid_type(found, wanted),
        }
    }

    fn invalid_length(count: usize, wanted: &dyn Expected) -> Self {
        let wanted = self::wanted(&wanted.to_string());
        let items = if count == 1 { "item" } else { "items" };
        Self::of(What::Length(match wanted {
            Some(wanted) => format!("must be {wanted}, not one of {count} {items}"),
            None => format!("cannot have {count} {items}"),
        }))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::none_of(expected, &Unexpected::Str(variant))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        let known = match expected {
            [] => String::new(),
            [one] => format!("; there is {one}"),
            several => format!("; there are {}", listed(several, false)),
        };
        Self::of(What::Unknown(known))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::of(What::Missing(field))
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self::of(What::Twice)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what.sentence())
    }
}

impl std::error::Error for Problem {}

fn listed(names: &[&str], in_quotes: bool) -> String {
    let names =
        names.iter().map(|name| if in_quotes { format!("{name:?}") } else { (*name).to_owned() });
    names.collect::<Vec<_>>().join(", ")
}

/// What was found, in JSON's words.
fn found(unexpected: &Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Unsigned(number) => number.to_string(),
        Unexpected::Signed(number) => number.to_string(),
        Unexpected::Float(number) => number.to_string(),
        Unexpected::Char(_) | Unexpected::Str(_) | Unexpected::UnitVariant => "a string".to_owned(),
        Unexpected::Bytes(_) | Unexpected::Seq | Unexpected::TupleVariant => "an array".to_owned(),
        Unexpected::Unit | Unexpected::Option => "null".to_owned(),
        Unexpected::Map | Unexpected::StructVariant | Unexpected::NewtypeVariant => {
            "an object".to_owned()
        }
        Unexpected::NewtypeStruct | Unexpected::Enum | Unexpected::Other(_) => {
            "what it is".to_owned()
        }
    }
}

/// What a type wants, in JSON's words, by what it says in Rust's; `None` where that says nothing to a client.
fn wanted(expected: &str) -> Option<String> {
    let between = |least: &str, most: &str| Some(format!("a whole number from {least} to {most}"));
    let words = match expected {
        "u8" => return between("0", "255"),
        "u16" => return between("0", "65,535"),
        "u32" => return between("0", "4,294,967,295"),
        "i8" => return between("-128", "127"),
        "i16" => return between("-32,768", "32,767"),
        "i32" => return between("-2,147,483,648", "2,147,483,647"),
        "u64" | "u128" | "usize" => "a whole number, 0 or more",
        "i64" | "i128" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a string" | "string" | "a borrowed string" | "str" => "a string",
        "a boolean" => "true or false",
        "a character" => "one character",
        "a sequence" | "sequence" | "byte array" => "an array",
        "a map" | "map" => "an object",
        "unit" => "null",
        _ => "",
    };
    if !words.is_empty() {
        return Some(words.to_owned());
    }
    if expected.starts_with("a nonzero ") {
        return Some("a whole number other than 0".to_owned());
    }
    let length = ["a tuple of size ", "an array of length "];
    if let Some(length) = length.iter().find_map(|said| expected.strip_prefix(said)) {
        return Some(format!("an array of {length} items"));
    }
    let first = expected.split(' ').next().unwrap_or_default();
    match first {
        "struct" => Some("an object".to_owned()),
        "tuple" => Some("an array".to_owned()),
        // A sentence that the type's author wrote, unless it names a type.
        "a" | "an" if !expected.contains(['`', '<', '_']) && !expected.contains("::") => {
            Some(expected.to_owned())
        }
        _ => None,
    }
}
