use std::{fmt, str::FromStr};

/// What a client may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Place orders, and cancel them.
    Order,
    /// See orders and products.
    Read,
    /// Change what the shop sells.
    Operate,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Order, Self::Read, Self::Operate];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Read => "read",
            Self::Operate => "operate",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Order => 1,
            Self::Read => 2,
            Self::Operate => 4,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Scopes, written as `order,read`; none is written as nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// Whether `scope` is among them.
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// A word that is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no scope: there are order, read and operate, parted by commas")]
pub struct NoScope(String);

impl FromStr for Scopes {
    type Err = NoScope;

    fn from_str(text: &str) -> Result<Self, NoScope> {
        let mut scopes = Self::default();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let scope = Scope::ALL.into_iter().find(|scope| scope.as_str() == word);
            scopes.0 |= scope.ok_or_else(|| NoScope(word.chars().take(32).collect()))?.bit();
        }
        Ok(scopes)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Scope::ALL.into_iter().filter(|scope| self.contains(*scope));
        f.write_str(&named.map(Scope::as_str).collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_as_they_are_written() {
        for (text, written) in [
            ("order", "order"),
            (" read , order,read", "order,read"),
            ("operate,", "operate"),
            ("", ""),
            (",", ""),
        ] {
            let scopes: Scopes = text.parse().unwrap();
            assert_eq!(scopes.to_string(), written, "{text}");
            assert_eq!(scopes.is_empty(), written.is_empty());
        }
        for bad in ["Order", "write", "order read", "order;read"] {
            assert!(bad.parse::<Scopes>().is_err(), "{bad}");
        }
    }
}
