use std::{collections::HashMap, fmt, str::FromStr};

use woody_core::domain::{ClientName, NoClientName};

use super::{
    api_key::{KeyHash, NoHash},
    scope::{Scope, Scopes},
};

/// The clients' keys, as a file holds them: a line for each.
///
/// ```text
/// # Who may use the shop.
/// acme   order,read   sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
/// ```
///
/// A client may have several keys, so that a new one is in use before the old one is taken out. What begins with `#` is a
/// remark.
pub struct ApiKeys {
    by_first: HashMap<[u8; 8], (KeyHash, Client)>,
}

/// A client, by one of its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// What it is called.
    pub name: ClientName,
    /// What it may do with this key.
    pub scopes: Scopes,
}

/// A text that holds no keys as it should. What stands there is not shown: it may be a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoKeys {
    /// A line is wrong.
    #[error("line {line}: {problem}")]
    Line {
        /// Which, counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// There is none.
    #[error("it holds no key: woodyctl keys new prints a line for it")]
    Empty,
    /// There are too many.
    #[error("it holds more than {} keys", ApiKeys::MOST)]
    TooMany,
}

impl ApiKeys {
    /// The most keys that are kept.
    pub const MOST: usize = 10_000;

    /// Returns the client that has sent this as its key, if it is anybody's.
    pub fn find(&self, sent: &[u8]) -> Option<&Client> {
        let hash = KeyHash::of_sent(sent)?;
        let (kept, client) = self.by_first.get(&hash.first())?;
        (*kept == hash).then_some(client)
    }

    /// Whether any of them has `scope`.
    pub fn grant(&self, scope: Scope) -> bool {
        self.by_first.values().any(|(_, client)| client.scopes.contains(scope))
    }

    /// Returns how many keys there are.
    pub fn len(&self) -> usize {
        self.by_first.len()
    }

    /// Whether there is none; a text is never read as such.
    pub fn is_empty(&self) -> bool {
        self.by_first.is_empty()
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys").field("keys", &self.len()).finish_non_exhaustive()
    }
}

impl FromStr for ApiKeys {
    type Err = NoKeys;

    fn from_str(text: &str) -> Result<Self, NoKeys> {
        let mut by_first = HashMap::new();
        for (n, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (hash, client) =
                read(line).map_err(|problem| NoKeys::Line { line: n + 1, problem })?;
            if by_first.insert(hash.first(), (hash, client)).is_some() {
                let problem = "this hash stands on a line before".to_owned();
                return Err(NoKeys::Line { line: n + 1, problem });
            }
            if by_first.len() > Self::MOST {
                return Err(NoKeys::TooMany);
            }
        }
        if by_first.is_empty() { Err(NoKeys::Empty) } else { Ok(Self { by_first }) }
    }
}

fn read(line: &str) -> Result<(KeyHash, Client), String> {
    let mut words = line.split_ascii_whitespace();
    let (Some(name), Some(scopes), Some(hash), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err("a line is a name, scopes and a hash, parted by blanks".to_owned());
    };
    let name = name.parse().map_err(|error: NoClientName| error.to_string())?;
    let scopes: Scopes = scopes
        .parse()
        .map_err(|_| "scopes are order, read and operate, parted by commas".to_owned())?;
    if scopes.is_empty() {
        return Err("it has no scope: order, read or operate".to_owned());
    }
    let hash = hash.parse().map_err(|error: NoHash| error.to_string())?;
    Ok((hash, Client { name, scopes }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::ApiKey, *};

    fn line(name: &str, scopes: &str, key: &ApiKey) -> String {
        format!("{name} {scopes} {}", key.hash())
    }

    #[test]
    fn a_client_is_found_by_each_of_its_keys_and_by_no_other() {
        let keys: Vec<_> = (0..3).map(|_| ApiKey::fresh()).collect();
        let text = format!(
            "# clients\n\n  {}  \n{}\r\n{}",
            line("acme", "order,read", &keys[0]),
            line("acme", "read", &keys[1]),
            line("b-2.c_d", "operate", &keys[2]),
        );
        let book: ApiKeys = text.parse().unwrap();
        let found = |key: &str| book.find(key.as_bytes()).cloned();
        let client = found(keys[0].expose()).unwrap();
        assert_eq!(
            (client.name.as_str(), client.scopes.to_string()),
            ("acme", "order,read".into())
        );
        assert!(!found(keys[1].expose()).unwrap().scopes.contains(Scope::Order));
        assert_eq!(found(keys[2].expose()).unwrap().name.as_str(), "b-2.c_d");
        for nobody in [ApiKey::fresh().expose(), "", "woody_", &keys[0].hash().to_string()] {
            assert_eq!(found(nobody), None);
        }
        assert!(Scope::ALL.into_iter().all(|scope| book.grant(scope)));
        let readers: ApiKeys = line("acme", "read", &keys[0]).parse().unwrap();
        assert!(readers.grant(Scope::Read) && !readers.grant(Scope::Order));
        assert_eq!((book.len(), format!("{book:?}")), (3, "ApiKeys { keys: 3, .. }".to_owned()));
    }

    #[test]
    fn a_bad_line_is_named_by_its_number_and_never_shown() {
        let (key, other) = (ApiKey::fresh(), ApiKey::fresh());
        let good = line("acme", "order", &key);
        let secret = other.expose();
        for (bad, says) in [
            ("acme".to_owned(), "a line is a name, scopes and a hash"),
            (format!("{good} more"), "a line is a name, scopes and a hash"),
            (line("Acme", "order", &other), "a client's name is"),
            (line("-acme", "order", &other), "a client's name is"),
            (line(&"a".repeat(65), "order", &other), "a client's name is"),
            (line(secret, "order", &other), "a client's name is"),
            (line("acme", "order,write", &other), "scopes are"),
            (line("acme", ",", &other), "it has no scope"),
            (format!("acme order {secret}"), "a key itself stands there"),
            ("acme order sha256:1234".to_owned(), "a hash is sha256:"),
            (line("other", "read", &key), "this hash stands on a line before"),
        ] {
            let error = format!("{good}\n# remark\n{bad}").parse::<ApiKeys>().unwrap_err();
            let told = error.to_string();
            assert!(told.starts_with(&format!("line 3: {says}")), "{told}");
            assert!(!told.contains(&secret[6..]) && !told.contains("Acme"), "{told}");
        }
        for empty in ["", "\n\n", "# acme order"] {
            assert_eq!(empty.parse::<ApiKeys>().unwrap_err(), NoKeys::Empty);
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(?s).{0,200}") {
            let _ = text.parse::<ApiKeys>();
        }

        #[test]
        fn what_stands_on_a_line_is_never_told(words in prop::collection::vec("[g-z]{8,12}", 1..5)) {
            let told = words.join(" ").parse::<ApiKeys>().unwrap_err().to_string();
            for word in &words {
                prop_assert!(!told.contains(word), "{}", told);
            }
        }
    }
}
