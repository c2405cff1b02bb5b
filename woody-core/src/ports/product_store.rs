use async_trait::async_trait;

use super::StoreError;
use crate::domain::{NewProduct, Product, ProductId, ProductName};

/// Keeps the catalogue.
///
/// # Contract
/// - "Newest" is the order in which products were added, not their stamps.
/// - Names need not be unique; adding the same id twice keeps the first.
/// - A product that was added with `Ok` survives a crash, on a backend that claims to be
///   durable.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ProductStore: Send + Sync {
    /// Adds a product.
    ///
    /// # Errors
    /// [`StoreError`]; on a transient one the product may or may not be there.
    async fn add(&self, product: &NewProduct) -> Result<(), StoreError>;

    /// Returns the product with this id.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn product(&self, id: ProductId) -> Result<Option<Product>, StoreError>;

    /// Returns the newest product of this name.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn newest_named(&self, name: &ProductName) -> Result<Option<Product>, StoreError>;

    /// Returns how many products there are, and the newest. It takes as long with a
    /// million products as with one.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn summary(&self) -> Result<CatalogueSummary, StoreError>;

    /// Returns at most `limit` products, newest first, all older than `after`.
    ///
    /// An `after` that names no product gives the first page.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn page(
        &self,
        after: Option<ProductId>,
        limit: usize,
    ) -> Result<Vec<Product>, StoreError>;
}

/// The size of the catalogue, and its newest product.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogueSummary {
    /// How many products there are.
    pub count: u64,
    /// The newest, if there is any.
    pub newest: Option<Product>,
}
