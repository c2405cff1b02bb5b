use std::collections::{HashMap, HashSet};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::{SqliteConnection, SqliteExecutor, query, query_as, query_scalar};
use uuid::Uuid;
use woody_core::domain::{
    Details, FailedAttempt, NewOrder, Order, OrderId, OrderStatus, Outcome, Reason, now,
};
use woody_core::ports::{
    Archivable, Backlog, Begun, Decision, FoundOrder, Insert, OrderCounts, OrderCursor, OrderPage,
    OrderQuery, OrderStore, OrderTrail, PageSize, QueueNote, QueueReading, StoreError, Transition,
    Watermark,
};

use super::SqliteStore;
use super::error::Error;
use super::rows::{self, CountsRow, EndedRow, NewOrderRow, OrderRow, WaitingRow};
use super::statements::{
    ASKED, BACKLOG, BEGIN, BEGUN, CANCEL, CLAIM, CLEAR, COUNTS, END, FINISH, FORGET,
    INSERT_ENTRIES, INSERT_ORDERS, MARK_LATE, NOTICE, ORDER, ORDERS, PING, STATUSES, STUCK,
};
use super::trail::write_attempts;
use crate::{batch, trail};

#[async_trait]
impl OrderStore for SqliteStore {
    async fn insert(
        &self,
        orders: &[NewOrder<Details>],
        lease: Duration,
    ) -> Result<Vec<Insert>, StoreError> {
        if orders.is_empty() {
            return Ok(vec![]);
        }
        self.insert_batch(orders, lease).await.map_err(|error| error.0)
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order<Details>>, StoreError> {
        let row: Option<OrderRow> = query_as(ORDER)
            .bind(id.as_uuid())
            .fetch_optional(self.reading()?)
            .await
            .map_err(|error| Error::from(error).0)?;
        row.map(OrderRow::read).transpose()
    }

    async fn orders_by_id(&self, ids: &[OrderId]) -> Result<Vec<FoundOrder>, StoreError> {
        if ids.is_empty() {
            return Ok(vec![]);
        }
        let read = async {
            let asked = rows::id_list(ids.iter().copied());
            let rows = query(ORDERS).bind(asked).fetch_all(self.reading()?).await?;
            rows::found(ids, &rows)
        };
        read.await.map_err(|error: Error| error.0)
    }

    async fn finish(&self, decisions: &[Decision]) -> Result<Vec<Transition>, StoreError> {
        if decisions.is_empty() {
            return Ok(vec![]);
        }
        self.finish_batch(decisions).await.map_err(|error| error.0)
    }

    async fn cancel(
        &self,
        id: OrderId,
        reason: Option<Reason>,
    ) -> Result<Option<Transition>, StoreError> {
        self.cancel_one(id, reason).await.map_err(|error| error.0)
    }

    async fn keep_attempts(&self, attempts: &[FailedAttempt]) -> Result<(), StoreError> {
        if attempts.is_empty() {
            return Ok(());
        }
        let keep = async {
            let mut tx = self.write().await?;
            write_attempts(&mut tx, attempts).await?;
            self.commit(tx).await
        };
        keep.await.map_err(|error: Error| error.0)
    }

    async fn trail(&self, id: OrderId) -> Result<Option<OrderTrail>, StoreError> {
        self.read_trail(id).await.map_err(|error| error.0)
    }

    async fn begin(&self, id: OrderId, redriven: bool) -> Result<(), StoreError> {
        let begin = async {
            let mut tx = self.write().await?;
            let begin = query(BEGIN).bind(id.as_uuid()).bind(rows::to_micros(now())).bind(redriven);
            if begin.execute(&mut *tx).await?.rows_affected() > 0 {
                Self::mark_dying(&mut *tx, id).await?;
            }
            self.commit(tx).await
        };
        begin.await.map_err(|error: Error| error.0)
    }

    async fn end(&self, id: OrderId) -> Result<(), StoreError> {
        let end = async {
            let mut tx = self.write().await?;
            query(END).bind(id.as_uuid()).execute(&mut *tx).await?;
            self.commit(tx).await
        };
        end.await.map_err(|error: Error| error.0)
    }

    async fn begun(&self, id: OrderId) -> Result<Begun, StoreError> {
        let row: Option<(i64, i64)> = query_as(BEGUN)
            .bind(id.as_uuid())
            .fetch_optional(self.reading()?)
            .await
            .map_err(|error| Error::from(error).0)?;
        Ok(row.map_or_else(Begun::default, |(times, last_at)| Begun {
            times: u32::try_from(times).unwrap_or(u32::MAX),
            last_ago: rows::micros_since(last_at),
        }))
    }

    async fn claim_outbox(
        &self,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<NewOrder<Details>>, StoreError> {
        self.claim(limit, lease).await.map_err(|error| error.0)
    }

    async fn clear_outbox(&self, published: &[OrderId]) -> Result<(), StoreError> {
        if published.is_empty() {
            return Ok(());
        }
        let clear = async {
            let mut tx = self.write().await?;
            let ids = rows::id_list(published.iter().copied());
            query(CLEAR).bind(ids).execute(&mut *tx).await?;
            self.commit(tx).await
        };
        clear.await.map_err(|error: Error| error.0)
    }

    async fn watermark(&self, age: Duration) -> Result<Watermark, StoreError> {
        self.read_watermark(age).await.map_err(|error| error.0)
    }

    async fn unaccounted(&self, watermark: &Watermark, most: u64) -> Result<u64, StoreError> {
        self.count_unaccounted(watermark, most).await.map_err(|error| error.0)
    }

    async fn mark_held(&self, ids: &[OrderId]) -> Result<(), StoreError> {
        self.mark(ids).await.map_err(|error| error.0)
    }

    async fn refill_outbox(
        &self,
        watermark: &Watermark,
        messages: u64,
        limit: usize,
    ) -> Result<u64, StoreError> {
        self.refill(watermark, messages, limit).await.map_err(|error| error.0)
    }

    async fn note_queue(
        &self,
        queue: &str,
        reading: Option<QueueReading>,
    ) -> Result<Vec<QueueNote>, StoreError> {
        self.note(queue, reading).await.map_err(|error| error.0)
    }

    async fn stuck(
        &self,
        pending_for: Duration,
        limit: usize,
    ) -> Result<Vec<Order<Details>>, StoreError> {
        let rows: Vec<OrderRow> = query_as(STUCK)
            .bind(rows::micros_before_now(pending_for))
            .bind(rows::limit(limit))
            .fetch_all(self.reading()?)
            .await
            .map_err(|error| Error::from(error).0)?;
        rows.into_iter().map(OrderRow::read).collect()
    }

    async fn list(&self, query: &OrderQuery) -> Result<OrderPage, StoreError> {
        self.page(query).await.map_err(|error| error.0)
    }

    async fn archivable(
        &self,
        accepted_for: Duration,
        after: Option<OrderCursor>,
        limit: PageSize,
    ) -> Result<Archivable, StoreError> {
        let found = self.find_archivable(accepted_for, after, limit).await;
        found.map_err(|error| error.0)
    }

    async fn archive(&self, ids: &[OrderId]) -> Result<u64, StoreError> {
        if ids.is_empty() {
            return Ok(0);
        }
        self.archive_batch(ids).await.map_err(|error| error.0)
    }

    async fn counts(&self) -> Result<OrderCounts, StoreError> {
        let counted: Result<CountsRow, _> = query_as(COUNTS).fetch_one(self.reading()?).await;
        counted.map(CountsRow::read).map_err(|error| Error::from(error).0)
    }

    async fn backlog(&self, most: u64) -> Result<Backlog, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let row: Result<WaitingRow, _> =
            query_as(BACKLOG).bind(most).fetch_one(self.reading()?).await;
        row.map_err(|error| Error::from(error).0)?.read()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let ping = async {
            self.file.check()?;
            query(PING).fetch_one(self.reading()?).await?;
            Ok(())
        };
        ping.await.map_err(|error: Error| error.0)
    }
}

impl SqliteStore {
    async fn insert_batch(
        &self,
        orders: &[NewOrder<Details>],
        lease: Duration,
    ) -> Result<Vec<Insert>, Error> {
        let firsts = batch::first_orders(orders);
        let mut tx = self.write().await?;
        let created: Vec<Uuid> =
            query_scalar(INSERT_ORDERS).bind(rows::order_list(&firsts)).fetch_all(&mut *tx).await?;
        let created: HashSet<_> = created.into_iter().map(OrderId::from).collect();
        query(INSERT_ENTRIES)
            .bind(rows::id_list(created.iter().copied()))
            .bind(rows::micros_from_now(lease))
            .execute(&mut *tx)
            .await?;
        let late = rows::micros_before_now(Watermark::LATE);
        if firsts.iter().any(|order| rows::to_micros(order.accepted_at) < late) {
            query(MARK_LATE)
                .bind(rows::id_list(created.iter().copied()))
                .bind(rows::to_micros(now()))
                .bind(late)
                .execute(&mut *tx)
                .await?;
        }
        let mut known = Vec::new();
        if created.len() < firsts.len() {
            let others = firsts.iter().map(|order| order.id).filter(|id| !created.contains(id));
            let rows: Vec<NewOrderRow> =
                query_as(ASKED).bind(rows::id_list(others)).fetch_all(&mut *tx).await?;
            known = rows.into_iter().map(NewOrderRow::read).collect::<Result<_, _>>()?;
        }
        let inserts = batch::inserts(orders, &created, &known)?;
        self.commit(tx).await?;
        Ok(inserts)
    }

