use std::{fmt, sync::Arc};

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

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalogue").finish_non_exhaustive()
    }
}

impl Catalogue {
    /// The most products on one page.
    pub const MAX_PAGE: usize = 200;
    /// About the most bytes of one page, written down.
    pub const MAX_PAGE_BYTES: usize = 256 * 1024;
    /// The most products that are read from the store at once.
    const AT_A_TIME: usize = 50;

    /// Makes a catalogue that is kept in `store`.
    pub fn new(store: Arc<dyn ProductStore>) -> Self {
        Self { store }
    }

    /// Adds a product and returns it as stored.
    ///
    /// # Errors
    /// [`StoreError`]; on a transient one the product may or may not be there.
    pub async fn add(&self, name: ProductName, parts: Parts) -> Result<Product, StoreError> {
        let product = NewProduct { id: ProductId::fresh(), name, parts, created_at: now() };
        self.store.add(&product).await?;
        tracing::debug!(product.id = %product.id, product.name = %product.name, "product added");
        Ok(product)
    }

    /// Returns the product with this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        self.store.product(id).await
    }

    /// Returns how many products there are, and the newest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn summary(&self) -> Result<CatalogueSummary, StoreError> {
        self.store.summary().await
    }

    /// Returns a page, newest first, and the cursor of the next one if there is one.
    /// `limit` is brought into 1 to [`MAX_PAGE`](Self::MAX_PAGE).
    ///
    /// A page is shorter when its products are large: it ends before the product
    /// with which it would exceed [`MAX_PAGE_BYTES`](Self::MAX_PAGE_BYTES), but has
    /// one at least. Products are read a few at a time, so only a few are ever read in
    /// vain.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn page(&self, after: Option<ProductId>, limit: usize) -> Result<Page, StoreError> {
        let limit = limit.clamp(1, Self::MAX_PAGE);
        let (mut products, mut bytes) = (Vec::new(), 0);
        let mut after = after;
        loop {
            // One more than is wanted tells whether there is a next page.
            let wanted = (limit - products.len()).min(Self::AT_A_TIME);
            let read = self.store.page(after, wanted + 1).await?;
            let more = read.len() > wanted;
            for product in read.into_iter().take(wanted) {
                bytes += weight(&product);
                if bytes > Self::MAX_PAGE_BYTES && !products.is_empty() {
                    return Ok(Page { products, next: after });
                }
                after = Some(product.id);
                products.push(product);
            }
            if !more || products.len() == limit {
                return Ok(Page { products, next: after.filter(|_| more) });
            }
        }
    }
}

/// About how many bytes a product is when it is written down.
fn weight(product: &Product) -> usize {
    const PRODUCT: usize = 128;
    const PART: usize = 64;
    let parts = product.parts.as_slice().iter();
    let parts: usize = parts.map(|part| PART + part.name.as_str().len()).sum();
    PRODUCT + product.name.as_str().len() + parts
}

/// Some products, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The products.
    pub products: Vec<Product>,
    /// What to pass as `after` for the next page; `None` on the last.
    pub next: Option<ProductId>,
}
