//! Orders that are archived.

use std::ops::Bound;
use std::time::Duration;

use woody_core::domain::{Details, NoticeId, Order, OrderId, Outcome, Reason, StatusName};
use woody_core::ports::{Archivable, OrderCursor, PageSize};

use super::by_age::by_age;
use super::order_table::{OrderTable, before_now};

/// How orders end that nobody has to see to.
const FOR_GOOD: [StatusName; 3] =
    [StatusName::Success, StatusName::Rejected, StatusName::Cancelled];

impl OrderTable {
    pub(super) fn archivable(
        &self,
        accepted_for: Duration,
        after: Option<OrderCursor>,
        limit: PageSize,
    ) -> Archivable {
        let before = before_now(accepted_for);
        let begin = after
            .map_or(Bound::Unbounded, |after| Bound::Excluded((after.accepted_at(), after.id())));
        let sorted = FOR_GOOD.iter().filter_map(|status| self.ended.get(status));
        let old = sorted.flat_map(|orders| {
            let old = orders.range((begin, Bound::Unbounded));
            old.take_while(|(at, _)| *at < before).take(limit.get())
        });
        let mut keys: Vec<_> = old.copied().collect();
        keys.sort_unstable();
        keys.truncate(limit.get());
        let looked_at = keys.iter().filter_map(|(_, id)| {
            let order = self.all.get(id)?;
            Some((order.clone(), self.is_to_be_told(order)))
        });
        Archivable::of(looked_at.collect(), limit)
    }

    /// Drops the details of an order, if it may be archived and was not; returns whether it was
    /// done.
    pub(super) fn archive(&mut self, id: OrderId) -> bool {
        let Some(order) = self.all.get(&id) else { return false };
        let may = FOR_GOOD.contains(&order.status.name())
            && !order.details.are_archived()
            && !self.is_to_be_told(order);
        if !may {
            return false;
        }
        if let Some(listed) = self.ended.get_mut(&order.status.name()) {
            listed.remove(&by_age(order));
        }
        self.own_lists.remove(order);
        if let Some(order) = self.all.get_mut(&id) {
            order.details = Details::archived();
        }
        true
    }

    /// It may have failed before it ended like this.
    fn is_to_be_told(&self, order: &Order<Details>) -> bool {
        let failed = NoticeId::of(order.id, &Outcome::Failed(Reason::new("")));
        let ended = order.status.outcome().map(|outcome| NoticeId::of(order.id, outcome));
        self.notices.has(&failed) || ended.is_some_and(|ended| self.notices.has(&ended))
    }
}
