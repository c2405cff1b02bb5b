//! Webhooks, and receivers that do what receivers do.

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use testkit::waiting::PATIENCE;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use woody_adapters::webhook::{Webhook, WebhookRights, WebhookSecret};
use woody_core::{
    domain::{NewOrder, NoticeId, Order, Outcome, ToyOrder, now},
    ports::{Notifier, NotifyError, OrderNotice},
};

mod delivery;
mod document;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

const HERE: WebhookRights = WebhookRights { private: true, http: true };

/// A request as it came.
#[derive(Debug, Clone)]
struct Received {
    head: String,
    body: Vec<u8>,
}

impl Received {
    fn header(&self, name: &str) -> &str {
        let lines = self.head.lines();
        let mut pairs = lines.filter_map(|line| line.split_once(": "));
        pairs.find(|(key, _)| key.eq_ignore_ascii_case(name)).unwrap().1
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What a receiver does with one request.
#[derive(Debug, Clone)]
enum Manner {
    Answers(&'static str),
    /// It takes the request, and its answer is lost.
    Closes,
    /// It never answers.
    Hangs,
    /// It answers, and never ends the body.
    Dawdles,
}

/// Does the first of its manners once, then the next, and the last for ever.
struct Receiver {
    url: String,
    received: mpsc::UnboundedReceiver<Received>,
    connections: Arc<Mutex<u32>>,
}

impl Receiver {
    async fn start(manners: &[Manner]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks?key=secret", listener.local_addr().unwrap());
        let (sender, received) = mpsc::unbounded_channel();
        let manners = Arc::new(Mutex::new(manners.to_vec()));
        let connections = Arc::<Mutex<u32>>::default();
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *count.lock().unwrap() += 1;
                tokio::spawn(serve(stream, sender.clone(), Arc::clone(&manners)));
            }
        });
        Self { url, received, connections }
    }

    async fn next(&mut self) -> Received {
        tokio::time::timeout(PATIENCE, self.received.recv()).await.unwrap().unwrap()
    }
}

async fn serve(
    stream: TcpStream,
    received: mpsc::UnboundedSender<Received>,
    manners: Arc<Mutex<Vec<Manner>>>,
) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let mut request = Received { head, body: vec![] };
        let length = request.header("content-length").parse().unwrap();
        request.body.resize(length, 0);
        stream.read_exact(&mut request.body).await.unwrap();
        let _ = received.send(request);
        let manner = {
            let mut manners = manners.lock().unwrap();
            if manners.len() > 1 { manners.remove(0) } else { manners[0].clone() }
        };
        match manner {
            Manner::Answers(head) => {
                let answer = format!("HTTP/1.1 {head}\r\ncontent-length: 2\r\n\r\nok");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            Manner::Closes => return,
            Manner::Hangs => std::future::pending().await,
            Manner::Dawdles => {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\nwait";
                stream.write_all(answer).await.unwrap();
            }
        }
    }
}

fn webhook(url: &str) -> Webhook {
    signed(url, &[SECRET], HERE)
}

fn signed(url: &str, secrets: &[&str], rights: WebhookRights) -> Webhook {
    let secrets = secrets.iter().map(|secret| WebhookSecret::parse("X", secret).unwrap());
    Webhook::new(url, secrets.collect(), rights).unwrap()
}

fn notice(product: &str, outcome: Outcome) -> OrderNotice {
    let new = NewOrder::new(ToyOrder::parse(product, 2).unwrap());
    let id = NoticeId::of(new.id, &outcome);
    let order = Order {
        id: new.id,
        details: new.details,
        status: outcome.into(),
        accepted_at: new.accepted_at,
        finished_at: Some(now()),
        trace: None,
        client: None,
    };
    OrderNotice { id, order, attempt: 1 }
}

fn train() -> OrderNotice {
    notice("Train", Outcome::Success(None))
}

async fn tell(webhook: &Webhook, notice: &OrderNotice) -> Result<(), NotifyError> {
    tokio::time::timeout(PATIENCE, webhook.notify(notice)).await.unwrap()
}

