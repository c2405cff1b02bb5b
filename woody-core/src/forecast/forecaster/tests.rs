use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Event {
    Accepted,
    Ended,
    Sampled { after_ms: u64, waiting: u64, workers: Option<u64> },
    Learned { took_ms: u64 },
    Lost,
}

fn event() -> impl Strategy<Value = Event> {
    let sampled = (0..5_000u64, 0..100_000u64, prop::option::of(0..9u64))
        .prop_map(|(after_ms, waiting, workers)| Event::Sampled { after_ms, waiting, workers });
    prop_oneof![
        10 => Just(Event::Accepted),
        10 => Just(Event::Ended),
        5 => sampled,
        10 => (0..10_000_000u64).prop_map(|took_ms| Event::Learned { took_ms }),
        1 => Just(Event::Lost),
    ]
}

/// A forecaster to which all of this has happened, and when that was.
fn after(events: Vec<Event>) -> (Forecaster, Duration) {
    let (mut forecaster, mut at) = (Forecaster::new(), Duration::ZERO);
    let mut expected = None;
    for event in events {
        match event {
            Event::Accepted => expected = forecaster.accepted(at),
            Event::Ended => forecaster.ended(),
            Event::Sampled { after_ms, waiting, workers } => {
                at += Duration::from_millis(after_ms);
                forecaster.sampled(QueueSample { at, waiting, workers });
            }
            Event::Learned { took_ms } => {
                at += Duration::from_millis(100);
                if let Some(expected) = &expected {
                    forecaster.learned(expected, Duration::from_millis(took_ms), at);
                }
            }
            Event::Lost => forecaster.lost_sight(),
        }
    }
    (forecaster, at)
}

fn history() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(event(), 0..600)
}

