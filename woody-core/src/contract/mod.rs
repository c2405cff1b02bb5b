//! The contract of each port as tests, for every backend of it.
//!
//! A backend runs a suite with one line, and gets one named test per clause,
//! each on a fresh backend:
//!
//! ```ignore
//! mod memory {
//!     async fn fresh() -> (Arc<dyn OrderStore>, impl Sized) {
//!         (Arc::new(MemoryStore::new()), ())
//!     }
//!     woody_core::order_store_contract!(fresh);
//! }
//! ```
//!
//! What `fresh` returns beside the backend is kept until the test has ended: a
//! temporary folder, or a schema that is dropped. A suite that needs a server
//! passes `#[ignore = "needs WOODY_TEST_…"]` in front of `fresh`.

pub mod broker;
pub mod order_store;
pub mod product_store;

/// Emits one test per clause. Not for direct use: each suite has its own macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __contract_clauses {
    ([$(#[$attr:meta])*] $fresh:path, $suite:path => $($clause:ident)*) => {
        $(
            $(#[$attr])*
            #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $clause() {
                use $suite as suite;
                let (backend, _kept) = $fresh().await;
                suite::$clause(backend).await;
            }
        )*
    };
}