    async fn finish_batch(&self, decisions: &[Decision]) -> Result<Vec<Transition>, Error> {
        let firsts = batch::first_decisions(decisions);
        let ids = firsts.iter().map(|decision| decision.order.id);
        let mut tx = self.write().await?;
        let applied = write_decisions(&mut tx, &firsts).await?;
        let mut ended = HashMap::new();
        if applied.len() < firsts.len() {
            let others = rows::id_list(ids.clone().filter(|id| !applied.contains(id)));
            ended = statuses_of(&mut *tx, others).await?;
        }
        let settled = batch::settle(decisions, &applied, ended)?;
        if !settled.unwritten.is_empty() {
            let written = write_decisions(&mut tx, &settled.unwritten).await?;
            if let Some(lost) = settled.unwritten.iter().find(|d| !written.contains(&d.order.id)) {
                return Err(batch::lost(lost.order.id).into());
            }
        }
        let given_up = trail::given_up(decisions, &settled.transitions);
        if !given_up.is_empty() {
            write_attempts(&mut tx, &given_up).await?;
        }
        query(CLEAR).bind(rows::id_list(ids.clone())).execute(&mut *tx).await?;
        query(FORGET).bind(rows::id_list(ids)).execute(&mut *tx).await?;
        self.commit(tx).await?;
        Ok(settled.transitions)
    }

