//! Notices of orders that have ended, and who subscribed to them.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::raw_sql;
use woody_core::domain::{NoticeId, OrderId, Reason, SubscriptionName};
use woody_core::ports::{Attempt, KeptNotice, Notice, NoticeCounts, NoticeStore, StoreError};

use super::PostgresStore;
use super::error::Error;
use super::rows::{self, KeptNoticeRow, NoticeColumns, TimedNoticeCountsRow, TimedNoticeRow};
use crate::rows::by_subscription;

const IS_SUBSCRIBED: &str = "SELECT EXISTS (SELECT FROM subscriptions WHERE name = $1)";

/// Waits for those who are ending orders, who all insert into this table, and lets nobody begin
/// before the commit. A statement locks its tables before it takes its snapshot: so all who end
/// orders after the commit see which subscriptions there are.
const WAIT_FOR_ENDS: &str = "LOCK TABLE notices IN SHARE ROW EXCLUSIVE MODE";

const SUBSCRIBE: &str = "INSERT INTO subscriptions (name) VALUES ($1) ON CONFLICT DO NOTHING";

const UNSUBSCRIBE: &str = "DELETE FROM subscriptions WHERE name = $1";

const DROP: &str = "
    DELETE FROM notices WHERE subscription = $1 AND (order_id, status) IN (
        SELECT order_id, status FROM notices WHERE subscription = $1 LIMIT $2
    )";

/// How many notices one statement drops.
const DROPPED_AT_ONCE: usize = 10_000;

const CLAIM: &str = "
    WITH due AS MATERIALIZED (
        SELECT order_id, status, due_at FROM notices
        WHERE subscription = $1 AND due_at <= now()
        ORDER BY due_at, order_id LIMIT $2
        FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE notices SET due_at = now() + $3, attempts = attempts + 1
        FROM due
        WHERE subscription = $1 AND notices.order_id = due.order_id AND notices.status = due.status
        RETURNING notices.order_id, notices.status, reason, ended_at, attempts, problem,
                  due.due_at AS was_due
    )
    SELECT order_id, status, reason, ended_at, attempts, problem FROM claimed
    ORDER BY was_due, order_id, status";

/// By ascending id, so that callers whose leases are over cannot deadlock.
const DELETE: &str = "
    DELETE FROM notices WHERE subscription = $1 AND (order_id, status) IN (
        SELECT order_id, status FROM notices
        WHERE subscription = $1
          AND (order_id, status) IN (SELECT * FROM unnest($2::uuid[], $3::text[]))
        ORDER BY order_id, status FOR UPDATE
    )";

/// Without a pause a notice is given up; without a problem it was not tried. What is dead stays so.
const SETTLE: &str = "
    WITH tried AS MATERIALIZED (
        SELECT notices.order_id, notices.status, told.pause, told.problem
        FROM notices JOIN unnest($2::uuid[], $3::text[], $4::interval[], $5::text[])
            AS told (order_id, status, pause, problem)
            ON notices.order_id = told.order_id AND notices.status = told.status
        WHERE subscription = $1 AND due_at IS NOT NULL
        ORDER BY notices.order_id, notices.status FOR UPDATE OF notices
    )
    UPDATE notices
    SET due_at = now() + tried.pause,
        attempts = CASE WHEN tried.problem IS NULL THEN greatest(attempts - 1, 0) ELSE attempts END,
        problem = coalesce(tried.problem, notices.problem)
    FROM tried
    WHERE subscription = $1
      AND notices.order_id = tried.order_id AND notices.status = tried.status";

const DEAD: &str = "
    SELECT order_id, status, reason, ended_at, attempts, problem FROM notices
    WHERE subscription = $1 AND due_at IS NULL
      AND ($2::uuid IS NULL OR (order_id, status) > ($2, $3))
    ORDER BY order_id, status LIMIT $4";

const REDRIVE: &str = "
    UPDATE notices SET due_at = now(), attempts = 0
    WHERE subscription = $1 AND due_at IS NULL
      AND (order_id, status) IN (SELECT * FROM unnest($2::uuid[], $3::text[]))";

