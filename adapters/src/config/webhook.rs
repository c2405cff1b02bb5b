use std::{path::PathBuf, time::Duration};

use clap::Args;
use woody_core::{domain::SubscriptionName, services::NoticeSettings};

use super::{
    SecretArg, Switch,
    bounds::{self, MONTH, SECOND, time, whole},
};

/// Whom to tell of each end of an order.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Webhook")]
pub struct WebhookArgs {
    /// Where each end of an order is posted, signed, until it is heard.
    #[arg(long, env = "WOODY_WEBHOOK_URL", value_name = "URL", hide_env_values = true)]
    pub webhook_url: Option<SecretArg>,
    /// Secret that signs it: whsec_ and 24 to 64 bytes in base64.
    #[arg(long, env = "WOODY_WEBHOOK_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub webhook_secret: Option<SecretArg>,
    /// File that holds the secret.
    #[arg(long, env = "WOODY_WEBHOOK_SECRET_FILE", value_name = "PATH")]
    pub webhook_secret_file: Option<PathBuf>,
    /// Secret of before, which signs it, too, until the receiver knows the new one.
    #[arg(long, env = "WOODY_WEBHOOK_OLD_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub webhook_old_secret: Option<SecretArg>,
    /// File that holds the secret of before.
    #[arg(long, env = "WOODY_WEBHOOK_OLD_SECRET_FILE", value_name = "PATH")]
    pub webhook_old_secret_file: Option<PathBuf>,
    /// Whether it may go to this machine and to private networks.
    #[arg(
        long,
        env = "WOODY_WEBHOOK_ALLOW_PRIVATE",
        default_value = "off",
        value_name = "on|off",
        hide_possible_values = true
    )]
    pub webhook_allow_private: Switch,
    /// Whether it may go by http, in the open.
    #[arg(
        long,
        env = "WOODY_WEBHOOK_ALLOW_HTTP",
        default_value = "off",
        value_name = "on|off",
        hide_possible_values = true
    )]
    pub webhook_allow_http: Switch,
    /// Name of its subscription in the store.
    #[arg(long, env = "WOODY_WEBHOOK_NAME", default_value = "webhook", value_name = "NAME")]
    pub webhook_name: SubscriptionName,
    /// Posts under way at once, in this process (1 to 1024).
    #[arg(long, env = "WOODY_WEBHOOK_AT_ONCE", default_value = "16", value_name = "N",
          value_parser = whole::<u16>(1, NoticeSettings::MOST_AT_ONCE as u64))]
    pub webhook_at_once: u16,
    /// Longest time one post may take (10ms to 5m).
    #[arg(long, env = "WOODY_WEBHOOK_TIMEOUT", default_value = "10s", value_name = "TIME",
          value_parser = time(Duration::from_millis(10), Duration::from_mins(5)))]
    pub webhook_timeout: Duration,
    /// How often a process looks for what others have ended (10ms to 1m).
    #[arg(long, env = "WOODY_WEBHOOK_POLL", default_value = "1s", value_name = "TIME",
          value_parser = time(Duration::from_millis(10), Duration::from_mins(1)))]
    pub webhook_poll: Duration,
    /// Pauses after each post that failed, separated by commas, 1 to 20 of 1s to 30days; then it is
    /// given up.
    #[arg(long, env = "WOODY_WEBHOOK_PAUSES", default_value = "5s,30s,2m,10m,1h,6h,1d",
          value_name = "TIMES", value_parser = pauses)]
    pub webhook_pauses: Pauses,
}

/// The pauses between attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pauses(Vec<Duration>);

fn pauses(text: &str) -> Result<Pauses, String> {
    let pauses: Option<Vec<_>> =
        text.split(',').map(|pause| bounds::duration(pause.trim())).collect();
    pauses
        .filter(|pauses| pauses.len() <= 20)
        .filter(|pauses| pauses.iter().all(|pause| (SECOND..=MONTH).contains(pause)))
        .map(Pauses)
        .ok_or_else(|| "must be 1 to 20 times of 1s to 30days, such as 5s,30s,2m".to_owned())
}

impl WebhookArgs {
    /// How notices are delivered.
    pub fn notice_settings(&self) -> NoticeSettings {
        NoticeSettings::default()
            .at_once(usize::from(self.webhook_at_once))
            .timeout(self.webhook_timeout)
            .poll_every(self.webhook_poll)
            .pauses(self.webhook_pauses.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_a_few_times_in_bounds() {
        let read = pauses("1s, 2m,30d").unwrap();
        let expected = [SECOND, Duration::from_mins(2), MONTH];
        assert_eq!(read, Pauses(expected.into()));
        for bad in ["", ",", "5s,", "0s", "31d", "5", "soon", &"1s,".repeat(21)] {
            assert!(pauses(bad).is_err(), "{bad}");
        }
    }
}
