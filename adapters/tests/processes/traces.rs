//! One trace from a request to the webhook of its order's end, as a collector gets it.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::mpsc::{Receiver, channel},
};

use http_body_util::Full;
use hyper::Request;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::any_value::Value,
    trace::v1::{Span, span::SpanKind},
};
use prost::Message;
use serde_json::json;
use testkit::{
    client::{ended, get, place, send},
    proxy::{Line, Proxy},
    servers::{Database, VirtualHost},
    service::{Service, Start},
    waiting::{PATIENCE, until},
};
use url::Url;

use crate::four_services::start;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A request as it came: its headers in lower case, and its body.
struct Post {
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

fn take(stream: TcpStream) -> std::io::Result<Post> {
    let (mut stream, mut headers) = (BufReader::new(stream), BTreeMap::new());
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        match line.trim().split_once(": ") {
            Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.to_owned()),
            None if line.trim().is_empty() => break,
            None => None,
        };
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    stream.read_exact(&mut body)?;
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.get_mut().write_all(answer)?;
    Ok(Post { headers, body })
}

/// A receiver of posts, for as long as the test runs: its address, and what it gets.
fn receive() -> (String, Receiver<Post>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (told, received) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if let Ok(post) = stream.and_then(take) {
                let _ = told.send(post);
            }
        }
    });
    (address, received)
}

