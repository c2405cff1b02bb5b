//! Who asks: addresses that the limits are by.

use crate::doctor::{
    deployment::Deployment,
    finding::{Found, Severity},
    gateway::{Gateway, Seen},
    variables::{Variables, names_in},
};

/// What sets a limit; its first argument says by what.
const LIMITS: [&str; 2] = ["limit_req_zone", "limit_conn_zone"];
/// What clients say of their own address.
const CLAIMS: [&str; 2] = ["proxy_add_x_forwarded_for", "http_x_forwarded_for"];

/// A limit by address, and a port at which every client has the mesh's address.
pub(super) fn limit_behind_mesh(deployment: &Deployment) -> Vec<Found> {
    let (Some(service), Some(gateway)) = (deployment.stack.gateway(), &deployment.gateway) else {
        return Vec::new();
    };
    let variables = Variables::of(gateway);
    let is_by_client = |seen: &Seen| {
        LIMITS.contains(&seen.name.as_str()) && variables.tell_the_client(seen.arg(0))
    };
    let Some(limit) = gateway.http().into_iter().find(is_by_client) else { return Vec::new() };
    let in_mesh = service.ports.iter().filter(|port| port.is_in_mesh);
    let findings = in_mesh.map(|port| Found {
        severity: Severity::Error,
        place: service.place(port.line),
        what: format!(
            "the port is published through the routing mesh, and {} is by the client's address ({})",
            limit.name,
            limit.place()
        ),
        why: "The mesh puts its own address in place of the client's (moby/moby#25526), so all \
              clients share one limit.",
        mend: "publish it in host mode: { target: …, published: …, mode: host }".to_owned(),
    });
    findings.collect()
}

/// An address that a client wrote itself.
pub(super) fn trusted_forwarded_for(deployment: &Deployment) -> Vec<Found> {
    let gateway = deployment.gateway.iter();
    let found = gateway.flat_map(Gateway::everywhere).filter_map(|seen| {
        let (what, mend) = match seen.name.as_str() {
            "set_real_ip_from" if ["0.0.0.0/0", "::/0"].contains(&seen.arg(0)) => (
                format!("{seen} takes the address from any client's header"),
                "name the addresses of the proxies in front, and no others".to_owned(),
            ),
            "proxy_set_header" | "map" | "geo" | "limit_req_zone" | "limit_conn_zone"
                if claims(seen) =>
            {
                let what = format!("{seen} passes on what the client says of its address");
                (what, "use $remote_addr, which is the connection's own".to_owned())
            }
            _ => return None,
        };
        Some(Found {
            severity: Severity::Error,
            place: seen.place(),
            what,
            why: "Any client can write X-Forwarded-For, and the services, the logs and the limits \
                  then take it for another one.",
            mend,
        })
    });
    found.collect()
}

fn claims(seen: Seen) -> bool {
    let mut names = seen.directive.args.iter().flat_map(|arg| names_in(arg));
    names.any(|name| CLAIMS.contains(&name))
}
