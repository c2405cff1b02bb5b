use std::sync::Arc;

/// What was taken off the path before the service saw it: travels with the request.
#[derive(Debug, Clone)]
pub(in crate::http) struct MountPrefix(pub(in crate::http) Arc<str>);
