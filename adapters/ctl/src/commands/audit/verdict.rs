//! What the differences between promises, store and broker mean.

use std::time::Duration;

/// What an audit found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Findings {
    /// Whether the audit was told what was promised.
    pub(super) is_told: bool,
    /// Submits that were promised as more than one order.
    pub(super) doubled: u64,
    /// Promised orders that the store does not hold.
    pub(super) unaccounted: u64,
    /// Orders that have no end.
    pub(super) pending: u64,
    /// Of these, those that have had none for long.
    pub(super) stuck: u64,
    /// How long that is.
    pub(super) pending_for: Duration,
    /// Orders that wait for being published.
    pub(super) outbox: u64,
    /// Messages that wait in the queue, or for their next attempt.
    pub(super) queue: u64,
    /// Messages in workers' hands; `None` where the broker does not say.
    pub(super) in_flight: Option<u64>,
    /// Dead letters of orders that are pending, or unknown.
    pub(super) dead_without_failed: u64,
    /// Dead letters beyond the most that are looked at: what they hold is not known.
    pub(super) dead_unread: u64,
}

/// Whether promises are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AuditVerdict {
    /// Every promised order has ended, or something will end it.
    Kept,
    /// An order is lost or doubled, or nothing will end it.
    Broken,
    /// Something that the verdict depends on is not known.
    CannotSay,
}

impl AuditVerdict {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Broken => "broken",
            Self::CannotSay => "cannot say",
        }
    }
}

impl Findings {
    /// Returns the verdict and, in one line, what makes it.
    pub(super) fn judge(&self) -> (AuditVerdict, String) {
        let broken = self.broken();
        if !broken.is_empty() {
            return (AuditVerdict::Broken, broken.join("; "));
        }
        let unknown = self.unknown();
        if !unknown.is_empty() {
            return (AuditVerdict::CannotSay, unknown.join("; "));
        }
        let mut kept = "each promised order is in the store and has ended or will".to_owned();
        if self.stuck > 0 {
            let long = humantime::format_duration(self.pending_for);
            kept = format!(
                "{kept}; {} have been pending for longer than {long} and are in the outbox, the \
                 queue or a worker's hands",
                self.stuck
            );
        }
        (AuditVerdict::Kept, kept)
    }

    /// Messages that the broker is known to hold.
    fn held(&self) -> u64 {
        self.queue.saturating_add(self.in_flight.unwrap_or(0))
    }

    fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        if self.doubled > 0 {
            broken.push(format!("{} submits were promised as more than one order", self.doubled));
        }
        let lost = self.unaccounted.saturating_sub(self.held());
        if lost > 0 {
            broken
                .push(format!("{lost} promised orders are neither in the store nor in the queue"));
        }
        // Of those that are pending, so many have an entry or a message.
        let explained = self.outbox.saturating_add(self.held());
        let forgotten = self.pending.saturating_sub(explained).min(self.stuck);
        if forgotten > 0 {
            let long = humantime::format_duration(self.pending_for);
            broken.push(format!(
                "{forgotten} orders have been pending for longer than {long} with neither an \
                 outbox entry nor a message"
            ));
        }
        if self.dead_without_failed > 0 {
            broken.push(format!(
                "{} dead letters are of orders that never failed",
                self.dead_without_failed
            ));
        }
        broken
    }

    fn unknown(&self) -> Vec<String> {
        let mut unknown = Vec::new();
        if self.unaccounted > 0 {
            unknown.push(format!(
                "{} promised orders are not in the store and may be among the {} messages of the \
                 queue",
                self.unaccounted,
                self.held()
            ));
        }
        if self.dead_unread > 0 {
            unknown.push(format!("{} dead letters were not looked at", self.dead_unread));
        }
        if !self.is_told {
            unknown.push(
                "no promises were given (--promised FILE): no order that is known is stuck without \
                 reason or dead without having failed"
                    .to_owned(),
            );
        }
        unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promises were given, and nothing is left to do.
    fn told() -> Findings {
        Findings { is_told: true, pending_for: Duration::from_mins(1), ..Findings::default() }
    }

    fn slow(outbox: u64, queue: u64, in_flight: Option<u64>) -> Findings {
        Findings { pending: 1, stuck: 1, outbox, queue, in_flight, ..told() }
    }

    #[test]
    fn each_difference_has_its_word() {
        use AuditVerdict::{Broken, CannotSay, Kept};
        for (findings, is, says) in [
            (told(), Kept, "each promised order"),
            (Findings { pending: 40, ..told() }, Kept, "each promised order"),
            (slow(1, 0, Some(0)), Kept, "1 have been pending for longer than 1m"),
            (slow(0, 1, None), Kept, "1 have been pending"),
            (slow(0, 0, Some(1)), Kept, "1 have been pending"),
            (slow(0, 0, Some(0)), Broken, "1 orders have been pending for longer than 1m with nei"),
            (slow(0, 0, None), Broken, "1 orders have been pending"),
            (Findings { unaccounted: 2, ..told() }, Broken, "2 promised orders are neither"),
            (Findings { unaccounted: 2, queue: 2, ..told() }, CannotSay, "among the 2 messages"),
            (Findings { unaccounted: 3, queue: 2, ..told() }, Broken, "1 promised orders"),
            (Findings { doubled: 1, ..told() }, Broken, "1 submits"),
            (Findings { dead_without_failed: 1, ..told() }, Broken, "1 dead letters are of"),
            (Findings { dead_unread: 1, ..told() }, CannotSay, "1 dead letters were not"),
            (Findings { is_told: false, ..told() }, CannotSay, "no promises were given"),
            (Findings { is_told: false, ..slow(0, 0, Some(0)) }, Broken, "1 orders"),
            (Findings { is_told: false, ..slow(0, 1, Some(0)) }, CannotSay, "no promises"),
        ] {
            let (verdict, because) = findings.judge();
            assert_eq!(verdict, is, "{findings:?}: {because}");
            assert!(because.contains(says) && !because.contains('\n'), "{because}");
        }
    }
}
