//! Waiting for things to become true.

use std::time::Duration;

/// How long a test waits for something that must happen; longer, and it has failed.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Asks again and again, soon and then more seldom, and fails after a minute.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let asking = async {
        let mut pause = Duration::from_millis(5);
        while !condition().await {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(200));
        }
    };
    assert!(
        tokio::time::timeout(PATIENCE, asking).await.is_ok(),
        "not within {PATIENCE:?}: {what}"
    );
}
