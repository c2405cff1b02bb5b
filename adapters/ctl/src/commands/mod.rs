//! The operator's commands, over the same store and broker as the services.

mod audit;
mod canary;
mod dead;
mod doctor;
mod load;
mod orders;
mod output;
mod queue;

use std::{sync::Arc, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use woody_core::ports::{Broker, Store};

use woody_adapters::{
    config::{BrokerArgs, ConfigError, LogArgs, StoreArgs},
    wiring,
};

pub use output::Output;

/// Looks into a WoodyToys shop and mends it.
///
/// It talks to the store and the broker of the services, not to the services;
/// with no URL given, to the files of an all-in-one in ./data.
///
/// Exit codes: 0 it is done, or well; 1 it is not; 2 the command or the
/// configuration cannot work; 3 an audit cannot say.
#[derive(Debug, Parser)]
#[command(name = "woodyctl", version, arg_required_else_help = true)]
pub struct Ctl {
    #[command(subcommand)]
    command: Command,
    /// How answers are printed.
    #[arg(long, global = true, default_value = "table", value_name = "table|json")]
    output: Format,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    log: LogArgs,
}

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// For programs: one JSON document.
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring the store's schema up to date; several may do so at once.
    Migrate,
    /// Place, show and watch orders.
    #[command(subcommand)]
    Order(orders::OrderCommand),
    /// Find orders that are pending for long, and audit what was promised.
    #[command(subcommand)]
    Orders(audit::OrdersCommand),
    /// See how full the outbox is.
    #[command(subcommand)]
    Outbox(queue::OutboxCommand),
    /// See how full the queue is.
    #[command(subcommand)]
    Queue(queue::QueueCommand),
    /// Place orders at a steady rate over HTTP, and keep books on the answers.
    Load(load::LoadArgs),
    /// Examine a stack file and what belongs to it, before it is deployed. Exit
    /// code 1 with any error.
    Doctor(doctor::DoctorArgs),
    /// See to messages that were given up.
    #[command(subcommand)]
    Dead(dead::DeadCommand),
}

/// Which dead letters a command means.
#[derive(Debug, Args)]
struct Selection {
    /// Names of dead letters, as `dead list` prints them.
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// All of them.
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// Those whose reason or body holds this text.
    #[arg(long, value_name = "TEXT", conflicts_with = "ids")]
    matching: Option<String>,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

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
    /// The order was not accepted: exit code 1.
    #[error("{}", ConfigError::because("the order was not accepted", .0))]
    Intake(#[from] woody_core::services::IntakeError),
    /// There is no such thing: exit code 1.
    #[error("{0}")]
    NotFound(String),
    /// Nothing more can be printed: exit code 1.
    #[error("{}", ConfigError::because("cannot write to stdout", .0))]
    Stdout(#[from] std::io::Error),
}

/// Where the shop's things are.
struct Shop<'a> {
    store: &'a StoreArgs,
    broker: &'a BrokerArgs,
}

impl Shop<'_> {
    async fn store(&self) -> Result<Arc<dyn Store>, ConfigError> {
        wiring::open_store(self.store, wiring::Files::MustExist).await
    }

    async fn broker(&self) -> Result<Arc<dyn Broker>, ConfigError> {
        wiring::open_broker(self.broker, wiring::Files::MustExist).await
    }
}

/// How long a command may wait for something that is away.
const PATIENCE: Duration = Duration::from_secs(10);

impl Ctl {
    /// How this command logs: quietly, unless it is asked to.
    pub fn log(&self) -> &LogArgs {
        &self.log
    }

    /// Does what was asked.
    ///
    /// # Errors
    /// [`CtlError`]; nothing was printed to stdout then.
    pub async fn run(self) -> Result<Output, CtlError> {
        let shop = Shop { store: &self.store, broker: &self.broker };
        let output = match self.command {
            Command::Migrate => {
                let store = wiring::open_store(&self.store, wiring::Files::Create).await?;
                store.migrate().await?;
                store.close().await;
                Output::text("the store's schema is up to date")
            }
            Command::Order(command) => orders::run(command, &shop).await?,
            Command::Orders(command) => audit::run(command, &shop).await?,
            Command::Outbox(command) => queue::outbox(command, &shop).await?,
            Command::Queue(command) => queue::run(command, &shop).await?,
            Command::Dead(command) => dead::run(command, &shop).await?,
            Command::Doctor(args) => doctor::run(args)?,
            Command::Load(args) => load::run(args).await?,
        };
        Ok(match self.output {
            Format::Table => output,
            Format::Json => output.into_json(),
        })
    }
}
