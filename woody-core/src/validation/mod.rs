//! Validators that come with the shop, and how they compose.

mod accept_all;
mod chain;
mod guarded;
mod heavy;

pub use accept_all::AcceptAll;
pub use chain::ValidatorChain;
pub use guarded::Guarded;
pub use heavy::HeavyValidation;
