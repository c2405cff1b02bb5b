//! One of our binaries, running.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use crate::client::{Answer, get, until};

pub const PATIENCE: Duration = Duration::from_mins(1);

/// A running service; killed when it is dropped.
pub struct Service {
    pub address: SocketAddr,
    pub admin: SocketAddr,
    process: Child,
}

/// What a service is started with.
pub struct Start {
    command: Command,
    address: SocketAddr,
    admin: SocketAddr,
}

/// The path of one of our binaries.
pub fn binary(name: &str) -> &'static Path {
    Path::new(match name {
        "misc-service" => env!("CARGO_BIN_EXE_misc-service"),
        "product-service" => env!("CARGO_BIN_EXE_product-service"),
        "order-service" => env!("CARGO_BIN_EXE_order-service"),
        "order-worker" => env!("CARGO_BIN_EXE_order-worker"),
        "woodytoys" => env!("CARGO_BIN_EXE_woodytoys"),
        "woodyctl" => env!("CARGO_BIN_EXE_woodyctl"),
        other => panic!("no binary {other}"),
    })
}

impl Start {
    pub fn of(name: &str) -> Self {
        Self::by(Command::new(binary(name)), name)
    }

    /// Has another program become the service, in its way.
    pub fn inside(mut program: Command, name: &str) -> Self {
        program.arg(binary(name));
        Self::by(program, name)
    }

    fn by(mut command: Command, name: &str) -> Self {
        let (address, admin) = (free_address(), free_address());
        command
            .env("WOODY_ADMIN_LISTEN", admin.to_string())
            .env("WOODY_RATE_LIMIT", "0")
            .env("WOODY_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if name != "order-worker" {
            command.env("WOODY_LISTEN", address.to_string());
        }
        Self { command, address, admin }
    }

    pub fn env(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.command.env(name, value.as_ref());
        self
    }

    /// Has it listen where an earlier one did.
    pub fn at(mut self, address: SocketAddr, admin: SocketAddr) -> Self {
        (self.address, self.admin) = (address, admin);
        self.env("WOODY_LISTEN", address.to_string()).env("WOODY_ADMIN_LISTEN", admin.to_string())
    }

    /// Has it write its log there, after what is there already.
    pub fn log_to(mut self, path: &Path) -> Self {
        self.command.stderr(File::options().create(true).append(true).open(path).unwrap());
        self
    }

    /// Has it print there.
    pub fn print_to(mut self, path: &Path) -> Self {
        self.command.stdout(File::options().write(true).open(path).unwrap());
        self
    }

    pub fn current_dir(mut self, path: &Path) -> Self {
        self.command.current_dir(path);
        self
    }

    pub fn spawn(mut self) -> Service {
        let process = self.command.spawn().unwrap();
        Service { address: self.address, admin: self.admin, process }
    }

    /// Starts it and waits until it says that it is ready.
    pub async fn ready(self) -> Service {
        let mut service = self.spawn();
        service.until_ready().await;
        service
    }
}

impl Service {
    pub async fn until_ready(&mut self) {
        until("the service is ready", async || {
            assert!(self.process.try_wait().unwrap().is_none(), "the service has ended");
            self.is_ready().await
        })
        .await;
    }

    pub async fn is_ready(&self) -> bool {
        matches!(get(self.admin, "/readyz").await, Ok(Answer { status: 200, .. }))
    }

    /// `kill -9`: no time to do anything.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub fn terminate(&self) {
        signal(self.process.id(), "TERM");
    }

    pub async fn ended(mut self) -> ExitStatus {
        let mut status = None;
        until("the service has ended", async || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status();
    assert!(sent.unwrap().success());
}

/// Free when it was asked for; nobody else asks for it in between, as a rule.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
