use std::sync::LazyLock;

use bytes::Bytes;
use hyper::HeaderMap;

use crate::http::{
    response::{Failure, FailureKind, Response, reply},
    routes::file::File,
};

/// What the page needs, in the program.
static FILES: LazyLock<[(&str, File); 3]> = LazyLock::new(|| {
    [
        ("console.css", reply::CSS, include_str!("console.css")),
        ("console.js", reply::JAVASCRIPT, include_str!("console.js")),
        ("icon.svg", reply::SVG, include_str!("../../../../front/favicon.svg")),
    ]
    .map(|(name, kind, text)| (name, File::new(kind, Bytes::from_static(text.as_bytes()))))
});

/// Responds with the file of this name.
pub(super) fn respond(name: &str, asked: &HeaderMap) -> Result<Response, Failure> {
    match FILES.iter().find(|(known, _)| *known == name) {
        Some((_, file)) => Ok(file.respond(asked)),
        None => Err(Failure::new(FailureKind::NotFound, "The console has no such file.")),
    }
}
