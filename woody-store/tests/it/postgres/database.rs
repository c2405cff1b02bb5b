//! A database and a role of a test's own.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use woody_core::domain::OrderId;

use super::server;

fn unique(what: &str) -> String {
    format!("woody_{what}_{}", OrderId::fresh().as_uuid().simple())
}

/// The parts of the server's URL: user, password, host and port.
pub(super) struct Parts {
    pub(super) user: String,
    pub(super) password: String,
    pub(super) place: String,
}

pub(super) fn parts() -> Parts {
    let server = server();
    let rest = server.split_once("://").expect("a URL").1;
    let (login, rest) = rest.rsplit_once('@').expect("the URL has a user");
    let (user, password) = login.split_once(':').expect("the user has a password");
    let place = rest.split('/').next().unwrap_or_default();
    Parts { user: user.into(), password: password.into(), place: place.into() }
}

/// Runs statements as the owner of the server.
pub(super) async fn run(url: &str, sql: String) {
    let mut pg = PgConnection::connect(url).await.unwrap();
    pg.execute(AssertSqlSafe(sql)).await.unwrap();
}

/// Runs a statement when a test ends: nothing can be awaited there, and the test's
/// own runtime is ending.
fn run_at_the_end(sql: String) {
    let running = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(run(&server(), sql));
    });
    let _ = running.join();
}

/// A database that goes away with its test.
pub(super) struct Database(pub(super) String);

impl Database {
    pub(super) fn named() -> Self {
        Self(unique("db"))
    }

    pub(super) async fn create(&self, with: &str) {
        run(&server(), format!("CREATE DATABASE {} {with}", self.0)).await;
    }

    /// Its URL at this host and port.
    pub(super) fn url_at(&self, place: &str) -> String {
        let Parts { user, password, .. } = parts();
        format!("postgres://{user}:{password}@{place}/{}", self.0)
    }

    pub(super) fn url(&self) -> String {
        self.url_at(&parts().place)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A pooler may have connections to it still.
        run_at_the_end(format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.0));
    }
}

/// A role that may log in and nothing else.
pub(super) struct Role(pub(super) String);

impl Role {
    pub(super) async fn new() -> Self {
        let role = Self(unique("role"));
        run(&server(), format!("CREATE ROLE {} LOGIN PASSWORD 'right'", role.0)).await;
        role
    }

    /// The URL of this database, or schema, for this role.
    pub(super) fn url(&self, url: &str, password: &str) -> String {
        let (_, rest) = url.rsplit_once('@').unwrap();
        format!("postgres://{}:{password}@{rest}", self.0)
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        run_at_the_end(format!("DROP OWNED BY {0}; DROP ROLE {0}", self.0));
    }
}
