//! What stands for the export where the feature `otlp` is off.

use std::time::Duration;

use tokio::runtime::Handle;
use tracing_subscriber::layer::Identity;

use crate::config::{ConfigError, TraceArgs};

/// Is never made.
#[derive(Debug, Clone)]
pub(crate) enum SpanExport {}

impl SpanExport {
    /// Refuses to send spans.
    ///
    /// # Errors
    /// [`ConfigError`] when they are to be sent.
    pub(crate) fn start(
        _service: &'static str,
        args: &TraceArgs,
        _runtime: &Handle,
    ) -> Result<Option<Self>, ConfigError> {
        match args.trace_url {
            None => Ok(None),
            Some(_) => Err(ConfigError::new(
                "WOODY_TRACE_URL is set, but this program is built without the feature otlp",
            )),
        }
    }

    pub(crate) fn layer(&self) -> Identity {
        match *self {}
    }

    #[expect(clippy::unused_async, reason = "as the export itself")]
    pub(crate) async fn end(&self, _limit: Duration) {
        match *self {}
    }
}
