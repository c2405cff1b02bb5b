use serde::{Deserialize, Serialize};

use super::Invalid;

/// How many pieces of a product an order asks for: 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "u16")]
pub struct Quantity(u16);

impl Quantity {
    /// The smallest order.
    pub const ONE: Self = Self(1);
    /// A workshop batch: what is planned unless another number is given.
    pub const BATCH: Self = Self(20);
    /// The largest order.
    pub const MAX: Self = Self(1_000);

    /// Accepts 1 to 1,000.
    ///
    /// # Errors
    /// [`Invalid`] for anything else.
    pub fn new(pieces: i64) -> Result<Self, Invalid> {
        match u16::try_from(pieces) {
            Ok(n) if (Self::ONE.0..=Self::MAX.0).contains(&n) => Ok(Self(n)),
            _ => Err(Invalid::new(
                "quantity",
                format!("must be a whole number from 1 to 1,000, not {pieces}"),
            )),
        }
    }

    /// Returns the number of pieces.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl Default for Quantity {
    fn default() -> Self {
        Self::ONE
    }
}

impl TryFrom<i64> for Quantity {
    type Error = Invalid;

    fn try_from(pieces: i64) -> Result<Self, Invalid> {
        Self::new(pieces)
    }
}

impl std::str::FromStr for Quantity {
    type Err = Invalid;

    /// Reads a whole number.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("quantity", "must be a whole number from 1 to 1,000");
        Self::new(text.trim().parse().map_err(|_| invalid())?)
    }
}

impl From<Quantity> for u16 {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}

impl From<Quantity> for i32 {
    fn from(quantity: Quantity) -> Self {
        Self::from(quantity.0)
    }
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn exactly_one_to_a_thousand_is_accepted(n in any::<i64>()) {
            prop_assert_eq!(Quantity::new(n).is_ok(), (1..=1000).contains(&n));
        }
    }

    #[test]
    fn the_edges_hold() {
        assert!(Quantity::new(0).is_err());
        assert_eq!(Quantity::new(1).unwrap().get(), 1);
        assert_eq!(Quantity::new(1000).unwrap(), Quantity::MAX);
        assert!(Quantity::new(1001).is_err());
    }
}
