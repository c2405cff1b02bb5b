//! Our services as processes of their own.

use std::{
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use sqlx::{Connection as _, PgConnection};
use tokio::net::TcpStream;

/// How long the services may take to start, and orders to end.
const TIMEOUT: Duration = Duration::from_mins(2);

/// `order-service`, running on an empty database and an empty queue.
pub struct Services {
    pub order_service: SocketAddr,
    queue: String,
    postgres: String,
    amqp: String,
    process: Child,
}

impl Services {
    pub async fn start(postgres: &str, amqp: &str) -> Self {
        let queue = format!("woody_load_{}", uuid::Uuid::now_v7().simple());
        let address = free_address();
        let mut command = service("order-service", postgres, amqp, &queue);
        let process = command
            .env("WOODY_LISTEN", address.to_string())
            .spawn()
            .expect("target/release/order-service is built by ./dev/measure.sh");
        let services = Self {
            order_service: address,
            queue,
            postgres: postgres.to_owned(),
            amqp: amqp.to_owned(),
            process,
        };
        until(async || TcpStream::connect(address).await.is_ok()).await;
        until(async || count(postgres, "orders").await.is_some()).await;
        let mut connection = PgConnection::connect(postgres).await.unwrap();
        sqlx::query("TRUNCATE orders, outbox").execute(&mut connection).await.unwrap();
        services
    }

    /// Waits for the relay to have everything confirmed by the broker.
    pub async fn wait_until_published(&self, postgres: &str) {
        until(async || count(postgres, "outbox").await == Some(0)).await;
    }

    /// Starts a worker and returns how many orders a second it brought to an end.
    pub async fn process_all(&self, postgres: &str, prefetch: u64, orders: u64) -> f64 {
        let mut worker = service("order-worker", &self.postgres, &self.amqp, &self.queue)
            .env("WOODY_VALIDATION", "none")
            .env("WOODY_PREFETCH", prefetch.to_string())
            .spawn()
            .unwrap();
        until(async || count(postgres, "orders WHERE status <> 'pending'").await > Some(0)).await;
        let (started, before) =
            (Instant::now(), count(postgres, "orders WHERE status <> 'pending'").await.unwrap());
        until(async || {
            count(postgres, "orders WHERE status <> 'pending'").await >= i64::try_from(orders).ok()
        })
        .await;
        let rate = (orders as f64 - before as f64) / started.elapsed().as_secs_f64();
        end(&mut worker);
        rate
    }

    pub fn stop(mut self) {
        end(&mut self.process);
    }
}

fn service(name: &str, postgres: &str, amqp: &str, queue: &str) -> Command {
    let mut command = Command::new(format!("target/release/{name}"));
    command
        .env("WOODY_STORE_URL", postgres)
        .env("WOODY_BROKER_URL", amqp)
        .env("WOODY_QUEUE", queue)
        .env("WOODY_ADMIN_LISTEN", free_address().to_string())
        .env("WOODY_LOG", "warn")
        .stdin(Stdio::null());
    command
}

fn end(process: &mut Child) {
    let id = process.id().to_string();
    let _ = Command::new("kill").arg(&id).status();
    let status = process.wait().unwrap();
    assert!(status.success(), "a service must end well: {status}");
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

async fn count(postgres: &str, what: &str) -> Option<i64> {
    let mut connection = PgConnection::connect(postgres).await.ok()?;
    let statement = format!("SELECT count(*) FROM {what}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_one(&mut connection).await.ok()
}

async fn until(mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !condition().await {
        assert!(Instant::now() < deadline, "it took longer than {TIMEOUT:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
