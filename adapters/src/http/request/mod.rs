//! A request as routes see it: its route, path, query, headers, body and id.

mod body;
mod hosts;
mod items;
pub(in crate::http) mod json;
mod negotiate;
mod networks;
mod origins;
mod party;
mod prefix;
pub(in crate::http) mod query;
mod request_id;
mod route;
mod routed;
mod trace;

pub use body::RequestBody;
pub(in crate::http) use hosts::name_of;
pub use hosts::{Hosts, NoHost};
pub(in crate::http) use items::{Items, items, take_member};
pub(in crate::http) use negotiate::{choose, reads_gzip};
pub use networks::{Networks, NoNetwork};
pub use origins::{NoOrigin, Origins};
pub(in crate::http) use party::Party;
pub(in crate::http) use prefix::MountPrefix;
pub use request_id::RequestId;
pub(in crate::http) use request_id::X_REQUEST_ID;
pub use route::{Access, Route, Verb};
pub(in crate::http) use route::{Found, find};
pub use routed::RoutedRequest;
pub use trace::Sampling;
pub(in crate::http) use trace::Traced;
