//! What goes back to the client: bodies, replies, failures and the styles that failures are shown in.

mod body;
mod failure;
mod field_error;
mod html;
mod kind;
mod mapping;
mod packing;
pub(in crate::http) mod reply;
mod standing;
mod version;

pub use body::{Body, Response};
pub(in crate::http) use failure::Noted;
pub use failure::{Failure, Problem, Style};
pub use field_error::FieldError;
pub(in crate::http) use html::Text;
pub use kind::FailureKind;
pub(in crate::http) use packing::{Kept, packed_for};
pub(in crate::http) use standing::Standing;
pub(in crate::http) use version::Version;
