use std::net::SocketAddr;

use clap::Args;

use crate::{environment::Environment, http::Hosts};

/// Where a service listens.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Addresses")]
pub struct ListenArgs {
    /// Address that serves clients.
    #[arg(
        long,
        env = "WOODY_LISTEN",
        default_value = "0.0.0.0:5000",
        value_name = "ADDR",
        display_order = 0
    )]
    pub listen: SocketAddr,
}

/// Where the operator looks in.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Addresses")]
pub struct AdminArgs {
    /// Private address with /healthz, /readyz and /metrics, and where the shop is known /console.
    #[arg(
        long,
        env = "WOODY_ADMIN_LISTEN",
        default_value = "0.0.0.0:9000",
        value_name = "ADDR",
        display_order = 1
    )]
    pub admin_listen: SocketAddr,
    /// Names under which this service may be asked for, parted by commas: shop.example,
    /// *.shop.example, or * for any. Its addresses and localhost always may; a page of another
    /// name is a stranger's (DNS rebinding), and is answered 421.
    #[arg(long, env = "WOODY_HOSTS", value_name = "NAMES", display_order = 2)]
    pub hosts: Vec<Hosts>,
    /// What this deployment is called, and its colour: NAME or NAME:COLOUR, as in production:red.
    /// The console shows both. A name has up to 40 characters; colours are grey, red, orange, green,
    /// blue and purple.
    #[arg(long, env = "WOODY_ENVIRONMENT", value_name = "NAME[:COLOUR]", display_order = 3)]
    pub environment: Option<Environment>,
    /// Ask the service at the admin address whether it is alive, and exit 0 or 1.
    #[arg(long, display_order = 4)]
    pub healthcheck: bool,
}

impl AdminArgs {
    /// The names under which the service may be asked for.
    pub fn hosts(&self) -> Hosts {
        let mut all = Hosts::default();
        all.extend(self.hosts.iter().cloned());
        all
    }
}
