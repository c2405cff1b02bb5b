use async_trait::async_trait;
use sqlx::{FromRow, Row, query, query_as};
use woody_core::domain::{NewProduct, Product, ProductId, ProductName};
use woody_core::ports::{CatalogueSummary, ProductStore, StoreError};

use super::SqliteStore;
use super::error::Error;
use super::rows::{self, ProductRow};

const ADD: &str = "
    INSERT INTO products (id, name, parts, created_at) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (id) DO NOTHING";

const COUNT_ONE_MORE: &str = "UPDATE product_count SET added = added + 1";

const PRODUCT: &str = "SELECT id, name, parts, created_at FROM products WHERE id = ?1";

const NEWEST_NAMED: &str = "
    SELECT id, name, parts, created_at FROM products WHERE name = ?1 ORDER BY seq DESC LIMIT 1";

/// Reads count and newest in one snapshot; returns no row for an empty catalogue.
const SUMMARY: &str = "
    SELECT (SELECT added FROM product_count) AS count, id, name, parts, created_at
    FROM products ORDER BY seq DESC LIMIT 1";

const PAGE: &str = "
    SELECT id, name, parts, created_at FROM products
    WHERE seq < coalesce((SELECT seq FROM products WHERE id = ?1), 9223372036854775807)
    ORDER BY seq DESC LIMIT ?2";

#[async_trait]
impl ProductStore for SqliteStore {
    async fn add(&self, product: &NewProduct) -> Result<(), StoreError> {
        let add = async {
            let mut tx = self.write().await?;
            let added = query(ADD)
                .bind(product.id.as_uuid())
                .bind(product.name.as_str())
                .bind(rows::parts(&product.parts))
                .bind(rows::to_micros(product.created_at))
                .execute(&mut *tx)
                .await?;
            if added.rows_affected() > 0 {
                query(COUNT_ONE_MORE).execute(&mut *tx).await?;
            }
            self.commit(tx).await
        };
        add.await.map_err(|error: Error| error.0)
    }

    async fn product(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        let row: Option<ProductRow> = query_as(PRODUCT)
            .bind(id.as_uuid())
            .fetch_optional(self.reading()?)
            .await
            .map_err(|error| Error::from(error).0)?;
        row.map(ProductRow::read).transpose()
    }

    async fn newest_named(&self, name: &ProductName) -> Result<Option<Product>, StoreError> {
        let row: Option<ProductRow> = query_as(NEWEST_NAMED)
            .bind(name.as_str())
            .fetch_optional(self.reading()?)
            .await
            .map_err(|error| Error::from(error).0)?;
        row.map(ProductRow::read).transpose()
    }

    async fn summary(&self) -> Result<CatalogueSummary, StoreError> {
        let read = async {
            let row = query(SUMMARY).fetch_optional(self.reading()?).await?;
            let Some(row) = row else { return Ok(CatalogueSummary::default()) };
            let count = row.try_get("count")?;
            let newest = ProductRow::from_row(&row)?.read()?;
            Ok(CatalogueSummary { count, newest: Some(newest) })
        };
        read.await.map_err(|error: Error| error.0)
    }

    async fn page(
        &self,
        after: Option<ProductId>,
        limit: usize,
    ) -> Result<Vec<Product>, StoreError> {
        let rows: Vec<ProductRow> = query_as(PAGE)
            .bind(after.map(ProductId::as_uuid))
            .bind(rows::limit(limit))
            .fetch_all(self.reading()?)
            .await
            .map_err(|error| Error::from(error).0)?;
        rows.into_iter().map(ProductRow::read).collect()
    }
}
