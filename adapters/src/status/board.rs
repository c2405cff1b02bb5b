use std::{
    fmt::{self, Write as _},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use tokio::{sync::Mutex, time::Instant};
use woody_core::{
    ports::{
        Broker, BrokerError, DeadLetter, NoticeCounts, NoticeStore, OrderStore, Pauses, QueueDepth,
        Store,
    },
    services::Waits,
};

use super::{
    cause::{Cause, Finding, Severity},
    evidence::{Evidence, Servers},
    scene::pending,
    told::{ago, grouped, lower_first},
};
use crate::figures::age;

/// For how long what was seen is told again.
const FRESH: Duration = Duration::from_secs(1);

/// Looks at a shop for those who ask, once a second at most.
pub struct StatusBoard {
    orders: Arc<dyn OrderStore>,
    notices: Arc<dyn NoticeStore>,
    pauses: Arc<dyn Pauses>,
    broker: Arc<dyn Broker>,
    servers: Servers,
    waits: Option<Arc<Waits>>,
    last: Mutex<Option<(Instant, Arc<ShopStatus>)>>,
}

impl fmt::Debug for StatusBoard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusBoard").field("servers", &self.servers).finish_non_exhaustive()
    }
}

impl StatusBoard {
    /// Looks at this store and this broker, which people call `servers`.
    pub fn new(store: &dyn Store, broker: Arc<dyn Broker>, servers: Servers) -> Self {
        let (orders, notices, pauses) = (store.orders(), store.notices(), store.pauses());
        Self { orders, notices, pauses, broker, servers, waits: None, last: Mutex::default() }
    }

    /// The same of a process with a worker, which knows what its validations wait for.
    #[must_use]
    pub fn with_waits(self, waits: Arc<Waits>) -> Self {
        Self { waits: Some(waits), ..self }
    }

    /// Returns at most `limit` messages that were given up, the oldest first.
    ///
    /// # Errors
    /// [`BrokerError`].
    pub async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, BrokerError> {
        self.broker.admin().dead_letters(limit).await
    }

    /// Returns how the shop is.
    pub async fn look(&self) -> Arc<ShopStatus> {
        // Who comes while another looks is told what that one has seen.
        let mut last = self.last.lock().await;
        if let Some((at, status)) = &*last
            && at.elapsed() < FRESH
        {
            return Arc::clone(status);
        }
        let wait = self.waits.as_ref().and_then(|waits| waits.current());
        let (orders, notices, pauses) = (&*self.orders, &*self.notices, &*self.pauses);
        let evidence = Evidence::gather(orders, notices, pauses, &*self.broker, wait).await;
        let status = Arc::new(ShopStatus::of(evidence, &self.servers));
        *last = Some((Instant::now(), Arc::clone(&status)));
        status
    }
}

/// What is said of a shop.
#[derive(Debug, Clone)]
pub struct ShopStatus {
    evidence: Evidence,
    findings: Vec<Finding>,
}

impl ShopStatus {
    /// Finds what is behind the evidence.
    pub fn of(evidence: Evidence, servers: &Servers) -> Self {
        let findings = Cause::ALL.iter().filter_map(|cause| cause.look(&evidence, servers));
        Self { findings: findings.collect(), evidence }
    }

