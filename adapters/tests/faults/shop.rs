//! The shop as real processes, with a proxy before each of their dependencies.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Instant,
};

use testkit::{
    client::get,
    proxy::{Line, Proxy},
    service::{Service, Start, binary, free_address},
    waiting::PATIENCE,
};
use tokio::sync::Mutex;
use url::Url;
use uuid::Uuid;

use crate::{
    orders::Orders,
    receiver::{self, Receiver},
    validator::TestValidator,
};

/// What the shop depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dependency {
    Broker,
    Database,
}

/// How the shop is set up.
#[derive(Clone)]
pub struct Settings {
    /// What orders ask for.
    pub orders: Orders,
    pub order_services: usize,
    pub workers: usize,
    pub prefetch: u16,
    pub max_attempts: u32,
    /// Whether orders are put to the test validator, too.
    pub asks_validator: bool,
    /// Whether each end of an order is posted to the receiver.
    pub tells_receiver: bool,
    /// Whether what takes half a minute by default takes seconds.
    pub quick: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            orders: Orders::default(),
            order_services: 2,
            workers: 2,
            prefetch: 16,
            max_attempts: 5,
            asks_validator: false,
            tells_receiver: false,
            quick: true,
        }
    }
}

impl Settings {
    /// With all that orders depend on, and with the times of a deployment.
    pub fn in_full() -> Self {
        Self { asks_validator: true, tells_receiver: true, quick: false, ..Self::default() }
    }
}

pub struct Shop {
    pub orders: Orders,
    pub database: String,
    pub broker: String,
    pub order_services: Vec<Process>,
    pub workers: Vec<Process>,
    pub validator: TestValidator,
    pub receiver: Receiver,
}

impl Shop {
    /// Starts everything and waits until it is ready.
    pub async fn open(database: &str, broker: &str, settings: &Settings) -> Self {
        let shop = Self::build(database, broker, settings).await;
        for process in shop.processes() {
            process.start().await;
        }
        shop.until_ready().await;
        shop
    }

    /// The same without starting anything.
    pub async fn build(database: &str, broker: &str, settings: &Settings) -> Self {
        let (validator, receiver) = (TestValidator::start().await, Receiver::start().await);
        let logs = logs();
        let mut env = vec![
            ("WOODY_VALIDATION", "none".to_owned()),
            ("WOODY_PREFETCH", settings.prefetch.to_string()),
            ("WOODY_MAX_ATTEMPTS", settings.max_attempts.to_string()),
            ("WOODY_RETRY_BASE", "250ms".to_owned()),
            ("WOODY_VALIDATION_TIMEOUT", "4s".to_owned()),
        ];
        if settings.quick {
            env.push(("WOODY_OUTBOX_LEASE", "3s".to_owned()));
            env.push(("WOODY_RECONCILE_EVERY", "4s".to_owned()));
            env.push(("WOODY_PENDING_FOR", "5s".to_owned()));
        }
        if settings.tells_receiver {
            env.extend([
                ("WOODY_WEBHOOK_URL", receiver.url.clone()),
                ("WOODY_WEBHOOK_SECRET", receiver::SECRET.to_owned()),
                ("WOODY_WEBHOOK_ALLOW_PRIVATE", "on".to_owned()),
                ("WOODY_WEBHOOK_ALLOW_HTTP", "on".to_owned()),
                ("WOODY_WEBHOOK_TIMEOUT", "1s".to_owned()),
            ]);
            if settings.quick {
                let pauses = "1s,1s,1s,2s,2s,2s,3s,3s,3s,5s,5s,5s,5s,5s,9s,9s";
                env.push(("WOODY_WEBHOOK_PAUSES", pauses.to_owned()));
            }
        }
        let processes = async |kind: &'static str, count| {
            let mut built = Vec::new();
            for number in 1..=count {
                let name = format!("{kind}-{number}");
                let (to_store, store_url) = proxied(database, 5432).await;
                let (to_broker, broker_url) = proxied(broker, 5672).await;
                let mut env = env.clone();
                env.extend([("WOODY_STORE_URL", store_url), ("WOODY_BROKER_URL", broker_url)]);
                if settings.asks_validator {
                    env.push(("WOODY_VALIDATOR_URL", format!("{}{name}", validator.url)));
                }
                let (address, admin) = (free_address(), free_address());
                let log = logs.join(format!("{name}.log"));
                let running = Mutex::default();
                built.push(Process {
                    name,
                    kind: settings.orders.program(kind),
                    address,
                    admin,
                    to_store,
                    to_broker,
                    env,
                    log,
                    running,
                });
            }
            built
        };
        Self {
            orders: settings.orders,
            order_services: processes("order-service", settings.order_services).await,
            workers: processes("order-worker", settings.workers).await,
            database: database.to_owned(),
            broker: broker.to_owned(),
            validator,
            receiver,
        }
    }

    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        self.order_services.iter().chain(&self.workers)
    }

    pub async fn until_ready(&self) {
        for process in self.processes() {
            process.until_ready().await;
        }
    }

    /// Where orders are placed.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.order_services.iter().map(|process| process.address).collect()
    }

    /// Switches the lines of all processes to one dependency.
    pub fn set_lines(&self, to: Dependency, line: Line) {
        for process in self.processes() {
            match to {
                Dependency::Broker => process.to_broker.set(line),
                Dependency::Database => process.to_store.set(line),
            }
        }
    }

    /// How many orders were published again as lost, ever since, by all processes:
    /// what they logged outlives them.
    pub fn published_again(&self) -> u64 {
        let logs =
            self.processes().filter_map(|process| std::fs::read_to_string(&process.log).ok());
        let count = |line: &str| {
            let number = line.split_once("outbox.refilled=")?.1;
            number.split(' ').next()?.parse::<u64>().ok()
        };
        logs.map(|log| log.lines().filter_map(count).sum::<u64>()).sum()
    }

    /// Runs `woodyctl`, and returns what it printed.
    pub async fn woodyctl(&self, arguments: &[&str]) -> serde_json::Value {
        let (succeeded, printed) = self.run_woodyctl(arguments).await;
        assert!(succeeded, "{arguments:?}: {printed}");
        printed
    }

    /// `woodyctl orders audit` of these promises; returns what it found when that
    /// is not clean. One that cannot say is asked again: a busy machine is no finding.
    pub async fn audit(&self, promised: &[Uuid]) -> Result<(), String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let lines: Vec<String> = promised.iter().map(ToString::to_string).collect();
        std::fs::write(file.path(), lines.join("\n")).unwrap();
        let path = file.path().to_str().unwrap();
        let until = Instant::now() + PATIENCE;
        loop {
            let (is_clean, found) =
                self.run_woodyctl(&["orders", "audit", "--promised", path]).await;
            if found["verdict"] == "cannot say" && Instant::now() < until {
                continue;
            }
            return if is_clean { Ok(()) } else { Err(format!("the audit found {found}")) };
        }
    }

    /// How the shop is by `woodyctl`.
    pub async fn status(&self) -> Option<String> {
        let (_, status) = self.run_woodyctl(&["status"]).await;
        status["headline"].as_str().map(ToOwned::to_owned)
    }

    async fn run_woodyctl(&self, arguments: &[&str]) -> (bool, serde_json::Value) {
        let mut command = std::process::Command::new(binary("woodyctl"));
        command.args(arguments).args(["--output", "json"]);
        command.env("WOODY_STORE_URL", &self.database).env("WOODY_BROKER_URL", &self.broker);
        let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        (done.status.success(), serde_json::from_slice(&done.stdout).unwrap_or(said.into()))
    }
}

