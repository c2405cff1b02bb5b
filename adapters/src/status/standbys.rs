//! What is seen of the servers that keep what the store's has committed.

use woody_core::ports::Replication;

use super::scene::{Scene, Told};

impl Scene<'_> {
    pub(super) fn standbys_missing(&self) -> Option<Told> {
        let Replication { standbys, waits_for } = self.seen.replication?;
        (standbys < waits_for).then(|| Told {
            says: format!(
                "{} has {} connected, and each commit waits for {waits_for}. No order ends; new ones are \
                 kept by {} meanwhile, and all goes on by itself once they are back.",
                self.servers.store,
                count(standbys),
                self.servers.broker
            ),
            since: None,
            act: "Start the standbys again, or have commits wait for fewer \
                  (synchronous_standby_names)."
                .to_owned(),
        })
    }

    pub(super) fn last_standby(&self) -> Option<Told> {
        let Replication { standbys, waits_for } = self.seen.replication?;
        (standbys == waits_for && waits_for > 0).then(|| Told {
            says: format!(
                "Each commit of {} waits for {}, and there are no more: once one of them is down, no \
                 order ends.",
                self.servers.store,
                count(waits_for)
            ),
            since: None,
            act: "Add a standby, so that there is one more than commits wait for.".to_owned(),
        })
    }

    pub(super) fn asynchronous(&self) -> Option<Told> {
        let Replication { standbys, waits_for } = self.seen.replication?;
        (standbys > 0 && waits_for == 0).then(|| Told {
            says: format!(
                "{} has {} and waits for none: orders that were promised in its last moments are gone \
                 when a standby takes its place.",
                self.servers.store,
                count(standbys)
            ),
            since: None,
            act: "Have commits wait for one of two standbys: synchronous_standby_names = 'ANY 1 (*)'."
                .to_owned(),
        })
    }
}

/// `2 standbys`.
fn count(standbys: u32) -> String {
    match standbys {
        0 => "no standby".to_owned(),
        1 => "1 standby".to_owned(),
        _ => format!("{standbys} standbys"),
    }
}
