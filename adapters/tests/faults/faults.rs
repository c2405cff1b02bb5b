//! What is done to the shop and to what it depends on.

use std::{fmt, time::Duration};

use sqlx::{Connection, PgConnection};
use testkit::{
    ledger::Ledger,
    proxy::{Line, Way},
    servers::{Database, OwnServer},
};
use tokio::sync::Mutex;

use crate::{
    deadly,
    raw::Raw,
    receiver::Hearing,
    shop::{Dependency, Process, Settings, Shop},
    steps::Step,
    validator::Manner,
};

/// A shop with servers of its own.
pub struct World {
    pub shop: Shop,
    rabbitmq: OwnServer,
    postgres: OwnServer,
    /// Holds a lock for as long as it is open.
    locking: Mutex<Option<PgConnection>>,
}

impl World {
    pub async fn open(settings: &Settings) -> Self {
        let start = |server: fn() -> OwnServer| tokio::task::spawn_blocking(server);
        let (rabbitmq, postgres) =
            tokio::try_join!(start(OwnServer::rabbitmq), start(OwnServer::postgres)).unwrap();
        let database = Database::create_on(&postgres.url).await;
        let shop = Shop::open(&database.url, &rabbitmq.url, settings).await;
        Self { shop, rabbitmq, postgres, locking: Mutex::default() }
    }

    fn server(&self, of: Dependency) -> &OwnServer {
        match of {
            Dependency::Broker => &self.rabbitmq,
            Dependency::Database => &self.postgres,
        }
    }
}

/// Which of our processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    OrderService,
    Worker,
    Everybody,
}

/// What is done to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blow {
    Stop,
    Kill,
    /// Killed, and its data deleted.
    Wipe,
    /// SIGSTOP: connections stay open, and the server is silent.
    Freeze,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Kill(Who),
    Terminate(Who),
    Server(Dependency, Blow),
    Network(Dependency, Line),
    /// Messages that were published are published twice more.
    Duplicates,
    /// Messages that are no orders.
    Poison,
    Validator(Manner),
    Receiver(Hearing),
    /// Orders come faster than they are validated, for longer than an order may be
    /// pending before its message is looked for.
    Backlog,
    /// Orders that end every worker that validates them, as an OOM kill does.
    Deadly,
    /// Another session holds the table of orders.
    LockedTable,
    /// The database is there and refuses: an operator has renamed the table of orders.
    MissingTable,
    /// RabbitMQ takes no more messages.
    MemoryAlarm,
    QueueDeleted,
    /// The validator itself panics, in one worker, every third time.
    Panics,
    /// A process ends at a step of its work.
    EndAt(Step),
}

const SLOW: Line = Line::Slow(Duration::from_millis(100));

impl Fault {
    /// Every fault there is, the usual ones first.
    pub const ALL: &[Self] = &[
        Self::Kill(Who::OrderService),
        Self::Kill(Who::Worker),
        Self::Kill(Who::Everybody),
        Self::Server(Dependency::Broker, Blow::Kill),
        Self::Server(Dependency::Database, Blow::Kill),
        Self::Server(Dependency::Broker, Blow::Wipe),
        Self::Terminate(Who::OrderService),
        Self::Terminate(Who::Worker),
        Self::Server(Dependency::Broker, Blow::Stop),
        Self::Server(Dependency::Database, Blow::Stop),
        Self::Server(Dependency::Broker, Blow::Freeze),
        Self::Server(Dependency::Database, Blow::Freeze),
        Self::Network(Dependency::Broker, Line::Blackhole),
        Self::Network(Dependency::Database, Line::Blackhole),
        Self::Network(Dependency::Broker, Line::Reset),
        Self::Network(Dependency::Database, Line::Reset),
        Self::Network(Dependency::Broker, SLOW),
        Self::Network(Dependency::Database, SLOW),
        Self::Network(Dependency::Broker, Line::Lossy),
        Self::Network(Dependency::Database, Line::Lossy),
        Self::Network(Dependency::Broker, Line::CutAfter(20_000)),
        Self::Network(Dependency::Database, Line::CutAfter(20_000)),
        Self::Network(Dependency::Broker, Line::OneWay(Way::Out)),
        Self::Network(Dependency::Database, Line::OneWay(Way::Out)),
        Self::Duplicates,
        Self::Poison,
        Self::Validator(Manner::Fails),
        Self::Validator(Manner::Hangs),
        Self::Validator(Manner::Babbles),
        Self::Receiver(Hearing::Fails),
        Self::Receiver(Hearing::Hangs),
        Self::Receiver(Hearing::LosesAnswers),
        Self::Receiver(Hearing::IsDead),
        Self::Backlog,
        Self::Deadly,
        Self::LockedTable,
        Self::MissingTable,
        Self::MemoryAlarm,
        Self::QueueDeleted,
        Self::Panics,
    ];

