//! Notices of orders that have ended, and who subscribed to them.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::{SqliteConnection, query, query_as, query_scalar};
use woody_core::domain::{NoticeId, OrderId, Reason, SubscriptionName, now};
use woody_core::ports::{Attempt, KeptNotice, Notice, NoticeCounts, NoticeStore, StoreError};

use super::SqliteStore;
use super::error::Error;
use super::rows::{self, KeptNoticeRow, TimedNoticeCountsRow, TimedNoticeRow};
use crate::rows::by_subscription;

const IS_SUBSCRIBED: &str = "SELECT EXISTS (SELECT 1 FROM subscriptions WHERE name = ?1)";

const SUBSCRIBE: &str = "INSERT INTO subscriptions (name) VALUES (?1) ON CONFLICT DO NOTHING";

const UNSUBSCRIBE: &str = "DELETE FROM subscriptions WHERE name = ?1";

const DROP: &str = "
    DELETE FROM notices WHERE subscription = ?1 AND (order_id, status) IN (
        SELECT order_id, status FROM notices WHERE subscription = ?1 LIMIT ?2
    )";

/// How many notices one transaction drops.
const DROPPED_AT_ONCE: usize = 10_000;

const IS_DUE: &str = "
    SELECT EXISTS (SELECT 1 FROM notices WHERE subscription = ?1 AND due_at <= ?2)";

const DUE: &str = "
    SELECT order_id, status, reason, ended_at, attempts + 1 AS attempts, problem FROM notices
    WHERE subscription = ?1 AND due_at <= ?2
    ORDER BY due_at, order_id, status LIMIT ?3";

const LEASE: &str = "
    UPDATE notices SET due_at = ?3, attempts = attempts + 1
    WHERE subscription = ?1
      AND (order_id, status) IN (SELECT unhex(value ->> 0), value ->> 1 FROM json_each(?2))";

const DELETE: &str = "
    DELETE FROM notices
    WHERE subscription = ?1
      AND (order_id, status) IN (SELECT unhex(value ->> 0), value ->> 1 FROM json_each(?2))";

/// Without a time a notice is given up; without a problem it was not tried. What is dead stays so.
const SETTLE: &str = "
    UPDATE notices
    SET due_at = ?4,
        attempts = CASE WHEN ?5 IS NULL THEN max(attempts - 1, 0) ELSE attempts END,
        problem = coalesce(?5, problem)
    WHERE subscription = ?1 AND order_id = ?2 AND status = ?3 AND due_at IS NOT NULL";

/// Left to itself it would look for the few that are dead among all, which are sorted as well.
const DEAD: &str = "
    SELECT order_id, status, reason, ended_at, attempts, problem
    FROM notices INDEXED BY notices_dead
    WHERE subscription = ?1 AND due_at IS NULL
      AND (?2 IS NULL OR (order_id, status) > (?2, ?3))
    ORDER BY order_id, status LIMIT ?4";

const REDRIVE: &str = "
    UPDATE notices SET due_at = ?3, attempts = 0
    WHERE subscription = ?1 AND due_at IS NULL
      AND (order_id, status) IN (SELECT unhex(value ->> 0), value ->> 1 FROM json_each(?2))";

/// The names first, by hops along the primary key: those of subscriptions, and those that only notices
/// have still. Then as many of each as are asked for, along the indexes of open and of dead notices.
const COUNTS: &str = "
    WITH RECURSIVE left_over (name) AS (
        SELECT min(subscription) FROM notices
        UNION ALL
        SELECT (SELECT min(subscription) FROM notices WHERE subscription > left_over.name)
        FROM left_over WHERE left_over.name IS NOT NULL
    ), named (name, is_subscribed) AS (
        SELECT name, true FROM subscriptions
        UNION ALL
        SELECT name, false FROM left_over
        WHERE name IS NOT NULL AND name NOT IN (SELECT name FROM subscriptions)
    )
    SELECT name AS subscription, is_subscribed,
           (SELECT count(*) FROM (
               SELECT 1 FROM notices WHERE subscription = named.name AND due_at IS NOT NULL
               LIMIT ?1)) AS open,
           (SELECT count(*) FROM (
               SELECT 1 FROM notices WHERE subscription = named.name AND due_at IS NULL
               LIMIT ?1)) AS dead,
           (SELECT min(ended_at) FROM (
               SELECT ended_at FROM notices WHERE subscription = named.name AND due_at IS NOT NULL
               ORDER BY due_at, order_id LIMIT ?1)) AS oldest,
           (SELECT problem FROM (
               SELECT ended_at, order_id, problem FROM notices
               WHERE subscription = named.name AND due_at IS NOT NULL
               ORDER BY due_at, order_id LIMIT ?1)
            ORDER BY ended_at, order_id LIMIT 1) AS problem
    FROM named";

