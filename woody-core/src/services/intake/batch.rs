use std::collections::HashMap;

use futures::future::join_all;

use super::{Accepted, IntakeError, Kept, OrderIntake, OrderRequest, Taken, count};
use crate::{
    domain::{Details, NewOrder, OrderDetails, OrderId, now},
    services::Ready,
    step,
};

/// What decides about one order of a batch.
enum Fate {
    /// It cannot be an order.
    Refused(IntakeError),
    /// What becomes of the order in this place among those that are kept.
    Own(usize),
    /// What becomes of the order in that place, which has the same key.
    Same(usize),
}

impl<D: OrderDetails> OrderIntake<D> {
    /// Accepts orders together, each as [`accept`](Self::accept) would: the store has them in
    /// one commit, or in as many as [`batch`](super::IntakeSettings::batch) makes of them.
    ///
    /// Returns of each what became of it, in their order. One that is refused keeps none of the
    /// others back. Of those that share a key the first one counts: another that asks for the
    /// same is the same order, and one that asks for something else is
    /// [`KeyReused`](IntakeError::KeyReused). Of more than may wait, those past the bound are
    /// [`Overloaded`](IntakeError::Overloaded).
    ///
    /// # Cancel safety
    /// A dropped future may leave any of the orders accepted.
    ///
    /// ```
    /// # use woody_core::{domain::ToyOrder, services::OrderIntake};
    /// # async fn example(intake: &OrderIntake) -> Result<(), Box<dyn std::error::Error>> {
    /// let orders = [ToyOrder::parse("Train", 2)?, ToyOrder::parse("Boat", 1)?];
    /// for accepted in intake.accept_all(orders).await {
    ///     match accepted {
    ///         Ok(accepted) => println!("{} is kept from now on", accepted.order.id),
    ///         Err(error) => println!("this one was not accepted: {error}"),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn accept_all(
        &self,
        requests: impl IntoIterator<Item = impl Into<OrderRequest<D>>>,
    ) -> Vec<Result<Accepted<D>, IntakeError>> {
        let accepted_at = now();
        let mut carried: Vec<NewOrder<Details>> = Vec::new();
        let mut keyed: HashMap<OrderId, usize> = HashMap::new();
        let mut orders = Vec::new();
        for request in requests {
            let OrderRequest { details, key, trace, client } = request.into();
            let id = key.as_ref().map_or_else(OrderId::fresh, OrderId::from_key);
            let order = NewOrder { id, details, accepted_at, trace, client, found_by: None };
            let fate = match order.encode(self.details_bytes) {
                Err(error) => Fate::Refused(error.into()),
                Ok(next) => match keyed.get(&id) {
                    Some(first) if means_the_same::<D>(&carried[*first], &next) => {
                        Fate::Same(*first)
                    }
                    Some(_) => Fate::Refused(IntakeError::KeyReused),
                    None => {
                        if key.is_some() {
                            keyed.insert(id, carried.len());
                        }
                        carried.push(next);
                        Fate::Own(carried.len() - 1)
                    }
                },
            };
            orders.push((order, fate));
        }
        let kept = self.admit_and_keep(carried, &keyed).await;
        step!("intake.accepted");
        let results = orders.into_iter().map(|(order, fate)| {
            let kept = match fate {
                Fate::Refused(error) => Err(error),
                Fate::Own(at) => kept[at].clone(),
                Fate::Same(at) => kept[at].clone().map(again),
            };
            count(&kept);
            kept.map(|(kept, ready)| Accepted { order, kept, ready })
        });
        results.collect()
    }

    /// Keeps those that may come: where orders would wait too long, those that are known by
    /// their keys.
    async fn admit_and_keep(
        &self,
        orders: Vec<NewOrder<Details>>,
        keyed: &HashMap<OrderId, usize>,
    ) -> Vec<Taken> {
        // Those that are looked up together share a statement.
        let admitted =
            orders.iter().map(|order| self.admit(order.id, keyed.contains_key(&order.id)));
        let admitted = join_all(admitted).await;
        let all = orders.into_iter().zip(&admitted);
        let may_come = all.filter(|(_, admitted)| admitted.is_ok()).map(|(order, _)| order);
        let mut taken = self.keep_all(may_come.collect()).await.into_iter();
        let of_each = admitted.into_iter().map(|admitted| {
            // There are as many as were admitted.
            admitted.and_then(|()| taken.next().unwrap_or(Err(IntakeError::ShuttingDown)))
        });
        of_each.collect()
    }

    async fn keep_all(&self, orders: Vec<NewOrder<Details>>) -> Vec<Taken> {
        let began = self.outage.as_ref().map(|outage| outage.begin());
        let coming: Vec<_> = orders.iter().map(|order| self.coming(order)).collect();
        let taken = self.store.take_all(orders.clone()).await;
        let kept = orders.iter().zip(taken).map(|(order, taken)| self.kept(order, taken, began));
        // Those that the store has not taken go the other way at the same time.
        let kept = join_all(kept).await;
        kept.into_iter().zip(coming).map(|(kept, coming)| self.came(kept, coming)).collect()
    }
}

fn means_the_same<D: OrderDetails>(first: &NewOrder<Details>, next: &NewOrder<Details>) -> bool {
    first.details.mean_the_same::<D>(&next.details)
}

/// Where the second of two submits is kept.
fn again((first, ready): (Kept, Option<Ready>)) -> (Kept, Option<Ready>) {
    match first {
        Kept::InStore | Kept::Already => (Kept::Already, None),
        Kept::InBroker => (Kept::InBroker, ready),
    }
}
