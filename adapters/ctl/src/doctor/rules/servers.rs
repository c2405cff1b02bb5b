//! What RabbitMQ and PostgreSQL have in common: data to keep, and to write before
//! they end.

use super::{
    postgres::{postgres_data, wrong_volume},
    rule::each_service,
};
use crate::doctor::{
    deployment::Deployment, finding::Found, postgres::is_postgres, service::SWARM_GRACE,
};

/// Where RabbitMQ's image keeps its data.
const RABBITMQ_DATA: &str = "/var/lib/rabbitmq";

/// Data that are gone with their container.
pub(super) fn data_not_kept(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let (folder, key) = if is_postgres(service) {
            // A volume at the wrong path has a rule of its own.
            if wrong_volume(service).is_some() {
                return None;
            }
            (postgres_data(service), "database-data")
        } else if service.runs("rabbitmq") {
            (RABBITMQ_DATA.to_owned(), "rabbitmq-data")
        } else {
            return None;
        };
        let is_kept = service.mounts.iter().any(|mount| mount.is_kept() && mount.covers(&folder));
        (!is_kept).then(|| {
            Found::error(
                service.place_at(&["volumes"]),
                format!("it keeps its data in {folder}, where no volume is"),
                "The data go with the container: at the next update, or when its node restarts, all \
                 of it is lost.",
                format!("add a volume: {key}:{}", above(&folder)),
            )
        })
    })
}

fn above(folder: &str) -> &str {
    if folder.starts_with("/var/lib/postgresql/") { "/var/lib/postgresql" } else { folder }
}

/// A server that has too little time to end.
pub(super) fn server_grace(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let is_server = is_postgres(service) || service.runs("rabbitmq");
        (is_server && service.grace() < SWARM_GRACE).then(|| {
            Found::warning(
                service.place_at(&["stop_grace_period"]),
                format!("it has {:?} to end", service.grace()),
                "A server that is killed while it writes what it holds recovers for minutes when it \
                 starts again.",
                "set stop_grace_period: 60s",
            )
        })
    })
}
