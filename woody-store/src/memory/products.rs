use std::collections::hash_map::Entry;

use async_trait::async_trait;
use woody_core::domain::{NewProduct, Product, ProductId, ProductName};
use woody_core::ports::{CatalogueSummary, ProductStore, StoreError};

use super::MemoryStore;
use super::product_table::ProductTable;
use crate::stamp::whole_micros;

#[async_trait]
impl ProductStore for MemoryStore {
    async fn add(&self, product: &NewProduct) -> Result<(), StoreError> {
        let ProductTable { all, by_id, newest_by_name } = &mut *self.product_table()?;
        if let Entry::Vacant(new) = by_id.entry(product.id) {
            new.insert(all.len());
            newest_by_name.insert(product.name.clone(), all.len());
            all.push(Product { created_at: whole_micros(product.created_at), ..product.clone() });
        }
        Ok(())
    }

    async fn product(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        let products = self.product_table()?;
        Ok(products.by_id.get(&id).map(|at| products.all[*at].clone()))
    }

    async fn newest_named(&self, name: &ProductName) -> Result<Option<Product>, StoreError> {
        let products = self.product_table()?;
        Ok(products.newest_by_name.get(name).map(|at| products.all[*at].clone()))
    }

    async fn summary(&self) -> Result<CatalogueSummary, StoreError> {
        let all = &self.product_table()?.all;
        Ok(CatalogueSummary { count: all.len() as u64, newest: all.last().cloned() })
    }

    async fn page(
        &self,
        after: Option<ProductId>,
        limit: usize,
    ) -> Result<Vec<Product>, StoreError> {
        let products = self.product_table()?;
        let end = after.and_then(|id| products.by_id.get(&id).copied());
        let older = &products.all[..end.unwrap_or(products.all.len())];
        Ok(older.iter().rev().take(limit).cloned().collect())
    }
}