/// The names first, by hops along the primary key: those of subscriptions, and those that only notices
/// have still. Then as many of each as are asked for, along the indexes of open and of dead notices.
const COUNTS: &str = "
    WITH RECURSIVE left_over AS (
        (SELECT subscription AS name FROM notices ORDER BY subscription LIMIT 1)
        UNION ALL
        SELECT (SELECT subscription FROM notices WHERE subscription > left_over.name
                ORDER BY subscription LIMIT 1)
        FROM left_over WHERE left_over.name IS NOT NULL
    ), named AS (
        SELECT name, true AS is_subscribed FROM subscriptions
        UNION ALL
        SELECT name, false FROM left_over
        WHERE name IS NOT NULL AND name NOT IN (SELECT name FROM subscriptions)
    )
    SELECT named.name AS subscription, is_subscribed, opened.count AS open, dead.count AS dead,
           opened.oldest, opened.problem
    FROM named
    CROSS JOIN LATERAL (
        SELECT count(*), min(ended_at) AS oldest,
               (array_agg(problem ORDER BY ended_at, order_id))[1] AS problem
        FROM (
            SELECT ended_at, order_id, problem FROM notices
            WHERE subscription = named.name AND due_at IS NOT NULL
            ORDER BY due_at, order_id LIMIT $1
        ) AS first
    ) AS opened
    CROSS JOIN LATERAL (
        SELECT count(*) FROM (
            SELECT FROM notices WHERE subscription = named.name AND due_at IS NULL LIMIT $1
        ) AS first
    ) AS dead";

const SUBSCRIPTIONS: &str = "SELECT name FROM subscriptions";

/// One look into the key for each subscription.
const OF_ORDER: &str = "
    SELECT notices.subscription, order_id, status, reason, ended_at, attempts, problem,
           due_at IS NULL AS is_dead
    FROM subscriptions JOIN notices ON notices.subscription = subscriptions.name
    WHERE order_id = $1 ORDER BY ended_at, status";

#[async_trait]
impl NoticeStore for PostgresStore {
    async fn subscribe(&self, subscription: &SubscriptionName) -> Result<(), StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            let name = subscription.as_str();
            let is_there: bool =
                self.query_scalar(IS_SUBSCRIBED).bind(name).fetch_one(&mut *pg).await?;
            if !is_there {
                pg.begin().await?;
                raw_sql(WAIT_FOR_ENDS).execute(&mut *pg).await?;
                self.query(SUBSCRIBE).bind(name).execute(&mut *pg).await?;
            }
            pg.done().await
        })
        .await
    }

    async fn unsubscribe(&self, subscription: &SubscriptionName) -> Result<u64, StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            pg.begin().await?;
            raw_sql(WAIT_FOR_ENDS).execute(&mut *pg).await?;
            self.query(UNSUBSCRIBE).bind(subscription.as_str()).execute(&mut *pg).await?;
            pg.done().await
        })
        .await?;
        // Nobody writes another from here on, so these need not hold up those who end orders.
        let mut dropped = 0;
        loop {
            let some = self.within_time(self.drop_some(subscription)).await?;
            dropped += some;
            if some < DROPPED_AT_ONCE as u64 {
                return Ok(dropped);
            }
        }
    }

    async fn claim(
        &self,
        subscription: &SubscriptionName,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Notice>, StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            let rows: Vec<TimedNoticeRow> = self
                .query_as(CLAIM)
                .bind(subscription.as_str())
                .bind(rows::limit(limit))
                .bind(rows::interval(lease))
                .fetch_all(&mut *pg)
                .await?;
            pg.done().await?;
            Ok(rows.into_iter().map(TimedNoticeRow::read).collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn settle(
        &self,
        subscription: &SubscriptionName,
        attempts: &[(NoticeId, Attempt)],
    ) -> Result<(), StoreError> {
        if attempts.is_empty() {
            return Ok(());
        }
        self.within_time(self.settle_all(subscription, attempts)).await
    }

    async fn dead(
        &self,
        subscription: &SubscriptionName,
        after: Option<NoticeId>,
        limit: usize,
    ) -> Result<Vec<Notice>, StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            let rows: Vec<TimedNoticeRow> = self
                .query_as(DEAD)
                .bind(subscription.as_str())
                .bind(after.map(|after| after.order().as_uuid()))
                .bind(after.map(|after| after.ended().as_str()))
                .bind(rows::limit(limit))
                .fetch_all(&mut *pg)
                .await?;
            pg.done().await?;
            Ok(rows.into_iter().map(TimedNoticeRow::read).collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn redrive(
        &self,
        subscription: &SubscriptionName,
        ids: &[NoticeId],
    ) -> Result<u64, StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            let NoticeColumns { orders, statuses } = NoticeColumns::of(ids.iter().copied());
            let redriven = self
                .query(REDRIVE)
                .bind(subscription.as_str())
                .bind(orders)
                .bind(statuses)
                .execute(&mut *pg)
                .await?;
            pg.done().await?;
            Ok(redriven.rows_affected())
        })
        .await
    }

    async fn of_order(
        &self,
        order: OrderId,
    ) -> Result<Vec<(SubscriptionName, Vec<KeptNotice>)>, StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            let names = self.query_scalar(SUBSCRIPTIONS).fetch_all(&mut *pg).await?;
            let rows: Vec<KeptNoticeRow> =
                self.query_as(OF_ORDER).bind(order.as_uuid()).fetch_all(&mut *pg).await?;
            pg.done().await?;
            let notices = rows.into_iter().map(KeptNoticeRow::read);
            Ok(by_subscription(names, notices.collect::<Result<_, _>>()?)?)
        })
        .await
    }

    async fn subscriptions(&self, most: u64) -> Result<Vec<NoticeCounts>, StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            let rows: Vec<TimedNoticeCountsRow> = self
                .query_as(COUNTS)
                .bind(i64::try_from(most).unwrap_or(i64::MAX))
                .fetch_all(&mut *pg)
                .await?;
            pg.done().await?;
            let counts = rows.into_iter().map(TimedNoticeCountsRow::read);
            let mut counts: Vec<_> = counts.collect::<Result<_, _>>()?;
            counts.sort_by(|one, other| one.subscription.cmp(&other.subscription));
            Ok(counts)
        })
        .await
    }
}

