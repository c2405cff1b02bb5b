//! How the gateway finds the replicas of a service.

use std::collections::HashSet;

use crate::doctor::{
    deployment::Deployment,
    finding::{Found, Place, Severity},
    gateway::{Gateway, Seen, host_of},
    stack_file::Stack,
};

/// Names that nginx asks for once, or of which it sees one address.
pub(super) fn upstream_resolver(deployment: &Deployment) -> Vec<Found> {
    let Some(gateway) = &deployment.gateway else { return Vec::new() };
    let has_resolver = gateway.slowest_resolver().is_some();
    let mut findings = Vec::new();
    let mut resolved = HashSet::new();
    for upstream in gateway.upstream_servers() {
        let Some(service) = deployment.stack.service(upstream.host) else { continue };
        let place = upstream.server.place();
        if !upstream.server.has("resolve") {
            let what = format!("`{}` has no `resolve`", upstream.server);
            findings.push(asked_once(place, what, "add `resolve`, and a `zone` to the upstream"));
        } else if upstream.upstream.directive.named("zone").next().is_none() {
            findings.push(no_zone(place, &upstream.upstream.to_string()));
        } else if !has_resolver {
            findings.push(no_resolver(place, upstream.server));
        } else if resolved.insert(&service.name) {
            let mode = ["deploy", "endpoint_mode"];
            if service.text_at(&mode) != Some("dnsrr") {
                findings.push(one_address(service.place_at(&mode), &service.name));
            }
        }
    }
    findings.extend(passed_directly(&deployment.stack, gateway, has_resolver));
    findings
}

/// What `proxy_pass` names without an upstream.
fn passed_directly(stack: &Stack, gateway: &Gateway, has_resolver: bool) -> Vec<Found> {
    let upstreams: HashSet<_> =
        gateway.http_named("upstream").map(|seen| seen.directive.arg(0)).collect();
    let passes = gateway
        .everywhere()
        .into_iter()
        .filter(|seen| ["proxy_pass", "grpc_pass"].contains(&seen.name.as_str()));
    let findings = passes.filter_map(|pass| {
        let host = host_of(pass.directive.arg(0));
        if host.contains('$') {
            return (!has_resolver).then(|| no_resolver(pass.place(), pass));
        }
        let is_asked_once = !upstreams.contains(host) && stack.service(host).is_some();
        is_asked_once.then(|| {
            let what = format!("`{pass}` names the service itself");
            asked_once(pass.place(), what, "name an upstream, with `server … resolve`")
        })
    });
    findings.collect()
}

fn asked_once(place: Place, what: String, mend: &str) -> Found {
    Found {
        severity: Severity::Error,
        place,
        what,
        why: "nginx then asks for the name once, when it starts: a replica that moves is never \
              found again, and nginx does not start while the service is down.",
        mend: mend.to_owned(),
    }
}

fn no_zone(place: Place, upstream: &str) -> Found {
    Found {
        severity: Severity::Error,
        place,
        what: format!("`{upstream}` resolves a name as it runs, and has no `zone`"),
        why: "nginx does not start with it: its workers share what they learn of a name.",
        mend: "add `zone NAME 64k;` to the upstream".to_owned(),
    }
}

fn no_resolver(place: Place, what: Seen) -> Found {
    Found {
        severity: Severity::Error,
        place,
        what: format!("`{what}` is resolved as it runs, and there is no `resolver`"),
        why: "nginx has no name server of its own: without one it asks for no name at all.",
        mend: "add `resolver 127.0.0.11 valid=1s ipv6=off;` to `http`: Swarm's own".to_owned(),
    }
}

fn one_address(place: Place, service: &str) -> Found {
    Found {
        severity: Severity::Warning,
        place,
        what: format!("the gateway resolves {service}, whose endpoint_mode is vip"),
        why: "The name has one address then, behind which Swarm chooses: nginx tells no replica \
              from another, cannot ask the next one, and a replica that leaves goes on being asked \
              (moby/moby#38841).",
        mend: "set endpoint_mode: dnsrr under deploy".to_owned(),
    }
}

/// A hash by the names in the file, and one name in the file.
pub(super) fn consistent_hash_one_name(deployment: &Deployment) -> Vec<Found> {
    let gateway = deployment.gateway.iter();
    let upstreams = gateway.flat_map(|gateway| gateway.http_named("upstream"));
    let findings = upstreams.filter_map(|upstream| {
        let hash =
            upstream.children_seen().find(|seen| seen.name == "hash" && seen.has("consistent"))?;
        let mut servers = upstream.directive.named("server");
        let is_one_name = servers.next()?.has("resolve") && servers.next().is_none();
        is_one_name.then(|| Found {
            severity: Severity::Warning,
            place: hash.place(),
            what: format!("`{hash}` in `{upstream}`, whose replicas are behind one name"),
            why: "A consistent hash knows servers by the name in the file and takes the addresses \
                  behind one name in turn, so each replica computes and caches everything.",
            mend: format!("leave `consistent` out: `hash {};`", hash.arg(0)),
        })
    });
    findings.collect()
}
