//! nginx in its container: what it writes, opens, and how it ends.

use super::rule::each_service;
use crate::doctor::{
    deployment::Deployment,
    finding::Found,
    gateway::{Gateway, nginx_time},
    parts::MountKind,
    postgres::is_postgres,
    service::Service,
};

/// Where nginx of the official image writes by default.
const PLACES: [(&str, &str); 6] = [
    ("pid", "/run/nginx.pid"),
    ("client_body_temp_path", "/var/cache/nginx/client_temp"),
    ("proxy_temp_path", "/var/cache/nginx/proxy_temp"),
    ("fastcgi_temp_path", "/var/cache/nginx/fastcgi_temp"),
    ("uwsgi_temp_path", "/var/cache/nginx/uwsgi_temp"),
    ("scgi_temp_path", "/var/cache/nginx/scgi_temp"),
];

/// A file system that cannot be written, under a program that must.
pub(super) fn nothing_to_write_to(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        if !service.is_read_only() {
            return None;
        }
        let missing: Vec<_> = written(deployment, service)
            .into_iter()
            .filter(|path| !is_writable(service, path))
            .collect();
        let first = missing.first()?;
        let folder = first.rsplit_once('/').map_or("/", |(folder, _)| folder);
        Some(Found::error(
            service.place_at(&["read_only"]),
            format!("it is read_only, and it writes {first}, where no tmpfs is"),
            "The program does not start: \"Read-only file system\".",
            format!(
                "add volumes: - {{ type: tmpfs, target: {folder}, tmpfs: {{ size: 67108864 }} }}"
            ),
        ))
    })
}

fn written(deployment: &Deployment, service: &Service) -> Vec<String> {
    if is_postgres(service) {
        return vec!["/var/run/postgresql/.s.PGSQL.5432.lock".to_owned()];
    }
    if service.runs("front") {
        return vec!["/tmp/nginx.pid".to_owned()];
    }
    let gateway = deployment.gateway.as_ref().filter(|_| service.is_gateway());
    // With a configuration of its own, nothing is known of where it writes.
    let is_as_it_comes = service.runs("nginx") && !service.has_at("/etc/nginx/nginx.conf");
    if gateway.is_none() && !is_as_it_comes {
        return Vec::new();
    }
    let told = gateway.map(Gateway::everywhere).unwrap_or_default();
    let places = PLACES.iter().map(|(name, default)| {
        let told = told.iter().find(|seen| seen.name == *name);
        told.map_or(*default, |seen| seen.directive.arg(0)).to_owned()
    });
    places.collect()
}

fn is_writable(service: &Service, path: &str) -> bool {
    // The mount that is nearest counts.
    let over = service.mounts.iter().filter(|mount| mount.covers(path));
    over.max_by_key(|mount| mount.target.len())
        .is_some_and(|mount| mount.kind == MountKind::Tmpfs || !mount.is_read_only)
}

/// A gateway that is killed before its last responses.
pub(super) fn gateway_grace(deployment: &Deployment) -> Vec<Found> {
    let (Some(service), Some(gateway)) = (deployment.stack.gateway(), &deployment.gateway) else {
        return Vec::new();
    };
    let all = gateway.everywhere().into_iter();
    let timeouts = all.filter(|seen| seen.name == "worker_shutdown_timeout");
    let found = timeouts.filter_map(|seen| {
        let timeout = nginx_time(seen.directive.arg(0))?;
        (timeout >= service.grace()).then(|| {
            Found::error(
                service.place_at(&["stop_grace_period"]),
                format!(
                    "it has {:?} to end, and worker_shutdown_timeout is {timeout:?} ({})",
                    service.grace(),
                    seen.place()
                ),
                "Swarm kills nginx while it still serves: clients see connections break at each \
                 update.",
                "set stop_grace_period above worker_shutdown_timeout",
            )
        })
    });
    found.collect()
}

/// More connections than nginx may open files.
pub(super) fn open_files(deployment: &Deployment) -> Vec<Found> {
    let (Some(service), Some(gateway)) = (deployment.stack.gateway(), &deployment.gateway) else {
        return Vec::new();
    };
    let all = gateway.everywhere();
    let number = |name: &str| {
        let seen = all.iter().find(|seen| seen.name == name)?;
        Some((seen, seen.directive.arg(0).parse::<u64>().ok()?))
    };
    let Some((seen, connections)) = number("worker_connections") else { return Vec::new() };
    let told = number("worker_rlimit_nofile").map(|(_, files)| files);
    let limits = [["ulimits", "nofile", "soft"].as_slice(), &["ulimits", "nofile"]];
    let files = told.or_else(|| limits.iter().find_map(|path| service.number_at(path)));
    let found = files.filter(|files| *files < connections).map(|files| {
        Found::warning(
            seen.place(),
            format!("worker_connections is {connections}, and a worker may open {files} files"),
            "Each connection is a file, and one that is passed on is two: at the busiest time nginx \
             refuses clients (\"too many open files\").",
            "set worker_rlimit_nofile to twice worker_connections, and more",
        )
    });
    found.into_iter().collect()
}

/// The signals on which a program ends as it should.
const SIGNALS: [(&str, &[&str], &str); 3] = [
    ("postgres", &["SIGINT"], "SIGTERM waits for the clients to leave, SIGQUIT breaks off"),
    ("nginx", &["SIGQUIT"], "on any other nginx breaks off what it is answering"),
    ("program", &["SIGTERM", "SIGINT"], "on any other it ends at once, with what it holds"),
];

/// A signal on which nothing is ended well.
pub(super) fn stop_signal(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let signal = service.text_at(&["stop_signal"])?;
        let kind = match service.image.as_ref() {
            Some(image) if image.is_program() => "program",
            Some(image) if ["gateway", "front", "nginx"].contains(&image.base()) => "nginx",
            Some(image) if image.base() == "postgres" => "postgres",
            _ => return None,
        };
        let (_, good, because) = SIGNALS.iter().find(|(name, ..)| *name == kind)?;
        let full =
            if signal.starts_with("SIG") { signal.to_owned() } else { format!("SIG{signal}") };
        (!good.contains(&full.as_str())).then(|| {
            Found::error(
                service.place_at(&["stop_signal"]),
                format!("stop_signal is {signal}: {because}"),
                "At each update requests are cut off, or the container is killed when its grace is \
                 over.",
                format!("set stop_signal: {}, or leave it to the image", good.join(" or ")),
            )
        })
    })
}
