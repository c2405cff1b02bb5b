//! Whether a shop is well: is anything lost, what is wrong and since when, what happens by itself,
//! and what to do.
//!
//! [`Evidence`] is what the store and the broker tell at one moment, [`Cause`] what may be behind
//! it, each with its sentence, and [`ShopStatus`] what is said of a shop, the worst first.
//! [`StatusBoard`] looks, once a second at most.

mod board;
mod cause;
mod evidence;
mod families;
mod gauges;
mod notices;
mod pools;
mod scene;
mod standbys;
mod told;

pub use board::{ShopStatus, StatusBoard};
pub use cause::{Cause, Finding, Severity};
pub use evidence::{Evidence, Servers, Trouble};
pub use pools::Pools;