fn stamp(at: time::OffsetDateTime) -> String {
    at.format(&time::format_description::well_known::Rfc3339).unwrap()
}

#[tokio::test]
async fn an_end_is_posted_as_the_api_shows_the_order() {
    let mut receiver = Receiver::start(&[Manner::Answers("204 No Content")]).await;
    let notice = notice("Train 🚂", Outcome::Rejected("too large".into()));
    tell(&webhook(&receiver.url), &notice).await.unwrap();
    let posted = receiver.next().await;
    assert!(posted.head.starts_with("POST /hooks?key=secret HTTP/1.1\r\n"), "{}", posted.head);
    assert_eq!(posted.header("content-type"), "application/json");
    assert_eq!(posted.header("webhook-id"), notice.id.to_string());
    assert!(!posted.header("webhook-id").contains('.'));
    let at: i64 = posted.header("webhook-timestamp").parse().unwrap();
    assert!((now().unix_timestamp() - at).abs() < 60);
    let order = &notice.order;
    assert_eq!(
        posted.json(),
        json!({
            "type": "order.rejected",
            "timestamp": stamp(order.finished_at.unwrap()),
            "data": {
                "order_id": order.id,
                "product": "Train 🚂",
                "quantity": 2,
                "status": "rejected",
                "reason": "too large",
                "accepted_at": stamp(order.accepted_at),
                "finished_at": stamp(order.finished_at.unwrap()),
            }
        })
    );
}

#[tokio::test]
async fn the_same_end_has_the_same_id_in_every_attempt() {
    let mut receiver =
        Receiver::start(&[Manner::Answers("500 Oh"), Manner::Answers("200 OK")]).await;
    let (webhook, notice) = (webhook(&receiver.url), train());
    tell(&webhook, &notice).await.unwrap_err();
    tell(&webhook, &notice).await.unwrap();
    let (first, second) = (receiver.next().await, receiver.next().await);
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
    assert_eq!(first.body, second.body);
}

#[tokio::test]
async fn a_receiver_that_fails_is_told_again() {
    for (manner, why) in [
        (Manner::Answers("500 Oh"), "500"),
        (Manner::Answers("404 Not Found"), "404"),
        (
            Manner::Answers("302 Found\r\nlocation: http://127.0.0.1:1/"),
            "redirects are not followed",
        ),
        (Manner::Closes, "no response"),
    ] {
        let mut receiver = Receiver::start(std::slice::from_ref(&manner)).await;
        let told = tell(&webhook(&receiver.url), &train()).await;
        let Err(NotifyError::Later(problem)) = told else { panic!("{manner:?}: {told:?}") };
        assert!(problem.as_str().contains(why), "{problem}");
        assert!(!problem.as_str().contains("secret"), "{problem}");
        receiver.next().await;
        assert!(receiver.received.try_recv().is_err(), "{manner:?}: it is asked once");
    }
}

#[tokio::test]
async fn a_receiver_that_is_gone_for_good_is_told_no_more() {
    let receiver = Receiver::start(&[Manner::Answers("410 Gone")]).await;
    let told = tell(&webhook(&receiver.url), &train()).await;
    assert!(matches!(told, Err(NotifyError::Never(_))), "{told:?}");
}

#[tokio::test]
async fn a_receiver_that_is_busy_says_when_to_come_again() {
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        let head: &'static str = format!("{status}\r\nretry-after: 120").leak();
        let receiver = Receiver::start(&[Manner::Answers(head)]).await;
        let told = tell(&webhook(&receiver.url), &train()).await;
        let Err(NotifyError::After { after, .. }) = told else { panic!("{told:?}") };
        assert_eq!(after, Duration::from_mins(2));
    }
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_told_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let told = tell(&webhook(&url), &train()).await;
    assert!(matches!(told, Err(NotifyError::Later(_))), "{told:?}");
}

