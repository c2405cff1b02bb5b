use std::{num::NonZeroU16, path::PathBuf};

use clap::Args;

use super::{ConfigError, SecretArg, bounds::whole};

/// Where messages go through.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Broker")]
pub struct BrokerArgs {
    /// memory:, sqlite:PATH, amqp://USER:PASSWORD@HOST:PORT,HOST/VHOST or amqps://…
    ///
    /// Several hosts are those of one cluster. Each login has 1 s, or ?connection_timeout=MS (100 to 60000);
    /// amqps:// takes ?cacertfile=FILE.
    #[arg(long, env = "WOODY_BROKER_URL", value_name = "URL", hide_env_values = true)]
    pub broker_url: Option<SecretArg>,
    /// File that holds the broker's URL.
    #[arg(long, env = "WOODY_BROKER_URL_FILE", value_name = "PATH")]
    pub broker_url_file: Option<PathBuf>,
    /// Queue of the orders.
    #[arg(long, env = "WOODY_QUEUE", default_value = "order_processing", value_name = "NAME")]
    pub queue: String,
    /// Over how many queues of RabbitMQ orders are spread (1 to 16): NAME, NAME.1, NAME.2 and so on.
    ///
    /// Processes need not agree: workers take from all queues that exist.
    #[arg(long, env = "WOODY_QUEUE_SHARDS", default_value = "1", value_name = "N",
          value_parser = whole::<NonZeroU16>(1, 16))]
    pub queue_shards: NonZeroU16,
}

impl BrokerArgs {
    /// The broker's URL, from where it was given.
    ///
    /// # Errors
    /// [`ConfigError`] when it was not given or its file cannot be read.
    pub fn url(&self) -> Result<SecretArg, ConfigError> {
        SecretArg::resolve(
            "WOODY_BROKER_URL",
            self.broker_url.as_ref(),
            self.broker_url_file.as_ref(),
        )
    }
}
