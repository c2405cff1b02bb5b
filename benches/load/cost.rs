//! What work costs: processor time by process, and what PostgreSQL writes ahead.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::Duration,
};

use sqlx::{Connection as _, PgConnection};

use crate::figures::Figures;

/// The processes whose time is looked at, by the names that the kernel knows.
const PROCESSES: [&str; 9] = [
    "order-service",
    "order-worker",
    "misc-service",
    "postgres",
    "beam.smp",
    "gunicorn",
    "celery",
    "python",
    "apalis-shop",
];
/// What the kernel counts processor time in.
const TICK: Duration = Duration::from_millis(10);

/// Notes what was used when it began.
pub struct Cost {
    postgres: String,
    processor: BTreeMap<&'static str, Duration>,
    wal: u64,
}

impl Cost {
    pub async fn begin(postgres: &str) -> Self {
        Self {
            postgres: postgres.to_owned(),
            processor: processor_time(),
            wal: wal_position(postgres).await,
        }
    }

    /// Adds to `figures` what each of `done` things has cost since.
    pub async fn of(&self, done: u64, mut figures: Figures) -> Figures {
        let each = done.max(1) as f64;
        for (name, now) in processor_time() {
            let used = now.saturating_sub(self.processor.get(name).copied().unwrap_or_default());
            if used > TICK {
                let name = if name == "beam.smp" { "rabbitmq" } else { name };
                figures = figures.with(&format!("{name} us"), used.as_secs_f64() * 1e6 / each);
            }
        }
        let wal = wal_position(&self.postgres).await.saturating_sub(self.wal);
        if wal > 100_000 { figures.with("WAL bytes", wal as f64 / each) } else { figures }
    }
}

/// Processor time of all processes of each name, with that of their children that ended,
/// and of this one.
///
/// What a process has used passes to its parent when it ends, so one that ends while the others are read may be missed, or
/// counted twice. Therefore they are read until they have stayed the same.
fn processor_time() -> BTreeMap<&'static str, Duration> {
    let mut before = read_processes();
    loop {
        let now = read_processes();
        if now.0 == before.0 {
            return now.1;
        }
        before = now;
    }
}

/// The processes that count, and the time of those of each name.
fn read_processes() -> (BTreeSet<u32>, BTreeMap<&'static str, Duration>) {
    let (mut processes, mut used) = (BTreeSet::new(), BTreeMap::new());
    let own = std::process::id();
    for process in fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(id) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        // It may have ended since.
        let Ok(stat) = fs::read_to_string(process.path().join("stat")) else { continue };
        let Some((name, ticks)) = name_and_ticks(&stat) else { continue };
        let known = PROCESSES.into_iter().find(|known| *known == name);
        let Some(name) = (if id == own { Some("client") } else { known }) else { continue };
        processes.insert(id);
        *used.entry(name).or_default() += TICK * ticks;
    }
    (processes, used)
}

/// `ID (NAME) STATE … utime stime cutime cstime …`, those at 14 to 17 of `man proc_pid_stat`.
fn name_and_ticks(stat: &str) -> Option<(&str, u32)> {
    let (head, tail) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1;
    let ticks = tail.split_whitespace().skip(11).take(4);
    Some((name, ticks.filter_map(|ticks| ticks.parse::<u32>().ok()).sum()))
}

/// Most memory that the process `id` ever had at once, in megabytes.
pub fn peak_memory_mb(id: u32) -> f64 {
    memory_mb(id, "VmHWM:")
}

/// Memory that the process `id` has, in megabytes.
pub fn memory_now_mb(id: u32) -> f64 {
    memory_mb(id, "VmRSS:")
}

fn memory_mb(id: u32, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("a process that runs");
    let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("a field of status");
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes / 1_024.0
}

async fn wal_position(postgres: &str) -> u64 {
    let mut connection = PgConnection::connect(postgres).await.expect("PostgreSQL");
    let position: i64 =
        sqlx::query_scalar("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint")
            .fetch_one(&mut connection)
            .await
            .expect("where the log ends");
    position.unsigned_abs()
}
