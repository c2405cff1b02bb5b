use std::collections::HashMap;

use woody_core::domain::{Product, ProductId, ProductName};

/// The products of a memory store.
#[derive(Debug, Default)]
pub(super) struct ProductTable {
    /// All products, in the order in which they were added.
    pub(super) all: Vec<Product>,
    pub(super) by_id: HashMap<ProductId, usize>,
    pub(super) newest_by_name: HashMap<ProductName, usize>,
}
