use std::sync::Arc;

use tempfile::TempDir;
use woody_broker::sqlite::{SqliteBroker, SqliteOptions};
use woody_core::ports::Broker;

async fn fresh() -> (Arc<dyn Broker>, TempDir) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("queue.db");
    let broker = SqliteBroker::open(path, SqliteOptions::default()).await.unwrap();
    (Arc::new(broker), folder)
}

woody_core::broker_contract!(fresh);
