//! The equal batches that a problem consists of.
//!
//! A thousand toys are twenty times fifty, or a hundred times ten. Each batch is a smaller problem,
//! and its plan as often as it is contained is a plan of all.

use crate::items::common_divisor;

/// All batches of up to so many pieces are planned: there the search piece by piece is at its best, and
/// the bound spares it most of them.
const SMALL: u64 = 150;
/// Of larger ones the largest of up to so many pieces is planned.
const LARGE: u64 = 1_000;

/// What one of so many equal batches holds, and its share of the sheets at hand.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// How often it is contained.
    pub(crate) times: u64,
    /// Pieces of each part.
    pub(crate) counts: Vec<u64>,
    /// Rounded down, so that all batches together take no more than there is.
    pub(crate) at_hand: Vec<Option<u32>>,
}

impl Batch {
    /// The batches that are planned besides, the largest first. Those of each of them are among them.
    pub(crate) fn smaller(&self) -> impl Iterator<Item = Self> {
        let divisor = self.counts.iter().copied().fold(0, common_divisor);
        let pieces: u64 = self.counts.iter().sum();
        let all = divisors(divisor);
        let largest = all.iter().copied().find(|times| pieces / times <= LARGE);
        let planned = move |times: &u64| Some(*times) == largest || pieces / times <= SMALL;
        let smaller = all.into_iter().filter(planned).filter(|times| *times > 1);
        smaller.map(|times| self.share(times))
    }

    fn share(&self, times: u64) -> Self {
        let sheets = |n: u32| u32::try_from(u64::from(n) / times).unwrap_or(n);
        Self {
            times: self.times * times,
            counts: self.counts.iter().map(|count| count / times).collect(),
            at_hand: self.at_hand.iter().map(|at_hand| at_hand.map(sheets)).collect(),
        }
    }
}

/// From one on.
fn divisors(number: u64) -> Vec<u64> {
    let small = (1..=number.isqrt()).filter(|n| number.is_multiple_of(*n));
    let mut all: Vec<u64> = small.flat_map(|n| [n, number / n]).collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(counts: &[u64], at_hand: Option<u32>) -> Batch {
        Batch { times: 1, counts: counts.to_vec(), at_hand: vec![at_hand] }
    }

    #[test]
    fn a_batch_is_divided_by_what_divides_every_count() {
        let each: Vec<Vec<u64>> = batch(&[12, 18], None).smaller().map(|b| b.counts).collect();
        assert_eq!(each, [[6, 9], [4, 6], [2, 3]]);
        assert_eq!(batch(&[3, 8], None).smaller().count(), 0);
    }

    #[test]
    fn small_batches_are_planned_and_the_largest_of_the_others() {
        // Fifty toys of thirteen parts, then ten, eight, five, four, two, one.
        let toys = batch(&[6_000, 7_000], None);
        let times: Vec<u64> = toys.smaller().map(|batch| batch.times).collect();
        assert_eq!(times, [20, 100, 125, 200, 250, 500, 1_000]);
    }

    #[test]
    fn the_batches_of_a_batch_are_among_those_of_all() {
        for counts in [[360, 720], [6_000, 7_000], [5_040, 15_120]] {
            let all = batch(&counts, Some(100));
            for batch in all.smaller() {
                for part in batch.smaller() {
                    assert!(all.smaller().any(|other| other == part), "{part:?}");
                }
            }
        }
    }

    #[test]
    fn batches_share_the_sheets_at_hand() {
        let shares: Vec<_> = batch(&[8], Some(7)).smaller().map(|b| b.at_hand[0]).collect();
        assert_eq!(shares, [Some(3), Some(1), Some(0)]);
    }
}
