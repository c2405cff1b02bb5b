//! How large a problem may be.

/// The most different parts.
pub(crate) const MAX_PARTS: usize = 1_000;
/// The most pieces, over all parts.
pub(crate) const MAX_PIECES: u64 = 1_000_000;
/// The most sizes in stock.
pub(crate) const MAX_STOCK: usize = 64;
/// The longest side of a part or a sheet, in millimetres.
pub(crate) const MAX_SIDE_MM: u32 = 100_000;
/// The highest price of a sheet: a square of the longest side, by its area.
pub(crate) const MAX_PRICE: u64 = 10_000_000_000;
