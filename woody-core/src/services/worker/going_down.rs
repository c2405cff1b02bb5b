use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Shutdown was requested during a wait; another worker redoes the step.
#[derive(Debug)]
pub(super) struct GoingDown;

/// Pauses, unless shutdown is requested.
pub(super) async fn pause(delay: Duration, shutdown: &CancellationToken) -> Result<(), GoingDown> {
    tokio::select! {
        biased;
        () = shutdown.cancelled() => Err(GoingDown),
        () = tokio::time::sleep(delay) => Ok(()),
    }
}
