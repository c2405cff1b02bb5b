//! What the server says of its standbys, and of its archive.

use time::OffsetDateTime;
use woody_core::ports::{Replication, StoreError, Timeline};

use super::PostgresStore;
use super::error::{Error, Standby};

/// Without the right to see what others do, a role still sees that they are there. A standby that
/// copies the whole server for the first time is none yet, and where commits wait, one for which
/// they never do is of no use to them. A segment of the log that could not be archived is tried again until it is.
const REPLICATION: &str = "
    SELECT (SELECT count(*) FROM pg_stat_replication
            WHERE state IS DISTINCT FROM 'backup'
              AND (sync_state IS DISTINCT FROM 'async' OR current_setting('synchronous_standby_names') = '')),
           current_setting('synchronous_standby_names'), current_setting('synchronous_commit'),
           (SELECT coalesce(last_archived_time, pg_postmaster_start_time()) FROM pg_stat_archiver
            WHERE current_setting('archive_mode') <> 'off'
              AND last_failed_time > coalesce(last_archived_time, '-infinity'))";

/// A file of the log begins with its timeline, in eight hexadecimal digits.
const TIMELINE: &str = "
    SELECT CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_lsn()), 8) END";

type ReplicationRow = (i64, String, String, Option<OffsetDateTime>);

impl PostgresStore {
    pub(super) async fn read_replication(&self) -> Result<Option<Replication>, Error> {
        let mut pg = self.lend().await?;
        let (standbys, names, commit, unarchived_since): ReplicationRow =
            self.query_as(REPLICATION).fetch_one(&mut *pg).await?;
        pg.done().await?;
        let standbys = u32::try_from(standbys).unwrap_or(u32::MAX);
        let waits_for = waits_for(&names, &commit);
        let seen = Replication { standbys, waits_for, unarchived_since };
        Ok((seen != Replication::default()).then_some(seen))
    }

    pub(super) async fn read_timeline(&self) -> Result<Option<Timeline>, Error> {
        let mut pg = self.lend().await?;
        let (number,): (Option<String>,) = self.query_as(TIMELINE).fetch_one(&mut *pg).await?;
        let Some(number) = number else {
            // The connection is closed: the name may lead to the primary by now.
            return Err(StoreError::unavailable(Standby).into());
        };
        pg.done().await?;
        // Other engines that speak the protocol may name their files in another way.
        Ok(u64::from_str_radix(&number, 16).ok().map(Timeline::new))
    }
}

/// Returns for how many standbys a commit waits: `s1, s2` and `*` are one, `FIRST 2 (…)`, `ANY 2 (…)`
/// and `2 (…)` are two.
fn waits_for(names: &str, commit: &str) -> u32 {
    let names = names.trim();
    if names.is_empty() || matches!(commit, "off" | "local") {
        return 0;
    }
    let Some((before, _)) = names.split_once('(') else { return 1 };
    before.split_whitespace().next_back().and_then(|number| number.parse().ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_waits_for_as_many_as_the_setting_says() {
        for (names, expected) in [
            ("", 0),
            ("  ", 0),
            ("*", 1),
            ("s1", 1),
            ("s1, s2", 1),
            ("FIRST 2 (s1, s2, s3)", 2),
            ("any 3(*)", 3),
            ("2 (s1, \"a (b\")", 2),
            ("ANY 1 (s1)", 1),
        ] {
            assert_eq!(waits_for(names, "on"), expected, "{names}");
        }
        assert_eq!((waits_for("*", "local"), waits_for("*", "off")), (0, 0));
        assert_eq!(waits_for("*", "remote_apply"), 1);
    }
}
