//! The clauses of this port's contract.

/// Runs every clause against what `fresh` returns.
#[macro_export]
macro_rules! order_store_contract {
    ($(#[$attr:meta])* $fresh:path) => {
        $crate::__contract_clauses! {
            [$(#[$attr])*] $fresh, $crate::contract::order_store =>
        }
    };
}
