//! The orders of each client, sorted.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use woody_core::domain::{ClientName, Details, Order, StatusName};

use super::by_age::{ByAge, by_age};

/// The orders that clients have placed and that are not archived, by client and status.
#[derive(Debug, Default)]
pub(super) struct ClientLists(HashMap<ClientName, BTreeMap<StatusName, BTreeSet<ByAge>>>);

impl ClientLists {
    pub(super) fn add(&mut self, order: &Order<Details>) {
        if let Some(client) = &order.client {
            let its = self.0.entry(client.clone()).or_default();
            its.entry(order.status.name()).or_default().insert(by_age(order));
        }
    }

    pub(super) fn remove(&mut self, order: &Order<Details>) {
        let its = order.client.as_ref().and_then(|client| self.0.get_mut(client));
        if let Some(sorted) = its.and_then(|its| its.get_mut(&order.status.name())) {
            sorted.remove(&by_age(order));
        }
    }

    pub(super) fn sorted(
        &self,
        client: &ClientName,
        status: StatusName,
    ) -> Option<&BTreeSet<ByAge>> {
        self.0.get(client)?.get(&status)
    }
}
