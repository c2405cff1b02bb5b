use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use sqlx::SqlitePool;
use woody_core::ports::{BrokerAdmin, BrokerError, DeadLetter, DeadLetterId, QueueDepth, Waiting};

use super::{
    error::Error,
    handle::{Handle, Request},
    publisher, statements,
};

/// Counts, lists and moves the messages of the file.
#[derive(Debug)]
pub(super) struct SqliteAdmin {
    handle: Arc<Handle>,
    readers: SqlitePool,
    name: Arc<str>,
}

impl SqliteAdmin {
    pub(super) fn new(handle: Arc<Handle>, readers: SqlitePool, name: Arc<str>) -> Self {
        Self { handle, readers, name }
    }
}

#[async_trait]
impl BrokerAdmin for SqliteAdmin {
    fn queue(&self) -> String {
        format!("sqlite:{}", self.name)
    }

    async fn depth(&self) -> Result<QueueDepth, BrokerError> {
        self.handle.ensure_open()?;
        statements::depth(&self.readers).await.map_err(read_error)
    }

    async fn waiting(&self) -> Result<Waiting, BrokerError> {
        self.handle.ensure_open()?;
        statements::waiting(&self.readers).await.map_err(read_error)
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, BrokerError> {
        self.handle.ensure_open()?;
        statements::dead_letters(&self.readers, limit).await.map_err(read_error)
    }

    async fn redrive(&self, ids: &[DeadLetterId]) -> Result<u64, BrokerError> {
        self.handle.ask(|done| Request::Redrive { ids: numbers(ids), done }).await
    }

    async fn resend(&self, bodies: &[Bytes]) -> Result<(), BrokerError> {
        publisher::put(&self.handle, bodies, true).await
    }

    async fn purge(&self, ids: &[DeadLetterId]) -> Result<u64, BrokerError> {
        self.handle.ask(|done| Request::Purge { ids: numbers(ids), done }).await
    }
}

/// Returns the letters' numbers; an id that is no number names no letter.
fn numbers(ids: &[DeadLetterId]) -> Vec<i64> {
    ids.iter().filter_map(|id| id.as_str().parse().ok()).collect()
}

fn read_error(error: sqlx::Error) -> BrokerError {
    match error {
        sqlx::Error::PoolClosed => BrokerError::Closed,
        error => Error::from(error).0,
    }
}
