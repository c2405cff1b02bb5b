//! What a container is given to read, and whether it can.

use super::rule::each_service;
use crate::doctor::{
    deployment::Deployment,
    finding::{Found, Place},
    gateway::Gateway,
    images::Image,
    parts::Grant,
    postgres::is_postgres,
    service::Service,
};

/// Where Swarm puts secrets; the second leads to the first.
const SECRETS: [&str; 2] = ["/run/secrets/", "/var/run/secrets/"];

/// A file that is named, and that nothing gives.
pub(super) fn file_not_given(deployment: &Deployment) -> Vec<Found> {
    let stack = &deployment.stack;
    let mut found = each_service(deployment, |service| {
        let is_bare = service.image.as_ref().is_some_and(Image::is_bare);
        let files = service.environment.iter().filter(|variable| {
            variable.name.ends_with("_FILE") && (is_bare || is_secret(&variable.value))
        });
        let found = files.filter_map(|variable| {
            not_given(service, variable.place.clone(), &variable.name, &variable.value)
        });
        let mut found: Vec<_> = found.collect();
        found.extend(postgres_files(service));
        found
    });
    if let Some(rabbitmq) = &deployment.rabbitmq {
        let named = rabbitmq.placed("load_definitions").filter(|(path, _)| is_secret(path));
        if let (Some(service), Some((path, place))) = (stack.service(&rabbitmq.service), named) {
            found.extend(not_given(service, place, "load_definitions", path));
        }
    }
    if let Some(service) = stack.gateway() {
        let all = deployment.gateway.iter().flat_map(Gateway::everywhere);
        let files = all.filter(|seen| seen.name.starts_with("ssl_") && is_secret(seen.arg(0)));
        found.extend(files.filter_map(|seen| {
            not_given(service, seen.place(), &seen.directive.name, seen.directive.arg(0))
        }));
    }
    found
}

fn is_secret(path: &str) -> bool {
    SECRETS.iter().any(|folder| path.starts_with(folder))
}

fn not_given(service: &Service, place: Place, what: &str, path: &str) -> Option<Found> {
    let path = path.strip_prefix("/var").filter(|path| is_secret(path)).unwrap_or(path);
    let is_given = path.is_empty() || service.has_at(path);
    (!is_given).then(|| {
        Found::error(
            place,
            format!("{what} is {path}, and nothing gives {} that file", service.name),
            "The program does not start: the file is not there.",
            "add the secret to the service's secrets:, or correct the path",
        )
    })
}

/// Files that PostgreSQL's command names.
fn postgres_files(service: &Service) -> Vec<Found> {
    if !is_postgres(service) {
        return Vec::new();
    }
    let words = service.words_of("command");
    let files = words.iter().filter_map(|word| word.split_once('='));
    let files = files.filter(|(key, _)| ["config_file", "hba_file", "ident_file"].contains(key));
    let place = service.place_at(&["command"]);
    files.filter_map(|(key, path)| not_given(service, place.clone(), key, path)).collect()
}

/// A secret or a config that its user cannot read.
pub(super) fn unreadable_grant(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let grants = service.secrets.iter().chain(&service.configs);
        grants.filter_map(|grant| complaint(service, grant)).collect::<Vec<_>>()
    })
}

/// Modes that are meant in octal, and written so that they are decimal.
const DECIMAL: [u32; 8] = [400, 440, 444, 600, 640, 644, 660, 664];

fn complaint(service: &Service, grant: &Grant) -> Option<Found> {
    let mode = grant.mode?;
    let place = service.place(grant.line);
    if DECIMAL.contains(&mode) {
        return Some(Found::error(
            place,
            format!("{} has mode {mode}, which is {mode:o} in octal", grant.source),
            "Rights are read in octal when they begin with 0: these are others than are meant.",
            format!("write mode: 0{mode}"),
        ));
    }
    let user = service.text_at(&["user"])?;
    let (uid, gid) = user.split_once(':').map_or((user, None), |(uid, gid)| (uid, Some(gid)));
    uid.parse::<u32>().ok().filter(|uid| *uid != 0)?;
    let owner = grant.uid.as_deref().unwrap_or("0");
    let group = grant.gid.as_deref().unwrap_or("0");
    let is_readable = mode & 0o004 != 0
        || (mode & 0o400 != 0 && uid == owner)
        || (mode & 0o040 != 0 && gid.is_none_or(|gid| gid == group));
    (!is_readable).then(|| {
        Found::error(
            place,
            format!(
                "{} is for user {owner} with mode {mode:04o}, and the service is user {user}",
                grant.source
            ),
            "The program cannot read it, and does not start.",
            format!("set uid: \"{uid}\" at it"),
        )
    })
}

/// A value, and a file that holds it too.
pub(super) fn value_and_file(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let found = service.environment.iter().filter_map(|variable| {
            let name = variable.name.strip_suffix("_FILE")?;
            service.variable(name).filter(|value| !value.value.is_empty())?;
            let place = variable.place.clone();
            let what = format!("{name} and {name}_FILE are both set");
            if is_postgres(service) && name.starts_with("POSTGRES_") {
                let why = "The container ends at once: \"are exclusive\".";
                return Some(Found::error(place, what, why, "leave one of them out"));
            }
            let is_ours = service.is_program() && name.starts_with("WOODY_");
            is_ours.then(|| {
                let why = "The file counts, and the value reads as if it did.";
                Found::warning(place, what, why, format!("leave {name} out"))
            })
        });
        found.collect::<Vec<_>>()
    })
}
