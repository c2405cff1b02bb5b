/// What a process has counted of orders on their way since it began; `None` of what it has not counted
/// yet, or never does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Orders that were accepted here.
    pub(crate) accepted: Option<u64>,
    /// Orders whose messages the broker has confirmed to this process.
    pub(crate) published: Option<u64>,
    /// Deliveries that a worker of this process has dealt with.
    pub(crate) validated: Option<u64>,
    /// Of these, those that come again.
    pub(crate) retried: Option<u64>,
    /// Orders that have ended, wherever that was, as far as this process heard of it; else those that its worker ended.
    pub(crate) ended: Option<u64>,
}

impl Counts {
    /// Reads them from metrics in Prometheus' text format; whatever is no such counter is passed over.
    pub(crate) fn read(metrics: &str) -> Self {
        let (mut counts, mut by_worker) = (Self::default(), None);
        for line in metrics.lines() {
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let Some(known) = Known::of(name) else { continue };
            let Ok(value) = value.parse::<u64>() else { continue };
            let is = |values: &[&str]| {
                values.iter().any(|value| labels.contains(&format!("=\"{value}\"")))
            };
            match known {
                Known::Intake if is(&["store", "broker"]) => add(&mut counts.accepted, value),
                // Asked for, and not accepted: of those that were, there is a number all the same.
                Known::Intake => add(&mut counts.accepted, 0),
                Known::Published => add(&mut counts.published, value),
                Known::Heard => add(&mut counts.ended, value),
                Known::Deliveries => {
                    add(&mut counts.validated, value);
                    add(&mut counts.retried, if is(&["retry", "postponed"]) { value } else { 0 });
                    add(&mut by_worker, if is(&["decided", "given_up"]) { value } else { 0 });
                }
            }
        }
        counts.ended = counts.ended.or(by_worker);
        counts
    }
}

/// The counters that are read.
#[derive(Clone, Copy)]
enum Known {
    Intake,
    Published,
    Deliveries,
    Heard,
}

impl Known {
    fn of(name: &str) -> Option<Self> {
        match name {
            "woody_orders_intake_total" => Some(Self::Intake),
            "woody_outbox_published_total" => Some(Self::Published),
            "woody_deliveries_total" => Some(Self::Deliveries),
            "woody_ends_heard_total" => Some(Self::Heard),
            _ => None,
        }
    }
}

fn add(sum: &mut Option<u64>, value: u64) {
    *sum = Some(sum.unwrap_or(0).saturating_add(value));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn orders_on_their_way_are_counted_and_nothing_else() {
        let metrics = "# HELP woody_orders_intake_total Orders that were asked for.
# TYPE woody_orders_intake_total counter
woody_orders_intake_total{outcome=\"store\"} 7
woody_orders_intake_total{outcome=\"broker\"} 2
woody_orders_intake_total{outcome=\"already\"} 40
woody_outbox_published_total 8
woody_deliveries_total{handled=\"decided\"} 5
woody_deliveries_total{handled=\"given_up\"} 1
woody_deliveries_total{handled=\"retry\"} 3
woody_deliveries_total{handled=\"postponed\"} 1
woody_deliveries_total{handled=\"duplicate\"} 2
woody_shop_orders{state=\"pending\"} 9
";
        let counts = Counts::read(metrics);
        let worker = Counts {
            accepted: Some(9),
            published: Some(8),
            validated: Some(12),
            retried: Some(4),
            ended: Some(6),
        };
        assert_eq!(counts, worker);
        // Who hears of the ends of all workers need not count those of its own.
        let counts = Counts::read(&format!("{metrics}woody_ends_heard_total 30\n"));
        assert_eq!(counts, Counts { ended: Some(30), ..worker });
        let refused = Counts::read("woody_orders_intake_total{outcome=\"unavailable\"} 3");
        assert_eq!(refused, Counts { accepted: Some(0), ..Counts::default() });
        assert_eq!(Counts::read(""), Counts::default());
    }

    proptest! {
        #[test]
        fn whatever_stands_there_is_read(metrics in "(?s).{0,200}", value in ".{0,30}") {
            let _ = Counts::read(&metrics);
            let counts = Counts::read(&format!("woody_outbox_published_total {value}"));
            prop_assert_eq!(counts.published, value.parse::<u64>().ok());
        }
    }
}
