//! Other ways to do the same, on the same servers: a shop of Flask and pika, one of Flask and
//! Celery, and one of axum and apalis. What they need comes from the registries, into folders
//! under `target/`.

mod apalis;

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use sqlx::{Connection as _, PgConnection};
use tokio::net::TcpStream;

pub use self::apalis::Apalis;
use crate::services::Servers;

/// The folder of the Python files.
const SOURCES: &str = "benches/load/peers";
/// As many as cores are usual; each takes one request at a time.
const SERVER_PROCESSES: &str = "2";

/// Python with the packages that the peers need.
pub struct Python(PathBuf);

impl Python {
    /// Installs what is missing; `None` where the packages cannot be had.
    pub fn with_packages() -> Option<Self> {
        let home = Path::new("target/load-peers");
        let done = |command: &mut Command| command.status().is_ok_and(|status| status.success());
        let there = home.join("bin/python").exists()
            || done(Command::new("python3").args(["-m", "venv"]).arg(home));
        let requirements = format!("{SOURCES}/requirements.txt");
        let installed = there
            && done(
                Command::new(home.join("bin/python"))
                    .args(["-m", "pip", "install", "--quiet", "--requirement", &requirements])
                    .stdout(Stdio::null()),
            );
        installed.then(|| Self(home.join("bin")))
    }

    /// A shop that answers at the address.
    pub async fn shop(&self, module: &str, servers: &Servers, queue: &str) -> (Peer, SocketAddr) {
        let address = free_address();
        let mut command = self.command("gunicorn", servers, queue);
        // A thread pool keeps connections open, as clients and proxies like it.
        command.args([
            "--workers",
            SERVER_PROCESSES,
            "--threads",
            "8",
            "--worker-class",
            "gthread",
        ]);
        command.args(["--chdir", SOURCES, "--bind", &address.to_string(), "--log-level", "error"]);
        let peer = Peer(command.arg(format!("{module}:app")).spawn().unwrap());
        wait_until_open(address).await;
        (peer, address)
    }

    /// A worker of the pika shop.
    pub fn pika_worker(&self, servers: &Servers, queue: &str) -> Peer {
        let mut command = self.command("python", servers, queue);
        Peer(command.arg(format!("{SOURCES}/pika_worker.py")).spawn().unwrap())
    }

    /// A worker of the Celery shop.
    pub fn celery_worker(&self, servers: &Servers, queue: &str) -> Peer {
        let mut command = self.command("celery", servers, queue);
        let arguments = ["-A", "celery_shop:tasks", "worker", "--concurrency", SERVER_PROCESSES];
        command.current_dir(SOURCES).args(arguments).args(["--loglevel", "ERROR"]);
        Peer(command.spawn().unwrap())
    }

    fn command(&self, program: &str, servers: &Servers, queue: &str) -> Command {
        let program = std::path::absolute(self.0.join(program)).unwrap();
        let mut command = told(&program, servers, queue);
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}

/// A program that is told where the servers are.
fn told(program: &Path, servers: &Servers, queue: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env("PEER_AMQP", &servers.amqp)
        .env("PEER_POSTGRES", &servers.postgres)
        .env("PEER_QUEUE", queue)
        .env("PEER_PREFETCH", "100")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

async fn wait_until_open(address: SocketAddr) {
    for _ in 0..300 {
        if TcpStream::connect(address).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("a peer did not start");
}

/// A process of a peer, with children of its own.
pub struct Peer(Child);

impl Peer {
    pub fn stop(self) {
        drop(self);
    }
}

/// Its children end when it is asked to end, not when it is killed.
impl Drop for Peer {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// The table that the workers of peers write into.
pub struct Table(PgConnection);

impl Table {
    pub async fn empty(servers: &Servers) -> Self {
        let mut connection = PgConnection::connect(&servers.postgres).await.unwrap();
        for statement in [
            "DROP TABLE IF EXISTS woody_load_peer",
            "CREATE TABLE woody_load_peer (id uuid PRIMARY KEY, product text NOT NULL)",
        ] {
            sqlx::query(statement).execute(&mut connection).await.unwrap();
        }
        Self(connection)
    }

    pub async fn rows(&mut self) -> u64 {
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM woody_load_peer")
            .fetch_one(&mut self.0)
            .await
            .unwrap();
        rows.unsigned_abs()
    }
}
