//! The operator's commands, over the same store and broker as the services.

mod acts;
mod archive;
mod audit;
mod canary;
mod consent;
mod dead;
mod details;
mod doctor;
mod error;
mod keys;
mod list;
mod load;
mod logbook;
mod notices;
mod orders;
mod output;
mod queue;
mod screen;
mod shell;
mod shop;
mod size;
mod status;
mod table;
mod top;
mod workshop;

use clap::{CommandFactory, Parser, Subcommand};

use woody_adapters::{
    config::{BrokerArgs, ConfigError, LogArgs, StoreArgs},
    wiring,
};

pub use error::CtlError;
use output::Format;
pub use output::Output;
pub use screen::Screen;
use shop::Shop;

/// Looks into a WoodyToys shop and mends it.
///
/// It talks to the store and the broker of the services, not to the services;
/// with no URL given, to the files of an all-in-one in ./data.
///
/// Exit codes: 0 it is done, or well; 1 it is not; 2 the command or the
/// configuration cannot work; 3 an audit cannot say; 4 somebody must act.
#[derive(Debug, Parser)]
#[command(name = "woodyctl", version, arg_required_else_help = true)]
pub struct Ctl {
    #[command(subcommand)]
    command: Command,
    /// How results are printed: `table` (or `text`) or `json`; a plan also as `svg`, `csv`,
    /// `labels` or `dxf`.
    #[arg(
        long,
        global = true,
        default_value = "table",
        value_name = "table|json|…",
        hide_possible_values = true
    )]
    output: Format,
    /// The same as `--output json`.
    #[arg(long, global = true, conflicts_with = "output")]
    json: bool,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    log: LogArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say whether anything is lost, what is wrong and since when, what happens by itself, and
    /// what to do. Exit code 1 when something is wrong that mends by itself or can wait, 4 when
    /// somebody must act.
    Status(status::StatusArgs),
    /// Show the shop at a glance, again and again: the first sentence of `status`, and how full each part is, how
    /// that changes, and how it came.
    Top(top::TopArgs),
    /// Bring the store's schema up to date; several may do so at once.
    Migrate,
    /// Place, show, watch and cancel orders.
    #[command(subcommand)]
    Order(orders::OrderCommand),
    /// List orders, find those that are pending for long, audit what was promised, and archive
    /// what ended long ago.
    #[command(subcommand)]
    Orders(audit::OrdersCommand),
    /// See how full the outbox is.
    #[command(subcommand)]
    Outbox(queue::OutboxCommand),
    /// See how full the queue is, and pause and resume workers.
    #[command(subcommand)]
    Queue(queue::QueueCommand),
    /// Place orders at a steady rate over HTTP, and keep books on the responses.
    Load(load::LoadArgs),
    /// Examine a stack file and what belongs to it, before it is deployed. Exit
    /// code 1 with any error.
    Doctor(doctor::DoctorArgs),
    /// Say how large a shop must be for so many orders a second, how long they take, and
    /// what breaks first. Nothing is asked: a model of what was measured is simulated. Exit
    /// code 1 when a shop that is described does not hold the orders.
    Size(size::SizeArgs),
    /// List what operators have done, the newest first: who, when, why, and how it ended.
    Acts(acts::ActsArgs),
    /// Make keys for clients that are programs.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// See to messages that were given up.
    #[command(subcommand)]
    Dead(dead::DeadCommand),
    /// See who is told how orders end, and what could not be told.
    #[command(subcommand)]
    Notices(notices::NoticesCommand),
    /// Plan how orders are cut together.
    #[command(subcommand)]
    Workshop(workshop::WorkshopCommand),
    /// Print what a shell reads to complete these commands, for instance
    /// `woodyctl completions bash >/etc/bash_completion.d/woodyctl`.
    Completions(shell::CompletionsArgs),
    /// Write pages for `man`, one for each command.
    Man(shell::ManArgs),
}

impl Ctl {
    /// How this command logs: quietly, unless it is asked to.
    pub fn log(&self) -> &LogArgs {
        &self.log
    }

    /// Has the flags be those of somebody who looks at an all-in-one in this folder.
    pub fn at_home(flags: clap::Command) -> clap::Command {
        flags
            .mut_arg("store_url", |flag| flag.default_value("sqlite:data/woody.db"))
            .mut_arg("broker_url", |flag| flag.default_value("sqlite:data/woody-queue.db"))
            .mut_arg("log", |flag| flag.default_value("error"))
    }

    /// Does what was asked.
    ///
    /// # Errors
    /// [`CtlError`]; nothing was printed to stdout then.
    pub async fn run(self) -> Result<Output, CtlError> {
        let format = if self.json { Format::Json } else { self.output };
        if format.is_of_plans() && !matches!(self.command, Command::Workshop(_)) {
            let only = "--output svg, csv, labels and dxf are for woodyctl workshop plan";
            return Err(ConfigError::new(only).into());
        }
        let shop = Shop { store: &self.store, broker: &self.broker };
        let output = self.command.run(&shop, format).await.map_err(|error| error.of(&shop))?;
        Ok(match format {
            Format::Json => output.into_json(),
            _ => output,
        })
    }
}

impl Command {
    async fn run(self, shop: &Shop<'_>, format: Format) -> Result<Output, CtlError> {
        Ok(match self {
            Self::Migrate => {
                let store = wiring::open_store(shop.store, wiring::Files::Create).await?;
                store.migrate().await?;
                store.close().await;
                Output::text("the store's schema is up to date")
            }
            Self::Status(args) => status::run(args, shop, format).await?,
            Self::Top(args) => top::run(args, shop, format).await?,
            Self::Order(command) => orders::run(command, shop).await?,
            Self::Orders(command) => audit::run(command, shop).await?,
            Self::Outbox(command) => queue::outbox(command, shop).await?,
            Self::Queue(command) => queue::run(command, shop).await?,
            Self::Acts(args) => acts::run(args, shop).await?,
            Self::Dead(command) => dead::run(command, shop).await?,
            Self::Notices(command) => notices::run(command, shop).await?,
            Self::Doctor(args) => doctor::run(args)?,
            Self::Keys(command) => keys::run(command)?,
            Self::Load(args) => load::run(args).await?,
            Self::Size(args) => size::run(&args),
            Self::Completions(args) => shell::completions(&args, Ctl::at_home(Ctl::command())),
            Self::Man(args) => shell::man(&args, Ctl::at_home(Ctl::command()))?,
            Self::Workshop(command) => workshop::run(command, shop, format).await?,
        })
    }
}
