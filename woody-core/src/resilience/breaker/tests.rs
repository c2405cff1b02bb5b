use proptest::prelude::*;
use tokio::time::advance;

use super::*;

fn breaker(failures: u32) -> CircuitBreaker {
    CircuitBreaker::new(BreakerConfig {
        failures,
        open_for: Duration::from_secs(1),
        open_at_most: Duration::from_secs(8),
    })
}

fn opened() -> CircuitBreaker {
    let breaker = breaker(1);
    breaker.try_acquire().unwrap().failure();
    breaker
}

#[tokio::test(start_paused = true)]
async fn a_success_between_failures_keeps_it_closed() {
    let breaker = breaker(2);
    for _ in 0..5 {
        breaker.try_acquire().unwrap().failure();
        breaker.try_acquire().unwrap().success();
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn it_refuses_for_at_least_half_and_at_most_all_of_its_time() {
    let breaker = opened();
    assert!(breaker.refuses_for() >= Duration::from_millis(500));
    advance(Duration::from_millis(499)).await;
    assert!(breaker.try_acquire().is_none());
    advance(Duration::from_millis(502)).await;
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert_eq!(breaker.refuses_for(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn half_open_lets_exactly_one_probe_through() {
    let breaker = opened();
    advance(Duration::from_secs(1)).await;
    let probe = breaker.try_acquire().unwrap();
    assert!(breaker.try_acquire().is_none());
    probe.success();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_probe_leaves_the_next_caller_to_probe() {
    let breaker = opened();
    advance(Duration::from_secs(1)).await;
    drop(breaker.try_acquire().unwrap());
    let second = breaker.try_acquire().unwrap();
    assert!(breaker.try_acquire().is_none());
    second.success();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn openings_grow_up_to_the_longest_and_shrink_after_a_success() {
    let breaker = opened();
    for longest in [2, 4, 8, 8, 8] {
        advance(breaker.refuses_for()).await;
        breaker.try_acquire().unwrap().failure();
        let refused = breaker.refuses_for();
        assert!(refused <= Duration::from_secs(longest), "{refused:?}");
        assert!(refused >= Duration::from_secs(longest) / 2, "{refused:?}");
    }
    advance(breaker.refuses_for()).await;
    breaker.try_acquire().unwrap().success();
    breaker.try_acquire().unwrap().failure();
    assert!(breaker.refuses_for() <= Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_late_result_of_an_earlier_period_changes_nothing() {
    let breaker = breaker(1);
    let (early, late) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
    breaker.try_acquire().unwrap().failure();
    let refused = breaker.refuses_for();
    early.success();
    late.failure();
    assert_eq!(breaker.state(), BreakerState::Open);
    assert_eq!(breaker.refuses_for(), refused);
}

#[tokio::test(start_paused = true)]
async fn an_opening_ends_whatever_it_was_set_to() {
    let breaker = CircuitBreaker::new(BreakerConfig {
        failures: 0,
        open_for: Duration::MAX,
        open_at_most: Duration::MAX,
    });
    breaker.try_acquire().unwrap().failure();
    assert!(breaker.refuses_for() <= Duration::from_hours(24));
    advance(breaker.refuses_for()).await;
    assert!(breaker.try_acquire().is_some());
}

/// What can happen to a breaker.
#[derive(Debug, Clone, Copy)]
enum Event {
    Acquire,
    /// Ends the n-th permit that is out.
    End(usize, Report),
    Wait(u64),
}

fn event() -> impl Strategy<Value = Event> {
    let report = prop_oneof![Just(Report::Success), Just(Report::Failure), Just(Report::Nothing)];
    prop_oneof![
        3 => Just(Event::Acquire),
        3 => (any::<usize>(), report).prop_map(|(n, report)| Event::End(n, report)),
        1 => (0..10_000_u64).prop_map(Event::Wait),
    ]
}

/// The rules again, written as a plain reader of the contract would.
#[derive(Debug, Default)]
struct Model {
    in_a_row: u32,
    open: bool,
    probe: Option<u64>,
    period: u64,
}

impl Model {
    fn end(&mut self, id: u64, period: u64, report: Report, threshold: u32) {
        if self.probe == Some(id) {
            self.probe = None;
            self.period += 1;
            if matches!(report, Report::Success) {
                (self.open, self.in_a_row) = (false, 0);
            }
        } else if !self.open && period == self.period {
            match report {
                Report::Success => self.in_a_row = 0,
                Report::Failure => self.in_a_row += 1,
                Report::Nothing => {}
            }
            if self.in_a_row >= threshold {
                self.open = true;
                self.period += 1;
            }
        }
    }
}

proptest! {
    #[test]
    fn it_follows_its_contract(threshold in 1..4_u32, events in prop::collection::vec(event(), 1..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let breaker = breaker(threshold);
            let mut model = Model::default();
            let mut out: Vec<(u64, u64, Permit<'_>)> = Vec::new();
            for (id, event) in (0_u64..).zip(events) {
                match event {
                    Event::Wait(ms) => advance(Duration::from_millis(ms)).await,
                    Event::Acquire => {
                        let time_is_over = breaker.refuses_for().is_zero();
                        let permit = breaker.try_acquire();
                        let expected = !model.open || (time_is_over && model.probe.is_none());
                        prop_assert_eq!(permit.is_some(), expected);
                        if let Some(permit) = permit {
                            if model.open {
                                model.probe = Some(id);
                            }
                            out.push((id, model.period, permit));
                        }
                    }
                    Event::End(n, report) if !out.is_empty() => {
                        let (id, period, permit) = out.swap_remove(n % out.len());
                        match report {
                            Report::Success => permit.success(),
                            Report::Failure => permit.failure(),
                            Report::Nothing => drop(permit),
                        }
                        model.end(id, period, report, threshold);
                    }
                    Event::End(..) => {}
                }
                prop_assert_eq!(breaker.state() == BreakerState::Closed, !model.open);
            }
            // However it went, it is never wedged: without calls, time heals it.
            drop(out);
            advance(Duration::from_secs(8)).await;
            prop_assert!(breaker.try_acquire().is_some());
            Ok(())
        })?;
    }
}
