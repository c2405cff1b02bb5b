use serde_json::{Value, json};
use utoipa::openapi::{
    ArrayBuilder, Content, HttpMethod, ObjectBuilder, PathItem, Paths, PathsBuilder, RefOr,
    Required, ResponseBuilder, Type,
    path::{Parameter, ParameterStyle},
    schema::{KnownFormat, SchemaFormat, SchemaType},
};

use woody_core::domain::StatusName;

use super::{
    pages::{
        cancel_by_form, file, module, order_form, order_page, page, place_by_form, reference,
        workshop_page,
    },
    words::{
        BAD_QUERY, BAD_VALUE, FOREIGN, Told, array_of, get, header, in_header, in_path, json_of,
        name, query, text_like, typed, uuid, view, whole_number,
    },
};

const NOT_FOR_BROWSERS: (u16, &str) =
    (403, "A browser asks for a stranger's page, or without being asked.");
const SWITCHED_OFF: (u16, &str) = (405, "`GET`s that change state are switched off: use `POST`.");
const BODY: [(u16, &str); 6] = [
    (400, "The body is no JSON, or broke off; or there are parameters."),
    FOREIGN,
    (408, "The body took too long to arrive."),
    (413, "The body is larger than 64 KiB."),
    (415, "The body is not `application/json`, or it is compressed."),
    (501, "The body has a transfer coding other than `chunked`."),
];

/// Every path of every service.
pub(super) fn paths() -> Paths {
    PathsBuilder::new()
        .path("/api/ping", item(vec![ping()]))
        .path("/api/misc/time", item(vec![time()]))
        .path("/api/misc/heavy", item(vec![heavy()]))
        .path("/api/products", item(vec![page_or_add(), add_product()]))
        .path("/api/products/last", item(vec![last_product()]))
        .path("/api/products/{id}", item(vec![show_product()]))
        .path(
            "/api/orders",
            item(vec![
                order_status(),
                place_order(Some(json!({"product": "lion", "quantity": 3}))),
            ]),
        )
        .path("/api/orders/do", item(vec![place_by_get()]))
        .path(
            "/api/orders/batch",
            item(vec![place_orders(Some(json!([
                {"product": "lion", "quantity": 3, "idempotency_key": "cart-42"},
                {"product": "kite"},
            ])))]),
        )
        .path("/api/orders/list", item(vec![list_orders()]))
        .path("/api/orders/{id}", item(vec![show_order_or_its_page(), cancel_order()]))
        .path("/api/orders/{id}/events", item(vec![order_events()]))
        .path("/api/events", item(vec![events_of_orders()]))
        .path("/openapi.json", item(vec![document()]))
        .path("/asyncapi.json", item(vec![messages()]))
        .path("/", item(vec![page()]))
        .path("/docs", item(vec![reference()]))
        .path("/docs.css", item(vec![file("reference_style", "text/css")]))
        .path("/orders", item(vec![order_form(), place_by_form()]))
        .path("/orders/{id}", item(vec![order_page()]))
        .path("/orders/{id}/cancel", item(vec![cancel_by_form()]))
        .path("/workshop", item(vec![workshop_page()]))
        .path("/style.css", item(vec![file("style", "text/css")]))
        .path("/shop.js", item(vec![file("script", "text/javascript")]))
        .path("/order.js", item(vec![file("order_script", "text/javascript")]))
        .path("/workshop.js", item(vec![file("workshop_script", "text/javascript")]))
        .path("/shop/{module}", item(vec![module()]))
        .path("/favicon.svg", item(vec![file("icon", "image/svg+xml")]))
        .build()
}

/// The paths of an order service alone.
pub(super) fn order_paths() -> Paths {
    PathsBuilder::new()
        .path("/api/orders", item(vec![place_order(None)]))
        .path("/api/orders/batch", item(vec![place_orders(None)]))
        .path("/api/orders/list", item(vec![list_orders()]))
        .path("/api/orders/{id}", item(vec![show_order(), cancel_order()]))
        .path("/api/orders/{id}/events", item(vec![order_events()]))
        .path("/api/events", item(vec![events_of_orders()]))
        .path("/openapi.json", item(vec![document()]))
        .path("/asyncapi.json", item(vec![messages()]))
        .build()
}

fn item(operations: Vec<Told>) -> PathItem {
    let mut item = PathItem::default();
    for operation in operations {
        operation.item(&mut item);
    }
    item
}

fn ping() -> Told {
    get("misc", "ping", "Says ping")
        .about("It asks nothing else: neither the store nor the broker.")
        .answer("200", text_like("ping", "It is there.").build())
        .lines(&[BAD_QUERY])
}

