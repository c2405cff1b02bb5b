//! Validators that come with the shop, and how they compose.

mod accept_all;
mod chain;
mod function;
mod guarded;
#[cfg(feature = "workshop")]
mod heavy;

pub use accept_all::AcceptAll;
pub use chain::ValidatorChain;
pub use function::{ValidatorFn, validator_fn};
pub use guarded::Guarded;
#[cfg(feature = "workshop")]
pub use heavy::HeavyValidation;
