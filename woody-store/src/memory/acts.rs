use std::ops::Bound;

use async_trait::async_trait;
use woody_core::domain::{Act, ActId, ActResult, NewAct, now};
use woody_core::ports::{ActCursor, ActLog, ActPage, ActQuery, StoreError};

use super::MemoryStore;
use super::act_table::ActTable;
use crate::stamp::whole_micros;

#[async_trait]
impl ActLog for MemoryStore {
    async fn record(&self, act: &NewAct) -> Result<(), StoreError> {
        let ActTable { all, by_id } = &mut *self.act_table()?;
        if !by_id.contains_key(&act.id) {
            let act = Act { asked: act.clone(), at: whole_micros(now()), result: None };
            let place = ActCursor::of(&act);
            by_id.insert(act.asked.id, place);
            all.insert(place, act);
        }
        Ok(())
    }

    async fn close(&self, id: ActId, result: &ActResult) -> Result<(), StoreError> {
        let ActTable { all, by_id } = &mut *self.act_table()?;
        if let Some(act) = by_id.get(&id).and_then(|place| all.get_mut(place)) {
            act.result.get_or_insert_with(|| result.clone());
        }
        Ok(())
    }

    async fn list(&self, query: &ActQuery) -> Result<ActPage, StoreError> {
        let acts = self.act_table()?;
        let end = query.after.map_or(Bound::Unbounded, Bound::Excluded);
        let older = acts.all.range((Bound::Unbounded, end)).rev().map(|(_, act)| act);
        let reached = older
            .take_while(|act| query.reaches_to().is_none_or(|begin| act.at >= begin))
            .filter(|act| query.order.is_none_or(|order| act.asked.order == Some(order)));
        Ok(ActPage::of(reached.take(query.limit.get() + 1).cloned().collect(), query.limit))
    }
}
