use std::{sync::OnceLock, time::Duration};

use hyper::{Method, StatusCode};
use metrics::{Counter, Histogram, counter, histogram};

use crate::http::request::Route;

/// The statuses that are counted by themselves; any other counts as `other`.
const STATUSES: [(u16, &str); 22] = [
    (200, "200"),
    (201, "201"),
    (202, "202"),
    (304, "304"),
    (400, "400"),
    (403, "403"),
    (404, "404"),
    (405, "405"),
    (406, "406"),
    (408, "408"),
    (413, "413"),
    (414, "414"),
    (415, "415"),
    (422, "422"),
    (500, "500"),
    (501, "501"),
    (503, "503"),
    (504, "504"),
    (204, "204"),
    (301, "301"),
    (429, "429"),
    (0, "other"),
];
const METHODS: [&str; 4] = ["GET", "HEAD", "POST", "other"];

/// What is counted of a service's requests, each series looked up once:
///
/// - `woody_http_requests_total{service, route, method, status}`
/// - `woody_http_request_seconds{service, route}`
///
/// Labels are of a fixed number: a hostile path or method counts as `other`.
pub(super) struct Requests {
    service: &'static str,
    /// One for each row of the route table, and one for requests without a row.
    routes: Vec<Series>,
}

struct Series {
    path: &'static str,
    seconds: OnceLock<Histogram>,
    total: [[OnceLock<Counter>; STATUSES.len()]; METHODS.len()],
}

impl Requests {
    pub(super) fn new<A>(service: &'static str, table: &[Route<A>]) -> Self {
        let series = |path| Series {
            path,
            seconds: OnceLock::new(),
            total: [const { [const { OnceLock::new() }; STATUSES.len()] }; METHODS.len()],
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
        let m = match *method {
            Method::GET => 0,
            Method::HEAD => 1,
            Method::POST => 2,
            _ => 3,
        };
        let known = STATUSES.iter().position(|(code, _)| *code == status.as_u16());
        let s = known.unwrap_or(STATUSES.len() - 1);
        route.total[m][s]
            .get_or_init(|| {
                counter!("woody_http_requests_total", "service" => self.service,
                    "route" => route.path, "method" => METHODS[m], "status" => STATUSES[s].1)
            })
            .increment(1);
        route
            .seconds
            .get_or_init(|| {
                histogram!("woody_http_request_seconds", "service" => self.service,
                    "route" => route.path)
            })
            .record(took.as_secs_f64());
    }
}