const SUBSCRIPTIONS: &str = "SELECT name FROM subscriptions";

/// One look into the key for each subscription. A join that is crossed is done in this order;
/// left to itself SQLite would read all notices.
const OF_ORDER: &str = "
    SELECT notices.subscription, order_id, status, reason, ended_at, attempts, problem,
           due_at IS NULL AS is_dead
    FROM subscriptions CROSS JOIN notices
    WHERE notices.subscription = subscriptions.name AND order_id = ?1
    ORDER BY ended_at, status";

#[async_trait]
impl NoticeStore for SqliteStore {
    async fn subscribe(&self, subscription: &SubscriptionName) -> Result<(), StoreError> {
        let subscribe = async {
            let name = subscription.as_str();
            if query_scalar(IS_SUBSCRIBED).bind(name).fetch_one(self.reading()?).await? {
                return Ok(());
            }
            let mut tx = self.write().await?;
            query(SUBSCRIBE).bind(name).execute(&mut *tx).await?;
            self.commit(tx).await
        };
        subscribe.await.map_err(|error: Error| error.0)
    }

    async fn unsubscribe(&self, subscription: &SubscriptionName) -> Result<u64, StoreError> {
        let unsubscribe = async {
            let mut tx = self.write().await?;
            query(UNSUBSCRIBE).bind(subscription.as_str()).execute(&mut *tx).await?;
            self.commit(tx).await?;
            let mut dropped = 0;
            loop {
                let some = self.drop_some(subscription).await?;
                dropped += some;
                if some < DROPPED_AT_ONCE as u64 {
                    return Ok(dropped);
                }
            }
        };
        unsubscribe.await.map_err(|error: Error| error.0)
    }

    async fn claim(
        &self,
        subscription: &SubscriptionName,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Notice>, StoreError> {
        self.claim_notices(subscription, limit, lease).await.map_err(|error| error.0)
    }

    async fn settle(
        &self,
        subscription: &SubscriptionName,
        attempts: &[(NoticeId, Attempt)],
    ) -> Result<(), StoreError> {
        if attempts.is_empty() {
            return Ok(());
        }
        let settle = async {
            let delivered = |(_, attempt): &&(NoticeId, Attempt)| *attempt == Attempt::Delivered;
            let (delivered, others): (Vec<_>, Vec<_>) = attempts.iter().partition(delivered);
            let mut tx = self.write().await?;
            let ids = rows::notice_list(delivered.iter().map(|(id, _)| *id));
            query(DELETE).bind(subscription.as_str()).bind(ids).execute(&mut *tx).await?;
            for (id, attempt) in others {
                settle_one(&mut tx, subscription, *id, attempt).await?;
            }
            self.commit(tx).await
        };
        settle.await.map_err(|error: Error| error.0)
    }

    async fn dead(
        &self,
        subscription: &SubscriptionName,
        after: Option<NoticeId>,
        limit: usize,
    ) -> Result<Vec<Notice>, StoreError> {
        let rows: Vec<TimedNoticeRow> = query_as(DEAD)
            .bind(subscription.as_str())
            .bind(after.map(|after| after.order().as_uuid()))
            .bind(after.map(|after| after.ended().as_str()))
            .bind(rows::limit(limit))
            .fetch_all(self.reading()?)
            .await
            .map_err(|error| Error::from(error).0)?;
        rows.into_iter().map(TimedNoticeRow::read).collect()
    }

    async fn redrive(
        &self,
        subscription: &SubscriptionName,
        ids: &[NoticeId],
    ) -> Result<u64, StoreError> {
        let redrive = async {
            let mut tx = self.write().await?;
            let redriven = query(REDRIVE)
                .bind(subscription.as_str())
                .bind(rows::notice_list(ids.iter().copied()))
                .bind(rows::to_micros(now()))
                .execute(&mut *tx)
                .await?;
            self.commit(tx).await?;
            Ok(redriven.rows_affected())
        };
        redrive.await.map_err(|error: Error| error.0)
    }

    async fn of_order(
        &self,
        order: OrderId,
    ) -> Result<Vec<(SubscriptionName, Vec<KeptNotice>)>, StoreError> {
        let read = async {
            let names = query_scalar(SUBSCRIPTIONS).fetch_all(self.reading()?).await?;
            let rows: Vec<KeptNoticeRow> =
                query_as(OF_ORDER).bind(order.as_uuid()).fetch_all(self.reading()?).await?;
            let notices = rows.into_iter().map(KeptNoticeRow::read);
            Ok(by_subscription(names, notices.collect::<Result<_, _>>()?)?)
        };
        read.await.map_err(|error: Error| error.0)
    }

    async fn subscriptions(&self, most: u64) -> Result<Vec<NoticeCounts>, StoreError> {
        let rows: Result<Vec<TimedNoticeCountsRow>, _> = query_as(COUNTS)
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .fetch_all(self.reading()?)
            .await;
        let rows = rows.map_err(|error| Error::from(error).0)?;
        let counts = rows.into_iter().map(TimedNoticeCountsRow::read);
        let mut counts: Vec<_> = counts.collect::<Result<_, _>>()?;
        counts.sort_by(|one, other| one.subscription.cmp(&other.subscription));
        Ok(counts)
    }
}

impl SqliteStore {
    async fn drop_some(&self, subscription: &SubscriptionName) -> Result<u64, Error> {
        let mut tx = self.write().await?;
        let dropping = query(DROP).bind(subscription.as_str());
        let dropped = dropping.bind(rows::limit(DROPPED_AT_ONCE)).execute(&mut *tx).await?;
        self.commit(tx).await?;
        Ok(dropped.rows_affected())
    }

