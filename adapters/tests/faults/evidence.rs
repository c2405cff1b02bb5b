//! What the database says to what clients were promised.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use sqlx::{Connection, PgConnection};
use testkit::ledger::Ledger;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::{orders::Orders, shop::Shop};

/// How long an order may take to end, whatever has happened.
pub const ENDS_WITHIN: Duration = Duration::from_mins(3);

const STATUSES: &str = "
    SELECT id, details::json #>> $2, status FROM orders
    WHERE starts_with(details::json #>> $2, $1 || ' ')";

const OPEN: &str = "
    SELECT count(*) FROM orders
    WHERE starts_with(details::json #>> $2, $1 || ' ') AND status = 'pending'";

const FINAL: &str = "SELECT count(*) FROM orders WHERE id = ANY($1) AND status <> 'pending'";

/// Promises and rows, compared.
#[derive(Debug, Default)]
pub struct Findings {
    /// Promised, and no row.
    pub lost: usize,
    /// Submits of which there are two orders.
    pub doubled: usize,
    /// Rows without a final state.
    pub pending: usize,
    /// Rows that no client asked for.
    pub unexpected: usize,
    /// Rows that ended as failed.
    pub failed: usize,
    /// Kept although the client was told nothing, or no.
    pub recovered: usize,
}

impl Findings {
    pub fn are_clean(&self) -> bool {
        self.lost + self.doubled + self.pending + self.unexpected == 0
    }
}

/// Compares the ledger with the orders of its tag.
pub async fn compare(database: &str, orders: Orders, ledger: &Ledger) -> Findings {
    let mut connection = PgConnection::connect(database).await.unwrap();
    let rows: Vec<(Uuid, String, String)> = sqlx::query_as(STATUSES)
        .bind(ledger.tag())
        .bind(orders.name_at())
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let mut orders_of = HashMap::<u64, Vec<Uuid>>::new();
    let mut findings = Findings::default();
    for (id, name, status) in rows {
        findings.pending += usize::from(status == "pending");
        findings.failed += usize::from(status == "failed");
        let submit = name.rsplit(' ').next().and_then(|number| number.parse().ok());
        match submit {
            Some(submit) if ledger.has_sent(submit) => {
                orders_of.entry(submit).or_default().push(id);
            }
            _ => findings.unexpected += 1,
        }
    }
    findings.doubled = orders_of.values().filter(|ids| ids.len() > 1).count();
    let promises = ledger.promises();
    let kept = |(submit, id)| orders_of.get(submit).is_some_and(|ids| ids.contains(id));
    findings.lost = promises.iter().filter(|(submit, id)| !kept((submit, id))).count();
    let told: HashSet<u64> = promises.iter().map(|(submit, _)| *submit).collect();
    findings.recovered = orders_of.keys().filter(|submit| !told.contains(submit)).count();
    findings
}

/// Waits until all of these have a final state, and returns how long that took;
/// `None` when they have not within `limit`.
pub async fn settled(database: &str, ids: &[Uuid], limit: Duration) -> Option<Duration> {
    let began = Instant::now();
    let wanted = i64::try_from(ids.len()).unwrap();
    let settling = async {
        while count_final(database, ids).await != Some(wanted) {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(limit, settling).await.ok().map(|()| began.elapsed())
}

/// Waits until no order of this ledger is pending, those included whose clients
/// were told nothing; returns whether that came within `limit`.
pub async fn none_is_open(
    database: &str,
    orders: Orders,
    ledger: &Ledger,
    limit: Duration,
) -> bool {
    let waiting = async {
        let mut connection = PgConnection::connect(database).await.unwrap();
        loop {
            let open = sqlx::query_scalar(OPEN).bind(ledger.tag()).bind(orders.name_at());
            if open.fetch_one(&mut connection).await.is_ok_and(|count: i64| count == 0) {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(limit, waiting).await.is_ok()
}

/// Waits until each order of this ledger that has ended was told to the receiver, as it ended; returns
/// what was not told within `limit`, and what was told and is not so.
pub async fn until_all_are_told(shop: &Shop, ledger: &Ledger, limit: Duration) -> Vec<String> {
    let mut connection = PgConnection::connect(&shop.database).await.unwrap();
    let orders: Vec<(Uuid, String, String)> = sqlx::query_as(STATUSES)
        .bind(ledger.tag())
        .bind(shop.orders.name_at())
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let ended = orders.into_iter().filter(|(_, _, status)| status != "pending");
    let ends: Vec<_> = ended.map(|(id, _, status)| (id, status)).collect();
    let telling = async {
        while !shop.receiver.unheard(&ends).is_empty() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    // What was not told then is told to the reader.
    let _ = timeout(limit, telling).await;
    let unheard = shop.receiver.unheard(&ends);
    let unheard = unheard.iter().map(|(id, end)| format!("nobody was told that {id} ended: {end}"));
    unheard.chain(shop.receiver.heard_wrong(&ends)).collect()
}

async fn count_final(database: &str, ids: &[Uuid]) -> Option<i64> {
    let look = async {
        let mut connection = PgConnection::connect(database).await.ok()?;
        sqlx::query_scalar(FINAL).bind(ids).fetch_one(&mut connection).await.ok()
    };
    timeout(Duration::from_secs(10), look).await.ok()?
}
