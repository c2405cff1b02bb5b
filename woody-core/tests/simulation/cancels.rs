//! Those who cancel orders: who gave them, or somebody else.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;
use woody_core::{
    domain::{OrderId, OrderStatus, Outcome},
    services::Cancellation,
};

use crate::{
    ledger::Invariant,
    town::{Fronts, front},
    world::World,
};

/// How often somebody tries to cancel an order.
const TRIES: usize = 8;

/// Cancels an order after a while, until there is an answer; then it is looked at now and then.
pub async fn cancel(world: Arc<World>, fronts: Fronts, who: u32, slot: usize, id: OrderId) {
    sleep(world.with(|inner| inner.ms(0, 1_500))).await;
    for n in 0..TRIES {
        if let Some(service) = front(&fronts, slot + n) {
            let no = service.life.no;
            let reason = Some(format!("{who} changed their mind").as_str().into());
            let answer = tokio::select! {
                biased;
                () = service.life.over() => None,
                answer = service.intake.cancel(id, reason) => Some(answer),
            };
            match answer {
                Some(Ok(answer)) => {
                    world.with(|inner| inner.answered(who, no, id, answer));
                    return look(world, fronts, who, slot, id).await;
                }
                Some(Err(_)) => world.with(|inner| inner.count("cancels that are unavailable")),
                None => {}
            }
        }
        sleep(world.with(|inner| inner.ms(50, 800))).await;
    }
}

/// What was told is shown from then on.
async fn look(world: Arc<World>, fronts: Fronts, who: u32, slot: usize, id: OrderId) {
    for n in 0..6 {
        if let Some(service) = front(&fronts, slot + n) {
            tokio::select! {
                biased;
                () = service.life.over() => {}
                order = service.tracker.order(id) => match order {
                    Ok(Some(order)) => {
                        world.with(|inner| inner.show(who, service.life.no, id, &order.status));
                    }
                    Ok(None) => world.with(|inner| inner.knows_not(id)),
                    Err(_) => {}
                }
            }
        }
        sleep(world.with(|inner| inner.ms(20, 700))).await;
    }
}

/// Somebody who cancels one of the orders that were given out by then.
pub async fn meddler(world: Arc<World>, fronts: Fronts, after: Duration, who: u32) {
    sleep(after).await;
    let some = world.with(|inner| {
        let ids: Vec<_> = inner.ledger.promised().collect();
        let nth = (!ids.is_empty()).then(|| inner.rng.usize(..ids.len()));
        nth.map(|nth| (ids[nth], inner.rng.usize(..2)))
    });
    if let Some((id, slot)) = some {
        cancel(world, fronts, who, slot, id).await;
    }
}

impl crate::world::Inner {
    /// What client `who` is told when it cancels an order.
    fn answered(&mut self, who: u32, service: u32, id: OrderId, answer: Cancellation) {
        match answer {
            Cancellation::Cancelled => {
                self.count("orders cancelled");
                self.ledger.cancelled.insert(id);
                let reason = self.store.row(id).and_then(|row| row.status.reason().cloned());
                self.show(who, service, id, &Outcome::Cancelled(reason).into());
            }
            Cancellation::Ended(outcome) => {
                self.count("cancels that came too late");
                self.show(who, service, id, &OrderStatus::from(outcome));
            }
            Cancellation::Unknown => self.knows_not(id),
        }
    }

    fn knows_not(&mut self, id: OrderId) {
        let name = self.ledger.name_of(id);
        self.broken(Invariant::GivenIsKnown, || format!("{name} was given, and is not known"));
    }
}
