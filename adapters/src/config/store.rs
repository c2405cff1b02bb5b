use std::{num::NonZeroU16, path::PathBuf};

use clap::Args;

use super::{ConfigError, SecretArg, bounds::whole};

/// Where orders and products are kept.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Store")]
pub struct StoreArgs {
    /// memory:, sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT,HOST/DATABASE
    ///
    /// Of several hosts the one that takes writes is used. Each login has 1 s, or ?connect_timeout=SECONDS (1 to 60).
    #[arg(long, env = "WOODY_STORE_URL", value_name = "URL", hide_env_values = true)]
    pub store_url: Option<SecretArg>,
    /// File that holds the store's URL.
    #[arg(long, env = "WOODY_STORE_URL_FILE", value_name = "PATH")]
    pub store_url_file: Option<PathBuf>,
    /// Connections to PostgreSQL at most (1 to 1000).
    #[arg(long, env = "WOODY_STORE_CONNECTIONS", default_value = "10", value_name = "N",
          value_parser = whole::<NonZeroU16>(1, 1_000))]
    pub store_connections: NonZeroU16,
}

impl StoreArgs {
    /// Whether a store was named at all.
    pub fn is_given(&self) -> bool {
        self.store_url.is_some() || self.store_url_file.is_some()
    }

    /// The store's URL, from where it was given.
    ///
    /// # Errors
    /// [`ConfigError`] when it was not given or its file cannot be read.
    pub fn url(&self) -> Result<SecretArg, ConfigError> {
        SecretArg::resolve("WOODY_STORE_URL", self.store_url.as_ref(), self.store_url_file.as_ref())
    }
}
