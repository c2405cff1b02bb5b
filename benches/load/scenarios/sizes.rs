//! The same loads on empty tables and on full ones: nothing on a request's way may grow with
//! what the shop has kept.

use sqlx::{Connection as _, PgConnection};

use super::{Row, Setting, limits};
use crate::{
    client::{Seen, get, one_after_another, order},
    cost::Cost,
    figures::Figures,
    services::{Servers, Shop, product_service},
};

/// Orders that ended over the last days, with ids of their times as the shop gives them.
const FILL_ORDERS: &str = "
    INSERT INTO orders (id, details, status, accepted_at, finished_at)
    SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint - 20 * nth), 12, '0')
            || '7' || substr(md5(nth::text), 1, 3) || '8' || substr(md5(nth::text), 4, 15))::uuid,
           '{\"product\":\"train\",\"quantity\":3}', 'success',
           now() - nth * interval '20 ms', now() - nth * interval '20 ms' + interval '1 s'
    FROM generate_series($1::bigint, 1, -1) AS nth";
const FILL_PRODUCTS: &str = "
    WITH added AS (
        INSERT INTO products (id, name, parts, created_at)
        SELECT gen_random_uuid(), 'Toy ' || nth, '[]', now() FROM generate_series(1, $1::bigint) AS nth)
    INSERT INTO product_counts AS counts (slot, added) SELECT 0, $1::bigint
    ON CONFLICT (slot) DO UPDATE SET added = counts.added + $1::bigint";

/// Products of a shop that has just opened.
const FEW: u64 = 10;

pub async fn measure(setting: Setting) -> Vec<Row> {
    let shop = Shop::open(&setting.servers).await;
    let products = product_service(&setting.servers).await;
    fill(&setting.servers, 0, FEW).await;
    let ask_last = async || {
        one_after_another(products.address, get("/api/products/last"), 64, setting.lasting).await
    };
    let (empty, empty_rows) = load(&setting, &shop, "empty tables", None).await;
    let last = ask_last().await;
    let mut rows = empty_rows;
    rows.push(Row::new("the newest product, few", None, last.figures()));

    let many = setting.orders / 10;
    fill(&setting.servers, setting.orders, many).await;
    let full = format!("{} orders and {many} products", setting.orders);
    let (_, full_rows) = load(&setting, &shop, &full, Some(&empty)).await;
    rows.extend(full_rows);
    let among_many = ask_last().await;
    let of_few = among_many.per_second() / last.per_second();
    let figures = among_many.figures().with("of few", of_few);
    rows.push(Row::new("the newest product, many", None, figures));
    products.stop();
    shop.close();
    empty_again(&setting.servers).await;
    rows
}

/// What was reached a second: accepted, shown.
struct Reached {
    accepted: f64,
    shown: f64,
}

async fn load(
    setting: &Setting,
    shop: &Shop,
    size: &str,
    empty: Option<&Reached>,
) -> (Reached, Vec<Row>) {
    let address = shop.orders.address;
    one_after_another(address, order(), 64, setting.lasting / 5).await;
    shop.wait_until_published().await;
    let cost = Cost::begin(&setting.servers.postgres).await;
    let seen = one_after_another(address, order(), 64, setting.lasting).await;
    shop.wait_until_published().await;
    let of_empty = |seen: &Seen, figures: Figures, empty: Option<f64>| match empty {
        Some(empty) => figures.with("of empty", seen.per_second() / empty),
        None => figures,
    };
    let figures = cost.of(seen.good, seen.figures()).await;
    let figures = of_empty(&seen, figures, empty.map(|empty| empty.accepted));
    let accept = Row::new(format!("accept, {size}"), Some(limits::PUBLISHES), figures);
    let path = format!("/api/orders/{}", shop.any_order().await);
    let shown = one_after_another(address, get(&path), 64, setting.lasting).await;
    let figures = of_empty(&shown, shown.figures(), empty.map(|empty| empty.shown));
    let of_hello = Some(limits::HELLO);
    let one_shown = Row::new(format!("an order shown, {size}"), of_hello, figures);
    let reached = Reached { accepted: seen.per_second(), shown: shown.per_second() };
    (reached, vec![accept, one_shown])
}

async fn fill(servers: &Servers, orders: u64, products: u64) {
    let mut connection = PgConnection::connect(&servers.postgres).await.unwrap();
    for (statement, rows) in [(FILL_ORDERS, orders), (FILL_PRODUCTS, products)] {
        let rows = i64::try_from(rows).unwrap();
        sqlx::query(statement).bind(rows).execute(&mut connection).await.unwrap();
    }
    // What a bulk load leaves to do later is not of the tables' size.
    sqlx::query("VACUUM (ANALYZE) orders, products").execute(&mut connection).await.unwrap();
    let _ = sqlx::query("CHECKPOINT").execute(&mut connection).await;
}

async fn empty_again(servers: &Servers) {
    let mut connection = PgConnection::connect(&servers.postgres).await.unwrap();
    let truncate = "TRUNCATE orders, outbox, products, product_counts";
    sqlx::query(truncate).execute(&mut connection).await.unwrap();
}
