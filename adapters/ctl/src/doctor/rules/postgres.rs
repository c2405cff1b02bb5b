//! The official image of PostgreSQL.

use super::rule::each_service;
use crate::doctor::{
    deployment::Deployment, finding::Found, images::Image, postgres::is_postgres, service::Service,
    sizes::postgres_size,
};

/// Where PostgreSQL's image kept its data up to version 17.
const OLD_DATA: &str = "/var/lib/postgresql/data";

/// From which version on it keeps it in a folder of the version's own.
const MOVED_IN: u32 = 18;

/// Where its data are.
pub(super) fn postgres_data(service: &Service) -> String {
    if let Some(variable) = service.variable("PGDATA") {
        return variable.value.clone();
    }
    match service.image.as_ref().and_then(Image::major) {
        Some(major) if major < MOVED_IN => OLD_DATA.to_owned(),
        Some(major) => format!("/var/lib/postgresql/{major}/docker"),
        None => format!("/var/lib/postgresql/{MOVED_IN}/docker"),
    }
}

/// A volume where PostgreSQL's image has its data no longer, or not yet.
pub(super) fn postgres_volume(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, wrong_volume)
}

/// What [`postgres_volume`] finds in a service.
pub(super) fn wrong_volume(service: &Service) -> Option<Found> {
    if !is_postgres(service) || service.variable("PGDATA").is_some() {
        return None;
    }
    let major = service.image.as_ref()?.major()?;
    let at = |path: &str| {
        service
            .mounts
            .iter()
            .find(|mount| mount.is_kept() && mount.target.trim_end_matches('/') == path)
    };
    if major >= MOVED_IN {
        let mount = at(OLD_DATA)?;
        return Some(Found::error(
            service.place(mount.line),
            format!(
                "a volume is at {OLD_DATA}, and postgres:{major} keeps its data in /var/lib/postgresql/{major}"
            ),
            "From version 18 on the image does not start with a volume there, so that an \
             empty database is not taken for the old one.",
            "mount it at /var/lib/postgresql; data of an older version need pg_upgrade, or a backup \
             and a restore",
        ));
    }
    let mount = at("/var/lib/postgresql").filter(|_| at(OLD_DATA).is_none())?;
    Some(Found::error(
        service.place(mount.line),
        format!(
            "a volume is at /var/lib/postgresql, and postgres:{major} keeps its data in {OLD_DATA}"
        ),
        "The image has a volume without a name there, which is another one after each update: the \
         database is empty then.",
        format!("mount it at {OLD_DATA}"),
    ))
}

/// PostgreSQL that does not start for want of a password, or asks for none.
pub(super) fn postgres_password(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        if !is_postgres(service) {
            return None;
        }
        let method = service.variable("POSTGRES_HOST_AUTH_METHOD");
        if let Some(method) = method.filter(|method| method.value == "trust") {
            return Some(Found::error(
                method.place.clone(),
                "POSTGRES_HOST_AUTH_METHOD is trust",
                "Every client that reaches the database is its owner, without a password.",
                "leave it out, and set POSTGRES_PASSWORD_FILE",
            ));
        }
        (!service.is_told("POSTGRES_PASSWORD")).then(|| {
            Found::error(
                service.place_at(&["environment"]),
                "neither POSTGRES_PASSWORD_FILE nor POSTGRES_PASSWORD is set",
                "The image does not make a database without a password: the container ends, again \
                 and again.",
                "set POSTGRES_PASSWORD_FILE: /run/secrets/…",
            )
        })
    })
}

/// More memory for PostgreSQL's buffers than its container may have.
pub(super) fn postgres_memory(deployment: &Deployment) -> Vec<Found> {
    let Some(postgres) = &deployment.postgres else { return Vec::new() };
    let service = deployment.stack.service(&postgres.service);
    let limit = service.and_then(Service::memory_limit);
    let (Some(limit), Some((value, place))) = (limit, postgres.setting("shared_buffers")) else {
        return Vec::new();
    };
    let is_above = postgres_size(value).is_some_and(|buffers| buffers >= limit);
    let found = is_above.then(|| {
        Found::error(
            place.clone(),
            format!("shared_buffers is {value}, and the container may have {} MiB", limit >> 20),
            "The kernel kills PostgreSQL when its buffers fill, and every connection is gone.",
            "a quarter of deploy.resources.limits.memory is enough",
        )
    });
    found.into_iter().collect()
}

/// What PostgreSQL keeps for superusers.
const RESERVED: u64 = 3;

/// Its `max_connections` by default.
const MAX_CONNECTIONS: u64 = 100;

/// Pools that are larger together than what PostgreSQL takes.
pub(super) fn too_many_connections(deployment: &Deployment) -> Vec<Found> {
    let Some(postgres) = &deployment.postgres else { return Vec::new() };
    let settings = &deployment.settings;
    let pools = deployment.stack.services.iter().filter(|service| {
        let url = service.variable("WOODY_STORE_URL").map(|variable| variable.value.as_str());
        service.is_told("WOODY_STORE_URL") && url.is_none_or(|url| url.starts_with("postgres"))
    });
    let pools: Vec<_> = pools
        .map(|service| {
            let each = settings.value(service, "WOODY_STORE_CONNECTIONS").parse().unwrap_or(0);
            // One more of each while it is updated.
            let tasks = service.replicas() + u64::from(service.starts_first());
            (service.name.as_str(), tasks, each)
        })
        .collect();
    let wanted: u64 = pools.iter().map(|(_, tasks, each)| tasks.saturating_mul(*each)).sum();
    let told = postgres.setting("max_connections");
    let most = told.and_then(|(value, _)| value.parse().ok()).unwrap_or(MAX_CONNECTIONS);
    if wanted <= most.saturating_sub(RESERVED) {
        return Vec::new();
    }
    let place = match (told, deployment.stack.service(&postgres.service)) {
        (Some((_, place)), _) => place.clone(),
        (None, Some(service)) => service.place(service.line),
        (None, None) => return Vec::new(),
    };
    let sum: Vec<_> =
        pools.iter().map(|(name, tasks, each)| format!("{name} {tasks} x {each}")).collect();
    vec![Found::error(
        place,
        format!(
            "max_connections is {most}, of which {RESERVED} are for superusers, and the services may \
             open {wanted} during an update: {}",
            sum.join(", ")
        ),
        "PostgreSQL refuses those above (\"too many clients already\"): at the busiest time \
         orders go to the broker alone, and products are answered 503.",
        "raise max_connections, or lower WOODY_STORE_CONNECTIONS or the replicas",
    )]
}
