//! A store backend of your own, and the proof that it keeps the contract.
//!
//! This one keeps the catalogue in a file of JSON lines that only ever grows.
//! The suite at the end is the one that PostgreSQL passes too:
//!
//! ```sh
//! cargo run  --example own_store
//! cargo test --example own_store --features contract
//! ```

#![allow(clippy::print_stdout)]

use std::{error::Error, path::Path, sync::Arc};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::{
    fs::{File, OpenOptions},
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    sync::Mutex,
};
use woody::{
    domain::{Parts, Product, ProductId, ProductName},
    ports::{CatalogueSummary, ProductStore, StoreError},
    services::Catalogue,
};

/// The catalogue in memory, and the file it is read back from.
struct JournalStore(Mutex<Journal>);

struct Journal {
    file: File,
    products: Vec<Product>,
}

/// A product as a line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    id: ProductId,
    name: ProductName,
    parts: Parts,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl JournalStore {
    async fn open(path: &Path) -> Result<Self, Box<dyn Error>> {
        let options = OpenOptions::new().read(true).append(true).create(true).clone();
        let mut lines = BufReader::new(options.open(path).await?).lines();
        let mut products = Vec::new();
        while let Some(line) = lines.next_line().await? {
            let Line { id, name, parts, created_at } = serde_json::from_str(&line)?;
            products.push(Product { id, name, parts, created_at });
        }
        let file = options.open(path).await?;
        Ok(Self(Mutex::new(Journal { file, products })))
    }
}

#[async_trait]
impl ProductStore for JournalStore {
    async fn add(&self, product: &Product) -> Result<(), StoreError> {
        let mut journal = self.0.lock().await;
        if journal.products.iter().any(|known| known.id == product.id) {
            return Ok(());
        }
        let Product { id, name, parts, created_at } = product.clone();
        let created_at = created_at.to_offset(time::UtcOffset::UTC).truncate_to_microsecond();
        let product = Product { id, name: name.clone(), parts: parts.clone(), created_at };
        let line = Line { id, name, parts, created_at };
        let mut line = serde_json::to_vec(&line).map_err(StoreError::refused)?;
        line.push(b'\n');
        journal.file.write_all(&line).await.map_err(StoreError::refused)?;
        // Only what is on the disk has been added.
        journal.file.sync_data().await.map_err(StoreError::refused)?;
        journal.products.push(product);
        Ok(())
    }

    async fn product(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        Ok(self.0.lock().await.products.iter().find(|product| product.id == id).cloned())
    }

    async fn newest_named(&self, name: &ProductName) -> Result<Option<Product>, StoreError> {
        let journal = self.0.lock().await;
        Ok(journal.products.iter().rev().find(|product| product.name == *name).cloned())
    }

    async fn summary(&self) -> Result<CatalogueSummary, StoreError> {
        let products = &self.0.lock().await.products;
        Ok(CatalogueSummary { count: products.len() as u64, newest: products.last().cloned() })
    }

    async fn page(
        &self,
        after: Option<ProductId>,
        limit: usize,
    ) -> Result<Vec<Product>, StoreError> {
        let products = &self.0.lock().await.products;
        let end = after
            .and_then(|id| products.iter().position(|product| product.id == id))
            .unwrap_or(products.len());
        Ok(products[..end].iter().rev().take(limit).cloned().collect())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("catalogue.jsonl");
    let added = {
        let catalogue = Catalogue::new(Arc::new(JournalStore::open(&path).await?));
        catalogue.add(ProductName::parse("Train")?, Parts::default()).await?
    };
    let reopened = Catalogue::new(Arc::new(JournalStore::open(&path).await?));
    println!("read back: {:?}", reopened.find(added.id).await?.map(|product| product.name));
    Ok(())
}

#[cfg(test)]
#[cfg(feature = "contract")]
mod tests {
    use super::*;

    async fn fresh() -> (Arc<dyn ProductStore>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = JournalStore::open(&folder.path().join("catalogue.jsonl")).await.unwrap();
        (Arc::new(store), folder)
    }

    woody::product_store_contract!(fresh);
}
