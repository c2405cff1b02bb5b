//! How full each part of a shop was at the last looks.

use std::{collections::VecDeque, time::Duration};

use time::OffsetDateTime;
use woody_adapters::{
    figures::{age, grouped},
    status::Evidence,
};
use woody_core::ports::{Backlog, QueueDepth};

/// How many looks are remembered.
const KEPT: usize = 60;
/// The time over which a change is measured, if as much is remembered: one look after another may differ by chance.
const OVER: Duration = Duration::from_secs(10);
/// What a bar of a trend is drawn with, from nothing to the most.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Something of a shop that may be more or less full.
struct Level {
    name: &'static str,
    unit: Unit,
    /// None where nobody says.
    of: fn(&Evidence) -> Option<u64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Unit {
    /// Things that are counted to the last.
    Things,
    /// Orders, which the store counts up to a number.
    Orders,
    Seconds,
}

const fn level(name: &'static str, unit: Unit, of: fn(&Evidence) -> Option<u64>) -> Level {
    Level { name, unit, of }
}

const LEVELS: [Level; 8] = [
    level("pending orders", Unit::Orders, |seen| of_store(seen, |store| store.pending)),
    level("oldest pending", Unit::Seconds, oldest_pending),
    level("in the outbox", Unit::Orders, |seen| of_store(seen, |store| store.unpublished)),
    level("in the queue", Unit::Things, |seen| of_queue(seen, |queue| Some(queue.ready))),
    level("at workers", Unit::Things, |seen| of_queue(seen, |queue| queue.in_flight)),
    level("to be retried", Unit::Things, |seen| of_queue(seen, |queue| Some(queue.delayed))),
    level("dead letters", Unit::Things, |seen| of_queue(seen, |queue| Some(queue.dead))),
    level("workers", Unit::Things, |seen| of_queue(seen, |queue| queue.consumers)),
];
const QUEUE: usize = 3;

fn of_store(seen: &Evidence, number: fn(&Backlog) -> u64) -> Option<u64> {
    seen.store.as_ref().ok().map(number)
}

fn of_queue(seen: &Evidence, number: fn(&QueueDepth) -> Option<u64>) -> Option<u64> {
    seen.queue.as_ref().ok().and_then(number)
}

/// Where none is pending, none has waited.
fn oldest_pending(seen: &Evidence) -> Option<u64> {
    let store = seen.store.as_ref().ok()?;
    let waited = store.oldest_pending.map_or(time::Duration::ZERO, |at| seen.looked_at - at);
    Some(u64::try_from(waited.whole_seconds()).unwrap_or(0))
}

impl Unit {
    fn shown(self, level: u64) -> String {
        match self {
            Self::Seconds => age(Duration::from_secs(level)),
            _ if self.is_more_than(level) => format!("{}+", grouped(&level.to_string())),
            _ => grouped(&level.to_string()),
        }
    }

    /// Whether there may be more than was counted.
    fn is_more_than(self, level: u64) -> bool {
        self == Self::Orders && level >= Evidence::COUNTED_UP_TO
    }
}

/// What was seen at the last looks, the newest last.
#[derive(Debug, Default)]
pub(super) struct Levels {
    looks: VecDeque<(OffsetDateTime, [Option<u64>; LEVELS.len()])>,
}

impl Levels {
    /// Remembers one more look.
    pub(super) fn see(&mut self, seen: &Evidence) {
        if self.looks.len() == KEPT {
            self.looks.pop_front();
        }
        self.looks.push_back((seen.looked_at, LEVELS.each_ref().map(|level| (level.of)(seen))));
    }

    /// Returns a line for each level: what it is, by how much it changes in a second, and its trend in what is left of `width`
    /// columns.
    pub(super) fn lines(&self, width: usize) -> Vec<String> {
        let bars = width.saturating_sub(44).min(KEPT);
        let line = |(nth, level): (usize, &Level)| {
            let now = self.looks.back().and_then(|(_, levels)| levels[nth]);
            let now = now.map_or_else(|| "unknown".to_owned(), |now| level.unit.shown(now));
            let change =
                self.change(nth).map_or_else(|| "–".to_owned(), |change| format!("{change:+.1}/s"));
            format!("{:15} {now:>12} {change:>12}  {}", level.name, self.trend(nth, bars))
                .trim_end()
                .to_owned()
        };
        LEVELS.iter().enumerate().map(line).collect()
    }

    /// Returns how long the queue lasts if it goes on as in the last seconds; `None` while it does not shrink, or is empty.
    pub(super) fn until_empty(&self) -> Option<Duration> {
        let (_, levels) = self.looks.back()?;
        let (ready, change) = (levels[QUEUE].filter(|ready| *ready > 0)?, self.change(QUEUE)?);
        // A count of messages is far below 2^52.
        #[allow(clippy::cast_precision_loss)]
        let left = ready as f64 / -change;
        Duration::try_from_secs_f64(left).ok()
    }

