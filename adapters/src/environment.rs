//! What an operator calls a deployment, so that nobody takes one for another.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// The name of an environment, and the colour in which pages show it.
///
/// It is written `NAME` or `NAME:COLOUR`, such as `production:red`.
///
/// ```
/// use woody_adapters::environment::{Colour, Environment};
///
/// let environment: Environment = "production:red".parse()?;
/// assert_eq!((environment.name(), environment.colour()), ("production", Colour::Red));
/// # Ok::<(), woody_adapters::environment::NoEnvironment>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    name: String,
    colour: Colour,
}

/// A colour that an environment can have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Colour {
    /// As no other says anything.
    #[default]
    Grey,
    /// Red.
    Red,
    /// Orange.
    Orange,
    /// Green.
    Green,
    /// Blue.
    Blue,
    /// Purple.
    Purple,
}

/// Why a text is no environment.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoEnvironment {
    /// Its name is empty, too long, or has what nobody can see.
    #[error("a name has 1 to {most} characters, none of them a control character", most = Environment::MOST_CHARACTERS)]
    Name,
    /// Its colour is none that there is.
    #[error("{0:?} is no colour: it is grey, red, orange, green, blue or purple")]
    Colour(String),
}

impl Environment {
    /// How long a name may be, in characters.
    pub const MOST_CHARACTERS: usize = 40;

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its colour.
    pub fn colour(&self) -> Colour {
        self.colour
    }
}

impl FromStr for Environment {
    type Err = NoEnvironment;

    fn from_str(text: &str) -> Result<Self, NoEnvironment> {
        let (name, colour) = match text.rsplit_once(':') {
            Some((name, colour)) => (name, colour.trim().parse()?),
            None => (text, Colour::default()),
        };
        let name = name.trim();
        let is_long = name.chars().nth(Self::MOST_CHARACTERS).is_some();
        if name.is_empty() || is_long || name.chars().any(char::is_control) {
            return Err(NoEnvironment::Name);
        }
        Ok(Self { name: name.to_owned(), colour })
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Colour {
    const ALL: [Self; 6] =
        [Self::Grey, Self::Red, Self::Orange, Self::Green, Self::Blue, Self::Purple];

    /// Returns its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grey => "grey",
            Self::Red => "red",
            Self::Orange => "orange",
            Self::Green => "green",
            Self::Blue => "blue",
            Self::Purple => "purple",
        }
    }
}

impl FromStr for Colour {
    type Err = NoEnvironment;

    fn from_str(text: &str) -> Result<Self, NoEnvironment> {
        let found = Self::ALL.into_iter().find(|colour| colour.as_str() == text);
        found.ok_or_else(|| NoEnvironment::Colour(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_environment_has_a_name_and_perhaps_a_colour() {
        let read = |text: &str| {
            let environment: Environment = text.parse().unwrap();
            (environment.name().to_owned(), environment.colour())
        };
        assert_eq!(read("production:red"), ("production".to_owned(), Colour::Red));
        assert_eq!(read(" Été : blue "), ("Été".to_owned(), Colour::Blue));
        assert_eq!(read("eu:staging:green"), ("eu:staging".to_owned(), Colour::Green));
        assert_eq!(read("test"), ("test".to_owned(), Colour::Grey));
        assert_eq!(read(&"é".repeat(40)).0.chars().count(), 40);
    }

    #[test]
    fn what_is_no_environment_says_why() {
        for name in ["", "  ", ":red", "a\nb", "a\u{7}b:red", &"x".repeat(41)] {
            assert_eq!(name.parse::<Environment>(), Err(NoEnvironment::Name), "{name:?}");
        }
        for text in ["production:", "production:pink", "production:Red", "a:b"] {
            let error = text.parse::<Environment>().unwrap_err();
            assert!(matches!(error, NoEnvironment::Colour(_)), "{text}: {error}");
            assert!(error.to_string().contains("purple"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_bounded(text in "(?s).{0,60}") {
            if let Ok(environment) = text.parse::<Environment>() {
                prop_assert!(environment.name().chars().count() <= Environment::MOST_CHARACTERS);
                prop_assert!(!environment.name().chars().any(char::is_control));
            }
        }
    }
}
