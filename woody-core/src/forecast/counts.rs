/// Counts of orders are far from where this loses a digit.
#[expect(clippy::cast_precision_loss)]
pub(super) fn as_f64(count: u64) -> f64 {
    count as f64
}
