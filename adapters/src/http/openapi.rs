use std::sync::LazyLock;

use bytes::Bytes;
use utoipa::openapi::OpenApi;

/// What every service answers, as OpenAPI 3.1.
pub fn openapi() -> OpenApi {
    OpenApi::default()
}

/// The document, written once.
pub(super) fn document() -> Bytes {
    static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
        // A document of strings: serialising it cannot fail.
        serde_json::to_vec(&openapi()).unwrap_or_default().into()
    });
    DOCUMENT.clone()
}
