//! One schedule from its seed to its end: faults for a while, then none, then
//! everything must come to rest and every invariant must hold.

use std::{sync::Arc, time::Duration};

use tokio::{
    runtime::Builder,
    time::{Instant, sleep, sleep_until},
};
use woody_core::ports::BrokerAdmin;

use crate::{
    broker_port::SimBroker,
    call::Wire,
    cancels,
    chaos::{Event, events},
    clients::{self, Then, Wish, beside, wishes},
    coverage::Coverage,
    ledger::{Broken, Invariant},
    town::Town,
    world::{Dep, Life, Link, Options, World},
};

/// How a schedule went.
pub struct Outcome {
    pub broken: Option<Broken>,
    pub coverage: Coverage,
    pub trace: Vec<String>,
}

/// How long the system may take to come to rest once there are no faults: a few
/// of the relay's longest pauses.
const COMES_TO_REST_WITHIN: Duration = Duration::from_mins(2);

/// Runs the schedule of `seed`.
pub fn run(seed: u64, options: Options) -> Outcome {
    // The jitter of the real code comes from this thread's generator.
    fastrand::seed(seed);
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let world = runtime.block_on(async {
        let world = World::new(seed, options);
        play(&world).await;
        world.with(|inner| inner.over = true);
        world
    });
    drop(runtime);
    world.with(|inner| Outcome {
        broken: inner.broken.take(),
        coverage: std::mem::take(&mut inner.coverage),
        trace: inner.take_trace(),
    })
}

async fn play(world: &Arc<World>) {
    let began = Instant::now();
    let (wishes, events, poison, span) = world.with(|inner| {
        let mood = inner.mood.clone();
        inner.say(|| format!("{mood:?}"));
        (wishes(inner), events(inner), inner.mood.poison, inner.mood.span)
    });
    let mut town = Town::open(world).await;
    for wish in wishes {
        beside(world, clients::order(Arc::clone(world), Arc::clone(&town.fronts), wish));
    }
    for n in 0..poison {
        let after = world.with(|inner| inner.rng.u64(..1_000));
        beside(world, clients::poisoner(Arc::clone(world), Duration::from_millis(after), n));
    }
    for n in 0..world.with(|inner| inner.mood.meddlers) {
        let (world, fronts) = (Arc::clone(world), Arc::clone(&town.fronts));
        let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let after = world.with(|inner| inner.ms(0, span));
        beside(&Arc::clone(&world), cancels::meddler(world, fronts, after, 2_000 + n));
    }
    for (at, event) in events {
        town_until(&mut town, began + at).await;
        happens(world, &mut town, event).await;
    }
    town_until(&mut town, began + span).await;
    end_of_faults(world, &mut town).await;
    rest(world, &mut town).await;
    world.with(super::world::Inner::check_end);
    redrive_all(world, &mut town).await;
}

/// Lets the town live until then; what falls is started again.
async fn town_until(town: &mut Town, until: Instant) {
    while Instant::now() < until {
        town.restart_fallen().await;
        sleep_until(until.min(Instant::now() + Duration::from_millis(200))).await;
    }
}

async fn happens(world: &Arc<World>, town: &mut Town, event: Event) {
    match event {
        Event::Link(dep, link) => world.set_link(dep, link),
        Event::KillService(slot) => town.kill_service(slot),
        Event::StartService(slot) => town.start_service(slot).await,
        Event::DrainService(slot) => town.drain_service(slot),
        Event::KillWorker(slot) => town.kill_worker(slot),
        Event::StartWorker(slot) => town.start_worker(slot).await,
        Event::DrainWorker(slot) => town.drain_worker(slot),
        Event::CutWorker(slot) => town.cut_worker(slot),
        Event::CutOff(slot, is) => town.cut_off(slot, is),
        Event::KillAll => town.kill_all(),
        Event::StartAll => town.start_all().await,
        Event::Leaderless(is) => world.with(|inner| inner.broker.leaderless = is),
        Event::ValidatorAway(is) => world.with(|inner| inner.validator_is_away = is),
        Event::Wipe => world.with(super::world::Inner::wipe),
        Event::Double => world.with(super::world::Inner::double_one),
        Event::Redrive => {
            let admin = operator(world);
            beside(world, async move {
                let Ok(letters) = admin.dead_letters(10).await else { return };
                let ids: Vec<_> = letters.into_iter().map(|letter| letter.id).collect();
                let _ = admin.redrive(&ids).await;
            });
        }
    }
    world.queue_changed.notify_waiters();
}

