use std::path::PathBuf;

use woody_core::domain::SubscriptionName;

use crate::{
    config::{ConfigError, SecretArg, WebhookArgs},
    webhook::{Webhook, WebhookRights, WebhookSecret},
};

/// Returns the webhook that the flags name, if they name one, and the name of its subscription.
///
/// # Errors
/// [`ConfigError`] when it cannot work.
pub fn webhook(args: &WebhookArgs) -> Result<Option<(SubscriptionName, Webhook)>, ConfigError> {
    let Some(url) = given(args.webhook_url.as_ref()) else { return Ok(None) };
    let (secret, file) = (given(args.webhook_secret.as_ref()), args.webhook_secret_file.as_ref());
    let mut secrets = vec![read("WOODY_WEBHOOK_SECRET", secret, file)?];
    let old = given(args.webhook_old_secret.as_ref());
    let file = args.webhook_old_secret_file.as_ref();
    if old.is_some() || file.is_some() {
        secrets.push(read("WOODY_WEBHOOK_OLD_SECRET", old, file)?);
    }
    let rights = WebhookRights {
        private: args.webhook_allow_private.is_on(),
        http: args.webhook_allow_http.is_on(),
    };
    let webhook = Webhook::new(url.expose(), secrets, rights)?;
    Ok(Some((args.webhook_name.clone(), webhook)))
}

/// A stack file writes `${WOODY_WEBHOOK_URL:-}`, so empty is none.
fn given(value: Option<&SecretArg>) -> Option<&SecretArg> {
    value.filter(|value| !value.expose().is_empty())
}

fn read(
    variable: &'static str,
    value: Option<&SecretArg>,
    file: Option<&PathBuf>,
) -> Result<WebhookSecret, ConfigError> {
    WebhookSecret::parse(variable, SecretArg::resolve(variable, value, file)?.expose())
}
