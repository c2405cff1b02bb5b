//! RFC 9112 on the wire, byte for byte, against every service and the
//! all-in-one: what a client may send, however it is cut up, has its answer at
//! once; what cannot be read is refused before the connection is closed.

mod exchange;
mod limits;
mod messages;
mod services;

use exchange::{Exchange, Sending};
use messages::{MESSAGES, Message};
use services::{Service, services};

/// Sends every message that `service` is meant to be sent, and lists what went wrong.
async fn faults(service: &Service, how: fn(&Message) -> Sending) -> Vec<String> {
    let messages = MESSAGES.iter().filter(|message| service.takes(message.bytes));
    let exchanges = messages.map(async |message| {
        let bytes = service.fill(message.bytes);
        let exchange = Exchange { addr: service.addr, sending: how(message), bytes: &bytes };
        let seen = exchange.run(message).await;
        seen.err().map(|why| format!("{}, {}: {why}", service.name, message.name))
    });
    futures::future::join_all(exchanges).await.into_iter().flatten().collect()
}

async fn all_faults(how: fn(&Message) -> Sending) -> Vec<String> {
    let services = services().await;
    let found = services.iter().map(|service| faults(service, how));
    futures::future::join_all(found).await.concat()
}

#[tokio::test]
async fn a_whole_message_is_answered_at_once() {
    assert_eq!(all_faults(|_| Sending::Whole).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_message_that_comes_byte_by_byte_is_answered_too() {
    assert_eq!(all_faults(|_| Sending::ByteByByte).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_client_that_has_shut_down_its_sending_side_is_answered_too() {
    assert_eq!(all_faults(|_| Sending::HalfClosed).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_message_may_be_cut_in_two_anywhere() {
    let services = services().await;
    let shop = services.iter().find(|service| service.name == "woodytoys").unwrap();
    for message in MESSAGES.iter().filter(|message| shop.takes(message.bytes)) {
        let bytes = shop.fill(message.bytes);
        for chunk in (1..bytes.len()).collect::<Vec<_>>().chunks(64) {
            let exchanges = chunk.iter().map(async |at| {
                let sending = Sending::CutAt(*at);
                let exchange = Exchange { addr: shop.addr, sending, bytes: &bytes };
                exchange.run(message).await.map_err(|why| format!("cut at {at}: {why}"))
            });
            let seen = futures::future::join_all(exchanges).await;
            let faults: Vec<_> = seen.into_iter().filter_map(Result::err).collect();
            assert_eq!(faults, Vec::<String>::new(), "{}", message.name);
        }
    }
}
