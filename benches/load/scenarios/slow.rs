//! Thousands of clients that send their orders slowly, and some that send theirs at once: what
//! the slow take from the others, and from memory.

use std::{net::SocketAddr, time::Duration};

use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinSet, time::sleep};

use super::{Row, Setting, limits};
use crate::{
    client::{one_after_another, order},
    cost::{memory_now_mb, peak_memory_mb},
    services::Shop,
};

const SLOW: usize = 8_000;
const AT_ONCE: usize = 64;
/// The body that a slow client announces.
const BODY_BYTES: usize = 64_000;
/// What it sends of that a second.
const PIECE: [u8; 1_024] = [b' '; 1_024];
/// What is idle is given back by then.
const A_WHILE: Duration = Duration::from_secs(3);

pub async fn measure(setting: Setting) -> Vec<Row> {
    let shop = Shop::open(&setting.servers).await;
    let address = shop.orders.address;
    let alone = one_after_another(address, order(), AT_ONCE, setting.lasting).await;
    let mut slow = JoinSet::new();
    for nth in 0..SLOW {
        // Spread over a second, as clients are.
        let after = Duration::from_secs(1).mul_f64(nth as f64 / SLOW as f64);
        slow.spawn(async move {
            sleep(after).await;
            loop {
                let _ = dawdle(address).await;
                sleep(Duration::from_millis(100)).await;
            }
        });
    }
    sleep(Duration::from_secs(2)).await;
    let beside = one_after_another(address, order(), AT_ONCE, setting.lasting).await;
    let held = memory_now_mb(shop.orders.id());
    slow.shutdown().await;
    shop.wait_until_published().await;
    sleep(A_WHILE).await;
    let figures = beside
        .figures()
        .with("of those alone", beside.per_second() / alone.per_second())
        .with("MB held", held)
        .with("peak MB", peak_memory_mb(shop.orders.id()))
        .with("MB after", memory_now_mb(shop.orders.id()));
    shop.close().await;
    let name = format!("{AT_ONCE} connections beside {SLOW} slow ones");
    vec![Row::new(name, Some(limits::PUBLISHES), figures)]
}

/// Sends an order, a piece a second, until the service has enough of it.
async fn dawdle(address: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let head = format!(
        "POST /api/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {BODY_BYTES}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    loop {
        stream.write_all(&PIECE).await?;
        tokio::select! {
            () = sleep(Duration::from_secs(1)) => {}
            // It says something, or closes.
            _ = stream.readable() => return Ok(()),
        }
    }
}
