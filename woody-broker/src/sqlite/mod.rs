//! A durable queue in one SQLite file, for a program that brings its own broker.
//!
//! What was published survives `kill -9` and power loss: the file is in WAL mode
//! and every commit is synced. One task writes; whatever arrives while a commit
//! is under way (publishes, settlements, requests for deliveries) shares the next.
//!
//! Several processes may open the same file. Each holds a lock on a side file of
//! its own (`PATH-holder-N`), and the operating system frees it when the process
//! dies. What a dead process held goes back to the queue when the file is opened or,
//! at the latest, with the next poll of another process. There are no leases that
//! expire: a validation may take any time, and a process that hangs keeps its
//! deliveries until it is killed.
//!
//! Status changes reach only subscribers in the same process.

mod acker;
mod admin;
mod batch;
mod consumer;
mod error;
mod file;
mod group;
mod handle;
mod holder;
mod options;
mod publisher;
mod schedule;
mod schema;
mod seats;
mod statements;
mod turn;
mod writer;

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use sqlx::SqlitePool;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use woody_core::ports::{
    Broker, BrokerAdmin, BrokerError, Consumer, OrderEvents, Prefetch, Publisher,
};

pub use options::SqliteOptions;

use self::{
    admin::SqliteAdmin, consumer::SqliteConsumer, file::QueueFile, handle::Handle,
    publisher::SqlitePublisher, writer::Writer,
};
use crate::events::InProcessEvents;

/// A [`Broker`] in one SQLite file.
///
/// Dropping it without [`close`](Broker::close) is safe too: its task ends when the
/// last publisher, consumer and delivery are dropped.
#[derive(Debug)]
pub struct SqliteBroker {
    handle: Arc<Handle>,
    readers: SqlitePool,
    /// The file, wherever this process runs.
    name: Arc<str>,
    events: Arc<InProcessEvents>,
    tasks: TaskTracker,
}

impl SqliteBroker {
    /// Opens the queue in `path`, creates the file and its folder if they are missing,
    /// and takes back what dead processes held.
    ///
    /// # Errors
    /// [`BrokerError`] when the file cannot be opened, is no queue, or holds a queue of
    /// another name.
    pub async fn open(
        path: impl Into<PathBuf>,
        options: SqliteOptions,
    ) -> Result<Self, BrokerError> {
        let file = QueueFile::new(path.into(), options);
        let connection = file.open().await.map_err(|error| error.0)?;
        let readers = file.readers();
        let path = std::path::absolute(file.path()).unwrap_or_else(|_| file.path().to_owned());
        let name = path.display().to_string().into();
        let closed = CancellationToken::new();
        let events = Arc::new(InProcessEvents::new(closed.clone()));
        let (handle, inbox) = Handle::new(closed);
        let writer = Writer::start(file, connection, inbox, Arc::downgrade(&handle));
        let writer = writer.await.map_err(|error| error.0)?;
        let tasks = TaskTracker::new();
        tasks.spawn(writer.run());
        tasks.close();
        Ok(Self { handle, readers, name, events, tasks })
    }
}

#[async_trait]
impl Broker for SqliteBroker {
    fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(SqlitePublisher::new(Arc::clone(&self.handle)))
    }

    async fn consumer(&self, prefetch: Prefetch) -> Result<Box<dyn Consumer>, BrokerError> {
        Ok(Box::new(SqliteConsumer::join(Arc::clone(&self.handle), prefetch)?))
    }

    fn admin(&self) -> Arc<dyn BrokerAdmin> {
        let (handle, name) = (Arc::clone(&self.handle), Arc::clone(&self.name));
        Arc::new(SqliteAdmin::new(handle, self.readers.clone(), name))
    }

    fn events(&self) -> Arc<dyn OrderEvents> {
        Arc::<InProcessEvents>::clone(&self.events)
    }

    async fn close(&self) {
        self.handle.closed.cancel();
        self.tasks.wait().await;
        self.readers.close().await;
    }
}
