use serde::{Deserialize, Serialize};

use super::{Invalid, OrderDetails, ProductName, Quantity};

/// What the shop's own orders ask for: a product, and how many pieces of it.
///
/// ```
/// use woody_core::domain::ToyOrder;
///
/// let order = ToyOrder::parse(" Train ", 2).unwrap();
/// assert_eq!(order.product.as_str(), "Train");
/// assert!(ToyOrder::parse("Train", 0).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ToyOrder {
    /// The product asked for.
    pub product: ProductName,
    /// How many pieces; 1 by default.
    #[serde(default)]
    pub quantity: Quantity,
}

impl ToyOrder {
    /// Checks what a client wrote.
    ///
    /// # Errors
    /// [`Invalid`] names the field that is out of bounds.
    pub fn parse(product: &str, quantity: i64) -> Result<Self, Invalid> {
        Ok(Self { product: ProductName::parse(product)?, quantity: Quantity::new(quantity)? })
    }
}

/// One piece.
impl From<ProductName> for ToyOrder {
    fn from(product: ProductName) -> Self {
        Self { product, quantity: Quantity::ONE }
    }
}

impl OrderDetails for ToyOrder {
    const NAME: &'static str = "toy order";
}
