use std::{fmt, time::Duration};

use async_trait::async_trait;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::connect::{HttpConnector, dns::GaiResolver};
use opentelemetry_http::{Bytes, HttpClient as Posts, HttpError, Request, Response};
use tokio::{runtime::Handle, time::timeout};

use crate::{
    config::ConfigError,
    http_client::{self, HttpClient},
};

/// What a collector says of a batch is short.
const MAX_BODY: usize = 64 * 1024;

/// Posts spans from a thread that has no runtime, by the client and on the runtime of the process.
pub(super) struct Poster {
    client: HttpClient<GaiResolver>,
    runtime: Handle,
    limit: Duration,
}

impl Poster {
    pub(super) fn new(runtime: Handle, limit: Duration) -> Result<Self, ConfigError> {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(limit));
        Ok(Self { client: http_client::over(tcp, 1)?, runtime, limit })
    }
}

impl fmt::Debug for Poster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poster").finish_non_exhaustive()
    }
}

#[async_trait]
impl Posts for Poster {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (client, limit) = (self.client.clone(), self.limit);
        let post = async move {
            let (head, body) = client.request(request.map(Full::from)).await?.into_parts();
            let body = Limited::new(body, MAX_BODY).collect().await?.to_bytes();
            Ok(Response::from_parts(head, body))
        };
        // The thread that asks has no clock of the runtime.
        let posting = self.runtime.spawn(async move { timeout(limit, post).await? });
        posting.await?
    }
}
