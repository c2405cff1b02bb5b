use std::num::NonZeroU32;

use woody_core::services::{IntakeSettings, RelaySettings, WorkerSettings};

use crate::{
    config::{GatewayArgs, HttpArgs, RelayArgs, WorkerArgs},
    http::{ClientShare, ConcurrencyLimit, GatewayLimits, Networks, ServerLimits, ServiceSettings},
};

/// How orders are accepted.
pub fn intake_settings(args: &RelayArgs) -> IntakeSettings {
    IntakeSettings { outbox_lease: args.outbox_lease, ..IntakeSettings::default() }
}

/// How the outbox is emptied.
pub fn relay_settings(args: &RelayArgs) -> RelaySettings {
    RelaySettings {
        lease: args.outbox_lease,
        reconcile_every: args.reconcile_every,
        pending_for: args.pending_for,
        ..RelaySettings::default()
    }
}

/// How a worker tries and gives up.
pub fn worker_settings(args: &WorkerArgs) -> WorkerSettings {
    WorkerSettings {
        max_attempts: args.max_attempts,
        retry_base: args.retry_base,
        validation_timeout: args.validation_timeout,
        ..WorkerSettings::default()
    }
}

/// What goes around a service's routes.
pub fn service_settings(args: &HttpArgs) -> ServiceSettings {
    ServiceSettings {
        concurrency: ConcurrencyLimit::new(usize::from(args.http_concurrency.get())),
        legacy_get: args.legacy_get.is_on(),
        ..ServiceSettings::default()
    }
}

/// Connection limits of a server behind a gateway, which keeps each client to its share.
pub fn server_limits() -> ServerLimits {
    ServerLimits::default()
}

/// Connection limits of a server that clients reach themselves.
pub fn public_server_limits(args: &GatewayArgs) -> ServerLimits {
    let per_client = client_share(args.client_connections, args);
    ServerLimits { per_client, ..ServerLimits::default() }
}

/// How many orders one client address may follow.
pub fn followers_per_client(args: &GatewayArgs) -> ClientShare {
    client_share(args.client_streams, args)
}

fn client_share(each: u32, args: &GatewayArgs) -> ClientShare {
    match usize::try_from(each) {
        Ok(0) | Err(_) => ClientShare::off(),
        Ok(each) => ClientShare::of(each, exempt(args)),
    }
}

fn exempt(args: &GatewayArgs) -> Networks {
    let mut all = Networks::default();
    all.extend(args.rate_exempt.iter().cloned());
    all
}

/// What a client may ask for.
pub fn gateway_limits(args: &GatewayArgs) -> GatewayLimits {
    let limits =
        NonZeroU32::new(args.rate_limit).map_or_else(GatewayLimits::off, GatewayLimits::at);
    GatewayLimits { exempt: exempt(args), ..limits }
}
