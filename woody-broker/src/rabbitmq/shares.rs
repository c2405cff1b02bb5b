//! How a consumer's prefetch is divided among the queues of orders.
//!
//! RabbitMQ limits what a consumer of one queue holds, not what several do together (a limit for
//! a whole channel is not there for quorum queues). So each queue has a share, and all shares
//! together are the prefetch. A share that its queue has no use for is lent to those where
//! messages wait; with a prefetch smaller than the number of queues they take turns.

/// What one queue has, and what it could do with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Demand {
    /// How many deliveries may be held of it now.
    pub(super) share: u16,
    /// How many are.
    pub(super) held: u16,
    /// Messages wait in it, and its share is used up.
    pub(super) waits: bool,
    /// Nothing was held of it for a while.
    pub(super) idle: bool,
}

impl Demand {
    fn is_active(self) -> bool {
        self.waits || !self.idle
    }

    /// Whether a larger share is worth it: to move one costs a subscription.
    fn gains_by(self, share: u16) -> bool {
        self.waits && share > self.share.saturating_add(self.share / 4)
    }
}

/// Divides the prefetch evenly; a small one among the first.
pub(super) fn even(prefetch: u16, queues: usize) -> Vec<u16> {
    among(prefetch, &vec![true; queues], 0)
}

/// Divides the prefetch anew; `None` where it is to stay as it is. `turn` counts the calls.
///
/// Queues where nothing waits keep what is held of them, up to their even part, and those where
/// messages wait have the rest.
pub(super) fn divide(prefetch: u16, queues: &[Demand], turn: usize) -> Option<Vec<u16>> {
    let active: Vec<bool> = queues.iter().map(|queue| queue.is_active()).collect();
    let count = active.iter().filter(|active| **active).count();
    if count == 0 {
        let even = even(prefetch, queues.len());
        return queues
            .iter()
            .zip(&even)
            .any(|(queue, share)| queue.share != *share)
            .then_some(even);
    }
    let each = usize::from(prefetch) / count;
    let shares = if each == 0 {
        among(prefetch, &active, turn)
    } else {
        let each = u16::try_from(each).unwrap_or(u16::MAX);
        let kept = |queue: &Demand| {
            let keeps = queue.is_active() && !queue.waits;
            if keeps { queue.held.clamp(1, each) } else { 0 }
        };
        let kept: Vec<u16> = queues.iter().map(kept).collect();
        let waiting: Vec<bool> = queues.iter().map(|queue| queue.waits).collect();
        let rest = among(prefetch.saturating_sub(kept.iter().sum()), &waiting, turn);
        kept.iter().zip(rest).map(|(kept, more)| kept + more).collect()
    };
    queues.iter().zip(&shares).any(|(queue, share)| queue.gains_by(*share)).then_some(shares)
}

/// Divides the prefetch among the `active`. Where it is too small, it begins with another one at
/// each turn, so that each has its own.
fn among(prefetch: u16, active: &[bool], turn: usize) -> Vec<u16> {
    let mut shares = vec![0; active.len()];
    let count = active.iter().filter(|active| **active).count();
    let count = u16::try_from(count).unwrap_or(u16::MAX);
    if count == 0 {
        return shares;
    }
    let (each, mut left) = (prefetch / count, prefetch % count);
    let first = if each == 0 { turn % active.len() } else { 0 };
    for number in (first..active.len()).chain(0..first) {
        if active[number] {
            shares[number] = each + u16::from(left > 0);
            left = left.saturating_sub(1);
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUIET: Demand = Demand { share: 0, held: 0, waits: false, idle: true };

    #[test]
    fn in_the_beginning_each_queue_has_its_part() {
        assert_eq!(even(10, 4), [3, 3, 2, 2]);
        assert_eq!(even(2, 4), [1, 1, 0, 0]);
        assert_eq!(even(7, 1), [7]);
    }

    #[test]
    fn what_a_quiet_queue_has_is_lent_to_one_where_messages_wait_and_comes_back() {
        let quiet = Demand { share: 2, ..QUIET };
        let waiting = Demand { share: 2, held: 2, waits: true, idle: false };
        assert_eq!(divide(8, &[quiet, waiting, quiet, quiet], 0), Some(vec![0, 8, 0, 0]));
        let lent = Demand { share: 8, ..waiting };
        assert_eq!(divide(8, &[QUIET, lent, QUIET, QUIET], 1), None, "nobody gains");
        let arrived = Demand { waits: true, ..QUIET };
        assert_eq!(divide(8, &[QUIET, lent, arrived, QUIET], 2), Some(vec![0, 4, 4, 0]));
        let over = Demand { share: 8, ..QUIET };
        assert_eq!(divide(8, &[QUIET, over, QUIET, QUIET], 3), Some(vec![2; 4]));
    }

    #[test]
    fn queues_that_are_all_busy_keep_what_they_have() {
        let busy = |share| Demand { share, held: share, waits: true, idle: false };
        for turn in 0..8 {
            assert_eq!(divide(6, &[2, 2, 1, 1].map(busy), turn), None);
        }
    }

    #[test]
    fn one_where_messages_wait_has_what_the_others_do_not_use() {
        let some = Demand { share: 5, held: 2, waits: false, idle: false };
        let waiting = Demand { share: 5, held: 5, waits: true, idle: false };
        assert_eq!(divide(20, &[waiting, some, some, some], 0), Some(vec![14, 2, 2, 2]));
        let many = Demand { share: 12, held: 12, ..waiting };
        let little = Demand { share: 2, ..some };
        assert_eq!(divide(20, &[many, little, little, little], 0), None, "it is hardly more");
    }

    fn demands() -> impl Strategy<Value = Vec<Demand>> {
        let demand = (0..4_u16, 0..6_u16, any::<bool>(), any::<bool>());
        let demand =
            demand.prop_map(|(share, held, waits, idle)| Demand { share, held, waits, idle });
        prop::collection::vec(demand, 1..=16)
    }

    proptest! {
        #[test]
        fn all_of_the_prefetch_is_shared_out_and_no_more(
            prefetch in 1..400_u16, queues in demands(), turn in 0..100_usize,
        ) {
            for shares in [Some(even(prefetch, queues.len())), divide(prefetch, &queues, turn)] {
                let sum = shares.map(|shares| shares.iter().map(|share| u32::from(*share)).sum());
                prop_assert!(sum.is_none_or(|sum: u32| sum == u32::from(prefetch)));
            }
        }

        #[test]
        fn each_queue_where_messages_wait_has_a_turn(prefetch in 1..20_u16, mut queues in demands()) {
            for queue in &mut queues {
                queue.share = 0;
            }
            let mut served = vec![false; queues.len()];
            for turn in 0..queues.len() {
                if let Some(shares) = divide(prefetch, &queues, turn) {
                    for (number, share) in shares.into_iter().enumerate() {
                        served[number] |= share > 0;
                        queues[number].share = share;
                    }
                }
            }
            for (queue, served) in queues.iter().zip(served) {
                prop_assert!(served || !queue.waits, "{queues:?}");
            }
        }
    }
}
