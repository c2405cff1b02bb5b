use std::net::SocketAddr;

use clap::Args;

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
    /// Ask the service at the admin address whether it is alive, and exit 0 or 1.
    #[arg(long, display_order = 2)]
    pub healthcheck: bool,
}
