//! What was measured, with the machine and the spread beside it.

use std::collections::BTreeMap;

use sqlx::{Connection as _, PgConnection};

/// The figures of all rounds.
pub struct Report {
    servers: String,
    order: Vec<&'static str>,
    figures: BTreeMap<&'static str, Vec<f64>>,
}

impl Report {
    pub async fn new(postgres: &str) -> Self {
        let mut connection = PgConnection::connect(postgres).await.unwrap();
        let version: String =
            sqlx::query_scalar("SHOW server_version").fetch_one(&mut connection).await.unwrap();
        Self {
            servers: format!(
                "PostgreSQL {version}, RabbitMQ {}",
                std::env::var("WOODY_TEST_RABBITMQ_VERSION").unwrap_or_default()
            ),
            order: Vec::new(),
            figures: BTreeMap::new(),
        }
    }

    /// Adds a rate, in things a second.
    pub fn add(&mut self, what: &'static str, per_second: f64) {
        if !self.order.contains(&what) {
            self.order.push(what);
        }
        self.figures.entry(what).or_default().push(per_second);
    }

    /// Adds a time, in milliseconds.
    pub fn add_latency(&mut self, what: &'static str, ms: f64) {
        self.add(what, ms);
    }

    pub fn print(&self) {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        println!(
            "\n{cores} cores, {}; everything shares them. Per second unless it says ms.\n",
            self.servers
        );
        println!("| measured | min | median | max |\n| --- | ---: | ---: | ---: |");
        for what in &self.order {
            let mut values = self.figures[what].clone();
            values.sort_by(f64::total_cmp);
            let show = |value: f64| {
                if value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") }
            };
            println!(
                "| {what} | {} | {} | {} |",
                show(values[0]),
                show(values[values.len() / 2]),
                show(values[values.len() - 1])
            );
        }
    }
}
