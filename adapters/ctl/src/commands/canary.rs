//! Redriving with care: one message, then ten, then a rate, and no further when
//! they fail again.

use std::{collections::HashSet, time::Duration};

use indicatif::ProgressBar;
use tokio::time::{Instant, sleep, timeout};
use woody_core::{
    domain::{OrderMessage, OrderStatus, Outcome},
    ports::{BrokerAdmin, DeadLetter, OrderStore},
};

use super::{error::CtlError, shop::MOST_LETTERS};

/// How long the outcome of one step is waited for.
const STEP_TIMEOUT: Duration = Duration::from_mins(1);
/// How often it is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How a careful redrive ended.
pub(super) struct Redriven {
    /// Put back on the queue.
    pub(super) sent: usize,
    /// Died again; they are dead letters as before.
    pub(super) failed_again: usize,
    /// Without an outcome so far: they wait in the queue.
    pub(super) undecided: usize,
}

impl Redriven {
    /// Whether every one that was sent has come through.
    pub(super) fn is_clean(&self) -> bool {
        self.failed_again == 0 && self.undecided == 0
    }
}

/// Redrives `letters`: 1, 10, then `rate` a second. Stops at the first step of
/// which anything died again or had no outcome within a minute.
pub(super) async fn redrive(
    admin: &dyn BrokerAdmin,
    store: &dyn OrderStore,
    letters: &[DeadLetter],
    rate: usize,
    progress: &ProgressBar,
) -> Result<Redriven, CtlError> {
    let mut redriven = Redriven { sent: 0, failed_again: 0, undecided: 0 };
    let mut rest = letters;
    for size in [1, 10].into_iter().chain(std::iter::repeat(rate.max(1))) {
        if rest.is_empty() {
            break;
        }
        let began = Instant::now();
        let (step, after) = rest.split_at(size.min(rest.len()));
        rest = after;
        let ids: Vec<_> = step.iter().map(|letter| letter.id.clone()).collect();
        admin.redrive(&ids).await?;
        redriven.sent += step.len();
        let (failed_again, undecided) = outcome(admin, store, step).await?;
        redriven.failed_again += failed_again;
        redriven.undecided += undecided;
        progress.inc(step.len() as u64);
        if !redriven.is_clean() {
            break;
        }
        // A step of the rate takes its second.
        if size == rate {
            sleep(Duration::from_secs(1).saturating_sub(began.elapsed())).await;
        }
    }
    Ok(redriven)
}

/// How many of `step` died again, and how many have no outcome yet.
async fn outcome(
    admin: &dyn BrokerAdmin,
    store: &dyn OrderStore,
    step: &[DeadLetter],
) -> Result<(usize, usize), CtlError> {
    let mut open: Vec<&DeadLetter> = step.iter().collect();
    let mut failed_again = 0;
    let looking = async {
        loop {
            let dead: HashSet<_> = admin
                .dead_letters(MOST_LETTERS)
                .await?
                .into_iter()
                .map(|letter| letter.body)
                .collect();
            let mut still_open = Vec::new();
            for letter in open.drain(..) {
                if dead.contains(&letter.body) {
                    failed_again += 1;
                } else if !has_verdict(store, letter).await? {
                    still_open.push(letter);
                }
            }
            open = still_open;
            if open.is_empty() {
                return Ok::<_, CtlError>(());
            }
            sleep(LOOK_EVERY).await;
        }
    };
    if let Ok(looked) = timeout(STEP_TIMEOUT, looking).await {
        looked?;
    }
    Ok((failed_again, open.len()))
}

/// A message that is no order has no verdict, so it stays open until it dies again.
async fn has_verdict(store: &dyn OrderStore, letter: &DeadLetter) -> Result<bool, CtlError> {
    let Ok(message) = OrderMessage::parse(&letter.body) else { return Ok(false) };
    let order = store.order(message.order_id).await?;
    Ok(order.is_some_and(|order| {
        matches!(order.status, OrderStatus::Ended(Outcome::Success(_) | Outcome::Rejected(_)))
    }))
}
