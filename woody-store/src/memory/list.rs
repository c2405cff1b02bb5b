//! Pages of orders.

use std::collections::BTreeSet;
use std::ops::Bound;

use woody_core::domain::StatusName;
use woody_core::ports::{OrderPage, OrderQuery};

use super::by_age::ByAge;
use super::order_table::OrderTable;

impl OrderTable {
    pub(super) fn list(&self, query: &OrderQuery) -> OrderPage {
        let begin = query
            .begins_after()
            .map_or(Bound::Unbounded, |begin| Bound::Excluded((begin.accepted_at(), begin.id())));
        let end = query.ends_before();
        let one_more = query.limit.get() + 1;
        let page = |sorted: &BTreeSet<ByAge>| -> Vec<ByAge> {
            let asked = sorted.range((begin, Bound::Unbounded));
            let asked = asked.take_while(|(at, _)| end.is_none_or(|end| *at < end));
            asked.take(one_more).copied().collect()
        };
        let sorted = StatusName::ALL.into_iter().filter(|status| query.is_of(*status));
        let sorted = sorted.filter_map(|status| match (&query.of, status) {
            (Some(list), status) => self.own_lists.sorted(list, status),
            (None, StatusName::Pending) => Some(&self.pending),
            (None, ended) => self.ended.get(&ended),
        });
        let mut keys: Vec<_> = sorted.flat_map(page).collect();
        keys.sort_unstable();
        keys.truncate(one_more);
        let orders = keys.iter().filter_map(|(_, id)| self.all.get(id).cloned());
        OrderPage::of(orders.collect(), query.limit)
    }
}
