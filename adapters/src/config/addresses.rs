use std::net::SocketAddr;

use clap::Args;

use crate::http::Hosts;

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
    /// Private address with /healthz, /readyz and /metrics.
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
    /// Ask the service at the admin address whether it is alive, and exit 0 or 1.
    #[arg(long, display_order = 3)]
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
