use crate::doctor::{
    deployment::Deployment,
    finding::{Finding, Found, Severity},
    service::Service,
};

/// One thing that the doctor looks for.
#[derive(Debug)]
pub struct Rule {
    /// Its name, in reports.
    pub id: &'static str,
    /// How bad the worst is that it finds.
    pub severity: Severity,
    /// What it finds.
    pub finds: &'static str,
    pub(super) check: fn(&Deployment) -> Vec<Found>,
}

impl Rule {
    pub(super) fn findings(&self, deployment: &Deployment) -> impl Iterator<Item = Finding> {
        (self.check)(deployment).into_iter().map(|found| Finding {
            rule: self.id,
            severity: found.severity,
            place: found.place,
            what: found.what,
            why: found.why,
            mend: found.mend,
        })
    }
}

/// What is found in each service.
pub(super) fn each_service<'d, F: IntoIterator<Item = Found>>(
    deployment: &'d Deployment,
    look: impl Fn(&'d Service) -> F,
) -> Vec<Found> {
    deployment.stack.services.iter().flat_map(look).collect()
}
