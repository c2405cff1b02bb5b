//! The simulation beside what is known of queues, and the search beside common sense.

use super::{
    Ask, Costs, Deployment, Load, Shortfall, Spread, Validation,
    deployment::Hardware,
    pipeline::{Begins, simulate},
    predict::predict,
    seen::{Seen, percentile},
    size,
};

fn load(rate: f64, mean: f64, spread: Spread) -> Load {
    let validation = Validation { mean, spread, computes: false };
    Load { rate, arrivals: Spread::Exponential, validation }
}

fn servers(workers: u32, prefetch: u32) -> Deployment {
    Deployment { order_services: 1, workers, prefetch, hardware: Hardware::Shared(1.0) }
}

fn seen(load: &Load, deployment: &Deployment) -> Seen {
    simulate(load, deployment, &Costs::NONE, 200_000, Begins::Arriving)
}

fn mean(times: &[f64]) -> f64 {
    times.iter().sum::<f64>() / f64::from(u32::try_from(times.len()).unwrap())
}

/// Whether two numbers are within so many percent.
#[track_caller]
fn near(measured: f64, expected: f64, percent: f64) {
    let off = (measured / expected - 1.0).abs() * 100.0;
    assert!(off <= percent, "{measured}, not {expected}: {off:.1} % off");
}

/// The mean time in a system of `k` servers with Poisson arrivals and exponential service, by Erlang's C.
fn erlang_c(rate: f64, service: f64, k: u32) -> f64 {
    let offered = rate * service;
    // The recursion of Erlang's B, and C from it.
    let blocked = (1..=k).fold(1.0, |b, n| offered * b / (f64::from(n) + offered * b));
    let busy = offered / f64::from(k);
    let waits = blocked / (1.0 - busy * (1.0 - blocked));
    waits * service / (f64::from(k) - offered) + service
}

#[test]
fn one_server_is_as_slow_as_the_books_say() {
    for busy in [0.3, 0.5, 0.7] {
        let seen = seen(&load(busy, 1.0, Spread::Exponential), &servers(1, 1));
        near(mean(&seen.ended), 1.0 / (1.0 - busy), 6.0);
        // Of M/M/1 the times in the system are exponential as well.
        let p99 = 100_f64.ln() / (1.0 - busy);
        near(percentile(&seen.ended, 99), p99, 8.0);
    }
}

#[test]
fn several_servers_are_what_erlang_has_found() {
    for (workers, prefetch, busy) in [(2, 1, 0.6), (5, 1, 0.8), (4, 8, 0.9)] {
        let k = workers * prefetch;
        let rate = busy * f64::from(k);
        let seen = seen(&load(rate, 1.0, Spread::Exponential), &servers(workers, prefetch));
        near(mean(&seen.ended), erlang_c(rate, 1.0, k), 4.0);
    }
}

#[test]
fn times_that_do_not_vary_wait_half_as_long_or_not_at_all() {
    // Pollaczek and Khinchine: M/D/1 waits half of M/M/1.
    let fixed = seen(&load(0.8, 1.0, Spread::Fixed), &servers(1, 1));
    near(mean(&fixed.ended), 1.0 + 0.8 / 0.2 / 2.0, 4.0);
    // D/D/k: nobody waits while there are enough, and the rate is that of the servers when there are not.
    let steady = |rate| Load { arrivals: Spread::Fixed, ..load(rate, 1.0, Spread::Fixed) };
    let enough = seen(&steady(3.9), &servers(4, 1));
    near(percentile(&enough.ended, 100), 1.0, 0.001);
    near(enough.rate, 3.9, 0.1);
    let short = seen(&steady(5.0), &servers(4, 1));
    near(short.rate, 4.0, 0.1);
}

#[test]
fn cores_that_compute_are_servers_too() {
    let compute = |rate| {
        let load = load(rate, 1.0, Spread::Exponential);
        Load { validation: Validation { computes: true, ..load.validation }, ..load }
    };
    // One worker computes on two cores, first come, first served: M/M/2.
    let two = Deployment { hardware: Hardware::Shared(2.0), ..servers(1, 100) };
    near(mean(&seen(&compute(1.4), &two).ended), erlang_c(1.4, 1.0, 2), 4.0);
    // Two workers share one core: M/M/1 with a share for each, which has the same mean.
    near(mean(&seen(&compute(0.7), &servers(2, 1)).ended), 1.0 / 0.3, 5.0);
}

#[test]
fn orders_under_way_are_the_rate_times_their_time() {
    let load = load(6.0, 1.0, Spread::Exponential);
    let seen = seen(&load, &servers(8, 1));
    near(seen.rate, 6.0, 2.0);
    // Little, of the servers: 8 of them are busy for as long as orders are in hand.
    near(seen.rate * seen.held / 8.0, 0.75, 2.0);
    let drained = simulate(&load, &servers(8, 1), &Costs::NONE, 50_000, Begins::Queued);
    near(drained.rate, 8.0, 2.0);
}

