use async_trait::async_trait;
use sqlx::{query, query_as};
use woody_core::domain::{NewProduct, Product, ProductId, ProductName};
use woody_core::ports::{CatalogueSummary, ProductStore, StoreError};

use super::SqliteStore;
use super::error::Error;
use super::rows::{self, ProductRow};

const ADD: &str = "
    INSERT INTO products (id, name, parts, created_at) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (id) DO NOTHING";

const PRODUCT: &str = "SELECT id, name, parts, created_at FROM products WHERE id = ?1";

const NEWEST_NAMED: &str = "
    SELECT id, name, parts, created_at FROM products WHERE name = ?1 ORDER BY seq DESC LIMIT 1";

const COUNT: &str = "SELECT count(*) FROM products";

const PAGE: &str = "
    SELECT id, name, parts, created_at FROM products
    WHERE seq < coalesce((SELECT seq FROM products WHERE id = ?1), 9223372036854775807)
    ORDER BY seq DESC LIMIT ?2";

#[async_trait]
impl ProductStore for SqliteStore {
    async fn add(&self, product: &NewProduct) -> Result<(), StoreError> {
        let added = query(ADD)
            .bind(product.id.as_uuid())
            .bind(product.name.as_str())
            .bind(rows::parts(&product.parts))
            .bind(rows::to_micros(product.created_at))
            .execute(&self.writer)
            .await;
        added.map(drop).map_err(|error| Error::from(error).0)
    }

    async fn product(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        let row: Option<ProductRow> = query_as(PRODUCT)
            .bind(id.as_uuid())
            .fetch_optional(&self.readers)
            .await
            .map_err(|error| Error::from(error).0)?;
        row.map(ProductRow::read).transpose()
    }

    async fn newest_named(&self, name: &ProductName) -> Result<Option<Product>, StoreError> {
        let row: Option<ProductRow> = query_as(NEWEST_NAMED)
            .bind(name.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(|error| Error::from(error).0)?;
        row.map(ProductRow::read).transpose()
    }

    async fn summary(&self) -> Result<CatalogueSummary, StoreError> {
        self.summarise().await.map_err(|error| error.0)
    }

    async fn page(
        &self,
        after: Option<ProductId>,
        limit: usize,
    ) -> Result<Vec<Product>, StoreError> {
        let rows: Vec<ProductRow> = query_as(PAGE)
            .bind(after.map(ProductId::as_uuid))
            .bind(rows::limit(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(|error| Error::from(error).0)?;
        rows.into_iter().map(ProductRow::read).collect()
    }
}

impl SqliteStore {
    /// Both in one transaction, so that the count includes the newest.
    async fn summarise(&self) -> Result<CatalogueSummary, Error> {
        let mut tx = self.readers.begin().await?;
        let (count,) = query_as(COUNT).fetch_one(&mut *tx).await?;
        let newest: Option<ProductRow> =
            query_as(PAGE).bind(None::<uuid::Uuid>).bind(1).fetch_optional(&mut *tx).await?;
        Ok(CatalogueSummary { count, newest: newest.map(ProductRow::read).transpose()? })
    }
}
