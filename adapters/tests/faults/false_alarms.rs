//! A shop that does what it should is never said to be wrong: under load, in an update, in a burst.
//!
//! `WOODY_FAULTS_HEALTHY` says for how many minutes the load goes on, at `WOODY_FAULTS_RATE` orders a second; the test
//! command gives it seconds.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use futures::future::join_all;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    campaign::variable,
    evidence::{ENDS_WITHIN, settled},
    faults::World,
    load::Load,
    shop::{Process, Settings, Shop},
    table::say,
};

/// How often each process is asked how the shop is.
const EVERY: Duration = Duration::from_millis(500);
/// Orders a second, if nobody says; a burst has eight times as many.
const RATE: u32 = 50;

/// What was said of the shop.
#[derive(Default)]
struct Said {
    looks: usize,
    alarms: Vec<String>,
}

/// Asks a process for how the shop is, over and over; one that is not there is left out.
async fn listen(process: &Process, said: &Mutex<Said>, enough: &CancellationToken) {
    while enough.run_until_cancelled(sleep(EVERY)).await.is_some() {
        let Some(told) = process.status().await else { continue };
        let mut said = said.lock().unwrap();
        said.looks += 1;
        if !told.contains("All is well") && !told.contains("is shutting down") {
            said.alarms.push(format!("{} said {told}", process.name));
        }
    }
}

/// Replaces each process by one of another version, as an update does.
async fn update(shop: &Shop) {
    for process in shop.processes() {
        process.terminate().await;
        process.start().await;
        process.until_ready().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_SERVICES_DIR"]
async fn a_healthy_shop_is_never_said_to_be_wrong() {
    let _turn = crate::turn().await;
    let number = |name| variable(name).map(|text| text.parse::<u32>().expect(name));
    let rate = number("WOODY_FAULTS_RATE").unwrap_or(RATE);
    let lasts = number("WOODY_FAULTS_HEALTHY")
        .map_or(Duration::from_secs(3), |minutes| Duration::from_mins(minutes.into()));
    let world = World::open(&Settings::in_full()).await;
    let shop = &world.shop;
    let (said, enough) = (Mutex::default(), CancellationToken::new());
    let listening = join_all(shop.processes().map(|process| listen(process, &said, &enough)));
    let began = Instant::now();
    let course = async {
        let load = Load::start(shop, "healthy", rate);
        load.goes_on(rate as usize).await;
        say(&format!("[{:4} s] {lasts:?} of load", began.elapsed().as_secs()));
        sleep(lasts).await;
        say(&format!("[{:4} s] an update", began.elapsed().as_secs()));
        update(shop).await;
        say(&format!("[{:4} s] a burst", began.elapsed().as_secs()));
        let burst = Load::start(shop, "burst", rate * 8);
        burst.goes_on((rate * 8 * 5) as usize).await;
        let promised = [burst.end().await.promised(), load.end().await.promised()].concat();
        let caught_up = settled(&shop.database, &promised, ENDS_WITHIN).await;
        enough.cancel();
        (promised, caught_up)
    };
    let ((promised, caught_up), _) = tokio::join!(course, listening);
    let said = said.lock().unwrap();
    say(&format!(
        "{} orders in {} s, {} looks, {} false alarms",
        promised.len(),
        began.elapsed().as_secs(),
        said.looks,
        said.alarms.len()
    ));
    assert!(caught_up.is_some() && said.looks > 0);
    assert!(said.alarms.is_empty(), "\n{}", said.alarms.join("\n"));
}
