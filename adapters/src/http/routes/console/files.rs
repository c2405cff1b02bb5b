use bytes::Bytes;
use hyper::header::{CACHE_CONTROL, HeaderValue};

use crate::http::response::{Failure, FailureKind, Response, reply};

/// What the page needs, in the program.
const FILES: [(&str, &str, &str); 3] = [
    ("console.css", "text/css; charset=utf-8", include_str!("console.css")),
    ("console.js", "text/javascript; charset=utf-8", include_str!("console.js")),
    ("icon.svg", reply::SVG, include_str!("../../../../front/favicon.svg")),
];

/// Responds with the file of this name.
pub(super) fn respond(name: &str) -> Result<Response, Failure> {
    let Some((_, content_type, text)) = FILES.iter().find(|(known, ..)| *known == name) else {
        return Err(Failure::new(FailureKind::NotFound, "The console has no such file."));
    };
    let response = reply::bytes(content_type, Bytes::from_static(text.as_bytes()));
    // Another version of the program may serve the next one.
    Ok(reply::with(response, CACHE_CONTROL, HeaderValue::from_static("no-cache")))
}
