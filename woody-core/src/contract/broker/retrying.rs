use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::steps::{
    ack, assert_is, assert_nothing_else_comes, consumer, message, messages, next, publish, stop,
    within,
};
use crate::ports::{Broker, Delivery};

/// A retry comes back no sooner than asked, the same bytes, one attempt further.
pub async fn a_retry_comes_back_later_with_its_attempt_counted(broker: Arc<dyn Broker>) {
    const DELAY: Duration = Duration::from_millis(400);
    // Clocks and timers are not exact to the last millisecond.
    const TOLERANCE: Duration = Duration::from_millis(50);

    let sent = message();
    publish(&*broker, std::slice::from_ref(&sent)).await;
    let mut consumer = consumer(&*broker, 1).await;
    let began = Instant::now();
    retry(next(&mut consumer).await, DELAY).await;
    let again = next(&mut consumer).await;
    assert!(began.elapsed() + TOLERANCE >= DELAY, "it came after {:?}", began.elapsed());
    assert_is(&again, &sent, 2);
    assert_eq!(again.body(), &sent.to_bytes());
    assert!(!again.redriven());
    ack(again).await;
    assert_nothing_else_comes(&*broker, &mut consumer).await;
}

/// While a message waits for its next attempt, the ones behind it are served.
pub async fn a_retrying_message_does_not_hold_back_the_next(broker: Arc<dyn Broker>) {
    let sent = messages(4);
    publish(&*broker, &sent).await;
    let mut consumer = consumer(&*broker, 1).await;
    let first = next(&mut consumer).await;
    assert_is(&first, &sent[0], 1);
    retry(first, Duration::from_secs(2)).await;
    for message in &sent[1..] {
        let delivery = next(&mut consumer).await;
        assert_is(&delivery, message, 1);
        ack(delivery).await;
    }
    let again = next(&mut consumer).await;
    assert_is(&again, &sent[0], 2);
    ack(again).await;
}

/// A postponed delivery lets the ones behind it pass, and comes again as it was.
pub async fn a_postponed_delivery_comes_back_later_at_no_attempt(broker: Arc<dyn Broker>) {
    let sent = messages(2);
    publish(&*broker, &sent).await;
    let mut consumer = consumer(&*broker, 1).await;
    retry(next(&mut consumer).await, Duration::ZERO).await;
    let passed = next(&mut consumer).await;
    assert_is(&passed, &sent[1], 1);
    ack(passed).await;
    for _ in 0..3 {
        let delivery = next(&mut consumer).await;
        assert_is(&delivery, &sent[0], 2);
        let postponed = delivery.postpone(Duration::from_millis(1), "not yet".into());
        within("a postponement", postponed).await.expect("a postponement succeeds");
    }
    let again = next(&mut consumer).await;
    assert_is(&again, &sent[0], 2);
    assert!(again.redelivered() && !again.redriven());
    ack(again).await;
    assert_nothing_else_comes(&*broker, &mut consumer).await;
}

/// Attempts add up over retries, releases and consumers.
pub async fn attempts_survive_every_round_trip(broker: Arc<dyn Broker>) {
    let sent = message();
    publish(&*broker, std::slice::from_ref(&sent)).await;
    let mut first = consumer(&*broker, 1).await;
    for attempt in 1..=3 {
        let delivery = next(&mut first).await;
        assert_is(&delivery, &sent, attempt);
        retry(delivery, Duration::from_millis(1)).await;
    }
    let released = next(&mut first).await;
    assert_is(&released, &sent, 4);
    within("a release", released.release()).await.expect("a release succeeds");
    stop(&mut first).await;

    let mut second = consumer(&*broker, 1).await;
    let delivery = next(&mut second).await;
    assert_is(&delivery, &sent, 4);
    drop(delivery);
    let delivery = next(&mut second).await;
    assert_is(&delivery, &sent, 4);
    retry(delivery, Duration::ZERO).await;
    let delivery = next(&mut second).await;
    assert_is(&delivery, &sent, 5);
    ack(delivery).await;
    assert_nothing_else_comes(&*broker, &mut second).await;
}

async fn retry(delivery: Delivery, delay: Duration) {
    within("a retry", delivery.retry_after(delay, "not yet".into()))
        .await
        .expect("a retry succeeds");
}
