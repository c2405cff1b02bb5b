//! Which image runs.

use crate::doctor::{
    deployment::Deployment,
    finding::{Found, Severity},
    images::Image,
};

/// An image whose name says nothing of what is in it.
pub(super) fn unpinned_image(deployment: &Deployment) -> Vec<Found> {
    let findings = deployment.stack.services.iter().filter_map(|service| {
        let image = service.image.as_ref()?;
        let what = complaint(image)?;
        Some(Found {
            severity: Severity::Warning,
            place: service.place(image.name.line),
            what,
            why: "What runs then depends on when a node pulled it, and there is no going back to \
                  what ran before.",
            mend: "name a version".to_owned(),
        })
    });
    findings.collect()
}

fn complaint(image: &Image) -> Option<String> {
    let name = &image.name.value;
    if image.has_digest() {
        return None;
    }
    match image.tag() {
        None => Some(format!("{name} has no tag")),
        // Of ours, the one who deploys says which.
        Some("latest") if image.is_ours() && !image.written.ends_with(":latest") => None,
        Some("latest") => Some(format!("{name} is whatever was pushed last")),
        Some(_) => None,
    }
}
