//! The load harness: what real processes do, beside what their parts can do.
//!
//! It starts `order-service`, `order-worker` and `misc-service` as they are deployed, over a
//! real PostgreSQL and a real RabbitMQ, and measures in the same run, on the same machine,
//! the raw speed of each: confirmed publishes and consume + ack by lapin, inserts by sqlx,
//! answers by hyper. `./dev/measure.sh` brings the servers and runs it; `--help` says what
//! can be asked for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    unreachable_pub
)]

mod client;
mod cost;
mod figures;
mod options;
mod peers;
mod plots;
mod raw;
mod report;
mod scenarios;
mod services;

use std::{io::IsTerminal as _, time::Duration};

use clap::Parser as _;
use indicatif::{ProgressBar, ProgressStyle};
use options::Options;
use report::Report;
use scenarios::{ALL, Scenario, Setting};
use services::Servers;
use sqlx::{Connection as _, PgConnection};

#[tokio::main]
async fn main() {
    let options = Options::parse();
    if options.list {
        for scenario in ALL {
            println!("{}", scenario.name);
        }
        return;
    }
    let (Ok(postgres), Ok(amqp)) =
        (std::env::var("WOODY_TEST_POSTGRES_URL"), std::env::var("WOODY_TEST_AMQP_URL"))
    else {
        println!("the load harness needs PostgreSQL and RabbitMQ: run ./dev/measure.sh");
        return;
    };
    let before = options.against.as_deref().map(|file| Report::read(file).expect("results.json"));
    let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, most_files());
    let mut report = Report::new(machine(&postgres).await);
    let setting = Setting {
        servers: Servers { postgres, amqp, programs: options.programs.clone() },
        lasting: options.lasting(),
        prefetch: options.prefetch,
        orders: options.orders,
        held: Duration::from_secs(options.held),
    };
    let wanted: Vec<&Scenario> =
        ALL.iter().filter(|scenario| options.wants(scenario.name)).collect();
    let progress = progress_bar(options.rounds * wanted.len() as u64);
    for round in 1..=options.rounds {
        for scenario in &wanted {
            progress.set_message(format!("round {round} of {}: {}", options.rounds, scenario.name));
            if progress.is_hidden() {
                eprintln!("round {round} of {}: {}", options.rounds, scenario.name);
            }
            for row in (scenario.measure)(setting.clone()).await {
                report.add(row);
            }
            // What was measured is kept, whatever happens next.
            report.save(&options.out).expect("a folder for the results");
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    plots::draw(&report, &options.out);
    println!("\n{}", report.table());
    println!("results.json and plots are in {}", options.out.display());
    if let Some(before) = before {
        let slower = report.slower_than(&before);
        println!(
            "\nslower by more than a tenth: {}",
            if slower.is_empty() { "nothing" } else { "" }
        );
        for line in slower {
            println!("- {line}");
        }
    }
}

fn progress_bar(steps: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style =
        ProgressStyle::with_template("{bar:30} {pos}/{len}, {elapsed} of {duration}: {msg}");
    ProgressBar::new(steps).with_style(style.expect("a template"))
}

/// As many files as the system lets: a client is a file.
fn most_files() -> rustix::process::Rlimit {
    let limits = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    rustix::process::Rlimit { current: limits.maximum, maximum: limits.maximum }
}

async fn machine(postgres: &str) -> String {
    let mut connection = PgConnection::connect(postgres).await.unwrap();
    let version: String =
        sqlx::query_scalar("SHOW server_version").fetch_one(&mut connection).await.unwrap();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let rabbitmq = std::env::var("WOODY_TEST_RABBITMQ_VERSION").unwrap_or_default();
    format!(
        "{cores} cores that clients, services and servers share, PostgreSQL {version}, RabbitMQ {rabbitmq}"
    )
}
