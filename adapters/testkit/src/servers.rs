//! The real servers that `dev/test.sh` brings: a database and a virtual host
//! for each test, and servers of a test's own to be restarted.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run ./dev/test.sh"))
}

/// An empty database, dropped at the end.
pub struct Database {
    /// Where it is, with its owner's password.
    pub url: String,
    server: String,
    name: String,
}

impl Database {
    /// Creates one on the server of the test command.
    pub async fn create() -> Self {
        Self::create_on(&variable("WOODY_TEST_POSTGRES_URL")).await
    }

    /// Creates one on another server.
    pub async fn create_on(server: &str) -> Self {
        let name = format!("woody_{}", Uuid::now_v7().simple());
        execute(server, format!("CREATE DATABASE {name}")).await;
        let mut url = url::Url::parse(server).unwrap();
        url.set_path(&name);
        Self { url: url.into(), server: server.to_owned(), name }
    }

    /// Counts rows.
    pub async fn count(&self, what: &str) -> i64 {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        let statement = format!("SELECT count(*) FROM {what}");
        sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(&mut connection).await.unwrap()
    }

    /// Runs a statement as its owner.
    pub async fn run(&self, statement: &str) {
        execute(&self.url, statement.to_owned()).await;
    }

    /// Drops it, even with clients connected.
    pub async fn drop(self) {
        execute(&self.server, format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

async fn execute(server: &str, statement: String) {
    let mut connection = PgConnection::connect(server).await.unwrap();
    sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
}

/// An empty virtual host whose queues are quorum queues unless they say
/// otherwise; deleted at the end.
pub struct VirtualHost {
    /// Where it is, with a user's password.
    pub url: String,
    name: String,
}

impl VirtualHost {
    /// Creates one on the server of the test command.
    pub fn create() -> Self {
        let name = format!("woody-{}", Uuid::now_v7().simple());
        let mut url = url::Url::parse(&variable("WOODY_TEST_AMQP_URL")).unwrap();
        let user = url.username().to_owned();
        rabbitmqctl(&["add_vhost", &name, "--default-queue-type", "quorum"]);
        rabbitmqctl(&["set_permissions", "-p", &name, &user, ".*", ".*", ".*"]);
        url.set_path(&name);
        Self { url: url.into(), name }
    }

    /// Returns its queues, and how many messages are in each.
    pub fn queues(&self) -> Vec<(String, u64)> {
        let listed = rabbitmqctl(&["-q", "list_queues", "-p", &self.name, "name", "messages"]);
        let rows = listed.lines().filter_map(|line| {
            let (name, messages) = line.split_once('\t')?;
            Some((name.to_owned(), messages.trim().parse().ok()?))
        });
        rows.collect()
    }

    /// Sets the policy of the queues whose names match.
    pub fn set_policy(&self, queues: &str, definition: &str) {
        let policy = ["woody-test", queues, definition, "--apply-to", "queues"];
        rabbitmqctl(&[&["set_policy", "-p", &self.name][..], &policy].concat());
    }
}

impl Drop for VirtualHost {
    fn drop(&mut self) {
        rabbitmqctl(&["delete_vhost", &self.name]);
    }
}

fn rabbitmqctl(arguments: &[&str]) -> String {
    let done =
        Command::new(variable("WOODY_TEST_RABBITMQ_CTL")).arg("ctl").args(arguments).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// A server of this test alone, which it may stop, kill and freeze.
pub struct OwnServer {
    script: PathBuf,
    folder: PathBuf,
    /// Where it is.
    pub url: String,
}

impl OwnServer {
    /// Starts a RabbitMQ.
    pub fn rabbitmq() -> Self {
        Self::start("rabbitmq.sh", "WOODY_TEST_AMQP_URL")
    }

    /// Starts a PostgreSQL.
    pub fn postgres() -> Self {
        Self::start("postgres.sh", "WOODY_TEST_POSTGRES_URL")
    }

    fn start(script: &str, variable_name: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dev/services").join(script);
        let folder = Path::new(&variable("WOODY_TEST_SERVICES_DIR"))
            .join(format!("own-{}", Uuid::now_v7().simple()));
        let mut server = Self { script, folder, url: String::new() };
        server.run("start");
        let lines = server.run("env");
        let value = lines
            .lines()
            .find_map(|line| {
                line.strip_prefix("export ")?.strip_prefix(variable_name)?.strip_prefix('=')
            })
            .unwrap_or_else(|| panic!("no {variable_name} in {lines}"));
        value.trim_matches(['\'', '"']).clone_into(&mut server.url);
        server
    }

    /// Does `start`, `stop`, `kill`, `restart`, `wipe`, `freeze` or `thaw`.
    pub fn run(&self, action: &str) -> String {
        succeeded(self.command(action).output().unwrap(), action)
    }

    /// Does the same while everything else goes on; RabbitMQ's `ctl` takes more words.
    pub async fn does(&self, action: &str, more: &[&str]) {
        // A server that was killed may still be in the way of its successor.
        let tries = if action == "start" { 10 } else { 1 };
        for left in (0..tries).rev() {
            let mut command = self.command(action);
            command.args(more);
            let done = tokio::task::spawn_blocking(move || command.output().unwrap());
            let done = done.await.unwrap();
            if done.status.success() || left == 0 {
                succeeded(done, action);
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    fn command(&self, action: &str) -> Command {
        let mut command = Command::new(&self.script);
        command.arg(action).arg(&self.folder);
        command
    }
}

fn succeeded(done: Output, action: &str) -> String {
    assert!(done.status.success(), "{action}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        let _ = Command::new(&self.script).arg("remove").arg(&self.folder).output();
    }
}
