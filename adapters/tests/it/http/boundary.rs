//! What surrounds every service, around one that does nothing well.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{io::AsyncWriteExt, net::TcpStream, sync::Notify};
use woody_adapters::http::{
    Body, ConcurrencyLimit, Failure, RateLimit, Response, Route, RoutedRequest, Routes,
    ServerLimits, ServiceSettings, service,
};

use super::{
    client::{FOREVER, request, rest, send},
    shop::{drain, serve_here},
};

/// A service that panics, or waits until it is let go.
pub(super) struct Probe {
    pub(super) entered: Arc<Notify>,
    pub(super) leave: Arc<Notify>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Action {
    Panic,
    Wait,
}

const TABLE: &[Route<Action>] =
    &[Route::get("/panic", Action::Panic), Route::text("/wait", Action::Wait)];

impl Routes for Probe {
    type Action = Action;

    const SERVICE: &'static str = "probe";

    fn table() -> &'static [Route<Action>] {
        TABLE
    }

    async fn handle(&self, request: &RoutedRequest<Action>) -> Result<Response, Failure> {
        match request.action {
            Action::Panic => panic!("the probe was told to"),
            Action::Wait => {
                self.entered.notify_one();
                self.leave.notified().await;
                Ok(Response::new(Body::from("left")))
            }
        }
    }
}

struct Probed {
    addr: SocketAddr,
    entered: Arc<Notify>,
    leave: Arc<Notify>,
}

async fn probed(settings: ServiceSettings, limits: ServerLimits) -> Probed {
    let (entered, leave) = (Arc::<Notify>::default(), Arc::<Notify>::default());
    let probe = Probe { entered: Arc::clone(&entered), leave: Arc::clone(&leave) };
    let service = service(probe, RateLimit::off(), &settings);
    let (addr, _serving) = serve_here(service, limits, drain()).await;
    Probed { addr, entered, leave }
}

#[tokio::test]
async fn a_panic_is_a_fault_of_ours_and_nobody_elses() {
    let probed = probed(ServiceSettings::default(), ServerLimits::default()).await;
    for _ in 0..3 {
        let answer = send(probed.addr, request("GET /panic", &["x-request-id: a-1"], "")).await;
        assert_eq!(answer.status, 500);
        let problem = answer.json();
        assert_eq!(problem["type"], "urn:woodytoys:problem:internal");
        assert_eq!(problem["request_id"], "a-1");
        assert!(!answer.text().contains("told to"), "what is inside stays inside");
    }
    probed.leave.notify_one();
    assert_eq!(send(probed.addr, request("GET /wait", &[], "")).await.text(), "left");
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let settings = ServiceSettings {
        request_timeout: Duration::from_millis(100),
        ..ServiceSettings::default()
    };
    let probed = probed(settings, ServerLimits::default()).await;
    let answer = send(probed.addr, request("GET /wait", &[], "")).await;
    assert_eq!(answer.status, 504);
    assert!(answer.text().starts_with("The response took too long"), "{answer:?}");
}

#[tokio::test]
async fn past_the_ceiling_requests_are_refused_at_once_and_idle_connections_take_no_place() {
    let settings =
        ServiceSettings { concurrency: ConcurrencyLimit::new(1), ..ServiceSettings::default() };
    let probed = probed(settings, ServerLimits::default()).await;
    let mut idle = Vec::new();
    for _ in 0..5 {
        idle.push(TcpStream::connect(probed.addr).await.unwrap());
    }
    let first = tokio::spawn(send(probed.addr, request("GET /wait", &[], "")));
    probed.entered.notified().await;
    let second = send(probed.addr, request("GET /wait", &[], "")).await;
    assert_eq!((second.status.as_u16(), second.header("retry-after")), (503, "1"));
    probed.leave.notify_one();
    assert_eq!(first.await.unwrap().text(), "left");
    probed.leave.notify_one();
    assert_eq!(send(probed.addr, request("GET /wait", &[], "")).await.text(), "left");
}