fn time() -> Told {
    get("misc", "time", "Tells the time, UTC")
        .about("As Python writes a time, to the microsecond.")
        .answer("200", text_like("misc: 2026-11-23 19:12:00.123456", "The time.").build())
        .lines(&[BAD_QUERY])
}

fn heavy() -> Told {
    let answer = text_like(
        "2026-11-23 19:12:00.123456: Woody -lion- Woody",
        "The answer, in the form that `Accept` asks for.",
    )
    .content("application/json", Content::new(Some(view("HeavyView"))))
    .header("Cache-Status", header("As RFC 9211 has it.", Type::String));
    let answer = typed("image/svg+xml", None, answer);
    let answer = typed("image/vnd.dxf", None, typed("text/csv", None, answer));
    get("misc", "heavy", "Plans how a batch of a toy is cut")
        .about("Heavy work, remembered for a minute; the same question at the same time is answered once.")
        .parameter(query("name", Required::True, name(), "The toy."))
        .parameter(query("quantity", Required::False, whole_number(1, 1_000, Some(20)), "How many of it."))
        .answer("200", answer.build())
        .lines(&[BAD_QUERY, (406, "None of the forms is accepted."), BAD_VALUE])
}

fn page_or_add() -> Told {
    let answer =
        json_of("ProductPage", "A page; with `product`, as text, the name that was added.");
    get("products", "list_products", "Shows a page of products, newest first")
        .about(
            "A page of large products is shorter than `limit`; `next` goes on after it. \
                With `product` it adds one instead, as the original system did.",
        )
        .parameter(query("limit", Required::False, whole_number(1, 200, Some(20)), "How many."))
        .parameter(query(
            "after",
            Required::False,
            uuid(),
            "The cursor: `next` of the page before.",
        ))
        .parameter(query(
            "product",
            Required::False,
            name(),
            "Adds a product of this name; goes with no other parameter.",
        ))
        .answer("200", typed("text/plain", Some("kite"), answer).build())
        .problems(&[BAD_QUERY, NOT_FOR_BROWSERS, SWITCHED_OFF, BAD_VALUE])
}

fn add_product() -> Told {
    let example = json!({"name": "kite", "parts": [
        {"name": "wing", "width_mm": 300, "height_mm": 200, "count": 2, "grain": true},
    ]});
    let added = json_of("ProductView", "The product.")
        .header("Location", header("Where it is found.", Type::String));
    Told::new(HttpMethod::Post, "products", "add_product", "Adds a product")
        .about("It is there for every replica from now on. Several products may have one name.")
        .body("ProductToAdd", Some(example))
        .answer("201", added.build())
        .problems(&BODY)
        .problems(&[BAD_VALUE])
}

fn last_product() -> Told {
    let example = "db: 2026-11-23 19:12:00.123456 - 3 products (last=kite)";
    get("products", "last_product", "Counts the products and names the last")
        .about("As the original system did; `GET /api/products?limit=1` shows it as JSON.")
        .answer("200", text_like(example, "With none: `db: NOW - No product found`.").build())
        .lines(&[BAD_QUERY])
}

fn show_product() -> Told {
    get("products", "show_product", "Shows a product")
        .about("By its id, as `POST /api/products` returned it; a product never changes.")
        .parameter(in_path("id", uuid(), "The product."))
        .answer("200", json_of("ProductView", "The product.").build())
        .problems(&[BAD_QUERY, (404, "There is no such product."), BAD_VALUE])
}

fn order_status() -> Told {
    let example = "order \"0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f\": Success";
    get("orders", "order_status", "Tells how an order stands")
        .about("As the original system did; `GET /api/orders/{id}` shows it as JSON.")
        .parameter(query("order_id", Required::True, uuid(), "The order."))
        .answer(
            "200",
            text_like(
                example,
                "`Success`, `Pending`, `Cancelled`, `Rejected: WHY` or `Failed: WHY`.",
            )
            .build(),
        )
        .lines(&[BAD_QUERY, (404, "`order \"ID\": None`."), BAD_VALUE])
}

fn idempotency_key() -> Parameter {
    let key = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(255))
        .build();
    let about = "What the client calls this submit: sent twice, it is one order. Visible ASCII.";
    in_header("Idempotency-Key", key.into(), about)
}

