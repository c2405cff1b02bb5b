//! What is seen of where else what the store's server has committed is kept: its standbys, and its archive.

use std::time::Duration;

use woody_core::ports::Replication;

use super::{
    scene::{Scene, Told},
    told::{ago, clock},
};
use crate::figures::age;

/// A server tries again after a minute at the latest what it could not archive: a first failure is none yet.
const NOT_ARCHIVED: Duration = Duration::from_mins(2);

impl Scene<'_> {
    pub(super) fn standbys_missing(&self) -> Option<Told> {
        let Replication { standbys, waits_for, .. } = self.seen.replication?;
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
        let Replication { standbys, waits_for, .. } = self.seen.replication?;
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
        let Replication { standbys, waits_for, .. } = self.seen.replication?;
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

    pub(super) fn not_archived(&self) -> Option<Told> {
        let since = self.seen.replication?.unarchived_since?;
        let lasts = ago(since, self.seen.looked_at);
        (lasts >= NOT_ARCHIVED).then(|| Told {
            says: format!(
                "{} has put nothing of its log into the archive since {} ({}): the shop cannot be brought back \
                 to a later moment, and the log fills the disk.",
                self.servers.store,
                clock(since, self.seen.looked_at),
                age(lasts)
            ),
            since: Some(since),
            act: format!(
                "See in the log of {} why its archive_command fails, and give the archive room, rights or its \
                 disk back. Then it goes on by itself.",
                self.servers.store
            ),
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