/// One of our processes: it can be killed, and started again at the same place.
pub struct Process {
    pub name: String,
    kind: String,
    pub address: SocketAddr,
    pub admin: SocketAddr,
    to_store: Proxy,
    to_broker: Proxy,
    env: Vec<(&'static str, String)>,
    log: PathBuf,
    running: Mutex<Option<Service>>,
}

impl Process {
    pub async fn start(&self) {
        self.start_with(&[]).await;
    }

    /// Starts it with more in its environment.
    pub async fn start_with(&self, more: &[(&str, &str)]) {
        let start = Start::of(&self.kind).at(self.address, self.admin).log_to(&self.log);
        let start = more.iter().fold(start, |start, (name, value)| start.env(name, value));
        let start = self.env.iter().fold(start, |start, (name, value)| start.env(name, value));
        *self.running.lock().await = Some(start.spawn());
    }

    /// How the shop is by this process.
    pub async fn status(&self) -> Option<String> {
        get(self.admin, "/statusz").await.ok().map(|answer| answer.text())
    }

    pub async fn until_ready(&self) {
        self.running.lock().await.as_mut().unwrap().until_ready().await;
    }

    /// `kill -9`.
    pub async fn kill(&self) {
        self.running.lock().await.take().unwrap().kill();
    }

    /// Waits until it has ended by itself.
    pub async fn has_died(&self) {
        let service = self.running.lock().await.take().unwrap();
        let status = service.ended().await;
        assert!(!status.success(), "{} ended well: see {}", self.kind, self.log.display());
    }

    /// SIGTERM, and its orderly end.
    pub async fn terminate(&self) {
        let service = self.running.lock().await.take().unwrap();
        service.terminate();
        let status = service.ended().await;
        assert!(status.success(), "{} did not end well: see {}", self.kind, self.log.display());
    }
}

async fn proxied(url: &str, default_port: u16) -> (Proxy, String) {
    let mut url = Url::parse(url).unwrap();
    let host = url.host_str().unwrap();
    let port = url.port().unwrap_or(default_port);
    let target = tokio::net::lookup_host((host, port)).await.unwrap().next().unwrap();
    let proxy = Proxy::to(target).await;
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(proxy.address.port())).unwrap();
    (proxy, url.into())
}

/// What our processes log goes beside the servers, and away with them.
fn logs() -> PathBuf {
    let beside = std::env::var("WOODY_TEST_SERVICES_DIR").expect("WOODY_TEST_SERVICES_DIR");
    let logs = Path::new(&beside).join(format!("shop-{}", Uuid::now_v7().simple()));
    std::fs::create_dir_all(&logs).unwrap();
    logs
}
