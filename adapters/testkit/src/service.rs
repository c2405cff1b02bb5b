//! One of our binaries, running.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use uuid::Uuid;

use crate::{
    client::{Answer, get},
    waiting::until,
};

/// A running service; killed when it is dropped.
pub struct Service {
    /// Where it serves clients.
    pub address: SocketAddr,
    /// Where it tells how it is.
    pub admin: SocketAddr,
    process: Child,
}

/// What a service is started with.
pub struct Start {
    command: Command,
    address: SocketAddr,
    admin: SocketAddr,
}

/// The path of one of our programs, of whichever package: cargo puts them into the
/// folder above the one with the test that runs.
///
/// It builds the programs of a package along with its tests. A selection that leaves
/// out the tests of `processes` or of `commands` may find an older program there.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let programs = test.ancestors().nth(2).unwrap();
    let program = programs.join(name);
    let build = "`cargo build --workspace --all-features --bins` builds it";
    assert!(program.is_file(), "there is no {}: {build}", program.display());
    program
}

impl Start {
    /// Prepares one of our programs, on free ports and quiet.
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
        if !name.ends_with("order-worker") {
            command.env("WOODY_LISTEN", address.to_string());
        }
        Self { command, address, admin }
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.command.env(name, value.as_ref());
        self
    }

    /// Has it listen where an earlier one did.
    #[must_use]
    pub fn at(mut self, address: SocketAddr, admin: SocketAddr) -> Self {
        (self.address, self.admin) = (address, admin);
        self.env("WOODY_LISTEN", address.to_string()).env("WOODY_ADMIN_LISTEN", admin.to_string())
    }

    /// Has it write its log there, after what is there already.
    #[must_use]
    pub fn log_to(mut self, path: &Path) -> Self {
        self.command.stderr(File::options().create(true).append(true).open(path).unwrap());
        self
    }

    /// Has it print there.
    #[must_use]
    pub fn print_to(mut self, path: &Path) -> Self {
        self.command.stdout(File::options().write(true).open(path).unwrap());
        self
    }

    /// Sets the folder that it runs in.
    #[must_use]
    pub fn current_dir(mut self, path: &Path) -> Self {
        self.command.current_dir(path);
        self
    }

    /// Starts it, and waits for nothing.
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
    /// Waits until it says that it is ready; fails when it ends instead.
    pub async fn until_ready(&mut self) {
        until("the service is ready", async || {
            assert!(self.process.try_wait().unwrap().is_none(), "the service has ended");
            self.is_ready().await
        })
        .await;
    }

    /// Returns whether it says that it is ready.
    pub async fn is_ready(&self) -> bool {
        matches!(get(self.admin, "/readyz").await, Ok(Answer { status: 200, .. }))
    }

    /// `kill -9`: no time to do anything.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        signal(self.process.id(), "TERM");
    }

    /// Waits until it has ended.
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

/// Sends a signal to a process.
pub fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status();
    assert!(sent.unwrap().success());
}

/// An address that nobody listens on, and that no outgoing connection is given: the kernel
/// takes the ports of those from 32,768 on, and thousands of them come and go in a test.
///
/// Another process may still listen there before its caller does; of ten thousand ports,
/// seldom.
pub fn free_address() -> SocketAddr {
    let free = (0..1_000).find_map(|_| {
        let port = 10_000 + u16::try_from(Uuid::new_v4().as_u128() % 10_000).unwrap();
        TcpListener::bind(("127.0.0.1", port)).ok()?.local_addr().ok()
    });
    free.unwrap()
}
