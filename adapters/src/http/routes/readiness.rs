//! Whether a process should be given work, and what it can tell of the shop.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
    sync::Arc,
    time::Duration,
};

use futures::future::{BoxFuture, join_all};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use woody_core::{domain::PoolUse, ports::OrderStore, services::OrderStories};

use super::console::UntilEmpty;
use crate::status::{Pools, StatusBoard};

/// Whether the process should be given work: all its checks pass, and it is not
/// draining.
///
/// ```
/// use tokio_util::sync::CancellationToken;
/// use woody_adapters::http::Readiness;
///
/// let readiness = Readiness::new(CancellationToken::new())
///     .require("store", || async { Ok::<_, &str>(()) })
///     .report("relay", || async { Err("the broker is unavailable") });
/// ```
pub struct Readiness {
    pub(super) draining: CancellationToken,
    checks: Vec<Check>,
    check_timeout: Duration,
    pub(super) shop: Option<StatusBoard>,
    pub(super) orders: Option<Arc<dyn OrderStore>>,
    pub(super) stories: Option<OrderStories>,
    pub(super) until_empty: Option<UntilEmpty>,
    pub(super) pools: Pools,
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness")
            .field("is_draining", &self.draining.is_cancelled())
            .field("checks", &self.checks.iter().map(|check| check.name).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

struct Check {
    name: &'static str,
    required: bool,
    probe: Box<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>,
}

/// The response of `/readyz`.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct ReadinessReport {
    /// Whether the process should be given work.
    pub ready: bool,
    /// Whether it is going down.
    pub draining: bool,
    /// What each check found.
    pub checks: BTreeMap<&'static str, CheckResult>,
}

/// What a check found.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// Whether it passed.
    pub ok: bool,
    /// Whether the process is not ready without it.
    pub required: bool,
    /// Why it did not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Readiness {
    /// Ready until `draining` is cancelled; a check has two seconds to return.
    pub fn new(draining: CancellationToken) -> Self {
        Self {
            draining,
            checks: Vec::new(),
            check_timeout: Duration::from_secs(2),
            shop: None,
            orders: None,
            stories: None,
            until_empty: None,
            pools: Pools::default(),
        }
    }

    /// The same, with so much time for each check.
    #[must_use]
    pub fn check_timeout(self, check_timeout: Duration) -> Self {
        Self { check_timeout, ..self }
    }

    /// The same of a process that knows how the whole shop is: `/statusz` says it.
    #[must_use]
    pub fn of_shop(self, shop: StatusBoard) -> Self {
        Self { shop: Some(shop), ..self }
    }

    /// Has the operator list these orders beside it.
    #[must_use]
    pub fn listing(self, orders: Arc<dyn OrderStore>) -> Self {
        Self { orders: Some(orders), ..self }
    }

    /// Has the operator read the stories of orders beside it.
    #[must_use]
    pub fn telling(self, stories: OrderStories) -> Self {
        Self { stories: Some(stories), ..self }
    }

    /// Has the console say how long it takes until no order waits in the queue, as `foretell` says; `None` while nothing
    /// can be foretold.
    #[must_use]
    pub fn foretelling(
        self,
        foretell: impl Fn() -> Option<Duration> + Send + Sync + 'static,
    ) -> Self {
        Self { until_empty: Some(Box::new(foretell)), ..self }
    }

    /// Has `/metrics` say how full a pool is, as `usage` returns it at once; nothing where there is no such pool.
    #[must_use]
    pub fn pool(
        mut self,
        name: &'static str,
        usage: impl Fn() -> Option<PoolUse> + Send + Sync + 'static,
    ) -> Self {
        self.pools.add(name, usage);
        self
    }

    /// Whether it knows how the whole shop is.
    pub fn knows_shop(&self) -> bool {
        self.shop.is_some()
    }

    /// Adds a check that the process is not ready without.
    #[must_use]
    pub fn require<P, F, E>(self, name: &'static str, probe: P) -> Self
    where
        P: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        self.with(name, true, probe)
    }

    /// Adds an informational check: shown in `/readyz`, without effect on readiness.
    #[must_use]
    pub fn report<P, F, E>(self, name: &'static str, probe: P) -> Self
    where
        P: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        self.with(name, false, probe)
    }

    fn with<P, F, E>(mut self, name: &'static str, required: bool, probe: P) -> Self
    where
        P: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        let probe = Box::new(move || -> BoxFuture<'static, Result<(), String>> {
            let answer = probe();
            Box::pin(async move { answer.await.map_err(|error| error.to_string()) })
        });
        self.checks.push(Check { name, required, probe });
        self
    }

    /// Asks every check, all at once.
    pub async fn ask(&self) -> ReadinessReport {
        let results = join_all(self.checks.iter().map(|check| async {
            let answer = tokio::time::timeout(self.check_timeout, (check.probe)()).await;
            let answer = answer.unwrap_or_else(|_elapsed| {
                Err(format!("no result within {:?}", self.check_timeout))
            });
            let Check { name, required, .. } = *check;
            (name, CheckResult { ok: answer.is_ok(), required, why: answer.err() })
        }));
        let checks: BTreeMap<_, _> = results.await.into_iter().collect();
        // Read last: a check fails when its connection is closed under it.
        let draining = self.draining.is_cancelled();
        let passed = checks.values().all(|result| result.ok || !result.required);
        ReadinessReport { ready: passed && !draining, draining, checks }
    }
}
