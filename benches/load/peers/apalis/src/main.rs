//! An order service and its worker as people first write them with apalis: `apalis-shop serve ADDRESS`
//! pushes each order as a task into PostgreSQL, `apalis-shop work` takes tasks and writes their orders.

use std::{env, error::Error};

use apalis::prelude::*;
use apalis_postgres::{Config, PgPool, PostgresStorage};
use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Debug, Deserialize)]
struct Asked {
    product: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Order {
    order_id: Uuid,
    product: String,
}

type Storage = PostgresStorage<Order>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let pool = PgPool::connect(&env::var("PEER_POSTGRES")?).await?;
    PostgresStorage::setup(&pool).await?;
    let prefetch = env::var("PEER_PREFETCH")?.parse()?;
    let config =
        Config { batch_size: prefetch, ..Config::default() }.queue(&env::var("PEER_QUEUE")?);
    let storage: Storage = PostgresStorage::new(&pool).with_config(config);
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", address] => {
            let listener = tokio::net::TcpListener::bind(address).await?;
            let routes = Router::new().route("/api/orders", post(place)).with_state(storage);
            axum::serve(listener, routes).await?;
        }
        ["work"] => {
            let worker = WorkerBuilder::new(Uuid::now_v7().to_string())
                .backend(storage)
                .concurrency(prefetch)
                .data(pool)
                .build(save);
            worker.run().await?;
        }
        _ => return Err("usage: apalis-shop serve ADDRESS | work".into()),
    }
    Ok(())
}

async fn place(
    State(mut storage): State<Storage>,
    Json(Asked { product }): Json<Asked>,
) -> Result<(StatusCode, Json<Order>), StatusCode> {
    let order = Order { order_id: Uuid::now_v7(), product };
    let pushed = storage.push(order.clone()).await;
    pushed.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok((StatusCode::ACCEPTED, Json(order)))
}

async fn save(order: Order, pool: Data<PgPool>) -> Result<(), BoxDynError> {
    sqlx::query("INSERT INTO woody_load_peer VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(order.order_id)
        .bind(order.product)
        .execute(&*pool)
        .await?;
    Ok(())
}
