//! The key that is shown to the shop.

use std::path::PathBuf;

use hyper::header::HeaderValue;
use woody_adapters::{
    config::{ConfigError, SecretArg},
    keys::{ApiKey, NoApiKey},
};

/// Returns what shows the key in the file at `path`; neither it nor an error shows it to people.
pub(super) fn shown(path: &PathBuf) -> Result<HeaderValue, ConfigError> {
    let secret = SecretArg::resolve("WOODY_KEY", None, Some(path))?;
    let unusable = |error: NoApiKey| {
        ConfigError::new(format!("what WOODY_KEY_FILE names, {}, {error}", path.display()))
    };
    let key: ApiKey = secret.expose().parse().map_err(unusable)?;
    // A key is printable, so it always is a header's value.
    let mut value = HeaderValue::try_from(format!("Bearer {}", key.expose()))
        .map_err(|_| unusable(NoApiKey))?;
    value.set_sensitive(true);
    Ok(value)
}
