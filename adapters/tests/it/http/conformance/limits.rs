//! Messages that are larger than what is borne, at each limit.

use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{
    super::client::FOREVER,
    exchange::Answers,
    services::{Service, services},
};

const JSON: &str = "Content-Type: application/json\r\n";

/// Writes all of `bytes` before it reads a thing, as simple clients do.
async fn written_first(service: &Service, bytes: &[u8]) -> Result<u16, String> {
    let mut stream = TcpStream::connect(service.addr).await.unwrap();
    let exchange = async {
        stream.write_all(bytes).await.map_err(|error| format!("not all was taken: {error}"))?;
        Answers::new(&mut stream).next(false).await
    };
    tokio::time::timeout(FOREVER, exchange).await.unwrap_or_else(|_| Err("no answer".to_owned()))
}

async fn faults(template: &str, statuses: &[u16]) -> Vec<String> {
    let services = services().await;
    let services: Vec<_> = services.iter().filter(|service| service.takes(template)).collect();
    let answers = services.iter().map(|service| async {
        let answer = written_first(service, &service.fill(template)).await;
        match answer {
            Ok(status) if statuses.contains(&status) => None,
            other => Some(format!("{}: {other:?}", service.name)),
        }
    });
    futures::future::join_all(answers).await.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_target_that_is_too_long_is_414() {
    let long = format!("GET {{get}}?x={} HTTP/1.1\r\nHost: x\r\n\r\n", "y".repeat(8 * 1024));
    assert_eq!(faults(&long, &[414]).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_head_that_is_too_large_is_431() {
    for size in [40 * 1024, 400 * 1024] {
        let large = format!("GET {{get}} HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "y".repeat(size));
        assert_eq!(faults(&large, &[431]).await, Vec::<String>::new(), "{size}");
        let long = format!("GET {{get}}?x={} HTTP/1.1\r\nHost: x\r\n\r\n", "y".repeat(size));
        assert_eq!(faults(&long, &[414, 431]).await, Vec::<String>::new(), "{size}");
    }
}

#[tokio::test]
async fn too_many_headers_are_431() {
    let many = format!("GET {{get}} HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(200));
    assert_eq!(faults(&many, &[431]).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_body_that_is_too_large_is_413_for_clients_that_write_first_too() {
    for size in [64 * 1024 + 1, 1024 * 1024, 8 * 1024 * 1024] {
        let body = " ".repeat(size);
        let told = format!(
            "POST {{post}} HTTP/1.1\r\nHost: x\r\n{JSON}Content-Length: {size}\r\n\r\n{body}"
        );
        assert_eq!(faults(&told, &[413]).await, Vec::<String>::new(), "{size}");
        let chunked = format!(
            "POST {{post}} HTTP/1.1\r\nHost: x\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n\
             {size:x}\r\n{body}\r\n0\r\n\r\n"
        );
        assert_eq!(faults(&chunked, &[413]).await, Vec::<String>::new(), "{size} in chunks");
    }
}

#[tokio::test]
async fn a_chunk_with_an_endless_extension_is_refused() {
    let endless = format!(
        "POST {{post}} HTTP/1.1\r\nHost: x\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n\
         5;{}\r\nhello\r\n0\r\n\r\n",
        "x".repeat(100 * 1024)
    );
    assert_eq!(faults(&endless, &[400, 413]).await, Vec::<String>::new());
}

#[tokio::test]
async fn endless_trailers_are_refused() {
    let endless = format!(
        "POST {{post}} HTTP/1.1\r\nHost: x\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n\
         0\r\nA: {}\r\n\r\n",
        "x".repeat(100 * 1024)
    );
    assert_eq!(faults(&endless, &[400, 413]).await, Vec::<String>::new());
}