proptest! {
    #[test]
    fn with_more_orders_in_front_no_time_is_earlier(events in history(), counts in prop::collection::vec(0..200_000u64, 2..9)) {
        let (forecaster, _) = after(events);
        let mut counts = counts;
        counts.sort_unstable();
        let expected: Vec<_> = counts.iter().map_while(|n| forecaster.expects_behind(*n)).collect();
        for pair in expected.windows(2) {
            prop_assert!(pair[0].wait <= pair[1].wait);
            let [Some(fewer), Some(more)] = [pair[0].ends_within, pair[1].ends_within] else { continue };
            prop_assert!(fewer.p50 <= more.p50 && fewer.p90 <= more.p90, "{fewer:?} {more:?}");
        }
    }

    #[test]
    fn nine_of_ten_end_no_earlier_than_one_of_two(events in history(), ago in 0..100_000u64) {
        let (forecaster, at) = after(events);
        let accepted = at.saturating_sub(Duration::from_millis(ago));
        let new = forecaster.expects(at).and_then(|expected| expected.ends_within);
        for within in [new, forecaster.expects_of(accepted, at)].into_iter().flatten() {
            prop_assert!(within.p50 <= within.p90);
        }
    }

    #[test]
    fn no_wait_is_longer_than_a_day_and_retrying_is_no_later(events in history(), most in 0..90_000u64) {
        let (forecaster, at) = after(events);
        let most = Duration::from_secs(most);
        if let Some(expected) = forecaster.expects(at) {
            prop_assert!(expected.wait <= LONGEST);
            let until = forecaster.until_wait_is(most, at);
            prop_assert_eq!(until, Some(expected.wait.saturating_sub(most)));
        }
    }
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn sample(seconds: u64, waiting: u64) -> QueueSample {
    QueueSample { at: at(seconds), waiting, workers: Some(2) }
}

#[test]
fn nothing_is_foretold_before_there_is_data() {
    let mut forecaster = Forecaster::new();
    assert_eq!(forecaster.accepted(at(0)), None);
    forecaster.sampled(sample(1, 0));
    let expected = forecaster.accepted(at(1)).unwrap();
    assert_eq!((expected.wait, expected.ends_within), (at(0), None));
    // A queue that was never seen to move.
    forecaster.sampled(sample(2, 500));
    assert_eq!(forecaster.accepted(at(2)), None);
}

#[test]
fn a_queue_takes_as_long_as_it_took_lately_with_as_many_workers() {
    let mut forecaster = Forecaster::new();
    for second in 0..10 {
        forecaster.sampled(sample(second, 100));
        (0..20).for_each(|_| forecaster.ended());
    }
    forecaster.sampled(sample(10, 100));
    assert_eq!(forecaster.expects(at(10)).unwrap().wait, at(5));
    // One of the two has gone.
    forecaster.sampled(QueueSample { workers: Some(1), ..sample(11, 100) });
    assert!(forecaster.expects(at(11)).unwrap().wait > at(9));
    forecaster.sampled(QueueSample { workers: Some(0), ..sample(12, 100) });
    assert_eq!(forecaster.expects(at(12)), None, "nobody takes orders");
}

#[test]
fn what_comes_and_goes_between_two_looks_counts() {
    let mut forecaster = Forecaster::new();
    for second in 0..10 {
        forecaster.sampled(sample(second, 100));
        (0..20).for_each(|_| forecaster.ended());
        (0..20).for_each(|_| assert_eq!(forecaster.accepted(at(second)).is_some(), second > 0));
    }
    forecaster.sampled(sample(10, 100));
    (0..60).for_each(|_| assert!(forecaster.accepted(at(10)).is_some()));
    assert_eq!(forecaster.expects(at(10)).unwrap().wait, at(8));
    (0..80).for_each(|_| forecaster.ended());
    assert_eq!(forecaster.expects(at(10)).unwrap().wait, at(4));
}

#[test]
fn orders_that_come_elsewhere_are_reckoned_with() {
    let mut forecaster = Forecaster::new();
    for second in 0..10 {
        forecaster.sampled(sample(second, 100));
        (0..20).for_each(|_| forecaster.ended());
    }
    forecaster.sampled(sample(10, 100));
    // Twenty a second ended, and as many came.
    let expected = forecaster.expects(at(11)).unwrap();
    assert_eq!(expected.wait, at(6));
}

/// Two workers that end twenty orders a second in all; each takes 100 ms.
fn steady() -> Forecaster {
    let mut forecaster = Forecaster::new();
    for second in 0..60 {
        forecaster.sampled(sample(second, 0));
        (0..20).for_each(|_| {
            let expected = forecaster.accepted(at(second)).unwrap();
            forecaster.ended();
            forecaster.learned(&expected, Duration::from_millis(100), at(second));
        });
    }
    for second in 60..70 {
        forecaster.sampled(sample(second, 200));
        (0..20).for_each(|_| forecaster.ended());
    }
    forecaster.sampled(sample(70, 200));
    forecaster
}

#[test]
fn an_order_in_the_queue_comes_nearer_with_each_that_ends() {
    let mut forecaster = steady();
    let first = forecaster.expects_of(at(70), at(70)).unwrap();
    assert!(first.p50 >= at(10), "{first:?}");
    for second in 71..80 {
        (0..20).for_each(|_| forecaster.ended());
        forecaster.sampled(sample(second, 200));
    }
    let then = forecaster.expects_of(at(70), at(79)).unwrap();
    assert!(then.p50 < at(2), "{then:?}");
    // Ten seconds after its turn it should have ended long ago.
    for second in 80..90 {
        (0..20).for_each(|_| forecaster.ended());
        forecaster.sampled(sample(second, 200));
    }
    assert_eq!(forecaster.expects_of(at(70), at(89)), None);
}

#[test]
fn the_next_try_comes_when_the_queue_is_short_enough() {
    let forecaster = steady();
    assert_eq!(forecaster.until_wait_is(at(4), at(70)), Some(at(6)));
    assert_eq!(forecaster.until_wait_is(at(10), at(70)), Some(at(0)));
    assert_eq!(Forecaster::new().until_wait_is(at(0), at(0)), None);
}
