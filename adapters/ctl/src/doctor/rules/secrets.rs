//! Passwords that can be read, or are well known.

use url::Url;

use crate::doctor::{
    deployment::Deployment,
    finding::{Found, Severity},
    rabbitmq::{RabbitMq, is_rabbitmq},
    service::{Service, Variable},
};

/// RabbitMQ's ports, with management and without, with TLS and without.
const RABBITMQ_PORTS: [u16; 4] = [15672, 15671, 5672, 5671];

/// RabbitMQ that lets `guest` in.
pub(super) fn guest_management(deployment: &Deployment) -> Vec<Found> {
    let mut findings = Vec::new();
    let mut found = |place, what: String, mend: &str| {
        findings.push(Found {
            severity: Severity::Error,
            place,
            what,
            why: "That user and its password are well known: a client of RabbitMQ reads, deletes \
                  and forges orders.",
            mend: mend.to_owned(),
        });
    };
    for service in deployment.stack.services.iter().filter(|service| is_rabbitmq(service)) {
        let published = service.ports.iter().find_map(|port| {
            Some((port.target.filter(|target| RABBITMQ_PORTS.contains(target))?, port.line))
        });
        let rabbitmq = deployment.rabbitmq.as_ref();
        let guest = rabbitmq.and_then(|rabbitmq| rabbitmq.user("guest"));
        if let (Some((port, _)), Some(place)) = (published, guest) {
            let what = format!("there is a user guest, and port {port} is published");
            found(place, what, "take it out, and define a user with a password of its own");
        }
        let makes_guest = rabbitmq.is_some_and(RabbitMq::makes_guest) && is_left_to_guest(service);
        if let Some((port, line)) = published.filter(|_| makes_guest) {
            let what =
                format!("nothing defines a user, so it makes guest, and port {port} is published");
            let mend = "define the users in definitions.json, which load_definitions names; if they \
                        are elsewhere, say where: --definitions FILE";
            found(service.place(line), what, mend);
        }
        for name in ["RABBITMQ_DEFAULT_USER", "RABBITMQ_DEFAULT_PASS"] {
            if let Some(variable) = service.variable(name).filter(|v| v.value == "guest") {
                let mend = "define the users in definitions.json, as a secret";
                found(variable.place.clone(), format!("{name} is guest"), mend);
            }
        }
    }
    findings
}

/// Whether the image has the user that RabbitMQ comes with; what other images have
/// is not known.
fn is_left_to_guest(service: &Service) -> bool {
    service.runs("rabbitmq") && !service.is_told("RABBITMQ_DEFAULT_USER")
}

/// A secret that stands in the stack file.
pub(super) fn plain_secret(deployment: &Deployment) -> Vec<Found> {
    let variables = deployment.stack.services.iter().flat_map(|service| &service.environment);
    let findings = variables.filter(|variable| is_secret(variable)).map(|variable| Found {
        severity: Severity::Error,
        place: variable.place.clone(),
        // Not its value: reports are passed on.
        what: format!("{} holds a secret", variable.name),
        why: "Every reader of the stack file or of docker service inspect has it, and so has every \
              crash report that lists the environment.",
        mend: format!(
            "make it a secret of Swarm, and name its file: {}_FILE: /run/secrets/…",
            variable.name
        ),
    });
    findings.collect()
}

fn is_secret(variable: &Variable) -> bool {
    let name = variable.name.to_ascii_uppercase();
    let is_called_so = ["PASSWORD", "SECRET", "TOKEN"].iter().any(|word| name.contains(word))
        || name.ends_with("_PASS");
    let has_password = || Url::parse(&variable.value).is_ok_and(|url| url.password().is_some());
    !variable.value.is_empty() && !name.ends_with("_FILE") && (is_called_so || has_password())
}