fn place_order(example: Option<Value>) -> Told {
    let accepted = json_of("OrderReceipt", "The order is kept from now on.")
        .header("Location", header("Where it is found.", Type::String))
        .header(
            "Idempotency-Replayed",
            header("`true` when the key had placed this order before.", Type::String),
        );
    Told::new(HttpMethod::Post, "orders", "place_order", "Places an order")
        .about(
            "It is durable once it is answered with 202, and validated afterwards. Without an \
                `Idempotency-Key`, an order that is sent twice is two.",
        )
        .parameter(idempotency_key())
        .body("OrderToPlace", example)
        .answer("202", accepted.build())
        .problems(&BODY)
        .problems(&[(422, "A value that cannot be, or a key that placed another order.")])
}

fn place_orders(example: Option<Value>) -> Told {
    let told = ResponseBuilder::new()
        .description("What became of each order, in their order. The others are kept whatever becomes of one.")
        .content("application/json", Content::new(Some(array_of("PlacedItem"))));
    Told::new(HttpMethod::Post, "orders", "place_orders", "Places up to 500 orders at once")
        .about(
            "Each is accepted as `POST /api/orders` would accept it, and answered by itself. An \
                item is what that route takes, with the key as a field, `idempotency_key`. Of items \
                with one key the first counts.",
        )
        .body_of(array_of("OrderInBatch"), example)
        .answer("200", told.build())
        .problems(&BODY)
        .problems(&[
            (400, "The body is no JSON, or broke off, or a batch of nothing; or there are parameters."),
            (413, "The body is larger than 1 MiB, or has more than 500 orders."),
            (422, "The body is no array; or there is an `Idempotency-Key` for all of it."),
        ])
}

fn place_by_get() -> Told {
    let example = "Your process 0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f \
                   has been created with this product : lion";
    get("orders", "place_order_by_get", "Places an order of one piece")
        .about("As the original system did. `POST /api/orders` is the better way.")
        .parameter(query("order", Required::False, name(), "The product."))
        .parameter(query("product", Required::False, name(), "The same; one of both is needed."))
        .parameter(idempotency_key())
        .answer("200", text_like(example, "The order is kept from now on.").build())
        .lines(&[BAD_QUERY, NOT_FOR_BROWSERS, SWITCHED_OFF, BAD_VALUE])
}

fn list_orders() -> Told {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let time = || text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).build();
    let status = text().enum_values(Some(StatusName::ALL.map(StatusName::as_str))).build();
    let page = ObjectBuilder::new()
        .property("orders", array_of("OrderView"))
        .property(
            "next",
            ObjectBuilder::new()
                .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
                .build(),
        )
        .required("orders")
        .required("next")
        .build();
    let listed = ResponseBuilder::new()
        .description("Its orders, and what to pass as `after` for the next page; null on the last.")
        .content("application/json", Content::new(Some(page)));
    get("orders", "list_orders", "Lists what the client has placed, the oldest first")
        .about(
            "Of the client whose key the request shows, wherever it placed them. An order that was \
                accepted while the store was away turns up once it is written.",
        )
        .parameter(query("status", Required::False, status.into(), "Only those that stand so."))
        .parameter(query("since", Required::False, time().into(), "Accepted then or later."))
        .parameter(query("until", Required::False, time().into(), "Accepted before."))
        .parameter(query(
            "after",
            Required::False,
            text().build().into(),
            "`next` of the page before.",
        ))
        .parameter(query("limit", Required::False, whole_number(1, 500, Some(100)), "How many."))
        .answer("200", listed.build())
        .problems(&[BAD_QUERY, (401, "There is no key with it."), BAD_VALUE])
}

fn show_order() -> Told {
    get("orders", "show_order", "Shows an order")
        .about(
            "With `wait` it is shown once it has ended, or as it is when that time is over. Such a \
                response begins at once; spaces before the JSON show that it is still awaited.",
        )
        .parameter(in_path("id", uuid(), "The order."))
        .parameter(query(
            "wait",
            Required::False,
            whole_number(0, 60, Some(0)),
            "How long to wait for the order to end, in seconds.",
        ))
        .answer(
            "200",
            json_of(
                "OrderView",
                "The order; one that will never change has an `ETag`, and may be kept.",
            )
            .build(),
        )
        .answer("304", ResponseBuilder::new().description("The client's copy is the same.").build())
        .problems(&[BAD_QUERY, (404, "There is no such order."), BAD_VALUE])
}

/// The shop's orders have a page each.
fn show_order_or_its_page() -> Told {
    let page = ResponseBuilder::new()
        .description("To a browser that is led there, which likes HTML best: the order's page.")
        .header("Location", header("`/orders/{id}`.", Type::String));
    show_order().answer("303", page.build())
}