    /// Which dependency it takes from the shop, if any.
    pub fn hits(self) -> Option<Dependency> {
        match self {
            Self::Server(dependency, _) | Self::Network(dependency, _) => Some(dependency),
            Self::LockedTable | Self::MissingTable => Some(Dependency::Database),
            Self::MemoryAlarm | Self::QueueDeleted => Some(Dependency::Broker),
            Self::EndAt(step) => step.hits(),
            _ => None,
        }
    }

    /// How long it lasts where others last for `usual`.
    pub fn lasts(self, usual: Duration) -> Duration {
        match self {
            Self::Backlog => usual.max(Duration::from_secs(30)),
            // It is over when these orders have ended.
            Self::Deadly => Duration::ZERO,
            _ => usual,
        }
    }

    /// Whether messages that only the broker has may be gone.
    pub fn loses_messages(self) -> bool {
        matches!(self, Self::Server(_, Blow::Wipe) | Self::QueueDeleted)
    }

    pub async fn inflict(self, world: &World, ledger: &Ledger) {
        let shop = &world.shop;
        match self {
            Self::Kill(who) => {
                for process in chosen(shop, who) {
                    process.kill().await;
                }
            }
            Self::Terminate(who) => {
                for process in chosen(shop, who) {
                    process.terminate().await;
                }
            }
            Self::Server(dependency, blow) => {
                let action = match blow {
                    Blow::Stop => "stop",
                    Blow::Kill => "kill",
                    Blow::Wipe => "wipe",
                    Blow::Freeze => "freeze",
                };
                world.server(dependency).does(action, &[]).await;
            }
            Self::Network(dependency, line) => shop.set_lines(dependency, line),
            Self::Duplicates => {
                let promises = ledger.promises();
                let raw = Raw::connect(&shop.broker).await;
                let again = promises.iter().chain(&promises);
                let message =
                    |(submit, id): &(u64, _)| shop.orders.message(*id, &ledger.product(*submit));
                raw.publish(again.map(message)).await;
            }
            Self::Poison => {
                let raw = Raw::connect(&shop.broker).await;
                raw.publish((0..300).map(|n| format!("no order {n}").into_bytes())).await;
            }
            Self::Validator(manner) => shop.validator.set(manner),
            Self::Receiver(hearing) => shop.receiver.set(hearing),
            Self::Backlog => shop.validator.set(Manner::Slow),
            Self::LockedTable => {
                let mut connection = PgConnection::connect(&shop.database).await.unwrap();
                let lock = "BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE";
                sqlx::raw_sql(lock).execute(&mut connection).await.unwrap();
                *world.locking.lock().await = Some(connection);
            }
            Self::MissingTable => alter(shop, "ALTER TABLE orders RENAME TO orders_away").await,
            Self::MemoryAlarm => watermark(world, "0.0001").await,
            Self::QueueDeleted => Raw::connect(&shop.broker).await.delete_queue().await,
            Self::Panics => {
                let worker = &shop.workers[0];
                worker.terminate().await;
                worker.start_with(&[("FAILPOINTS", "worker.validating=33%panic")]).await;
            }
            Self::EndAt(step) => step.arm(shop, chosen(shop, step.who)[0]).await,
            // Begins and ends as one, in `heal`.
            Self::Deadly => {}
        }
    }