impl PostgresStore {
    async fn drop_some(&self, subscription: &SubscriptionName) -> Result<u64, Error> {
        let mut pg = self.lend().await?;
        let dropping = self.query(DROP).bind(subscription.as_str());
        let dropped = dropping.bind(rows::limit(DROPPED_AT_ONCE)).execute(&mut *pg).await?;
        pg.done().await?;
        Ok(dropped.rows_affected())
    }

    async fn settle_all(
        &self,
        subscription: &SubscriptionName,
        attempts: &[(NoticeId, Attempt)],
    ) -> Result<(), Error> {
        let delivered = |(_, attempt): &&(NoticeId, Attempt)| *attempt == Attempt::Delivered;
        let (delivered, others): (Vec<_>, Vec<_>) = attempts.iter().partition(delivered);
        let mut pg = self.lend().await?;
        if !delivered.is_empty() && !others.is_empty() {
            pg.begin().await?;
        }
        if !delivered.is_empty() {
            let NoticeColumns { orders, statuses } =
                NoticeColumns::of(delivered.iter().map(|(id, _)| *id));
            let delete = self.query(DELETE).bind(subscription.as_str());
            delete.bind(orders).bind(statuses).execute(&mut *pg).await?;
        }
        if !others.is_empty() {
            let NoticeColumns { orders, statuses } =
                NoticeColumns::of(others.iter().map(|(id, _)| *id));
            let pauses: Vec<_> = others
                .iter()
                .map(|(_, attempt)| match attempt {
                    Attempt::Postponed { by, .. } => Some(rows::interval(*by)),
                    Attempt::Released => Some(rows::interval(Duration::ZERO)),
                    Attempt::GivenUp(_) | Attempt::Delivered => None,
                })
                .collect();
            let problems: Vec<_> = others
                .iter()
                .map(|(_, attempt)| match attempt {
                    Attempt::Postponed { problem, .. } | Attempt::GivenUp(problem) => {
                        Some(Reason::as_str(problem))
                    }
                    Attempt::Released | Attempt::Delivered => None,
                })
                .collect();
            self.query(SETTLE)
                .bind(subscription.as_str())
                .bind(orders)
                .bind(statuses)
                .bind(pauses)
                .bind(problems)
                .execute(&mut *pg)
                .await?;
        }
        pg.done().await
    }
}
