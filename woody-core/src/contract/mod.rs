//! The contract of each port as tests, for every backend of it.
//!
//! A backend runs a suite with one line, and gets one named test per clause,
//! each on a fresh backend; clauses about orders run once with each [`OrderType`]:
//!
//! ```text
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

pub mod act_log;
pub mod broker;
pub mod notice_store;
pub mod order_store;
mod order_type;
pub mod pauses;
pub mod product_store;
pub mod sqlite;
pub mod store;

pub use order_type::{OrderType, toy, with_orders_of};

/// Product names that a careless backend spoils: quotes, wildcards, escapes,
/// other scripts, what looks like a number or JSON, 200 characters.
const HARD_TEXTS: [&str; 12] = [
    "it's \"quoted\"; DROP TABLE orders; --",
    r"back\slash \n \u0000 \x41",
    "100% _wild*card?",
    "蛇の木 🪵🚂 Ünïcödé עץ",
    "e\u{301} is not é",
    "zero\u{200b}width \u{feff}mark \u{202e}turned",
    "\u{10ffff}\u{fffd}",
    "007",
    "null",
    "[1, {\"a\": \"b\"}]",
    "{}$1 ?1 :name @p",
    concat!(
        "蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇",
        "🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂",
        "蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇蛇",
        "🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂🚂",
    ),
];

/// Returns the clauses in `sources` that the macro in `suite` forgets.
#[cfg(test)]
fn unlisted_clauses<'a>(suite: &str, sources: &[&'a str]) -> Vec<&'a str> {
    let listed: Vec<_> = suite.lines().map(str::trim).collect();
    let clauses = sources.iter().flat_map(|source| source.lines());
    clauses
        .filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next())
        .filter(|clause| !listed.contains(clause))
        .collect()
}

/// Emits one test per clause. Not for direct use: each suite has its own macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __contract_clauses {
    ($attrs:tt $fresh:path, $suite:path => $($clause:ident)*) => {
        $($crate::__contract_clause! { $attrs $fresh, $suite, $clause })*
    };
}

/// Emits one test.
#[doc(hidden)]
#[macro_export]
macro_rules! __contract_clause {
    ([$(#[$attr:meta])*] $fresh:path, $suite:path, $clause:ident) => {
        $(#[$attr])*
        #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $clause() {
            use $suite as suite;
            for order_type in suite::ORDER_TYPES {
                let (backend, _kept) = $fresh().await;
                $crate::contract::with_orders_of(*order_type, suite::$clause(backend)).await;
            }
        }
    };
}