    pub async fn heal(self, world: &World) {
        let shop = &world.shop;
        match self {
            Self::Kill(who) | Self::Terminate(who) => {
                for process in chosen(shop, who) {
                    process.start().await;
                }
            }
            Self::Server(dependency, blow) => {
                let action = if blow == Blow::Freeze { "thaw" } else { "start" };
                world.server(dependency).does(action, &[]).await;
            }
            Self::Network(dependency, _) => shop.set_lines(dependency, Line::Open),
            Self::Validator(_) | Self::Backlog => shop.validator.set(Manner::Agrees),
            Self::Receiver(_) => shop.receiver.set(Hearing::Hears),
            Self::LockedTable => {
                let connection = world.locking.lock().await.take().unwrap();
                connection.close().await.unwrap();
            }
            Self::Deadly => deadly::kill_until_they_end(shop).await,
            Self::MissingTable => alter(shop, "ALTER TABLE orders_away RENAME TO orders").await,
            Self::MemoryAlarm => watermark(world, "0.6").await,
            Self::Panics => {
                shop.workers[0].terminate().await;
                shop.workers[0].start().await;
            }
            Self::EndAt(step) => step.disarm(shop, chosen(shop, step.who)[0]).await,
            Self::Duplicates | Self::Poison | Self::QueueDeleted => {}
        }
    }
}

async fn alter(shop: &Shop, statement: &'static str) {
    let mut connection = PgConnection::connect(&shop.database).await.unwrap();
    sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
}

async fn watermark(world: &World, fraction: &str) {
    world.rabbitmq.does("ctl", &["set_vm_memory_high_watermark", fraction]).await;
}

fn chosen(shop: &Shop, who: Who) -> Vec<&Process> {
    match who {
        Who::OrderService => vec![&shop.order_services[0]],
        Who::Worker => vec![&shop.workers[0]],
        Who::Everybody => shop.processes().collect(),
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dependency = |dependency: &Dependency| match dependency {
            Dependency::Broker => "broker",
            Dependency::Database => "database",
        };
        let who = |who: &Who| match who {
            Who::OrderService => "an order-service",
            Who::Worker => "an order-worker",
            Who::Everybody => "all of ours",
        };
        match self {
            Self::Kill(whom) => write!(f, "kill -9 of {}", who(whom)),
            Self::Terminate(whom) => write!(f, "SIGTERM of {}", who(whom)),
            Self::Server(server, blow) => {
                let done = match blow {
                    Blow::Stop => "restarted",
                    Blow::Kill => "killed",
                    Blow::Wipe => "wiped",
                    Blow::Freeze => "frozen",
                };
                write!(f, "{} {done}", dependency(server))
            }
            Self::Network(to, line) => {
                let how = match line {
                    Line::Open => "open",
                    Line::Blackhole => "silent",
                    Line::Reset => "reset",
                    Line::Slow(_) => "100 ms slow",
                    Line::Lossy => "losing 1 %",
                    Line::CutAfter(_) => "cut every 20 kB",
                    Line::OneWay(_) => "one way only",
                };
                write!(f, "network to {} {how}", dependency(to))
            }
            Self::Duplicates => f.write_str("duplicate deliveries"),
            Self::Poison => f.write_str("poison messages"),
            Self::Validator(manner) => write!(f, "validator {manner:?}"),
            Self::Receiver(hearing) => write!(f, "receiver {hearing:?}"),
            Self::Backlog => f.write_str("backlog"),
            Self::Deadly => f.write_str("orders that kill their workers"),
            Self::LockedTable => f.write_str("orders locked"),
            Self::MissingTable => f.write_str("orders refused"),
            Self::MemoryAlarm => f.write_str("broker's memory alarm"),
            Self::QueueDeleted => f.write_str("queue deleted"),
            Self::Panics => f.write_str("validator panics"),
            Self::EndAt(step) => step.fmt(f),
        }
    }
}
