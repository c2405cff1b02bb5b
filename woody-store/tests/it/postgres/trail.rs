//! What the stories of orders are told from, beside programs that know of none.

use sqlx::Row;
use woody_core::domain::{Details, NewOrder, Outcome, Validation, now};
use woody_core::ports::{Decision, KeptIn};

use super::*;

/// As a schema was before there were stories.
const NO_STORIES: &str = "
    ALTER TABLE orders DROP COLUMN trail;
    ALTER TABLE orders DROP COLUMN trace;
    DROP TABLE failed_attempts;
    DELETE FROM _sqlx_migrations WHERE version >= 8";

/// What a program of that time ran when orders ended.
const OLD_FINISH: &str = "
    WITH ended AS (
        INSERT INTO orders AS o (id, details, accepted_at, status, reason, finished_at)
        SELECT id, details, accepted_at, status, reason, now()
        FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::text[])
          AS told (id, details, accepted_at, status, reason)
        ON CONFLICT (id) DO UPDATE
        SET status = excluded.status, reason = excluded.reason, finished_at = excluded.finished_at
        WHERE o.status = 'pending'
           OR o.status = 'failed' AND excluded.status IN ('success', 'rejected') AND o.id = ANY($6)
        RETURNING id, status, reason, finished_at
    ), noticed AS (
        INSERT INTO notices (subscription, order_id, status, reason, ended_at, due_at)
        SELECT name, id, status, reason, finished_at, now() FROM ended CROSS JOIN subscriptions
        ON CONFLICT DO NOTHING
    )
    SELECT id FROM ended";

/// Ends these orders as a program of that time does; redriven, as far as they have failed.
async fn old_finish(pg: &mut PgConnection, orders: &[&NewOrder<Details>]) {
    let ids: Vec<_> = orders.iter().map(|order| order.id.as_uuid()).collect();
    let ended: Vec<sqlx::types::Uuid> = sqlx::query_scalar(OLD_FINISH)
        .bind(&ids)
        .bind(orders.iter().map(|order| order.details.as_str()).collect::<Vec<_>>())
        .bind(orders.iter().map(|order| order.accepted_at).collect::<Vec<_>>())
        .bind(vec!["success"; orders.len()])
        .bind(vec![None::<&str>; orders.len()])
        .bind(&ids)
        .fetch_all(pg)
        .await
        .unwrap();
    assert_eq!(ended.len(), orders.len());
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn old_programs_and_new_ones_end_orders_of_one_store() {
    let (store, schema) = open().await;
    let new = orders(4);
    let [before, pending, redriven, by_the_old] = &new[..] else { unreachable!() };
    let _ = store.insert(&[before.clone(), pending.clone()], Duration::ZERO).await.unwrap();
    schema.run(format!("SET search_path = {}; {NO_STORIES}", schema.0)).await;
    let mut old = PgConnection::connect(&schema.url()).await.unwrap();
    old_finish(&mut old, &[before]).await;
    store.migrate().await.unwrap();

    let trail = async |order: &NewOrder<Details>| store.trail(order.id).await.unwrap().unwrap();
    assert_eq!((trail(before).await.kept, trail(before).await.ended_by), (None, None));
    assert_eq!(trail(pending).await.kept, Some(KeptIn::Store));
    let validation = Validation {
        worker: "w".into(),
        attempt: 5,
        redriven: false,
        taken_up_at: now(),
        took: Duration::from_millis(1),
    };
    let decision = |order: &NewOrder<Details>| Decision {
        order: order.clone(),
        outcome: Outcome::Failed("no answer".into()),
        redriven: false,
        validation: Some(validation.clone()),
    };
    let both = [decision(pending), decision(redriven)];
    assert_eq!(store.finish(&both).await.unwrap(), [Transition::Applied, Transition::Applied]);
    assert_eq!(trail(pending).await.ended_by, Some(validation.clone()));
    // The old program redrives it: what failed is not what it succeeded by.
    old_finish(&mut old, &[redriven, by_the_old]).await;
    let told = trail(redriven).await;
    assert_eq!((told.kept, told.ended_by), (Some(KeptIn::Broker), None));
    assert_eq!(told.attempts.len(), 1);
    assert_eq!((trail(by_the_old).await.kept, trail(by_the_old).await.ended_by), (None, None));
}

/// However many orders and attempts there are.
#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn a_trail_is_read_along_indexes() {
    let (_store, schema) = open().await;
    let mut pg = PgConnection::connect(&schema.url()).await.unwrap();
    pg.execute(
        "INSERT INTO failed_attempts
         SELECT gen_random_uuid(), now(), 'again', 1, '1 1 1 w', 'no answer'
         FROM generate_series(1, 20000);
         INSERT INTO outbox
         SELECT md5(i::text)::uuid, now() - i * interval '1 second', now(), ARRAY[md5(i::text)::uuid]
         FROM generate_series(1, 20000) AS i;
         ANALYZE failed_attempts; ANALYZE outbox",
    )
    .await
    .unwrap();
    for (sql, index) in [
        (
            "EXPLAIN SELECT at FROM failed_attempts
             WHERE order_id = '00000000-0000-0000-0000-000000000000' ORDER BY at LIMIT 50",
            "failed_attempts_pkey",
        ),
        (
            "EXPLAIN SELECT DISTINCT ON (order_id) order_id, at,
                    count(*) OVER (PARTITION BY order_id) AS attempts
             FROM failed_attempts WHERE order_id = ANY(ARRAY['00000000-0000-0000-0000-000000000000'::uuid])
             ORDER BY order_id, at DESC",
            "failed_attempts_pkey",
        ),
        (
            "EXPLAIN SELECT orders FROM outbox WHERE accepted_at <= now()
             ORDER BY accepted_at DESC, order_id DESC LIMIT 200",
            "outbox_oldest",
        ),
    ] {
        let plan = pg.fetch_all(sql).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert!(plan.contains(index) && !plan.contains("Seq Scan"), "{plan}");
    }
}
