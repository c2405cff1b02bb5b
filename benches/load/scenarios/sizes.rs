//! The same loads on empty tables, on full ones and beside a long queue: nothing on a request's
//! way may grow with what the shop keeps.

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use super::{Row, Setting, limits, process::orders_that_wait};
use crate::{
    client::{get, one_after_another, order, post},
    cost::Cost,
    figures::Figures,
    services::{Servers, Service, Shop, product_service},
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
        SELECT gen_random_uuid(), 'Toy ' || nth, '[]', now() - nth * interval '1 s'
        FROM generate_series($1::bigint, 1, -1) AS nth)
    INSERT INTO product_counts AS counts (slot, added) SELECT 0, $1::bigint
    ON CONFLICT (slot) DO UPDATE SET added = counts.added + $1::bigint";

/// One of the products, with as many before it as after it.
const IN_THE_MIDDLE: &str = "
    SELECT id FROM products ORDER BY created_at, id OFFSET (SELECT count(*) / 2 FROM products) LIMIT 1";

/// Products of a shop that has just opened: some pages.
const FEW: u64 = 100;
/// Clients of the shop that ask at once.
const CLIENTS: usize = 64;
/// Operators that do.
const OPERATORS: usize = 4;
/// The same load by clients that are many, for what is to be queued.
const MANY_CLIENTS: usize = 256;

pub async fn measure(setting: Setting) -> Vec<Row> {
    let shop = Shop::open(&setting.servers).await;
    let products = product_service(&setting.servers).await;
    let mut sizes = Sizes { setting: &setting, shop, products, empty: HashMap::new() };

    fill(&setting.servers, 0, FEW).await;
    let mut rows = sizes.load("empty tables", Duration::MAX).await;
    let many = setting.orders / 10;
    fill(&setting.servers, setting.orders, many).await;
    let full = format!("{} orders and {many} products", setting.orders);
    rows.extend(sizes.load(&full, Duration::MAX).await);
    sizes.queue(many).await;
    let queued = format!("{full}, {many} queued");
    rows.extend(sizes.load(&queued, setting.lasting).await);

    // What is left belongs to nobody, and is not measured.
    let worker = sizes.worker().await;
    sizes.shop.wait_until_ended().await;
    worker.stop();
    sizes.products.stop();
    sizes.shop.close().await;
    empty_again(&setting.servers).await;
    rows
}

struct Sizes<'a> {
    setting: &'a Setting,
    shop: Shop,
    products: Service,
    /// What the loads reached on empty tables.
    empty: HashMap<&'static str, Figures>,
}

/// A request that is asked over and over.
struct Load {
    name: &'static str,
    to: SocketAddr,
    request: Vec<u8>,
    clients: usize,
    limit: Option<&'static str>,
}

impl Sizes<'_> {
    /// Every load, at this size; orders are processed for so long at most.
    async fn load(&mut self, size: &str, at_most: Duration) -> Vec<Row> {
        let lasting = self.setting.lasting;
        // Connections, plans of statements and pages, before anything counts.
        one_after_another(self.shop.orders.address, order(), CLIENTS, lasting / 5).await;
        self.shop.wait_until_published().await;
        let mut rows = Vec::new();
        for load in self.loads().await {
            let cost = Cost::begin(&self.setting.servers.postgres).await;
            let seen = one_after_another(load.to, load.request, load.clients, lasting).await;
            self.shop.wait_until_published().await;
            let figures = cost.of(seen.good, seen.figures()).await;
            rows.push(self.row(load.name, size, load.limit, figures));
        }
        let processed = orders_that_wait(self.setting, &self.shop, at_most).await;
        rows.push(self.row("process", size, Some(limits::CONSUMES), processed));
        rows
    }

    async fn loads(&self) -> Vec<Load> {
        let (shop, products) = (&self.shop.orders, &self.products);
        let an_order = self.shop.any_order().await;
        let a_product: Uuid = self.setting.servers.any(IN_THE_MIDDLE).await;
        let asked = |name, to, path: &str, clients| {
            let limit = (clients == CLIENTS).then_some(limits::HELLO);
            Load { name, to, request: get(path), clients, limit }
        };
        let client = |name, to, path: &str| asked(name, to, path, CLIENTS);
        let operator = |name, path: &str| asked(name, shop.admin, path, OPERATORS);
        let written =
            |name, to, request, limit| Load { name, to, request, clients: CLIENTS, limit };
        let product = post("/api/products", r#"{"name": "Kite"}"#);
        vec![
            written("accept", shop.address, order(), Some(limits::PUBLISHES)),
            client("an order shown", shop.address, &format!("/api/orders/{an_order}")),
            client("the newest product", products.address, "/api/products/last"),
            client("a product shown", products.address, &format!("/api/products/{a_product}")),
            client("a page of products", products.address, "/api/products"),
            client(
                "a page of products from the middle on",
                products.address,
                &format!("/api/products?after={a_product}"),
            ),
            written("a product added", products.address, product, None),
            operator("operators' list of pending orders", "/orders?status=pending"),
            operator("an order's story", &format!("/orders/{an_order}/story")),
            operator("what changes of the console", "/console/live"),
            operator("metrics", "/metrics"),
        ]
    }

    async fn worker(&self) -> Service {
        let prefetch = self.setting.prefetch.to_string();
        let settings = [("WOODY_VALIDATION", "none"), ("WOODY_PREFETCH", prefetch.as_str())];
        self.shop.worker(&settings).await
    }

    /// Places orders until so many are pending.
    async fn queue(&self, orders: u64) {
        while self.shop.pending().await.unsigned_abs() < orders {
            let (address, lasting) = (self.shop.orders.address, self.setting.lasting);
            one_after_another(address, order(), MANY_CLIENTS, lasting).await;
        }
        self.shop.wait_until_published().await;
        settle(&self.setting.servers).await;
    }

    fn row(
        &mut self,
        name: &'static str,
        size: &str,
        limit: Option<&'static str>,
        mut figures: Figures,
    ) -> Row {
        if let Some(empty) = self.empty.get(name) {
            for (figure, of_empty) in [(Figures::RATE, "of empty"), ("p99 ms", "p99 of empty")] {
                if let (Some(now), Some(then)) = (figures.0.get(figure), empty.0.get(figure)) {
                    let ratio = now / then;
                    figures = figures.with(of_empty, ratio);
                }
            }
        } else {
            self.empty.insert(name, figures.clone());
        }
        Row::new(format!("{name}, {size}"), limit, figures)
    }
}

async fn fill(servers: &Servers, orders: u64, products: u64) {
    let mut connection = PgConnection::connect(&servers.postgres).await.unwrap();
    for (statement, rows) in [(FILL_ORDERS, orders), (FILL_PRODUCTS, products)] {
        let rows = i64::try_from(rows).unwrap();
        sqlx::query(statement).bind(rows).execute(&mut connection).await.unwrap();
    }
    settle(servers).await;
}

/// What many rows at once leave to do later is not of the tables' size.
async fn settle(servers: &Servers) {
    let mut connection = PgConnection::connect(&servers.postgres).await.unwrap();
    sqlx::query("VACUUM (ANALYZE) orders, products").execute(&mut connection).await.unwrap();
    let _ = sqlx::query("CHECKPOINT").execute(&mut connection).await;
}

async fn empty_again(servers: &Servers) {
    let mut connection = PgConnection::connect(&servers.postgres).await.unwrap();
    let truncate = "TRUNCATE orders, outbox, products, product_counts";
    sqlx::query(truncate).execute(&mut connection).await.unwrap();
}
