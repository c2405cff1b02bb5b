use woody_adapters::{config::ConfigError, wiring};
use woody_core::domain::{Invalid, OrderId, StatusName};

use super::shop::Shop;

/// What went wrong, for the operator.
#[derive(Debug, thiserror::Error)]
pub enum CtlError {
    /// The command or the configuration cannot work: exit code 2.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store did not do what it was asked: exit code 1.
    #[error("{}", ConfigError::because("the store", .0))]
    Store(#[from] woody_core::ports::StoreError),
    /// The broker did not do what it was asked: exit code 1.
    #[error("{}", ConfigError::because("the broker", .0))]
    Broker(#[from] woody_core::ports::BrokerError),
    /// The store or the broker cannot be reached: exit code 1.
    #[error("{0}")]
    Unreachable(String),
    /// The order was not accepted: exit code 1.
    #[error("{}", ConfigError::because("the order was not accepted", .0))]
    Intake(#[from] woody_core::services::IntakeError),
    /// The order was not retried: exit code 1.
    #[error("{}", ConfigError::because("the order was not retried", .0))]
    Retry(#[from] woody_core::services::RetryError),
    /// There is no such thing: exit code 1.
    #[error("{0}")]
    NotFound(String),
    /// The order had ended in another way before: exit code 1.
    #[error("order {id} has ended as {ended} before, and stays so")]
    TooLate {
        /// The order.
        id: OrderId,
        /// How it ended.
        ended: StatusName,
    },
    /// It may not be done: exit code 1.
    #[error("{0}")]
    Refused(String),
    /// The file of an archive cannot be used: exit code 1.
    #[error("cannot archive to {}: {source}", path.display())]
    Archive {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The operator was asked, and did not say yes: exit code 1.
    #[error("nothing was done")]
    Declined,
    /// A file of `woodyctl man` cannot be written: exit code 1.
    #[error("cannot write man pages to {}: {source}", path.display())]
    Pages {
        /// The folder.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Nothing was done, since it could not be written down: exit code 1.
    #[error(
        "nothing was done, since the act cannot be written down: {0} \
         (--unrecorded does it all the same)"
    )]
    Unrecorded(String),
    /// Nothing more can be printed: exit code 1.
    #[error("{}", ConfigError::because("cannot write to stdout", .0))]
    Stdout(#[from] std::io::Error),
}

impl CtlError {
    /// The same; of a store or a broker that cannot be reached, it says where that is and what to look at.
    pub(super) fn of(self, shop: &Shop<'_>) -> Self {
        let (what, name, variable, error): (_, _, _, &dyn std::error::Error) = match &self {
            Self::Store(error) if error.is_transient() => {
                ("the store", wiring::store_name(shop.store), "WOODY_STORE_URL", error)
            }
            Self::Broker(error) if error.is_transient() => {
                ("the broker", wiring::broker_name(shop.broker), "WOODY_BROKER_URL", error)
            }
            _ => return self,
        };
        let Ok(name) = name else { return self };
        let told = ConfigError::because(format!("{what} at {name}"), error);
        Self::Unreachable(format!("{told}; see that it is up, and that {variable} is where it is"))
    }
}

impl From<Invalid> for CtlError {
    fn from(error: Invalid) -> Self {
        ConfigError::new(error.to_string()).into()
    }
}
