use time::OffsetDateTime;

/// How what a store's server has committed is kept elsewhere: by its standbys, and in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replication {
    /// How many standbys are connected.
    pub standbys: u32,
    /// For how many of them each commit waits. With none, what was committed last is lost with
    /// the server.
    pub waits_for: u32,
    /// Since when the server's log should have gone to the archive and did not: the last time that it did, or the
    /// server's start. `None` where it goes there, or there is no archive.
    pub unarchived_since: Option<OffsetDateTime>,
}
