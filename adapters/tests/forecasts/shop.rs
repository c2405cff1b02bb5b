//! The services of a shop, as processes.

use std::collections::HashMap;

use sqlx::{Connection, PgConnection};
use testkit::{
    servers::{Database, VirtualHost},
    service::{Service, Start},
    waiting::until,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::validator::SlowValidator;

pub const WORKERS: usize = 5;
/// Orders that a worker validates at once.
const AT_ONCE: &str = "4";

pub struct Shop {
    pub services: Vec<Service>,
    workers: Vec<Option<Service>>,
    pub validator: SlowValidator,
    database: Database,
    host: VirtualHost,
}

impl Shop {
    pub async fn open() -> Self {
        let (database, host) = (Database::create().await, VirtualHost::create());
        let validator = SlowValidator::start().await;
        let mut shop = Self { services: vec![], workers: vec![], validator, database, host };
        for _ in 0..2 {
            let service = shop.start("order-service").ready().await;
            shop.services.push(service);
        }
        for _ in 0..WORKERS {
            let worker = shop.worker().await;
            shop.workers.push(Some(worker));
        }
        shop
    }

    fn start(&self, name: &str) -> Start {
        Start::of(name)
            .env("WOODY_STORE_URL", &self.database.url)
            .env("WOODY_BROKER_URL", &self.host.url)
            .env(
                "WOODY_LOG",
                std::env::var("WOODY_FORECASTS_LOG").unwrap_or_else(|_| "error".to_owned()),
            )
    }

    async fn worker(&self) -> Service {
        let start = self.start("order-worker").env("WOODY_PREFETCH", AT_ONCE);
        let start = start.env("WOODY_VALIDATION", "none");
        start.env("WOODY_VALIDATOR_URL", &self.validator.url).ready().await
    }

    /// `kill -9` for a worker, which is started again.
    pub async fn kill_one(&mut self) {
        if let Some(worker) = self.workers[0].take() {
            worker.kill();
        }
        let worker = self.worker().await;
        self.workers[0] = Some(worker);
    }

    /// Each worker ends well, and another takes its place.
    pub async fn update_one(&mut self, n: usize) {
        if let Some(worker) = self.workers[n].take() {
            worker.terminate();
            assert!(worker.ended().await.success(), "a worker ends well");
        }
        let worker = self.worker().await;
        self.workers[n] = Some(worker);
    }

    /// Waits until all of these orders have ended; returns when each has.
    pub async fn all_ended(&self, orders: usize) -> HashMap<Uuid, OffsetDateTime> {
        let mut left = i64::MAX;
        while left > 0 {
            // As long as they become fewer, they end.
            let before = left;
            until("some of the orders have ended", async || {
                left = self.database.count("orders WHERE status = 'pending'").await;
                left < before
            })
            .await;
        }
        let mut connection = PgConnection::connect(&self.database.url).await.unwrap();
        let ended: Vec<(Uuid, i64)> = sqlx::query_as(
            "SELECT id, (extract(epoch FROM finished_at) * 1000000)::bigint FROM orders",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        assert_eq!(ended.len(), orders, "each order is there once");
        let at = |us: i64| OffsetDateTime::UNIX_EPOCH + time::Duration::microseconds(us);
        ended.into_iter().map(|(id, us)| (id, at(us))).collect()
    }

    pub async fn close(self) {
        let Self { services, workers, database, host, .. } = self;
        drop((services, workers));
        drop(host);
        database.drop().await;
    }
}
