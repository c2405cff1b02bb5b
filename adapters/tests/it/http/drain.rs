use std::{sync::Arc, time::Duration};

use tokio::{io::AsyncWriteExt, net::TcpStream, sync::Notify};
use tokio_util::sync::CancellationToken;
use woody_adapters::http::{Drain, Drained, RateLimit, ServerLimits, ServiceSettings, service};

use super::{
    boundary::Probe,
    client::{FOREVER, request, rest, send, try_send},
    shop::{Shop, serve_here},
};

#[tokio::test]
async fn what_is_in_flight_is_answered_and_nothing_new_is_taken() {
    let (entered, leave) = (Arc::<Notify>::default(), Arc::<Notify>::default());
    let probe = Probe { entered: Arc::clone(&entered), leave: Arc::clone(&leave) };
    let stop = CancellationToken::new();
    let service = service(probe, RateLimit::off(), &ServiceSettings::default());
    let drain = Drain::new(stop.clone(), FOREVER);
    let (addr, serving) = serve_here(service, ServerLimits::default(), drain).await;
    let idle = TcpStream::connect(addr).await.unwrap();
    let in_flight = tokio::spawn(send(addr, request("GET /wait", &[], "")));
    entered.notified().await;
    stop.cancel();
    // An idle connection is closed at once: by then the server is draining.
    assert_eq!(rest(idle).await, "");
    assert!(try_send(addr, request("GET /wait", &[], "")).await.is_err());
    assert!(!serving.is_finished());
    leave.notify_one();
    let answer = in_flight.await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "left"));
    assert_eq!(answer.header("connection"), "close");
    assert_eq!(serving.await.unwrap(), Drained::Clean);
}

#[tokio::test]
async fn while_it_drains_every_answer_says_that_its_connection_closes() {
    let (entered, leave) = (Arc::<Notify>::default(), Arc::<Notify>::default());
    let probe = Probe { entered: Arc::clone(&entered), leave: Arc::clone(&leave) };
    let (stop, draining) = (CancellationToken::new(), CancellationToken::new());
    let service = service(probe, RateLimit::off(), &ServiceSettings::default());
    let drain = Drain { draining: draining.clone(), ..Drain::new(stop.clone(), FOREVER) };
    let (addr, serving) = serve_here(service, ServerLimits::default(), drain).await;
    let before = send(addr, request("GET /nowhere", &[], "")).await;
    assert_eq!(before.header("connection"), "");
    let in_flight = tokio::spawn(send(addr, request("GET /wait", &[], "")));
    entered.notified().await;
    draining.cancel();
    leave.notify_one();
    assert_eq!(in_flight.await.unwrap().header("connection"), "close");
    // It still listens: the gateway has not learned of it yet.
    for path in ["GET /nowhere", "GET /panic"] {
        assert_eq!(send(addr, request(path, &[], "")).await.header("connection"), "close");
    }
    assert!(!serving.is_finished());
    stop.cancel();
    assert_eq!(serving.await.unwrap(), Drained::Clean);
}

#[tokio::test]
async fn the_grace_is_kept_whatever_is_in_flight() {
    let entered = Arc::<Notify>::default();
    let probe = Probe { entered: Arc::clone(&entered), leave: Arc::default() };
    let stop = CancellationToken::new();
    let service = service(probe, RateLimit::off(), &ServiceSettings::default());
    let drain = Drain::new(stop.clone(), Duration::from_millis(100));
    let (addr, serving) = serve_here(service, ServerLimits::default(), drain).await;
    let in_flight = tokio::spawn(try_send(addr, request("GET /wait", &[], "")));
    entered.notified().await;
    stop.cancel();
    assert_eq!(tokio::time::timeout(FOREVER, serving).await.unwrap().unwrap(), Drained::CutOff(1));
    assert!(in_flight.await.unwrap().is_err());
}

#[tokio::test]
async fn an_event_stream_does_not_hold_up_the_end() {
    let shop = Shop::open().await;
    let id = shop.order("lion").await;
    let mut stream = TcpStream::connect(shop.addr).await.unwrap();
    let asked = format!("GET /api/orders/{id}/events HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(asked.as_bytes()).await.unwrap();
    // Its first event has come, so it is in flight.
    let mut first = [0; 600];
    let mut got = 0;
    while !String::from_utf8_lossy(&first[..got]).contains("pending") {
        got += tokio::io::AsyncReadExt::read(&mut stream, &mut first[got..]).await.unwrap();
    }
    assert_eq!(shop.close().await, Drained::Clean);
    // It ended as a whole answer does: with the last chunk.
    assert!(rest(stream).await.ends_with("0\r\n\r\n"));
}
