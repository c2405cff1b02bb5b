//! Orders that end every worker that validates them, and a supervisor that starts the
//! workers again, as Swarm does.

use std::{collections::BTreeSet, pin::pin};

use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::{
    evidence::{ENDS_WITHIN, settled},
    raw::Raw,
    shop::Shop,
    validator::DEADLY,
};

const ORDERS: usize = 2;

const FAILED_OF_IT: &str = "
    SELECT count(*) FROM orders
    WHERE id = ANY($1) AND status = 'failed' AND reason LIKE 'its worker died%'";

/// Puts deadly orders on the queue, and kills each worker that validates one, until
/// they have ended.
pub async fn kill_until_they_end(shop: &Shop) {
    let mut dying = shop.validator.dying();
    let ids: Vec<Uuid> = (0..ORDERS).map(|_| Uuid::now_v7()).collect();
    let raw = Raw::connect(&shop.broker).await;
    raw.publish(ids.iter().map(|id| shop.orders.message(*id, DEADLY))).await;
    let mut settling = pin!(settled(&shop.database, &ids, ENDS_WITHIN));
    loop {
        let first = tokio::select! {
            ended = &mut settling => {
                assert!(ended.is_some(), "deadly orders are handed out for ever");
                break;
            }
            who = dying.recv() => who.unwrap(),
        };
        // A worker that holds two of them dies once.
        let mut all = BTreeSet::from([first]);
        while let Ok(other) = dying.try_recv() {
            all.insert(other);
        }
        for worker in shop.workers.iter().filter(|worker| all.contains(&worker.name)) {
            worker.kill().await;
            worker.start().await;
        }
    }
    let mut connection = PgConnection::connect(&shop.database).await.unwrap();
    let failed: i64 =
        sqlx::query_scalar(FAILED_OF_IT).bind(&ids).fetch_one(&mut connection).await.unwrap();
    assert_eq!(usize::try_from(failed).unwrap(), ORDERS, "they have ended otherwise");
}
