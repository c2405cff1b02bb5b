//! The lists of orders that have something in common.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use woody_core::domain::{Details, Label, Order, OrderId, StatusName};
use woody_core::ports::ListOf;

use super::by_age::{ByAge, by_age};

/// The orders of each client and those that are found by a text, as far as they are not archived, by status.
#[derive(Debug, Default)]
pub(super) struct OwnLists {
    lists: HashMap<ListOf, BTreeMap<StatusName, BTreeSet<ByAge>>>,
    found_by: HashMap<OrderId, Label>,
}

impl OwnLists {
    /// Adds an order that is new.
    pub(super) fn begin(&mut self, order: &Order<Details>, found_by: Option<&Label>) {
        if let Some(text) = found_by {
            self.found_by.insert(order.id, text.clone());
        }
        self.add(order);
    }

    /// Adds an order, as it stands now.
    pub(super) fn add(&mut self, order: &Order<Details>) {
        for list in self.of(order) {
            let list = self.lists.entry(list).or_default();
            list.entry(order.status.name()).or_default().insert(by_age(order));
        }
    }

    /// Takes an order out, as it stands now.
    pub(super) fn remove(&mut self, order: &Order<Details>) {
        for list in self.of(order) {
            let list = self.lists.get_mut(&list);
            if let Some(sorted) = list.and_then(|list| list.get_mut(&order.status.name())) {
                sorted.remove(&by_age(order));
            }
        }
    }

    pub(super) fn sorted(&self, list: &ListOf, status: StatusName) -> Option<&BTreeSet<ByAge>> {
        self.lists.get(list)?.get(&status)
    }

    fn of(&self, order: &Order<Details>) -> Vec<ListOf> {
        let client = order.client.clone().map(ListOf::Client);
        let found_by = self.found_by.get(&order.id).cloned().map(ListOf::FoundBy);
        client.into_iter().chain(found_by).collect()
    }
}
