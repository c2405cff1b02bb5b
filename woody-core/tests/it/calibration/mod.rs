//! Whether what is foretold is kept: simulated shops, in which orders come evenly and in bursts, validations take short
//! and long, workers die and are replaced. No clock runs; each run is the same each time.
//!
//! `cargo test -p woody-core --all-features --test it calibration -- --nocapture` prints the tables.

mod shop;

use shop::{Change, Phase, Row, Shop, Takes, simulate};

fn phase(name: &'static str, orders: usize, per_s: f64, together: usize, takes: Takes) -> Phase {
    Phase { name, orders, per_s, together, takes, change: Change::None }
}

/// Five workers that take 25 ms for an order on average, and 20,000 orders. `slower` stretches all of it.
fn mixed_load(slower: f64, usual: fn(f64) -> Takes) -> Vec<Phase> {
    let (per_s, takes) = (1.0 / slower, usual(0.025 * slower));
    let rare = Takes::Mixed { mostly: 0.015 * slower, seldom: 0.12 * slower, one_in: 10 };
    let mut phases = vec![
        phase("steady", 3_000, 100.0 * per_s, 1, takes),
        phase("bursts", 4_000, 120.0 * per_s, 400, takes),
        phase("mixed", 4_000, 110.0 * per_s, 1, rare),
        phase("too many", 3_000, 260.0 * per_s, 1, takes),
        phase("killed", 3_000, 120.0 * per_s, 1, takes),
        phase("update", 3_000, 120.0 * per_s, 5, takes),
    ];
    phases[4].change = Change::Killed;
    phases[5].change = Change::Updated;
    phases
}

#[allow(clippy::print_stdout)] // For those who measure.
fn print(of: &str, rows: &[Row]) {
    println!("{of}\n  phase        orders   none  kept p50  kept p90  mean error");
    for row in rows {
        println!("  {row}");
    }
}

fn assert_kept(of: &str, shop: Shop, phases: &[Phase]) {
    for seed in 1..=3 {
        let rows = simulate(shop, phases, seed);
        let all = rows.last().unwrap();
        if seed == 1 {
            print(of, &rows);
        }
        assert!((85.0..=95.0).contains(&all.kept_p90), "{of}, seed {seed}: {all}");
        assert!((40.0..=65.0).contains(&all.kept_p50), "{of}, seed {seed}: {all}");
        assert!(all.none * 20 < all.orders, "{of}, seed {seed}: {all}");
    }
}

const FIVE: Shop = Shop { services: 1, workers: 5, at_once: 1 };

#[test]
fn what_is_foretold_is_kept_where_one_service_accepts() {
    assert_kept("one service", FIVE, &mixed_load(1.0, Takes::AnyTime));
}

#[test]
fn what_is_foretold_is_kept_where_services_do_not_know_of_each_other() {
    let shop = Shop { services: 3, ..FIVE };
    assert_kept("three services", shop, &mixed_load(1.0, Takes::AnyTime));
}

#[test]
fn what_is_foretold_is_kept_where_some_validations_take_very_long() {
    let shop = Shop { services: 2, ..FIVE };
    assert_kept("heavy tail", shop, &mixed_load(1.0, Takes::SometimesVeryLong));
}

#[test]
fn what_is_foretold_is_kept_where_all_validations_take_the_same() {
    let shop = Shop { services: 2, ..FIVE };
    assert_kept("always the same", shop, &mixed_load(1.0, Takes::AlwaysTheSame));
}

#[test]
fn what_is_foretold_is_kept_where_workers_validate_many_at_once() {
    let shop = Shop { services: 2, workers: 5, at_once: 10 };
    assert_kept("ten at once", shop, &mixed_load(1.0, |mean| Takes::AnyTime(10.0 * mean)));
}

#[test]
fn what_is_foretold_is_kept_where_orders_are_few_and_slow() {
    assert_kept("slow", FIVE, &mixed_load(10.0, Takes::AnyTime));
}
