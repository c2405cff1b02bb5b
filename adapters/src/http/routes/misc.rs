use std::{fmt, sync::Arc};

use bytes::Bytes;
use hyper::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, VARY};
use woody_core::{
    domain::{ProductName, Quantity, now, python_stamp},
    services::{CacheStatus, HeavyComputation},
};

use super::{asyncapi, openapi, reference};
use crate::http::{
    request::{Route, RoutedRequest, choose, query},
    response::{Failure, FailureKind, Response, Style, reply},
    server::Routes,
};

/// The misc service.
///
/// | route | response |
/// | --- | --- |
/// | `GET /api/ping` | `ping` |
/// | `GET /api/misc/time` | `misc: NOW` |
/// | `GET /api/misc/heavy?name=N&quantity=` | `NOW: Woody -N- Woody`, or the cutting plan as JSON, SVG, CSV or DXF |
/// | `GET /openapi.json`, `/asyncapi.json` | the routes of every service, and the messages |
/// | `GET /docs` | both for people |
pub struct MiscRoutes {
    heavy: Arc<HeavyComputation>,
}

impl fmt::Debug for MiscRoutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MiscRoutes").finish_non_exhaustive()
    }
}

/// What a row of the table does.
#[derive(Debug, Clone, Copy)]
pub enum Action {
    Ping,
    Time,
    Heavy,
    OpenApi,
    AsyncApi,
    Reference,
}

const TABLE: &[Route<Action>] = &[
    Route::text("/api/misc/heavy", Action::Heavy),
    Route::text("/api/misc/time", Action::Time),
    Route::text("/api/ping", Action::Ping).open(),
    Route::get("/openapi.json", Action::OpenApi).open(),
    Route::get("/asyncapi.json", Action::AsyncApi).open(),
    Route::get("/docs", Action::Reference).open(),
];

/// The forms of a heavy answer, the default first.
const FORMS: [&str; 5] = ["text/plain", reply::JSON, reply::SVG, reply::CSV, reply::DXF];
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

impl MiscRoutes {
    /// The routes of the misc service over `heavy`.
    pub fn new(heavy: Arc<HeavyComputation>) -> Self {
        Self { heavy }
    }

    async fn heavy(&self, request: &RoutedRequest<Action>) -> Result<Response, Failure> {
        let Some(form) = choose(request.headers(), &FORMS) else {
            let detail = format!("This route returns {}.", FORMS.join(", "));
            return Err(Failure::new(FailureKind::NotAcceptable, detail));
        };
        self.heavy_as(form, request).await.map_err(|failure| match form {
            0 => failure,
            _ => failure.told_as(Style::Problem),
        })
    }

    async fn heavy_as(
        &self,
        form: usize,
        request: &RoutedRequest<Action>,
    ) -> Result<Response, Failure> {
        let [name, quantity] = request.query(["name", "quantity"])?;
        let name = query::required(name, "name")?;
        let quantity = match quantity {
            Some(quantity) => Quantity::new(query::number(&quantity, "quantity")?)?,
            None => HeavyComputation::BATCH,
        };
        let cached = self.heavy.cached(name.trim(), quantity).await;
        let (answer, status) = if let Some(cached) = cached {
            cached
        } else {
            let name = ProductName::parse(&name)
                .map_err(|invalid| Failure::from(invalid).named("name"))?;
            self.heavy.answer(&name, quantity).await?
        };
        let mut response = match form {
            0 => reply::text(answer.text()),
            1 => reply::bytes(reply::JSON, answer.json()),
            2 => {
                // Opened by itself, a drawing is a document: it gets no rights.
                let policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox";
                let policy = HeaderValue::from_static(policy);
                let svg = written(move || answer.svg()).await?;
                reply::with(reply::bytes(reply::SVG, svg), CONTENT_SECURITY_POLICY, policy)
            }
            3 => file(reply::CSV, "plan.csv", written(move || answer.csv()).await?),
            _ => {
                let dxf = written(move || answer.dxf()).await?.map_err(|pieces| {
                    let detail = format!("A drawing of {pieces} pieces is too large for DXF.");
                    Failure::new(FailureKind::InvalidValue, detail).named("quantity")
                })?;
                file(reply::DXF, "plan.dxf", dxf)
            }
        };
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("accept"));
        headers.insert(CACHE_STATUS, cache_status(status));
        Ok(response)
    }
}

/// Has a body written where it is in nobody's way: a large one takes milliseconds.
async fn written<T: Send + 'static>(
    write: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(write).await.map_err(Failure::internal)
}

/// 200 with a file that is saved, not shown.
fn file(content_type: &'static str, name: &str, bytes: Bytes) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let response = reply::bytes(content_type, bytes);
    match HeaderValue::try_from(disposition) {
        Ok(disposition) => reply::with(response, CONTENT_DISPOSITION, disposition),
        Err(_) => response,
    }
}

/// `Cache-Status` as RFC 9211 writes it.
fn cache_status(status: CacheStatus) -> HeaderValue {
    match status {
        CacheStatus::Hit { ttl_left } => {
            let text = format!("woody; hit; ttl={}", ttl_left.as_secs());
            HeaderValue::from_maybe_shared(Bytes::from(text))
                .unwrap_or(HeaderValue::from_static("woody; hit"))
        }
        CacheStatus::Miss => HeaderValue::from_static("woody; fwd=miss; stored"),
        CacheStatus::Collapsed => HeaderValue::from_static("woody; fwd=miss; collapsed"),
    }
}

impl Routes for MiscRoutes {
    type Action = Action;

    const SERVICE: &'static str = "misc";

    fn table() -> &'static [Route<Action>] {
        TABLE
    }

    async fn handle(&self, request: &RoutedRequest<Action>) -> Result<Response, Failure> {
        match request.action {
            Action::Heavy => self.heavy(request).await,
            Action::Time => {
                request.query([])?;
                Ok(reply::no_store(reply::text(format!("misc: {}", python_stamp(now())))))
            }
            Action::Ping => {
                request.query([])?;
                Ok(reply::text("ping"))
            }
            Action::OpenApi => {
                request.query([])?;
                Ok(openapi::document().respond(request.headers()))
            }
            Action::AsyncApi => Ok(asyncapi::document().respond(request.headers())),
            Action::Reference => Ok(reference::page().respond(request.headers())),
        }
    }
}
