//! Secrets of Standard Webhooks, and what is signed with them.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;

use crate::config::ConfigError;

/// A secret that a receiver shares: `whsec_` and 24 to 64 bytes in base64.
#[derive(Clone)]
pub struct WebhookSecret(SecretSlice<u8>);

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

impl WebhookSecret {
    /// Reads a secret; `variable` is named in the error, which does not show it.
    ///
    /// # Errors
    /// [`ConfigError`] when it is none.
    pub fn parse(variable: &str, text: &str) -> Result<Self, ConfigError> {
        let encoded = text.strip_prefix("whsec_").unwrap_or_default();
        let bytes = STANDARD.decode(encoded).unwrap_or_default();
        if (24..=64).contains(&bytes.len()) {
            return Ok(Self(bytes.into()));
        }
        Err(ConfigError::new(format!(
            "{variable} must be whsec_ and 24 to 64 bytes in base64; one is made by: \
             echo whsec_$(openssl rand -base64 32)"
        )))
    }

    /// Whether both sign alike.
    pub(super) fn signs_as(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }

    /// Signs what is sent.
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        // A key may have any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()) else {
            return String::new();
        };
        for part in [id.as_bytes(), b".", timestamp.to_string().as_bytes(), b".", body] {
            mac.update(part);
        }
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's libraries.
    #[test]
    fn the_published_example_is_signed_as_published() {
        let secret = WebhookSecret::parse("X", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn what_is_no_secret_is_refused_and_not_shown() {
        for bad in
            ["", "hunter2", "whsec_", "whsec_aHVudGVyMg==", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
        {
            let error = WebhookSecret::parse("WOODY_WEBHOOK_SECRET", bad).unwrap_err().to_string();
            assert!(error.starts_with("WOODY_WEBHOOK_SECRET must be"), "{error}");
            assert!(bad.len() < 8 || !error.contains(bad), "{error}");
        }
        let secret = WebhookSecret::parse("X", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
    }
}
