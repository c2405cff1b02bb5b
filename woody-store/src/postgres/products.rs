use async_trait::async_trait;
use sqlx::{FromRow, Row};
use woody_core::domain::{NewProduct, Product, ProductId, ProductName};
use woody_core::ports::{CatalogueSummary, ProductStore, StoreError};

use super::PostgresStore;
use super::rows::{self, ProductRow};

/// One statement for the product and the count, so one transaction.
const ADD: &str = "
    WITH added AS (
        INSERT INTO products (id, name, parts, created_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (id) DO NOTHING
        RETURNING id
    )
    INSERT INTO product_counts AS counts (slot, added) SELECT $5, 1 FROM added
    ON CONFLICT (slot) DO UPDATE SET added = counts.added + 1";

/// The count is split over rows: with one, each product would wait for the commit of the
/// one before it.
const SLOTS: u128 = 16;

const PRODUCT: &str = "SELECT id, name, parts, created_at FROM products WHERE id = $1";

const NEWEST_NAMED: &str = "
    SELECT id, name, parts, created_at FROM products WHERE name = $1 ORDER BY seq DESC LIMIT 1";

/// Reads count and newest in one snapshot; returns no row for an empty catalogue.
const SUMMARY: &str = "
    SELECT (SELECT sum(added)::bigint FROM product_counts) AS count,
           id, name, parts, created_at
    FROM products ORDER BY seq DESC LIMIT 1";

/// The first limit is a number: without one PostgreSQL takes a page for a tenth of the table, and of
/// a large one plans each anew.
macro_rules! page_of {
    ($longest:literal) => {
        concat!(
            "SELECT id, name, parts, created_at FROM (
                 SELECT seq, id, name, parts, created_at FROM products
                 WHERE seq < coalesce((SELECT seq FROM products WHERE id = $1), 9223372036854775807)
                 ORDER BY seq DESC LIMIT ",
            $longest,
            ") AS longest
             ORDER BY seq DESC LIMIT $2"
        )
    };
}

/// As many as a catalogue asks for at most, the one among them that tells of another page.
const USUAL: usize = 201;
const PAGE: &str = page_of!("201");
/// For whoever asks for more; each is planned anew.
const LONG_PAGE: &str = page_of!("ALL");

#[async_trait]
impl ProductStore for PostgresStore {
    async fn add(&self, product: &NewProduct) -> Result<(), StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            self.query(ADD)
                .bind(product.id.as_uuid())
                .bind(product.name.as_str())
                .bind(rows::parts(&product.parts))
                .bind(crate::stamp::whole_micros(product.created_at))
                .bind(slot(product.id))
                .execute(&mut *pg)
                .await?;
            pg.done().await?;
            Ok(())
        })
        .await
    }

    async fn product(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            let row: Option<ProductRow> =
                self.query_as(PRODUCT).bind(id.as_uuid()).fetch_optional(&mut *pg).await?;
            pg.done().await?;
            Ok(row.map(ProductRow::read).transpose()?)
        })
        .await
    }

    async fn newest_named(&self, name: &ProductName) -> Result<Option<Product>, StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            let row: Option<ProductRow> =
                self.query_as(NEWEST_NAMED).bind(name.as_str()).fetch_optional(&mut *pg).await?;
            pg.done().await?;
            Ok(row.map(ProductRow::read).transpose()?)
        })
        .await
    }

    async fn summary(&self) -> Result<CatalogueSummary, StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            let row = self.query(SUMMARY).fetch_optional(&mut *pg).await?;
            pg.done().await?;
            let Some(row) = row else { return Ok(CatalogueSummary::default()) };
            let count: i64 = row.try_get::<Option<i64>, _>("count")?.unwrap_or_default();
            let newest = ProductRow::from_row(&row)?.read()?;
            Ok(CatalogueSummary { count: count.cast_unsigned(), newest: Some(newest) })
        })
        .await
    }

    async fn page(
        &self,
        after: Option<ProductId>,
        limit: usize,
    ) -> Result<Vec<Product>, StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            let rows: Vec<ProductRow> = self
                .query_as(if limit > USUAL { LONG_PAGE } else { PAGE })
                .bind(after.map(ProductId::as_uuid))
                .bind(rows::limit(limit))
                .fetch_all(&mut *pg)
                .await?;
            pg.done().await?;
            Ok(rows.into_iter().map(ProductRow::read).collect::<Result<_, _>>()?)
        })
        .await
    }
}

/// Returns the row that counts this product.
fn slot(id: ProductId) -> i16 {
    // Below `SLOTS`, so it always fits.
    i16::try_from(id.as_uuid().as_u128() % SLOTS).unwrap_or_default()
}
