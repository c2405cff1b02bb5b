//! Servers of a test's own, which it may demote, freeze and kill.

use std::path::{Path, PathBuf};
use std::process::Command;

use sqlx::{Connection, Executor, PgConnection};
use woody_core::domain::OrderId;

/// A PostgreSQL that goes away with its test.
pub(super) struct Server {
    folder: PathBuf,
    /// Where it is, with its owner's password.
    pub(super) url: String,
}

impl Server {
    pub(super) async fn primary() -> Self {
        Self::begin("start", None).await
    }

    /// A standby of this one.
    pub(super) async fn following(primary: &Self) -> Self {
        Self::begin("follow", Some(primary.folder.clone())).await
    }

    /// One that speaks TLS, and the file of the authority that has signed its certificate.
    pub(super) async fn with_tls() -> (Self, PathBuf) {
        let server = Self::begin("start-tls", None).await;
        let authority = server.folder.join("postgres.ca.pem");
        (server, authority)
    }

    async fn begin(action: &'static str, of: Option<PathBuf>) -> Self {
        let services = std::env::var("WOODY_TEST_SERVICES_DIR").expect("WOODY_TEST_SERVICES_DIR");
        let name = format!("own-{}", OrderId::fresh().as_uuid().simple());
        let mut server = Self { folder: Path::new(&services).join(name), url: String::new() };
        server.run(action, of).await;
        let says = server.run("env", None).await;
        let url = says.trim().split_once('=').expect("a variable").1;
        url.clone_into(&mut server.url);
        server
    }

    /// Does `kill`, `freeze`, `promote` or another of the script's.
    pub(super) async fn does(&self, action: &'static str) {
        self.run(action, None).await;
    }

    async fn run(&self, action: &'static str, of: Option<PathBuf>) -> String {
        let mut command = command(action, &self.folder);
        command.args(of);
        let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(done.status.success(), "{action}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// Fences it: it takes no more writes, and its connections stay.
    pub(super) async fn fence(&self) {
        let mut pg = PgConnection::connect(&self.url).await.unwrap();
        pg.execute("ALTER SYSTEM SET default_transaction_read_only = on").await.unwrap();
        pg.execute("SELECT pg_reload_conf()").await.unwrap();
    }

    /// Its host and port.
    pub(super) fn place(&self) -> &str {
        let (_, place) = self.url.rsplit_once('@').expect("the URL has a user");
        place.split('/').next().expect("a host")
    }
}

fn command(action: &str, folder: &Path) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dev/services/postgres.sh");
    let mut command = Command::new(script);
    command.arg(action).arg(folder);
    command
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = command("remove", &self.folder).output();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
