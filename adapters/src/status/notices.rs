//! What is seen of those who want to be told how orders end.

use std::time::Duration;

use woody_core::ports::NoticeCounts;

use super::{
    evidence::Evidence,
    scene::{Scene, Told},
    told::grouped,
};

/// An end that has waited so long after an attempt failed has failed more than once, by the pauses
/// that there are by default.
const UNHEARD: Duration = Duration::from_secs(8);
/// An end that has waited so long is told by nobody, or by too few.
const UNTOLD: Duration = Duration::from_mins(1);

impl Scene<'_> {
    pub(super) fn unheard(&self) -> Option<Told> {
        let waits = |counts: &&NoticeCounts| {
            let limit = if counts.problem.is_some() { UNHEARD } else { UNTOLD };
            self.waits_longer(counts.oldest, limit)
        };
        let worst = self.seen.notices.iter().filter(waits).min_by_key(|counts| counts.oldest)?;
        let NoticeCounts { subscription, open, oldest, problem, .. } = worst;
        let waiting = match *open {
            1 => "1 end of an order waits".to_owned(),
            Evidence::COUNTED_UP_TO.. => format!("{} ends of orders or more wait", grouped(*open)),
            _ => format!("{} ends of orders wait", grouped(*open)),
        };
        let act = match problem {
            Some(problem) => {
                format!("See to the receiver of {subscription}. The last attempt: {problem}.")
            }
            None => format!(
                "Start more of what delivers to {subscription} (an order-worker with \
                 WOODY_WEBHOOK_URL), or end it: woodyctl notices unsubscribe {subscription}."
            ),
        };
        Some(Told {
            says: format!(
                "{waiting} to be told to {subscription}{}. They are tried again by themselves, and orders \
                 go on.",
                self.at_least_since(*oldest)
            ),
            since: *oldest,
            act,
        })
    }

    pub(super) fn dead_notices(&self) -> Option<Told> {
        let counts = self.seen.notices.iter().find(|counts| counts.dead > 0)?;
        let NoticeCounts { subscription, dead, .. } = counts;
        let given_up = match *dead {
            1 => {
                format!(
                    "1 end of an order was not told to {subscription}: it was given up, and is kept as a dead notice"
                )
            }
            _ => format!(
                "{} ends of orders were not told to {subscription}: they were given up, and are kept as dead notices",
                grouped(*dead)
            ),
        };
        Some(Told {
            says: format!("{given_up}."),
            since: None,
            act: format!(
                "See why with woodyctl notices dead list {subscription}; mend it, and have them told \
                 again with woodyctl notices dead redrive {subscription} --all."
            ),
        })
    }
}
