//! What sqlx does with nothing of ours around it.

use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use crate::figures::{Figures, Latencies};

/// Rows a second, 200 for each commit, over two connections.
pub async fn insert(postgres: &str, lasting: Duration) -> f64 {
    let mut connection = with_an_empty_table(postgres).await;
    let started = Instant::now();
    let (one, two) = tokio::join!(
        tokio::spawn(insert_until(postgres.to_owned(), started + lasting)),
        tokio::spawn(insert_until(postgres.to_owned(), started + lasting)),
    );
    let rows = one.unwrap() + two.unwrap();
    let rate = rows as f64 / started.elapsed().as_secs_f64();
    sqlx::query("DROP TABLE woody_load_raw").execute(&mut connection).await.unwrap();
    rate
}

async fn insert_until(postgres: String, until: Instant) -> u64 {
    let mut connection = PgConnection::connect(&postgres).await.unwrap();
    let (products, quantities) = (vec!["Train"; 200], vec![1; 200]);
    let mut rows = 0;
    while Instant::now() < until {
        let ids: Vec<Uuid> = (0..200).map(|_| Uuid::now_v7()).collect();
        let done = sqlx::query(
            "INSERT INTO woody_load_raw SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::int[])",
        )
        .bind(ids)
        .bind(&products)
        .bind(&quantities)
        .execute(&mut connection)
        .await
        .unwrap();
        rows += done.rows_affected();
    }
    rows
}

/// One row for each commit, over one connection.
pub async fn commit(postgres: &str, lasting: Duration) -> Figures {
    let mut connection = with_an_empty_table(postgres).await;
    let (started, mut latencies) = (Instant::now(), Latencies::new());
    while started.elapsed() < lasting {
        let asked = Instant::now();
        sqlx::query("INSERT INTO woody_load_raw VALUES ($1, 'Train', 1)")
            .bind(Uuid::now_v7())
            .execute(&mut connection)
            .await
            .unwrap();
        latencies.record(asked.elapsed());
    }
    let rate = latencies.count() as f64 / started.elapsed().as_secs_f64();
    sqlx::query("DROP TABLE woody_load_raw").execute(&mut connection).await.unwrap();
    Figures::rate(rate).with_latencies(&latencies)
}

async fn with_an_empty_table(postgres: &str) -> PgConnection {
    let mut connection = PgConnection::connect(postgres).await.unwrap();
    for statement in [
        "DROP TABLE IF EXISTS woody_load_raw",
        "CREATE TABLE woody_load_raw (id uuid PRIMARY KEY, product text NOT NULL, quantity int NOT NULL)",
    ] {
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }
    connection
}