/// All spans that a collector has got by now, each with its service.
fn spans(collected: &Receiver<Post>) -> Vec<(String, Span)> {
    let mut all = Vec::new();
    for post in collected.try_iter() {
        let request = ExportTraceServiceRequest::decode(&*post.body).unwrap();
        for of_service in request.resource_spans {
            let resource = of_service.resource.unwrap();
            let service = resource.attributes.iter().find(|pair| pair.key == "service.name");
            let service = service.and_then(|pair| pair.value.clone()?.value);
            let Some(Value::StringValue(service)) = service else { panic!("{service:?}") };
            let spans = of_service.scope_spans.into_iter().flat_map(|scope| scope.spans);
            all.extend(spans.map(|span| (service.clone(), span)));
        }
    }
    all
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn number(span: &Span, key: &str) -> i64 {
    let pair = span.attributes.iter().find(|pair| pair.key == key);
    match pair.and_then(|pair| pair.value.clone()?.value) {
        Some(Value::IntValue(number)) => number,
        other => panic!("{key} of {}: {other:?}", span.name),
    }
}

fn with_webhook(start: Start, folder: &Path, receiver: &str) -> Start {
    let secret = folder.join("secret");
    std::fs::write(&secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
    start
        .env("WOODY_WEBHOOK_URL", format!("http://{receiver}/hooks"))
        .env("WOODY_WEBHOOK_SECRET_FILE", secret.to_str().unwrap())
        .env("WOODY_WEBHOOK_ALLOW_PRIVATE", "on")
        .env("WOODY_WEBHOOK_ALLOW_HTTP", "on")
}

async fn place_traced(service: &Service, traceparent: &str) -> String {
    let request = Request::post("/api/orders")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .header("traceparent", traceparent)
        .body(Full::from(r#"{"product":"Train"}"#))
        .unwrap();
    let answer = send(service.address, request).await.unwrap();
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.json()["order_id"].as_str().unwrap().to_owned()
}

async fn story(service: &Service, id: &str) -> serde_json::Value {
    get(service.admin, &format!("/orders/{id}/story")).await.unwrap().json()
}

async fn end(service: Service) {
    service.terminate();
    assert_eq!(service.ended().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_POSTGRES_URL and WOODY_TEST_AMQP_URL"]
async fn one_trace_goes_from_the_request_to_the_webhook_through_an_outage_of_the_broker() {
    let (database, host) = (Database::create().await, VirtualHost::create());
    let (folder, (collector, collected)) = (tempfile::tempdir().unwrap(), receive());
    let (receiver, told) = receive();
    let mut broker = Url::parse(&host.url).unwrap();
    let target = (broker.host_str().unwrap(), broker.port().unwrap());
    let target = tokio::net::lookup_host(target).await.unwrap().next().unwrap();
    let line = Proxy::to(target).await;
    broker.set_host(Some("127.0.0.1")).unwrap();
    broker.set_port(Some(line.address.port())).unwrap();
    let traced = |name: &str| {
        let start = start(name, &database.url, broker.as_str());
        let start = start.env("WOODY_TRACE_URL", format!("http://{collector}"));
        start.env("WOODY_TRACE_SAMPLE", "0").env("WOODY_RETRY_BASE", "10ms")
    };
    let order = start_order(traced("order-service")).await;
    let worker = with_webhook(traced("order-worker"), folder.path(), &receiver);
    let worker = worker.env("WOODY_VALIDATION", "none").ready().await;

    line.set(Line::Reset);
    let id = place_traced(&order, &format!("00-{TRACE}-{PARENT}-01")).await;
    let waiting = story(&order, &id).await;
    assert_eq!((&waiting["trace_id"], &waiting["status"]), (&json!(TRACE), &json!("pending")));
    assert_eq!(waiting["events"][1]["event"], "unpublished", "{waiting}");
    // What is malformed names no trace, and one that its client does not record is not recorded.
    let malformed = place_traced(&order, &format!("00-{TRACE}-{PARENT}")).await;
    assert_eq!(story(&order, &malformed).await["trace_id"], json!(null));
    let unrecorded = TRACE.replace('4', "5");
    let other = place_traced(&order, &format!("00-{unrecorded}-{PARENT}-00")).await;
    assert_eq!(story(&order, &other).await["trace_id"], json!(unrecorded));
    line.set(Line::Open);

    let mut notified = BTreeMap::new();
    while notified.len() < 3 {
        let post = told.recv_timeout(PATIENCE).expect("every end is told");
        let of = post.headers["webhook-id"].split('_').next().unwrap().to_owned();
        notified.insert(of, post.headers.get("traceparent").cloned());
    }
    for placed in [&id, &malformed, &other] {
        assert_eq!(ended(order.address, placed).await, "success");
    }
    assert_eq!(story(&order, &id).await["trace_id"], TRACE);
    // Each sends its last spans before it ends.
    end(worker).await;
    end(order).await;

    let spans = spans(&collected);
    let named = |name: &str| {
        let mut found = spans.iter().filter(|(_, span)| span.name == name);
        // A message that was doubled by the outage is dealt with more than once.
        found.next_back().unwrap_or_else(|| panic!("{name} is missing: {spans:?}"))
    };
    for (_, span) in &spans {
        assert_eq!(hex(&span.trace_id), TRACE, "{span:?}");
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano, "{span:?}");
    }
    let (request, process) = (&named("POST /api/orders").1, &named("process").1);
    assert_eq!(hex(&request.parent_span_id), PARENT);
    assert_eq!(number(request, "http.response.status_code"), 202);
    let published: Vec<_> = spans.iter().filter(|(_, span)| span.name == "publish").collect();
    assert!(published.iter().all(|(_, span)| span.parent_span_id == request.span_id));
    assert!(published.iter().any(|(_, span)| span.span_id == process.parent_span_id));
    assert!(number(process, "woody.queue.wait_ms") >= 0);
    for (name, service, kind, parent) in [
        ("POST /api/orders", "order-service", SpanKind::Server, None),
        ("publish", "order-service", SpanKind::Producer, Some(request)),
        ("process", "order-worker", SpanKind::Consumer, None),
        ("validate", "order-worker", SpanKind::Internal, Some(process)),
        ("save", "order-worker", SpanKind::Internal, Some(process)),
        ("notify", "order-worker", SpanKind::Client, Some(request)),
    ] {
        let (of, span) = named(name);
        assert_eq!((of.as_str(), span.kind()), (service, kind), "{name}");
        if let Some(parent) = parent {
            assert_eq!(hex(&span.parent_span_id), hex(&parent.span_id), "{name}");
        }
    }
    let notify = hex(&named("notify").1.span_id);
    assert_eq!(notified[&id], Some(format!("00-{TRACE}-{notify}-01")));
    assert_eq!(notified[&malformed], None);
    assert_eq!(notified[&other], Some(format!("00-{unrecorded}-{PARENT}-00")));
    database.drop().await;
}

async fn start_order(start: Start) -> Service {
    let order = start.ready().await;
    until("the schema is there", async || {
        let checks = get(order.admin, "/readyz").await.unwrap().json();
        checks["checks"]["schema"]["ok"] == true
    })
    .await;
    order
}

/// The queue in SQLite keeps no headers.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_a_request_without_a_trace_begins_one_that_is_told_with_its_end() {
    let (folder, (collector, collected)) = (tempfile::tempdir().unwrap(), receive());
    let (receiver, told) = receive();
    let shop = with_webhook(Start::of("woodytoys"), folder.path(), &receiver)
        .current_dir(folder.path())
        .env("WOODY_TRACE_URL", format!("http://{collector}/"))
        .env("WOODY_TRACE_SAMPLE", "1")
        .ready()
        .await;
    let id = place(shop.address, "Train").await;
    let told = told.recv_timeout(PATIENCE).expect("its end is told");
    let trace = story(&shop, &id).await["trace_id"].as_str().unwrap().to_owned();
    assert!(told.headers["traceparent"].starts_with(&format!("00-{trace}-")));
    end(shop).await;
    let spans = spans(&collected);
    let mut names: Vec<_> = spans
        .iter()
        .filter(|(_, span)| hex(&span.trace_id) == trace)
        .map(|(_, span)| span.name.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["POST /api/orders", "notify", "process", "publish", "save", "validate"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_unavailable_holds_up_no_order_and_no_shutdown() {
    // It takes connections and says nothing; nothing listens at port 1.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for collector in [silent.local_addr().unwrap().to_string(), "127.0.0.1:1".to_owned()] {
        let folder = tempfile::tempdir().unwrap();
        let shop = Start::of("woodytoys")
            .current_dir(folder.path())
            .env("WOODY_TRACE_URL", format!("http://{collector}"))
            .env("WOODY_TRACE_SAMPLE", "1")
            .ready()
            .await;
        let places = (0..20).map(|n| {
            let address = shop.address;
            async move { place(address, &format!("Train {n}")).await }
        });
        for id in futures::future::join_all(places).await {
            assert_eq!(ended(shop.address, &id).await, "success");
        }
        end(shop).await;
    }
}
