use std::sync::Arc;

use crate::{
    domain::{NewProduct, Parts, Product, ProductId, ProductName, now},
    ports::{CatalogueSummary, ProductStore, StoreError},
};

/// The products that the shop sells.
///
/// ```
/// # use std::sync::Arc;
/// # use woody_core::{domain::{Parts, ProductName}, ports::{ProductStore, StoreError}, services::Catalogue};
/// async fn add(store: Arc<dyn ProductStore>) -> Result<(), StoreError> {
///     let catalogue = Catalogue::new(store);
///     let train = ProductName::parse("Train").expect("a plain name");
///     let added = catalogue.add(train, Parts::default()).await?;
///     assert_eq!(catalogue.find(added.id).await?, Some(added));
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Catalogue {
    store: Arc<dyn ProductStore>,
}

impl Catalogue {
    /// The most products on one page.
    pub const MAX_PAGE: usize = 200;

    /// A catalogue kept in `store`.
    pub fn new(store: Arc<dyn ProductStore>) -> Self {
        Self { store }
    }

    /// Adds a product and answers it as stored.
    ///
    /// # Errors
    /// [`StoreError`]; on a transient one the product may or may not be there.
    pub async fn add(&self, name: ProductName, parts: Parts) -> Result<Product, StoreError> {
        let product = NewProduct { id: ProductId::fresh(), name, parts, created_at: now() };
        self.store.add(&product).await?;
        tracing::debug!(product.id = %product.id, product.name = %product.name, "product added");
        Ok(product)
    }

    /// The product with this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        self.store.product(id).await
    }

    /// How many products there are, and the newest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn summary(&self) -> Result<CatalogueSummary, StoreError> {
        self.store.summary().await
    }

    /// A page, newest first, and the cursor of the next one if there is one.
    /// `limit` is brought into 1 to [`MAX_PAGE`](Self::MAX_PAGE).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn page(&self, after: Option<ProductId>, limit: usize) -> Result<Page, StoreError> {
        let limit = limit.clamp(1, Self::MAX_PAGE);
        // One more than asked tells whether there is a next page.
        let mut products = self.store.page(after, limit + 1).await?;
        let more = products.len() > limit;
        products.truncate(limit);
        let next = if more { products.last().map(|product| product.id) } else { None };
        Ok(Page { products, next })
    }
}

/// Some products, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The products.
    pub products: Vec<Product>,
    /// What to pass as `after` for the next page; `None` on the last.
    pub next: Option<ProductId>,
}
