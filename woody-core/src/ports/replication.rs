/// How a store's server has what is committed kept by others, its standbys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replication {
    /// How many standbys are connected.
    pub standbys: u32,
    /// For how many of them each commit waits. With none, what was committed last is lost with
    /// the server.
    pub waits_for: u32,
}