fn cancel_order() -> Told {
    Told::new(HttpMethod::Delete, "orders", "cancel_order", "Cancels an order")
        .about(
            "An order that is pending is cancelled, for good: it is not validated, unless that is \
                under way, and no verdict changes it. Asked again, it is told the same.",
        )
        .parameter(in_path("id", uuid(), "The order."))
        .answer("200", json_of("OrderView", "The order, which is cancelled.").build())
        .problems(&[
            BAD_QUERY,
            FOREIGN,
            (404, "There is no such order."),
            (409, "It has ended in another way before, and stays so."),
            BAD_VALUE,
        ])
}

fn order_events() -> Told {
    let example =
        "event: status\nid: success\ndata: {\"order_id\":\"…\",\"status\":\"success\"}\n\n";
    let stream = ResponseBuilder::new().description(
        "Server-sent events named `status`, their data an `OrderView` as JSON, their id the \
         status: how it stands now, then each change. Ends after a final one, or when the client \
         shuts down its sending side.",
    );
    let seen = ObjectBuilder::new().schema_type(Type::String).build();
    let end = "The client has seen the final status: there is nothing to come.";
    get("orders", "order_events", "Follows an order")
        .about("From any replica, whichever accepted the order.")
        .parameter(in_path("id", uuid(), "The order."))
        .parameter(in_header(
            "Last-Event-ID",
            seen.into(),
            "The last status that the client has seen; an `EventSource` sends it by itself, and \
             stops when it is told 204.",
        ))
        .answer("200", typed("text/event-stream", Some(example), stream).build())
        .answer("204", ResponseBuilder::new().description(end).build())
        .problems(&[
            BAD_QUERY,
            (404, "There is no such order."),
            BAD_VALUE,
            (503, "Too many follow orders, or too many from this address."),
        ])
}

fn events_of_orders() -> Told {
    let example =
        "event: status\nid: 5f3a9c1e-.s\ndata: {\"order_id\":\"…\",\"status\":\"success\"}\n\n";
    let stream = ResponseBuilder::new().description(
        "Server-sent events named `status`, their data an `OrderView` as JSON: how each order \
         stands now, then each change of any. Ends when all have ended.",
    );
    let ids = ArrayBuilder::new().items(RefOr::T(uuid())).min_items(Some(1)).max_items(Some(100));
    let seen = ObjectBuilder::new().schema_type(Type::String).build();
    let end = "The client has seen how each order ended: there is nothing to come.";
    let mut list =
        query("ids", Required::True, ids.build().into(), "The orders, parted by commas.");
    (list.style, list.explode) = (Some(ParameterStyle::Form), Some(false));
    get("orders", "events_of_orders", "Follows several orders by one stream")
        .about(
            "An event's id says which ends the client has seen: a number for the list of orders, \
                and for each order in its place a letter: `s` for a success, `r` for rejected, \
                `f` for failed, `c` for cancelled, a dot while it is pending. Who comes again with \
                the same list and the last id is sent no end twice, and misses none.",
        )
        .parameter(list)
        .parameter(in_header(
            "Last-Event-ID",
            seen.into(),
            "The id of the last event that the client has seen; an `EventSource` sends it by \
             itself, and stops when it is told 204.",
        ))
        .answer("200", typed("text/event-stream", Some(example), stream).build())
        .answer("204", ResponseBuilder::new().description(end).build())
        .problems(&[
            BAD_QUERY,
            (404, "There is no such order, of one of them."),
            (422, "An id that is none or stands twice, no id, or more than 100."),
            (503, "Too many follow orders, or too many from this address."),
        ])
}

fn document() -> Told {
    let any = ObjectBuilder::new().schema_type(Type::Object).build();
    let answer = ResponseBuilder::new()
        .description("OpenAPI 3.1.")
        .content("application/json", Content::new(Some(any)));
    get("misc", "openapi", "Shows this document")
        .about("Of a service that is mounted below a path, its servers say so.")
        .answer("200", answer.build())
        .problems(&[])
}

fn messages() -> Told {
    let any = ObjectBuilder::new().schema_type(Type::Object).build();
    let answer = ResponseBuilder::new()
        .description("AsyncAPI 3.1.")
        .content("application/json", Content::new(Some(any)));
    get("misc", "asyncapi", "Shows the document of messages")
        .about("What goes over the queue, what those that follow orders are told, and what webhooks are sent.")
        .answer("200", answer.build())
        .answer("304", ResponseBuilder::new().description("The client's copy is the same.").build())
        .problems(&[])
}