    /// What is wrong, the worst first.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What was told of the shop.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Well)
    }

    /// Whether anything may be lost that nobody knows of: while the store cannot be asked.
    pub fn is_anything_lost_unknown(&self) -> bool {
        self.evidence.store.is_err()
    }

    /// The first line: is anything lost, what is wrong, since when, and what happens by itself.
    pub fn headline(&self) -> String {
        let lost = if self.is_anything_lost_unknown() {
            "Nothing is known to be lost."
        } else {
            "Nothing is lost."
        };
        match (self.findings.first(), &self.evidence.store) {
            (Some(worst), _) => format!("{lost} {}", worst.says),
            (None, Ok(backlog)) if backlog.pending > 0 => {
                format!(
                    "{lost} All is well: {}.",
                    lower_first(&pending(backlog, self.evidence.looked_at))
                )
            }
            (None, _) => format!("{lost} All is well."),
        }
    }

    /// The whole as text: [`words`](Self::words), and the numbers.
    pub fn text(&self) -> String {
        format!("{}\n\n{}", self.words(), self.numbers().join("\n"))
    }

    /// The first line, what to do, and what else is wrong.
    pub fn words(&self) -> String {
        let mut text = self.headline();
        for (at, finding) in self.findings.iter().enumerate() {
            // Writing to a String cannot fail.
            if at > 0 {
                let _ = write!(text, "\nAlso: {}", finding.says);
            }
            let _ = write!(text, "\n  To do: {}", finding.act);
        }
        text
    }

    fn numbers(&self) -> Vec<String> {
        let looked_at = self.evidence.looked_at;
        let waiting = |count: u64, oldest: Option<time::OffsetDateTime>| {
            let more = if count >= Evidence::COUNTED_UP_TO { " or more" } else { "" };
            let oldest = oldest.map(|at| format!(", the oldest {}", age(ago(at, looked_at))));
            format!("{}{more}{}", grouped(count), oldest.unwrap_or_default())
        };
        let unknown = || "unknown".to_owned();
        let (orders, outbox) = match &self.evidence.store {
            Ok(seen) => (
                waiting(seen.pending, seen.oldest_pending),
                waiting(seen.unpublished, seen.oldest_unpublished),
            ),
            Err(_) => (unknown(), unknown()),
        };
        let of_queue = |number: fn(&QueueDepth) -> Option<u64>| {
            let told = self.evidence.queue.as_ref().ok().and_then(number);
            told.map_or_else(unknown, grouped)
        };
        let told_to = |counts: &NoticeCounts| {
            let (open, dead) = (waiting(counts.open, counts.oldest), grouped(counts.dead));
            format!("to be told       {open}; {dead} given up ({})", counts.subscription)
        };
        let of_shop = [
            format!("pending orders   {orders}"),
            format!("in the outbox    {outbox}"),
            format!("in the queue     {}", of_queue(|queue| Some(queue.ready))),
            format!("at workers       {}", of_queue(|queue| queue.in_flight)),
            format!("to be retried    {}", of_queue(|queue| Some(queue.delayed))),
            format!("dead letters     {}", of_queue(|queue| Some(queue.dead))),
            format!("workers          {}", of_queue(|queue| queue.consumers)),
        ];
        of_shop.into_iter().chain(self.evidence.notices.iter().map(told_to)).collect()
    }

    /// The whole for programs.
    pub fn json(&self) -> Value {
        let told = |at: time::OffsetDateTime| at.format(&Rfc3339).ok();
        let store = self.evidence.store.as_ref().ok().map(|seen| {
            json!({
                "pending": seen.pending,
                "oldest_pending": seen.oldest_pending.and_then(told),
                "outbox": seen.unpublished,
                "oldest_in_outbox": seen.oldest_unpublished.and_then(told),
                "counted_up_to": Evidence::COUNTED_UP_TO,
            })
        });
        let queue = self.evidence.queue.as_ref().ok().map(|queue| {
            json!({
                "ready": queue.ready,
                "in_flight": queue.in_flight,
                "delayed": queue.delayed,
                "dead": queue.dead,
                "consumers": queue.consumers,
            })
        });
        let findings: Vec<Value> = self
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "cause": finding.cause.as_str(),
                    "severity": finding.severity.as_str(),
                    "says": finding.says,
                    "since": finding.since.and_then(told),
                    "act": finding.act,
                })
            })
            .collect();
        let notices: Vec<Value> = self
            .evidence
            .notices
            .iter()
            .map(|counts| {
                json!({
                    "subscription": counts.subscription.as_str(),
                    "open": counts.open,
                    "dead": counts.dead,
                    "oldest": counts.oldest.and_then(told),
                    "problem": counts.problem.as_ref(),
                })
            })
            .collect();
        json!({
            "severity": self.severity().as_str(),
            "headline": self.headline(),
            "lost": if self.is_anything_lost_unknown() { "unknown" } else { "nothing" },
            "looked_at": told(self.evidence.looked_at),
            "findings": findings,
            "store": store,
            "queue": queue,
            "notices": notices,
        })
    }
}