    async fn cancel_one(
        &self,
        id: OrderId,
        reason: Option<Reason>,
    ) -> Result<Option<Transition>, Error> {
        let ids = rows::id_list(std::iter::once(id));
        let mut tx = self.write().await?;
        let Some(status) = statuses_of(&mut *tx, ids.clone()).await?.remove(&id) else {
            return Ok(None);
        };
        if let Err(superseded) = status.settle(Outcome::Cancelled(reason.clone()), false) {
            return Ok(Some(Transition::Superseded(superseded.into_status())));
        }
        query(CANCEL)
            .bind(id.as_uuid())
            .bind(reason.as_ref().map(Reason::as_str))
            .bind(rows::to_micros(now()))
            .execute(&mut *tx)
            .await?;
        notice(&mut tx, ids.clone()).await?;
        query(CLEAR).bind(&ids).execute(&mut *tx).await?;
        query(FORGET).bind(&ids).execute(&mut *tx).await?;
        self.commit(tx).await?;
        Ok(Some(Transition::Applied))
    }

    async fn claim(&self, limit: usize, lease: Duration) -> Result<Vec<NewOrder<Details>>, Error> {
        let mut tx = self.write().await?;
        let claimed: Vec<Uuid> = query_scalar(CLAIM)
            .bind(rows::to_micros(now()))
            .bind(rows::micros_from_now(lease))
            .bind(rows::limit(limit))
            .fetch_all(&mut *tx)
            .await?;
        let ids = rows::id_list(claimed.into_iter().map(OrderId::from));
        let rows: Vec<NewOrderRow> = query_as(ASKED).bind(ids).fetch_all(&mut *tx).await?;
        let mut orders: Vec<_> =
            rows.into_iter().map(NewOrderRow::read).collect::<Result<_, _>>()?;
        self.commit(tx).await?;
        orders.sort_by_key(|order: &NewOrder<Details>| (order.accepted_at, order.id));
        Ok(orders)
    }
}

/// Reads the status of those of these orders that are there.
async fn statuses_of(
    db: impl SqliteExecutor<'_>,
    ids: String,
) -> Result<HashMap<OrderId, OrderStatus>, Error> {
    let rows: Vec<EndedRow> = query_as(STATUSES).bind(ids).fetch_all(db).await?;
    Ok(rows.into_iter().map(EndedRow::read).collect::<Result<_, _>>()?)
}

/// Writes the decisions that apply, with their notices, and returns their orders.
async fn write_decisions(
    tx: &mut SqliteConnection,
    decisions: &[&Decision],
) -> Result<HashSet<OrderId>, Error> {
    let applied: Vec<Uuid> = query_scalar(FINISH)
        .bind(rows::decision_list(decisions))
        .bind(rows::to_micros(now()))
        .fetch_all(&mut *tx)
        .await?;
    let applied: HashSet<OrderId> = applied.into_iter().map(OrderId::from).collect();
    notice(tx, rows::id_list(applied.iter().copied())).await?;
    Ok(applied)
}

/// Writes the notices of orders that have just ended.
async fn notice(tx: &mut SqliteConnection, ids: String) -> Result<(), Error> {
    query(NOTICE).bind(ids).bind(rows::to_micros(now())).execute(tx).await?;
    Ok(())
}
