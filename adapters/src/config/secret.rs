use std::path::{Path, PathBuf};

use super::ConfigError;

/// A value that may hold a password: never printed, and it may come from a file.
#[derive(Clone)]
pub struct SecretArg(String);

impl SecretArg {
    /// The value itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The value of `variable`, from itself or from the file that its `_FILE`
    /// sibling names. The file wins; a newline at its end is not part of it.
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
        let text = std::fs::read_to_string(path).map_err(|error| {
            ConfigError::new(format!(
                "{variable}_FILE names {}, which cannot be read: {error}",
                path.display()
            ))
        })?;
        let value = text.trim_end_matches(['\n', '\r']);
        if value.is_empty() {
            return Err(ConfigError::new(format!(
                "{variable}_FILE names {}, which is empty",
                path.display()
            )));
        }
        Ok(Self(value.to_owned()))
    }
}

impl From<String> for SecretArg {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl std::fmt::Debug for SecretArg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretArg(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn an_unreadable_file_is_named() {
        let path = PathBuf::from("/nowhere/secret");
        let error = SecretArg::resolve("WOODY_STORE_URL", None, Some(&path)).unwrap_err();
        assert!(error.to_string().contains("WOODY_STORE_URL_FILE"));
        assert!(error.to_string().contains("/nowhere/secret"));
    }
}
