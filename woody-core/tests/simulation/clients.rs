//! Those who send orders, repeat them, and look what has become of them.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::StreamExt;
use tokio::time::{Instant, sleep};
use woody_core::{
    domain::{IdempotencyKey, OrderId},
    services::{Accepted, IntakeError, Kept, OrderRequest},
};

use crate::{
    call::Wire,
    cancels,
    ledger::{Invariant, Promise},
    order::{TownOrder, name_of},
    sabotage::Sabotage,
    town::{Front, Fronts, front},
    world::{Dep, Inner, Life, Link, World},
};

/// One client with one order.
#[derive(Debug, Clone)]
pub struct Wish {
    pub after: Duration,
    /// Who asks; clients are told apart by it.
    pub who: u32,
    pub slot: usize,
    pub name: String,
    pub key: Option<u32>,
    pub then: Then,
}

/// What a client does once it has its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Leave,
    Poll,
    Watch,
    Cancel,
}

pub fn wishes(inner: &mut Inner) -> Vec<Wish> {
    let span = inner.mood.span.as_millis().try_into().unwrap_or(u64::MAX);
    let bursts: Vec<_> = (0..inner.mood.bursts).map(|_| inner.ms(0, span)).collect();
    let mut wishes = Vec::new();
    for n in 0..inner.mood.orders {
        let ways = [Then::Leave, Then::Poll, Then::Watch, Then::Cancel];
        let then = ways[inner.rng.usize(..4)];
        let wish = Wish {
            after: match bursts.len() {
                0 => inner.ms(0, span),
                some => bursts[inner.rng.usize(..some)] + inner.ms(0, 5),
            },
            who: n,
            slot: inner.rng.usize(..2),
            name: format!("o{n}"),
            key: (inner.rng.u32(..100) < inner.mood.keyed).then_some(n),
            then,
        };
        if wish.key.is_some() && inner.rng.bool() {
            let other_body = inner.rng.u8(..4) == 0;
            wishes.push(Wish {
                after: wish.after + inner.ms(0, 400),
                who: n + 1_000,
                slot: wish.slot + usize::from(inner.rng.bool()),
                name: if other_body { format!("o{n}x") } else { wish.name.clone() },
                then: Then::Leave,
                ..wish.clone()
            });
        }
        wishes.push(wish);
    }
    wishes
}

/// Runs `client` beside everything else; the schedule waits for it.
pub fn beside(world: &Arc<World>, client: impl Future<Output = ()> + Send + 'static) {
    world.with(|inner| inner.under_way += 1);
    let world = Arc::clone(world);
    tokio::spawn(async move {
        client.await;
        world.with(|inner| inner.under_way -= 1);
    });
}

pub async fn order(world: Arc<World>, fronts: Fronts, wish: Wish) {
    sleep(wish.after).await;
    let most = if wish.key.is_some() { 4 } else { 1 };
    for attempt in 0..most {
        match front(&fronts, wish.slot + attempt) {
            None => world.with(|inner| inner.count("orders that found a service down")),
            Some(front) => match submit(&world, &front, &wish).await {
                Next::Kept(id) => return follow(world, fronts, front, wish, id).await,
                Next::Refused => return,
                Next::TryAgain => {}
            },
        }
        sleep(world.with(|inner| inner.ms(50, 800))).await;
    }
}

enum Next {
    Kept(OrderId),
    Refused,
    TryAgain,
}

async fn submit(world: &Arc<World>, front: &Front, wish: &Wish) -> Next {
    let began = Instant::now();
    let batch = world.with(|inner| inner.batch_around(wish));
    let accepting = async {
        match &batch[..] {
            [alone] => vec![front.intake.accept(request(world, alone)).await],
            all => front.intake.accept_all(all.iter().map(|wish| request(world, wish))).await,
        }
    };
    let answers = tokio::select! {
        biased;
        () = front.life.over() => {
            world.with(|inner| inner.count("orders whose service died"));
            return Next::TryAgain;
        }
        answers = accepting => answers,
    };
    assert_eq!(answers.len(), batch.len(), "an answer for each");
    let told =
        batch.iter().zip(answers).map(|(wish, answer)| told(world, front, wish, began, answer));
    // The client follows its own, the first.
    told.collect::<Vec<_>>().swap_remove(0)
}

