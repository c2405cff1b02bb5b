use std::collections::{BTreeMap, HashMap};

use woody_core::domain::{Act, ActId};
use woody_core::ports::ActCursor;

/// The acts of a memory store.
#[derive(Debug, Default)]
pub(super) struct ActTable {
    /// All acts, the oldest first.
    pub(super) all: BTreeMap<ActCursor, Act>,
    pub(super) by_id: HashMap<ActId, ActCursor>,
}
