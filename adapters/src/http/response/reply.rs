use std::sync::Arc;

use bytes::Bytes;
use hyper::{
    StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION},
};
use serde::Serialize;

use super::{
    body::{Body, Response},
    failure::{Failure, Noted},
    kind::FailureKind,
};

pub(in crate::http) const TEXT: &str = "text/plain; charset=utf-8";
pub(in crate::http) const HTML: &str = "text/html; charset=utf-8";
pub(in crate::http) const CSS: &str = "text/css; charset=utf-8";
pub(in crate::http) const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
pub(in crate::http) const JSON: &str = "application/json";
pub(in crate::http) const SVG: &str = "image/svg+xml";
pub(in crate::http) const CSV: &str = "text/csv";
pub(in crate::http) const DXF: &str = "image/vnd.dxf";

/// 200 with these bytes.
pub(in crate::http) fn bytes(content_type: &'static str, bytes: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// 200 with this line of text.
pub(in crate::http) fn text(line: impl Into<Bytes>) -> Response {
    bytes(TEXT, line)
}

/// 200 with this value.
pub(in crate::http) fn json(value: &impl Serialize) -> Result<Response, Failure> {
    let written = serde_json::to_vec(value).map_err(Failure::internal)?;
    let mut response = Response::new(Body::own(written));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    Ok(response)
}

/// 204.
pub(in crate::http) fn no_content() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    no_store(response)
}

/// 303: what was asked for is shown at `location`.
pub(in crate::http) fn see_other(location: HeaderValue) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    no_store(with(response, LOCATION, location))
}

/// 201 or 202 with this value, which is found at `location` from now on.
pub(in crate::http) fn made(
    status: StatusCode,
    location: &str,
    value: &impl Serialize,
) -> Result<Response, Failure> {
    let mut response = json(value)?;
    *response.status_mut() = status;
    let location = HeaderValue::from_str(location).map_err(Failure::internal)?;
    Ok(with(response, LOCATION, location))
}

/// The same response with one more header.
pub(in crate::http) fn with(
    mut response: Response,
    name: HeaderName,
    value: HeaderValue,
) -> Response {
    response.headers_mut().insert(name, value);
    response
}

/// The same response, which tells of `failure` only in part: it is logged.
pub(in crate::http) fn noting(mut response: Response, failure: Failure) -> Response {
    response.extensions_mut().insert(Noted(Arc::new(failure)));
    response
}

/// Sets `Cache-Control: no-store`.
pub(in crate::http) fn no_store(response: Response) -> Response {
    with(response, CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

/// Returns a 404: there is no such object.
pub(in crate::http) fn no_such(what: &str, id: impl std::fmt::Display) -> Failure {
    Failure::new(FailureKind::NotFound, format!("There is no {what} {id}."))
}