/// Its status has said it all.
#[tokio::test]
async fn a_body_that_never_ends_holds_nothing_up() {
    let receiver = Receiver::start(&[Manner::Dawdles]).await;
    tell(&webhook(&receiver.url), &train()).await.unwrap();
}

#[tokio::test]
async fn a_connection_serves_one_end_after_another() {
    let mut receiver = Receiver::start(&[Manner::Answers("200 OK")]).await;
    let webhook = webhook(&receiver.url);
    for _ in 0..5 {
        tell(&webhook, &train()).await.unwrap();
        receiver.next().await;
    }
    assert_eq!(*receiver.connections.lock().unwrap(), 1);
}

/// The name server says where it is, and that is where it would go.
#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_not_followed() {
    let mut receiver = Receiver::start(&[Manner::Answers("200 OK")]).await;
    let url = receiver.url.replace("127.0.0.1", "localhost");
    // Forms of an address that are none to us are found as names are.
    for url in [&url, &receiver.url.replace("127.0.0.1", "2130706433")] {
        let webhook = signed(url, &[SECRET], WebhookRights { private: false, ..HERE });
        let told = tell(&webhook, &train()).await;
        let Err(NotifyError::Later(problem)) = told else { panic!("{url}: {told:?}") };
        assert!(problem.as_str().contains("WOODY_WEBHOOK_ALLOW_PRIVATE=on"), "{problem}");
    }
    assert!(receiver.received.try_recv().is_err());
    tell(&webhook(&url), &train()).await.unwrap();
    receiver.next().await;
}

/// Verifies a request by another implementation: the specification's own, if Python has it.
fn verified_by_python(received: &Received, secret: &str) -> String {
    let python = std::env::var("WOODY_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/verify_webhook.py");
    let mut command = Command::new(python);
    command.arg(script).arg(secret);
    for header in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        command.arg(received.header(header));
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &received.body).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
        + String::from_utf8_lossy(&output.stderr).trim()
}

#[tokio::test]
async fn a_secret_that_is_that_of_before_too_signs_once() {
    let mut receiver = Receiver::start(&[Manner::Answers("200 OK")]).await;
    let secrets = [SECRET, SECRET, OLD_SECRET];
    tell(&signed(&receiver.url, &secrets, HERE), &train()).await.unwrap();
    assert_eq!(receiver.next().await.header("webhook-signature").split(' ').count(), 2);
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_PYTHON"]
async fn a_signature_is_verified_by_another_implementation_while_secrets_change() {
    let mut receiver = Receiver::start(&[Manner::Answers("200 OK")]).await;
    let notice = notice("蛇の木 🪵", Outcome::Success(Some("2 sheets".into())));
    for (secrets, good, bad) in [
        (&[SECRET][..], &[SECRET][..], Some(OLD_SECRET)),
        (&[SECRET, OLD_SECRET], &[SECRET, OLD_SECRET], None),
        (&[OLD_SECRET], &[OLD_SECRET], Some(SECRET)),
    ] {
        tell(&signed(&receiver.url, secrets, HERE), &notice).await.unwrap();
        let mut posted = receiver.next().await;
        assert_eq!(posted.header("webhook-signature").split(' ').count(), secrets.len());
        for secret in good {
            let said = verified_by_python(&posted, secret);
            assert!(said.starts_with("verified"), "{said}");
        }
        if let Some(bad) = bad {
            assert!(!verified_by_python(&posted, bad).starts_with("verified"));
        }
        posted.body[0] = b'[';
        assert!(!verified_by_python(&posted, secrets[0]).starts_with("verified"));
    }
}

#[tokio::test]
async fn the_trace_of_an_order_is_told_with_its_end() {
    let mut receiver = Receiver::start(&[Manner::Answers("200 OK")]).await;
    let webhook = webhook(&receiver.url);
    let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let mut traced = train();
    traced.order.trace = Some(text.parse().unwrap());
    tell(&webhook, &traced).await.unwrap();
    assert_eq!(receiver.next().await.header("traceparent"), text);
    tell(&webhook, &train()).await.unwrap();
    assert!(!receiver.next().await.head.contains("traceparent"));
}