fn operator(world: &Arc<World>) -> SimBroker {
    SimBroker::new(Wire { world: Arc::clone(world), life: Life::begin(8_000) })
}

/// From now on everything works, and each service takes an order.
async fn end_of_faults(world: &Arc<World>, town: &mut Town) {
    world.with(|inner| {
        inner.say(|| "no more faults".to_owned());
        inner.mood.calm();
        inner.broker.leaderless = false;
        inner.cut_off.clear();
        inner.validator_is_away = false;
    });
    world.set_link(Dep::Store, Link::Up);
    world.set_link(Dep::Broker, Link::Up);
    town.start_all().await;
    // The longest that a breaker stays open.
    sleep(Duration::from_millis(2_100)).await;
    // What kills its process must not kill the one that is asked below.
    if world.with(|inner| inner.mood.killers > 0) {
        rest(world, town).await;
        town.restart_fallen().await;
    }
    let services = world.with(|inner| inner.mood.services);
    for slot in 0..services {
        let who = 2_000 + u32::try_from(slot).unwrap_or_default();
        let wish = Wish {
            after: Duration::ZERO,
            who,
            slot,
            name: format!("last{slot}"),
            key: None,
            then: Then::Watch,
        };
        let before = world.with(|inner| inner.ledger.promised().count());
        let sent = Instant::now();
        let ordering = clients::order(Arc::clone(world), Arc::clone(&town.fronts), wish);
        beside(world, ordering);
        while world.with(|inner| inner.ledger.promised().count()) == before {
            if sent.elapsed() > Duration::from_secs(3) {
                world.with(|inner| {
                    inner.broken(Invariant::TakenWhileOneIsUp, || {
                        format!("nothing is wrong, and p{slot} takes no order")
                    });
                });
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Waits until nothing is left to do, as long as the patience lasts.
async fn rest(world: &Arc<World>, town: &mut Town) {
    let until = Instant::now() + COMES_TO_REST_WITHIN;
    while Instant::now() < until {
        if world.with(|inner| inner.is_quiet() || inner.broken.is_some()) {
            break;
        }
        town.restart_fallen().await;
        world.with(super::world::Inner::redrive_notices);
        sleep(Duration::from_millis(200)).await;
    }
}

/// What has failed reaches its verdict when an operator sends it again.
async fn redrive_all(world: &Arc<World>, town: &mut Town) {
    // An operator has mended the validator.
    world.with(|inner| inner.mood.killers = 0);
    let admin = operator(world);
    let Ok(letters) = admin.dead_letters(1_000).await else { return };
    if letters.is_empty() {
        return;
    }
    let ids: Vec<_> = letters.into_iter().map(|letter| letter.id).collect();
    let _ = admin.redrive(&ids).await;
    rest(world, town).await;
    world.with(|inner| {
        inner.check_end();
        let failed = inner.store.rows.iter().find(|row| {
            row.status.as_str() == "failed" && !inner.ledger.letter_lost.contains(&row.order.id)
        });
        if let Some(name) = failed.map(|row| crate::order::name_of(&row.order)) {
            inner.broken(Invariant::DeadLettersAreKept, || {
                format!("{} has failed and was redriven in vain", name.as_str())
            });
        }
    });
}
