//! The keys of clients that are programs.

use super::rule::each_service;
use crate::doctor::{deployment::Deployment, files::read_file, finding::Found, service::Service};
use woody_adapters::keys::{ApiKeys, Scope, Scopes};

/// A file of keys with which nobody can place an order.
///
/// A secret that is made elsewhere is not there to be read; of it nothing is said.
pub(super) fn nobody_orders(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let takes_orders = service.runs("woodytoys") || service.has_queue() && !service.is_worker();
        let named = service.variable("WOODY_API_KEYS_FILE").filter(|_| takes_orders)?;
        let public = service.variable("WOODY_PUBLIC_SCOPES");
        let public = public.and_then(|scopes| scopes.value.parse::<Scopes>().ok());
        let text = given(deployment, service, &named.value)?;
        let what = match text.parse::<ApiKeys>() {
            Ok(keys) if keys.grant(Scope::Order) => return None,
            Ok(_) if public.unwrap_or_default().contains(Scope::Order) => return None,
            Ok(_) => "no key of WOODY_API_KEYS_FILE has the scope order".to_owned(),
            Err(error) => format!("the program refuses what WOODY_API_KEYS_FILE names: {error}"),
        };
        Some(Found::error(
            named.place.clone(),
            what,
            "Nobody can place an order.",
            "add a line, as woodyctl keys new NAME --scopes order,read prints it, or set WOODY_PUBLIC_SCOPES: order",
        ))
    })
}

/// Returns the text of the secret or config that a service has at `path`, if it is made from a file.
fn given(deployment: &Deployment, service: &Service, path: &str) -> Option<String> {
    let path = path.strip_prefix("/var").unwrap_or(path);
    let kinds = [("secrets", &service.secrets), ("configs", &service.configs)];
    let (section, grant) = kinds.into_iter().find_map(|(section, grants)| {
        Some((section, grants.iter().find(|grant| grant.path == path)?))
    })?;
    read_file(&deployment.stack.file_of(section, &grant.source)?).ok()
}
