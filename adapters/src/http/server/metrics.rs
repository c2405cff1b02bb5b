use std::{sync::OnceLock, time::Duration};

use hyper::{Method, StatusCode};
use metrics::{Histogram, histogram};

use crate::http::request::Route;

/// The statuses that are told by themselves; any other is told as `other`.
const STATUSES: [(u16, &str); 27] = [
    (200, "200"),
    (201, "201"),
    (202, "202"),
    (204, "204"),
    (303, "303"),
    (304, "304"),
    (400, "400"),
    (401, "401"),
    (403, "403"),
    (404, "404"),
    (405, "405"),
    (406, "406"),
    (408, "408"),
    (409, "409"),
    (413, "413"),
    (414, "414"),
    (415, "415"),
    (421, "421"),
    (422, "422"),
    (429, "429"),
    (500, "500"),
    (501, "501"),
    (503, "503"),
    (504, "504"),
    // Of services of an embedder's own.
    (301, "301"),
    (410, "410"),
    (0, "other"),
];
/// What OpenTelemetry calls any other method.
const OTHER: &str = "_OTHER";
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "DELETE", "OPTIONS", OTHER];

/// What is measured of a service's requests, each series looked up once: how long they took until their responses began,
/// and with that how many there were,
///
/// `http_server_request_duration_seconds{service, http_route, http_request_method, http_response_status_code}`.
///
/// Name and labels are those of OpenTelemetry's conventions for HTTP servers (`http.server.request.duration`), as
/// Prometheus writes them; `service` tells the services of one process apart.
///
/// Labels are of a fixed number: a hostile path counts as `other`, a hostile method as `_OTHER`.
pub(super) struct Requests {
    service: &'static str,
    /// One for each row of the route table, and one for requests without a row.
    routes: Vec<Series>,
}

struct Series {
    path: &'static str,
    seconds: [[OnceLock<Histogram>; STATUSES.len()]; METHODS.len()],
}

impl Requests {
    pub(super) fn new<A>(service: &'static str, table: &[Route<A>]) -> Self {
        let series = |path| Series {
            path,
            seconds: [const { [const { OnceLock::new() }; STATUSES.len()] }; METHODS.len()],
        };
        let rows = table.iter().map(|route| route.path);
        Self { service, routes: rows.chain(["other"]).map(series).collect() }
    }

    /// Counts a request that was for this row, or for none.
    pub(super) fn count(
        &self,
        row: Option<usize>,
        method: &Method,
        status: StatusCode,
        took: Duration,
    ) {
        let index = row.unwrap_or(self.routes.len() - 1);
        let Some(route) = self.routes.get(index) else { return };
        let m = METHODS.iter().position(|known| *known == method.as_str());
        let m = m.unwrap_or(METHODS.len() - 1);
        let s = STATUSES.iter().position(|(code, _)| *code == status.as_u16());
        let s = s.unwrap_or(STATUSES.len() - 1);
        route.seconds[m][s]
            .get_or_init(|| {
                histogram!("http_server_request_duration_seconds",
                    "service" => self.service, "http_route" => route.path,
                    "http_request_method" => METHODS[m],
                    "http_response_status_code" => STATUSES[s].1)
            })
            .record(took.as_secs_f64());
    }
}