fn request(world: &World, wish: &Wish) -> OrderRequest<TownOrder> {
    let key = wish.key.filter(|_| !world.with(|inner| inner.is_sabotaged(Sabotage::KeyForgotten)));
    OrderRequest {
        details: TownOrder::called(&wish.name),
        key: key.map(|key| IdempotencyKey::parse(&format!("key {key}")).unwrap()),
        trace: None,
        client: None,
    }
}

/// Notes what a client was told of one order.
fn told(
    world: &World,
    front: &Front,
    wish: &Wish,
    began: Instant,
    answer: Result<Accepted<TownOrder>, IntakeError>,
) -> Next {
    let no = front.life.no;
    world.with(|inner| {
        inner.say(|| match &answer {
            Ok(accepted) => format!("p{no} accepts {}, {:?}", wish.name, accepted.kept),
            // What it says further has the time of the real clock in it.
            Err(IntakeError::Unavailable { .. }) => {
                format!("p{no} refuses {}: no order can be kept", wish.name)
            }
            Err(error) => format!("p{no} refuses {}: {error}", wish.name),
        });
        match answer {
            Ok(Accepted { order, kept, .. }) => {
                inner.count(match kept {
                    Kept::InStore => "orders accepted in the store",
                    Kept::Already => "orders accepted before",
                    Kept::InBroker => "orders accepted in the broker",
                });
                for (dep, what) in [
                    (Dep::Store, "orders accepted while the store was unavailable"),
                    (Dep::Broker, "orders accepted while the broker was unavailable"),
                ] {
                    if inner.link(dep) != Link::Up {
                        inner.count(what);
                    }
                }
                let dep = if kept == Kept::InBroker { Dep::Broker } else { Dep::Store };
                if dep == Dep::Store {
                    inner.check_body(order.id, &wish.name);
                }
                inner.ledger.went_through(no, dep, began);
                let (id, name, key) = (order.id, wish.name.clone(), wish.key);
                inner.promise(Promise { id, kept, name, key });
                Next::Kept(id)
            }
            Err(IntakeError::KeyReused) => {
                inner.count("orders refused for their key");
                inner.check_conflict(wish);
                inner.ledger.went_through(no, Dep::Store, began);
                Next::Refused
            }
            Err(IntakeError::Unavailable { .. }) => {
                inner.count("orders refused with both dependencies unavailable");
                if !inner.ledger.refusal_is_excused(no, began) {
                    let name = wish.name.clone();
                    inner.broken(Invariant::TakenWhileOneIsUp, || format!("{name} was refused"));
                }
                Next::TryAgain
            }
            Err(error) => {
                inner.broken(Invariant::TakenWhileOneIsUp, || format!("{}: {error}", wish.name));
                Next::Refused
            }
        }
    })
}

impl Inner {
    /// What is handed over with `wish`, which comes first: on most days nothing else; or orders
    /// of others, and the same once more if it has a key.
    fn batch_around(&mut self, wish: &Wish) -> Vec<Wish> {
        let mut batch = vec![wish.clone()];
        if self.rng.u8(..8) == 0 {
            self.count("batches");
            let others = self.rng.u32(1..=3);
            batch.extend((0..others).map(|n| Wish {
                name: format!("{} and {n}", wish.name),
                key: None,
                ..wish.clone()
            }));
            batch.extend(wish.key.map(|_| wish.clone()));
        }
        batch
    }

