use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};

use super::ConfigError;

/// A value that may hold a password: never printed, wiped when it is dropped, and it
/// may come from a file.
#[derive(Debug, Clone)]
pub struct SecretArg(SecretString);

impl SecretArg {
    /// The value itself.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The value of `variable`, from itself or from the file that its `_FILE`
    /// sibling names. The file wins over a default. Newlines at its end are not
    /// part of it; what else does not belong to a value is refused.
    ///
    /// # Errors
    /// [`ConfigError`] when there is neither, or the file cannot be read.
    pub fn resolve(
        variable: &'static str,
        value: Option<&Self>,
        file: Option<&PathBuf>,
    ) -> Result<Self, ConfigError> {
        match (file, value) {
            (Some(path), _) => Self::read(variable, path),
            (None, Some(value)) => Ok(value.clone()),
            (None, None) => Err(ConfigError::new(format!(
                "{variable} is not set: give it, or name a file that holds it in {variable}_FILE"
            ))),
        }
    }

    fn read(variable: &'static str, path: &Path) -> Result<Self, ConfigError> {
        read_line(path).map(Self).map_err(|problem| {
            ConfigError::new(format!("{variable}_FILE names {}, which {problem}", path.display()))
        })
    }
}

/// Far above any secret: what is larger is another file.
const LARGEST: u64 = 64 * 1024;

/// Reads the one line of a file; the error continues "a file, which …".
fn read_line(path: &Path) -> Result<SecretString, String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err("is a directory".to_owned());
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err("is larger than 64 KiB: it must hold one line".to_owned());
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| "holds no UTF-8 text".to_owned())?;
    let value = text.trim_end_matches(['\n', '\r']);
    let refused = if value.is_empty() {
        "is empty"
    } else if value.starts_with('\u{feff}') {
        "begins with a byte order mark: save it as UTF-8 without one"
    } else if value.contains(['\n', '\r']) {
        "holds more than one line"
    } else if value.trim() != value {
        "has blanks around its value"
    } else if value.contains(char::is_control) {
        "holds control characters"
    } else {
        return Ok(value.into());
    };
    Err(refused.to_owned())
}

impl From<String> for SecretArg {
    fn from(value: String) -> Self {
        Self(value.into())
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{
        super::{BrokerArgs, StoreArgs, WorkerArgs},
        *,
    };

    /// Everything that names where something is.
    #[derive(Debug, Parser)]
    struct Addresses {
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        broker: BrokerArgs,
        #[command(flatten)]
        worker: WorkerArgs,
    }

    #[test]
    fn a_url_shows_its_password_neither_in_help_nor_in_debug() {
        let urls = ["--store-url", "--broker-url", "--validator-url"];
        let words = urls.map(|flag| format!("{flag}=amqp://woody:hunter2@host"));
        let args = Addresses::try_parse_from(["woodytoys".to_owned()].into_iter().chain(words));
        let args = args.unwrap();
        assert!(!format!("{args:?}").contains("hunter2"), "{args:?}");
        assert!(args.worker.validator_url.unwrap().expose().contains("hunter2"));
        let command = Addresses::command();
        let shown = command.get_arguments().filter(|flag| !flag.is_hide_env_values_set());
        assert!(!shown.into_iter().any(|flag| flag.get_id().as_str().ends_with("_url")));
    }

    #[test]
    fn a_file_wins_and_loses_its_newline() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "postgres://u:p@h/d\n").unwrap();
        let inline = SecretArg::from("memory:".to_owned());
        let path = file.path().to_path_buf();
        let secret = SecretArg::resolve("WOODY_STORE_URL", Some(&inline), Some(&path)).unwrap();
        assert_eq!(secret.expose(), "postgres://u:p@h/d");
        assert!(!format!("{secret:?}").contains('p'.to_string().repeat(2).as_str()));
    }

    /// What a file with these bytes gives.
    fn read(bytes: &[u8]) -> Result<String, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let path = file.path().to_path_buf();
        match SecretArg::resolve("WOODY_STORE_URL", None, Some(&path)) {
            Ok(secret) => Ok(secret.expose().to_owned()),
            Err(error) => {
                let begins = format!("WOODY_STORE_URL_FILE names {}, which ", path.display());
                Err(error.to_string().strip_prefix(&begins).unwrap().to_owned())
            }
        }
    }

    #[test]
    fn newlines_at_the_end_are_not_part_of_a_secret() {
        for text in ["memory:", "memory:\n", "memory:\r\n", "memory:\n\n"] {
            assert_eq!(read(text.as_bytes()).unwrap(), "memory:", "{text:?}");
        }
    }

    #[test]
    fn a_file_that_holds_no_value_is_refused_with_what_is_wrong() {
        let large = vec![b'a'; 65 * 1024];
        for (bytes, says) in [
            (&b""[..], "is empty"),
            (b"\r\n", "is empty"),
            (b"\xef\xbb\xbfmemory:\n", "begins with a byte order mark"),
            (b" memory:\n", "has blanks around its value"),
            (b"memory: \n", "has blanks around its value"),
            (b"\t\n", "has blanks around its value"),
            (b"memory:\nsqlite:a\n", "holds more than one line"),
            (b"memory:\x00", "holds control characters"),
            (b"m\xe9moire:", "holds no UTF-8 text"),
            (b"m\x00e\x00m\x00\xff\xfe", "holds no UTF-8 text"),
            (&large, "is larger than 64 KiB"),
        ] {
            let problem = read(bytes).unwrap_err();
            assert!(problem.starts_with(says), "{problem} does not say {says}");
        }
    }

    #[test]
    fn a_directory_is_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_path_buf();
        let error = SecretArg::resolve("WOODY_STORE_URL", None, Some(&path)).unwrap_err();
        assert!(error.to_string().ends_with("which is a directory"), "{error}");
    }

    #[test]
    fn an_unreadable_file_is_named() {
        let path = PathBuf::from("/nowhere/secret");
        let error = SecretArg::resolve("WOODY_STORE_URL", None, Some(&path)).unwrap_err();
        assert!(error.to_string().contains("WOODY_STORE_URL_FILE"));
        assert!(error.to_string().contains("/nowhere/secret"));
    }
}
