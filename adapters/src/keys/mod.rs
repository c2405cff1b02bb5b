//! Clients that are programs: their keys, and what each may do.
//!
//! A key is random and long, so one SHA-256 of it is all that is kept: who reads the file of keys can use none of them.

mod api_key;
mod book;
mod scope;

pub use api_key::{ApiKey, KeyHash, NoApiKey, NoHash};
pub use book::{ApiKeys, Client, NoKeys};
pub use scope::{NoScope, Scope, Scopes};
pub use woody_core::domain::{ClientName, NoClientName};
