use std::fmt;

use woody_core::domain::PoolUse;

use super::families::{Families, whole};

/// What a process has so much of and no more, each with how much of it is in use.
#[derive(Default)]
pub struct Pools(Vec<Pool>);

struct Pool {
    name: &'static str,
    usage: Box<dyn Fn() -> Option<PoolUse> + Send + Sync>,
}

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|pool| pool.name)).finish()
    }
}

impl Pools {
    /// Adds one; `usage` returns at once, and nothing where there is no such pool.
    pub fn add(
        &mut self,
        name: &'static str,
        usage: impl Fn() -> Option<PoolUse> + Send + Sync + 'static,
    ) {
        self.0.push(Pool { name, usage: Box::new(usage) });
    }

    /// How full they are, as gauges in Prometheus' text format.
    ///
    /// | gauge | meaning |
    /// | --- | --- |
    /// | `woody_pool_used{pool}` | how much is in use |
    /// | `woody_pool_limit{pool}` | how much there is at most |
    /// | `woody_pool_waiting{pool}` | who waits for some; left out where the next one is refused |
    pub fn gauges(&self) -> String {
        let (mut used, mut limit, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
        for Pool { name, usage } in &self.0 {
            let Some(usage) = usage() else { continue };
            let sample = |count: usize| {
                let count = u64::try_from(count).unwrap_or(u64::MAX);
                (format!("{{pool=\"{name}\"}}"), whole(count))
            };
            used.push(sample(usage.used));
            limit.push(sample(usage.limit));
            waiting.extend(usage.waiting.map(sample));
        }
        let mut told = Families::default();
        told.add("woody_pool_used", "How much of a pool is in use.", &used);
        told.add("woody_pool_limit", "How much of a pool there is at most.", &limit);
        told.add("woody_pool_waiting", "Who waits for some of a pool.", &waiting);
        told.into_text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_left_out() {
        let mut pools = Pools::default();
        assert_eq!(pools.gauges(), "");
        pools.add("store", || None);
        pools.add("requests", || Some(PoolUse { used: 3, limit: 8, waiting: Some(2) }));
        pools.add("connections", || Some(PoolUse { used: 5, limit: 9, waiting: None }));
        let text = pools.gauges();
        let samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            samples,
            [
                "woody_pool_used{pool=\"requests\"} 3",
                "woody_pool_used{pool=\"connections\"} 5",
                "woody_pool_limit{pool=\"requests\"} 8",
                "woody_pool_limit{pool=\"connections\"} 9",
                "woody_pool_waiting{pool=\"requests\"} 2",
            ]
        );
        assert_eq!(format!("{pools:?}"), r#"["store", "requests", "connections"]"#);
    }
}