    /// Looks first: who asks now and then whether there is anything is not to write for it.
    async fn claim_notices(
        &self,
        subscription: &SubscriptionName,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Notice>, Error> {
        let (name, at) = (subscription.as_str(), rows::to_micros(now()));
        if !query_scalar::<_, bool>(IS_DUE).bind(name).bind(at).fetch_one(self.reading()?).await? {
            return Ok(vec![]);
        }
        let mut tx = self.write().await?;
        let due: Vec<TimedNoticeRow> =
            query_as(DUE).bind(name).bind(at).bind(rows::limit(limit)).fetch_all(&mut *tx).await?;
        let claimed: Vec<_> =
            due.into_iter().map(TimedNoticeRow::read).collect::<Result<_, _>>()?;
        query(LEASE)
            .bind(name)
            .bind(rows::notice_list(claimed.iter().map(|notice: &Notice| notice.id)))
            .bind(rows::micros_from_now(lease))
            .execute(&mut *tx)
            .await?;
        self.commit(tx).await?;
        Ok(claimed)
    }
}

async fn settle_one(
    tx: &mut SqliteConnection,
    subscription: &SubscriptionName,
    id: NoticeId,
    attempt: &Attempt,
) -> Result<(), Error> {
    let (due_at, problem) = match attempt {
        Attempt::Postponed { by, problem } => (Some(rows::micros_from_now(*by)), Some(problem)),
        Attempt::Released => (Some(rows::to_micros(now())), None),
        Attempt::GivenUp(problem) => (None, Some(problem)),
        Attempt::Delivered => return Ok(()),
    };
    query(SETTLE)
        .bind(subscription.as_str())
        .bind(id.order().as_uuid())
        .bind(id.ended().as_str())
        .bind(due_at)
        .bind(problem.map(Reason::as_str))
        .execute(tx)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Row};

    use super::*;

    #[tokio::test]
    async fn notices_that_are_not_due_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("orders.db")).await.unwrap();
        for (sql, along) in [
            (DUE, "USING INDEX notices_due (subscription=? AND due_at<?)"),
            (IS_DUE, "notices_due (subscription=? AND due_at<?)"),
            (DEAD, "INDEX notices_dead (subscription=?"),
            (OF_ORDER, "SEARCH notices USING PRIMARY KEY (subscription=? AND order_id=?)"),
        ] {
            let explained = query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")));
            let plan = explained.fetch_all(&store.readers).await.unwrap();
            let steps: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
            let steps = steps.join("; ");
            assert!(steps.contains(along), "{steps}");
        }
    }
}