    /// Returns by how much a level changes in a second, lately; `None` while that is not known.
    fn change(&self, nth: usize) -> Option<f64> {
        let (newest, levels) = self.looks.back()?;
        let is_counted = |level: &u64| !LEVELS[nth].unit.is_more_than(*level);
        let before = self.looks.iter().rev().skip(1);
        let (then, was) = before.take_while(|(at, _)| *newest - *at <= OVER).last()?;
        let (is, was) = (levels[nth].filter(is_counted)?, was[nth].filter(is_counted)?);
        let seconds = (*newest - *then).as_seconds_f64();
        #[allow(clippy::cast_precision_loss)]
        (seconds > 0.0).then(|| (is as f64 - was as f64) / seconds)
    }

    /// Draws the newest `bars` of a level, the most of them as the highest; a blank where nothing was known.
    fn trend(&self, nth: usize, bars: usize) -> String {
        let skipped = self.looks.len().saturating_sub(bars);
        let shown = || self.looks.iter().skip(skipped).map(|(_, levels)| levels[nth]);
        let most = shown().flatten().max().unwrap_or(0).max(1);
        let bar = |level: Option<u64>| {
            let Some(level) = level else { return ' ' };
            // What is there at all is more than nothing.
            let height = (u128::from(level) * (BARS.len() as u128 - 1)).div_ceil(u128::from(most));
            BARS[usize::try_from(height).unwrap_or(0)]
        };
        shown().map(bar).collect()
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use woody_adapters::status::Trouble;

    use super::*;

    fn seen(second: i64, store: Option<(u64, i64)>, ready: Option<u64>) -> Evidence {
        let looked_at = datetime!(2026-11-30 03:00 UTC) + time::Duration::seconds(second);
        let away = || Trouble { refuses: false, says: "away".to_owned() };
        let backlog = |(pending, waited)| Backlog {
            pending,
            oldest_pending: (pending > 0).then(|| looked_at - time::Duration::seconds(waited)),
            ..Backlog::default()
        };
        let queue =
            ready.map(|ready| QueueDepth { ready, consumers: Some(2), ..QueueDepth::default() });
        Evidence {
            looked_at,
            store: store.map(backlog).ok_or_else(away),
            publish: Ok(()),
            queue: queue.ok_or_else(away),
            pause: None,
            notices: vec![],
            replication: None,
            validation: None,
        }
    }

    fn levels(looks: impl IntoIterator<Item = Evidence>) -> Levels {
        let mut levels = Levels::default();
        for look in looks {
            levels.see(&look);
        }
        levels
    }

    #[test]
    fn a_line_says_how_much_how_it_changes_and_how_it_came() {
        let looks =
            (0..4).map(|nth| seen(2 * nth, Some((1_200 - 400 * nth.unsigned_abs(), 72)), Some(0)));
        let lines = levels(looks).lines(80);
        assert_eq!(lines[0], "pending orders             0     -200.0/s  █▆▄▁");
        assert_eq!(lines[1], "oldest pending           0 s      -12.0/s  ███▁");
        assert_eq!(lines[3], "in the queue               0       +0.0/s  ▁▁▁▁");
        assert_eq!(lines[4], "at workers           unknown            –");
    }

    #[test]
    fn a_change_is_that_of_the_last_seconds() {
        let looks =
            (0..60).map(|nth| seen(nth, Some((0, 0)), Some(if nth < 40 { 0 } else { 1_000 })));
        assert_eq!(levels(looks).change(QUEUE), Some(0.0));
        let one = levels([seen(0, Some((0, 0)), Some(9))]);
        assert_eq!(one.change(QUEUE), None);
        assert_eq!(levels([]).change(QUEUE), None);
        // Looks that are a minute apart are compared with none before: that is no change of late.
        let seldom = levels([seen(0, None, Some(9)), seen(60, None, Some(3))]);
        assert_eq!(seldom.change(QUEUE), None);
    }

    #[test]
    fn what_is_not_known_or_counted_to_the_end_has_no_change() {
        let most = Evidence::COUNTED_UP_TO;
        let capped =
            levels([seen(0, Some((most - 5, 1)), None), seen(2, Some((most, 1)), Some(7))]);
        let lines = capped.lines(80);
        assert_eq!(lines[0], "pending orders      100,000+            –  ██");
        assert_eq!(lines[3], "in the queue               7            –   █");
        let away = levels([seen(0, None, None)]);
        assert!(away.lines(80).iter().all(|line| line.contains("unknown")));
    }

    #[test]
    fn a_queue_that_shrinks_says_when_it_is_empty() {
        let shrinks = levels([seen(0, None, Some(1_000)), seen(2, None, Some(900))]);
        assert_eq!(shrinks.until_empty(), Some(Duration::from_secs(18)));
        for ready in [[900, 1_000], [900, 900], [5, 0]] {
            let levels = levels([seen(0, None, Some(ready[0])), seen(2, None, Some(ready[1]))]);
            assert_eq!(levels.until_empty(), None, "{ready:?}");
        }
    }

    #[test]
    fn a_narrow_terminal_has_short_trends_and_a_wide_one_all() {
        let looks = || (0..100).map(|nth| seen(nth, Some((1, 1)), Some(1)));
        for (width, bars) in [(20, 0), (44, 0), (50, 6), (80, 36), (400, KEPT)] {
            let lines = levels(looks()).lines(width);
            assert_eq!(lines[0].matches('█').count(), bars, "{width}");
        }
    }
}
