//! Chance that is the same in every run.

/// How a time varies around its mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    /// It is always the mean.
    Fixed,
    /// Many are short, a few are long: of 100 one takes 4.6 times the mean.
    Exponential,
}

/// SplitMix64, so that a prediction does not change with a dependency's version.
#[derive(Debug)]
pub(super) struct Chance(u64);

impl Chance {
    /// A stream of its own for each `seed`.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0xA076_1D64_78BD_642F))
    }

    /// A time around `mean`.
    pub(super) fn time(&mut self, mean: f64, spread: Spread) -> f64 {
        match spread {
            Spread::Fixed => mean,
            Spread::Exponential => -mean * (1.0 - self.part()).ln(),
        }
    }

    /// Evenly from 0 to less than 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what a float holds")]
    pub(super) fn part(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_mean_and_the_tail_that_they_should() {
        let mut chance = Chance::new(7);
        let mut times: Vec<f64> =
            (0..100_000).map(|_| chance.time(3.0, Spread::Exponential)).collect();
        times.sort_by(f64::total_cmp);
        let mean = times.iter().sum::<f64>() / 100_000.0;
        assert!((mean / 3.0 - 1.0).abs() < 0.02, "{mean}");
        let tail = times[99_000] / 3.0 / 100_f64.ln();
        assert!((tail - 1.0).abs() < 0.03, "{tail}");
        assert!(times[0] >= 0.0);
        assert_eq!(Chance::new(1).time(3.0, Spread::Fixed).to_bits(), 3.0_f64.to_bits());
    }
}
