//! The server under test, which each test has to itself and leaves healthy.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use lapin::{Connection, ConnectionProperties};
use tokio::sync::{Mutex, MutexGuard};

static TURN: Mutex<()> = Mutex::const_new(());

/// Rules the server.
pub(crate) struct Server {
    _turn: MutexGuard<'static, ()>,
}

impl Server {
    /// Waits for the turn, and for a healthy server.
    pub(crate) async fn take() -> Self {
        let server = Self { _turn: TURN.lock().await };
        tokio::task::spawn_blocking(heal).await.unwrap();
        server.answers().await;
        server
    }

    /// Runs `$WOODY_TEST_RABBITMQ_CTL action…`.
    pub(crate) async fn ctl(&self, arguments: &[&str]) {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let failed = tokio::task::spawn_blocking(move || run(&arguments).err()).await.unwrap();
        assert_eq!(failed, None);
    }

    /// Waits until a client can log in.
    pub(crate) async fn answers(&self) {
        let url = url();
        for _ in 0..600 {
            let login = Connection::connect(&url, ConnectionProperties::default());
            if let Ok(Ok(connection)) = tokio::time::timeout(Duration::from_secs(2), login).await {
                let _ = connection.close(200, "done".into()).await;
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the server does not answer");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        heal();
    }
}

/// Undoes whatever a test has done. What needs no undoing fails, and may.
fn heal() {
    let _ = run(&["thaw".into()]);
    let _ = run(&["start".into()]);
    let _ = alarm(false);
}

fn alarm(raised: bool) -> Result<(), String> {
    let fraction = if raised { "0.00001" } else { "0.6" };
    run(&["ctl".into(), "set_vm_memory_high_watermark".into(), fraction.into()])
}

/// Fails with what the command said.
fn run(arguments: &[String]) -> Result<(), String> {
    let program = std::env::var("WOODY_TEST_RABBITMQ_CTL").expect("WOODY_TEST_RABBITMQ_CTL");
    // Into a file: a server that it leaves behind would hold a pipe open.
    let said = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(said.reopen().expect("a temporary file"));
    if command.status().expect("the control command runs").success() {
        return Ok(());
    }
    let said = std::fs::read_to_string(said.path()).unwrap_or_default();
    Err(format!("{arguments:?} failed: {said}"))
}

impl Server {
    /// Has the server believe that its memory is full, or no longer.
    pub(crate) async fn alarm(&self, raised: bool) {
        let failed = tokio::task::spawn_blocking(move || alarm(raised)).await.unwrap().err();
        assert_eq!(failed, None);
    }
}

pub(crate) fn url() -> String {
    std::env::var("WOODY_TEST_AMQP_URL").expect("WOODY_TEST_AMQP_URL")
}