#[tokio::test]
async fn past_the_ceiling_a_request_waits_for_its_turn_and_past_its_room_it_is_refused_at_once() {
    // Room for one that waits.
    let concurrency = ConcurrencyLimit::new(1).waiting(FOREVER, 4 * 1024);
    let settings = ServiceSettings { concurrency, ..ServiceSettings::default() };
    let probed = probed(settings, ServerLimits::default()).await;
    let ask = || Box::pin(send(probed.addr, request("GET /wait", &[], "")));
    let first = tokio::spawn(send(probed.addr, request("GET /wait", &[], "")));
    probed.entered.notified().await;
    let (refused, waits) = futures::future::select(ask(), ask()).await.factor_first();
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "1"));
    probed.leave.notify_one();
    assert_eq!(first.await.unwrap().text(), "left");
    probed.leave.notify_one();
    assert_eq!(waits.await.text(), "left");
}

#[tokio::test]
async fn a_request_whose_turn_does_not_come_is_refused_and_gives_its_room_back() {
    let concurrency = ConcurrencyLimit::new(1).waiting(Duration::from_millis(50), 4 * 1024);
    let settings = ServiceSettings { concurrency, ..ServiceSettings::default() };
    let probed = probed(settings, ServerLimits::default()).await;
    let first = tokio::spawn(send(probed.addr, request("GET /wait", &[], "")));
    probed.entered.notified().await;
    for _ in 0..3 {
        let refused = send(probed.addr, request("GET /wait", &[], "")).await;
        assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "1"));
    }
    probed.leave.notify_one();
    assert_eq!(first.await.unwrap().text(), "left");
}

#[tokio::test]
async fn past_the_bound_connections_are_refused_politely() {
    let limits = ServerLimits { connections: 1, ..ServerLimits::default() };
    let probed = probed(ServiceSettings::default(), limits).await;
    let mut first = TcpStream::connect(probed.addr).await.unwrap();
    first
        .write_all(b"GET /wait HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    probed.entered.notified().await;
    let mut second = TcpStream::connect(probed.addr).await.unwrap();
    second.write_all(b"GET /wait HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    second.shutdown().await.unwrap();
    let refused = rest(second).await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.contains("retry-after: 1"), "{refused}");
    probed.leave.notify_one();
    assert!(rest(first).await.ends_with("left"));
}

#[tokio::test]
async fn a_sane_request_id_is_kept_and_another_is_replaced() {
    let probed = probed(ServiceSettings::default(), ServerLimits::default()).await;
    let id_of = async |headers: &[&str]| {
        let answer = send(probed.addr, request("GET /nowhere", headers, "")).await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.json()["request_id"], answer.header("x-request-id"));
        answer.header("x-request-id").to_owned()
    };
    assert_eq!(id_of(&["x-request-id: gateway-7.x"]).await, "gateway-7.x");
    let long = format!("x-request-id: {}", "a".repeat(65));
    for hostile in ["x-request-id: a b", "x-request-id: \"><", "x-request-id: ", long.as_str()] {
        assert_eq!(id_of(&[hostile]).await.len(), 16);
    }
    assert_ne!(id_of(&[]).await, id_of(&[]).await);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let probed = probed(ServiceSettings::default(), ServerLimits::default()).await;
    let mut stream = TcpStream::connect(probed.addr).await.unwrap();
    let one =
        |path: &str, close: &str| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{close}\r\n");
    let both = one("/a", "") + &one("/b", "") + &one("/panic", "connection: close\r\n");
    stream.write_all(both.as_bytes()).await.unwrap();
    let answers = rest(stream).await;
    assert_eq!(answers.matches("HTTP/1.1 404").count(), 2, "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 500").count(), 1, "{answers}");
}

#[tokio::test]
async fn a_client_that_shuts_down_its_sending_side_is_waited_for() {
    let probed = probed(ServiceSettings::default(), ServerLimits::default()).await;
    for _ in 0..20 {
        let mut stream = TcpStream::connect(probed.addr).await.unwrap();
        stream.write_all(b"GET /wait HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        stream.shutdown().await.unwrap();
        probed.entered.notified().await;
        probed.leave.notify_one();
        assert!(rest(stream).await.ends_with("left"));
    }
}
