//! Our services as processes of their own.

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use sqlx::{Connection as _, PgConnection};
use time::OffsetDateTime;
use tokio::net::TcpStream;

use crate::client::{Connection, get};

/// How long the services may take to start, and orders to end.
const TIMEOUT: Duration = Duration::from_mins(5);

/// Where the servers are, and the programs that use them.
#[derive(Clone)]
pub struct Servers {
    pub postgres: String,
    pub amqp: String,
    pub programs: PathBuf,
}

impl Servers {
    /// What `statement` finds of the database.
    pub async fn any<T>(&self, statement: &'static str) -> T
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        let mut connection = PgConnection::connect(&self.postgres).await.unwrap();
        sqlx::query_scalar(statement).fetch_one(&mut connection).await.unwrap()
    }
}

/// A service that runs.
pub struct Service {
    pub address: SocketAddr,
    /// Where operators ask it.
    pub admin: SocketAddr,
    process: Child,
}

impl Service {
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it has counted of all kinds of `metric`.
    pub async fn counted(&self, metric: &str) -> f64 {
        let mut connection = Connection::open(self.admin).await.expect("the admin listener");
        let answer = connection.ask(&get("/metrics")).await.expect("metrics");
        let text = std::str::from_utf8(answer.body).expect("text");
        let kinds = text.lines().filter(|line| {
            line.strip_prefix(metric).is_some_and(|rest| rest.starts_with(['{', ' ']))
        });
        let values = kinds.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
        values.sum()
    }

    /// Ends it as a deployment would.
    pub fn stop(mut self) {
        let id = self.process.id().to_string();
        let _ = Command::new("kill").arg(&id).status();
        let status = self.process.wait().unwrap();
        assert!(status.success(), "a service must end well: {status}");
    }
}

/// Nothing runs on when a measurement fails.
impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `order-service` on an empty database and a queue of its own, for workers to come.
pub struct Shop {
    pub orders: Service,
    servers: Servers,
    queue: String,
}

impl Shop {
    pub async fn open(servers: &Servers) -> Self {
        let queue = format!("woody_load_{}", uuid::Uuid::now_v7().simple());
        let orders = start("order-service", servers, &queue, &[]).await;
        let shop = Self { orders, servers: servers.clone(), queue };
        // It makes them when it has begun to listen.
        shop.until(
            "SELECT to_regclass('orders') IS NOT NULL AND to_regclass('outbox') IS NOT NULL",
        )
        .await;
        let mut connection = PgConnection::connect(&servers.postgres).await.unwrap();
        sqlx::query("TRUNCATE orders, outbox").execute(&mut connection).await.unwrap();
        shop
    }

    /// Starts a worker.
    pub async fn worker(&self, settings: &[(&str, &str)]) -> Service {
        start("order-worker", &self.servers, &self.queue, settings).await
    }

    /// Waits for the relay to have everything confirmed by the broker.
    pub async fn wait_until_published(&self) {
        self.until("SELECT NOT EXISTS (SELECT FROM outbox)").await;
    }

    /// Waits until every order has ended.
    pub async fn wait_until_ended(&self) {
        self.until("SELECT NOT EXISTS (SELECT FROM orders WHERE status = 'pending')").await;
    }

    /// Waits until as many orders as `pending` have become fewer.
    pub async fn wait_until_fewer_than(&self, pending: i64) -> i64 {
        let mut left = pending;
        until(async || {
            left = self.pending().await;
            left < pending
        })
        .await;
        left
    }

    pub async fn pending(&self) -> i64 {
        self.servers.any("SELECT count(*) FROM orders WHERE status = 'pending'").await
    }

    /// The id of one of the orders.
    pub async fn any_order(&self) -> uuid::Uuid {
        self.servers.any("SELECT id FROM orders LIMIT 1").await
    }

    /// Of each of `ids` that has ended: when.
    pub async fn ended_at(&self, ids: &[uuid::Uuid]) -> Vec<(uuid::Uuid, OffsetDateTime)> {
        let mut connection = PgConnection::connect(&self.servers.postgres).await.unwrap();
        let ended: Vec<(uuid::Uuid, i64)> = sqlx::query_as(
            "SELECT id, (extract(epoch FROM finished_at) * 1000000)::bigint FROM orders
             WHERE id = ANY($1) AND finished_at IS NOT NULL",
        )
        .bind(ids)
        .fetch_all(&mut connection)
        .await
        .unwrap();
        let at = |us: i64| OffsetDateTime::UNIX_EPOCH + time::Duration::microseconds(us);
        ended.into_iter().map(|(id, us)| (id, at(us))).collect()
    }

    /// Ends it. Whatever load it was under, no order that was on its way may have been taken
    /// for a lost one.
    pub async fn close(self) {
        let refilled = self.orders.counted("woody_outbox_refilled_total").await;
        assert!(refilled == 0.0, "{refilled} orders were published again that nobody had lost");
        self.orders.stop();
    }

    async fn until(&self, statement: &'static str) {
        let mut connection = PgConnection::connect(&self.servers.postgres).await.unwrap();
        let deadline = Instant::now() + TIMEOUT;
        while !sqlx::query_scalar::<_, bool>(statement).fetch_one(&mut connection).await.unwrap() {
            assert!(Instant::now() < deadline, "it took longer than {TIMEOUT:?}: {statement}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// `product-service`, which needs no broker.
pub async fn product_service(servers: &Servers) -> Service {
    start("product-service", servers, "unused", &[]).await
}

/// `misc-service`, which needs no broker.
pub async fn misc_service(servers: &Servers) -> Service {
    start("misc-service", servers, "unused", &[]).await
}

async fn start(name: &str, servers: &Servers, queue: &str, settings: &[(&str, &str)]) -> Service {
    let (address, admin) = (free_address(), free_address());
    let program = servers.programs.join(name);
    let process = Command::new(&program)
        .env("WOODY_STORE_URL", &servers.postgres)
        .env("WOODY_BROKER_URL", &servers.amqp)
        .env("WOODY_QUEUE", queue)
        .env("WOODY_LISTEN", address.to_string())
        .env("WOODY_ADMIN_LISTEN", admin.to_string())
        .env("WOODY_LOG", "warn")
        .envs(settings.iter().copied())
        .stdin(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("{}, which ./dev/measure.sh builds: {error}", program.display())
        });
    // A worker listens at its admin address only.
    let listens = if name == "order-worker" { admin } else { address };
    until(async || TcpStream::connect(listens).await.is_ok()).await;
    Service { address, admin, process }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

async fn until(mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !condition().await {
        assert!(Instant::now() < deadline, "it took longer than {TIMEOUT:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