    /// G5: an order that is in the store is the one that was asked for.
    fn check_body(&mut self, id: OrderId, name: &str) {
        let stored = self.store.row(id).map(|row| name_of(&row.order));
        if stored.as_ref().is_none_or(|stored| stored != name) {
            self.broken(Invariant::OneOrderPerKey, || format!("{name} is kept as {stored:?}"));
        }
    }

    /// A client that holds an id got a 404.
    fn is_unknown(&mut self, name: &str) {
        let name = name.to_owned();
        self.broken(Invariant::GivenIsKnown, || format!("{name} was given, and is not known"));
    }

    /// G5: a key is refused only when it was used for something else.
    fn check_conflict(&mut self, wish: &Wish) {
        let used = wish.key.is_some_and(|key| {
            let names = [format!("o{key}"), format!("o{key}x")];
            let mut rows = self.store.rows.iter();
            let name = |row: &crate::store::Row| name_of(&row.order);
            rows.any(|row| name(row) != wish.name && names.contains(&name(row)))
        });
        if !used {
            let name = wish.name.clone();
            self.broken(Invariant::OneOrderPerKey, || format!("{name} was refused for its key"));
        }
    }
}

/// A client that has its id, and what it is shown from then on.
async fn follow(world: Arc<World>, fronts: Fronts, service: Front, wish: Wish, id: OrderId) {
    match wish.then {
        Then::Leave => {}
        Then::Cancel => cancels::cancel(world, fronts, wish.who, wish.slot, id).await,
        Then::Poll => {
            for n in 0..12 {
                sleep(world.with(|inner| inner.ms(20, 700))).await;
                let Some(service) = front(&fronts, wish.slot + n) else { continue };
                tokio::select! {
                    biased;
                    () = service.life.over() => {}
                    order = service.tracker.order(id) => match order {
                        Ok(Some(order)) => {
                            world.with(|inner| {
                                if order.stored.is_none() && inner.link(Dep::Store) != Link::Up {
                                    inner.count("reads of pending while the store was unavailable");
                                }
                                inner.show(wish.who, service.life.no, id, &order.status);
                            });
                        }
                        Ok(None) => world.with(|inner| inner.is_unknown(&wish.name)),
                        Err(_) => {}
                    }
                }
            }
        }
        Then::Watch => {
            let watching = async {
                let Ok(changes) = service.tracker.watch(id).await else { return };
                let Some(changes) = changes else {
                    return world.with(|inner| inner.is_unknown(&wish.name));
                };
                let mut changes = std::pin::pin!(changes);
                while let Some(order) = changes.next().await {
                    world.with(|inner| inner.show(wish.who, service.life.no, id, &order.status));
                }
            };
            tokio::select! {
                biased;
                () = service.life.over() => {}
                // What was lost with the broker stays pending.
                () = sleep(Duration::from_mins(1)) => {}
                () = watching => {}
                () = lost(&world, id) => {}
            }
        }
    }
}

/// Returns once the order was only in a broker that was wiped: it is pending for ever.
async fn lost(world: &World, id: OrderId) {
    while !world.with(|inner| inner.ledger.lost_in_broker.contains(&id)) {
        sleep(Duration::from_secs(1)).await;
    }
}

/// Some other program that publishes nonsense, until it is confirmed.
pub async fn poisoner(world: Arc<World>, after: Duration, n: u32) {
    sleep(after).await;
    let body = Bytes::from(format!("poison {n}"));
    let wire = Wire { world: Arc::clone(&world), life: Life::begin(9_000 + n) };
    loop {
        let stored = body.clone();
        let put = move |inner: &mut Inner, reach| inner.put_all(&[stored], reach);
        if wire.call(Dep::Broker, "publish", put).await.is_ok() {
            break;
        }
        sleep(world.with(|inner| inner.ms(50, 500))).await;
    }
    world.with(|inner| {
        inner.count("poison messages");
        inner.ledger.poison.push(body);
    });
}