#[test]
fn every_order_ends_and_costs_what_it_costs_alone_when_it_is_alone() {
    let load = load(1.0, 0.2, Spread::Fixed);
    let deployment = Deployment { hardware: Hardware::PLENTY, ..servers(20, 1) };
    let costs = Costs::MEASURED;
    let seen = simulate(&load, &deployment, &costs, 1_000, Begins::Arriving);
    let alone = |cost: super::costs::Cost| cost.of(1.0);
    near(seen.worked[0], alone(costs.request), 1.0);
    let postgres = [costs.commit, costs.clear, costs.look, costs.save].map(alone);
    near(seen.worked[1], postgres.iter().sum(), 3.0);
    let rabbitmq = [costs.publish, costs.deliver, costs.ack].map(alone);
    near(seen.worked[2], rabbitmq.iter().sum(), 1.0);
    near(seen.worked[3], alone(costs.handle) + alone(costs.ask), 1.0);
    near(seen.logged, costs.wal_accepted.of(1.0) + costs.wal_ended.of(1.0), 1.0);
    assert!(seen.ended[0] > 0.2 && percentile(&seen.ended, 99) < 0.21, "{:?}", seen.ended);
}

#[test]
fn orders_that_come_together_are_cheaper() {
    let deployment = Deployment { hardware: Hardware::PLENTY, ..servers(2, 100) };
    let at = |rate| {
        let load = load(rate, 0.0, Spread::Fixed);
        simulate(&load, &deployment, &Costs::MEASURED, 20_000, Begins::Arriving)
    };
    let (few, many) = (at(100.0), at(10_000.0));
    for process in 0..4 {
        assert!(many.worked[process] < few.worked[process] * 0.8, "{process}: {many:?}");
    }
    assert!(many.logged < few.logged);
}

fn ask(rate: f64, validation: f64) -> Ask {
    Ask {
        load: load(rate, validation, Spread::Exponential),
        prefetch: 1,
        peak: 2.0,
        busy: 0.7,
        cores_per_machine: 4,
        p99: None,
        order_services: None,
        workers: None,
        cores: None,
    }
}

#[test]
fn more_workers_are_never_later() {
    for (rate, mean, prefetch) in [(100.0, 0.2, 1), (400.0, 0.02, 4), (2_000.0, 0.005, 8)] {
        let load = load(rate, mean, Spread::Exponential);
        let least = (rate * (mean + 0.003) / f64::from(prefetch) * 1.05).ceil();
        let mut before = (f64::INFINITY, 0.0);
        for more in [0, 1, 4] {
            let workers = super::predict::whole(least) + more;
            let hardware = Hardware::Apart([2.0; 4]);
            let deployment = Deployment { order_services: 2, workers, prefetch, hardware };
            let now = predict(&load, &deployment, &Costs::MEASURED);
            assert!(now.ended.1 <= before.0 * 1.02, "{rate}, {workers}: {now:?}, {before:?}");
            assert!(now.at_most >= before.1 * 0.98, "{rate}, {workers}: {now:?}, {before:?}");
            before = (now.ended.1, now.at_most);
        }
    }
}

#[test]
fn more_orders_never_take_less() {
    let mut before = (0_u64, 0_u64, 0.0);
    for rate in [0.1, 1.0, 50.0, 100.0, 500.0, 20_000.0, 1e7] {
        let advice = size(&ask(rate, 0.2), &Costs::MEASURED);
        let shops = u64::from(advice.shops);
        let workers = shops * u64::from(advice.deployment.workers);
        let services = shops * u64::from(advice.deployment.order_services);
        let cores = f64::from(advice.shops) * advice.cores.iter().sum::<f64>();
        assert!((workers, services) >= (before.0, before.1) && cores > before.2, "{rate}");
        assert!(services >= before.1, "{rate}");
        assert_eq!(advice.shortfall, None, "{rate}");
        assert!(advice.prediction.at_most >= advice.load.rate * 0.98, "{rate}: {advice:?}");
        before = (workers, services, cores);
    }
}

#[test]
fn a_time_that_is_asked_for_takes_more_workers_or_is_said_to_be_out_of_reach() {
    let fixed = |p99| {
        let ask = ask(20.0, 0.2);
        let validation = Validation { spread: Spread::Fixed, ..ask.load.validation };
        Ask { load: Load { validation, ..ask.load }, busy: 0.95, p99, ..ask }
    };
    let any = size(&fixed(None), &Costs::MEASURED);
    let soon = size(&fixed(Some(0.25)), &Costs::MEASURED);
    assert!(any.prediction.ended.1 > 0.25 && soon.prediction.ended.1 <= 0.25, "{any:?} {soon:?}");
    assert!(soon.deployment.workers > any.deployment.workers);
    let never = size(&fixed(Some(0.1)), &Costs::MEASURED);
    assert_eq!((soon.shortfall, never.shortfall), (None, Some(Shortfall::Time)));
}

#[test]
fn what_is_there_is_not_searched_for_and_may_be_too_little() {
    let with = |workers| Ask { workers: Some(workers), cores: Some(2), ..ask(100.0, 0.2) };
    let few = size(&with(10), &Costs::MEASURED);
    assert_eq!((few.deployment.workers, few.shortfall), (10, Some(Shortfall::Rate)));
    near(few.prediction.at_most, 50.0, 5.0);
    let enough = size(&with(25), &Costs::MEASURED);
    assert_eq!((enough.deployment.workers, enough.shortfall), (25, None));
}

#[test]
fn a_month_of_validations_is_simulated_in_slices() {
    let advice = size(&ask(1_000.0, 900.0), &Costs::MEASURED);
    near(f64::from(advice.deployment.workers), 1_000.0 * 900.0 / 0.7, 3.0);
    near(advice.prediction.at_most, 1_000.0 / 0.7, 5.0);
}
