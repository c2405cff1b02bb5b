use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::steps::{
    ack, assert_is, assert_nothing_else_comes, consumer, depth_becomes, message, messages, next,
    poison, publish, send, sorted, within,
};
use crate::{
    domain::OrderMessage,
    ports::{Broker, Consumer, DeadLetter, DeadLetterId, Delivery},
};

/// What is needed to understand a dead letter, and to send it again, is kept.
pub async fn a_dead_letter_keeps_its_body_its_reason_and_its_attempts(broker: Arc<dyn Broker>) {
    let sent = message();
    publish(&*broker, std::slice::from_ref(&sent)).await;
    let mut consumer = consumer(&*broker, 1).await;
    let first = next(&mut consumer).await;
    within("a retry", first.retry_after(Duration::ZERO, "broken saw".into()))
        .await
        .expect("a retry succeeds");
    kill(next(&mut consumer).await, "the saw is still broken, naïve: 100 %").await;

    let dead = listed(&*broker, 1).await;
    assert_eq!(dead[0].body, sent.to_bytes());
    assert_eq!(dead[0].reason, "the saw is still broken, naïve: 100 %".into());
    assert_eq!(dead[0].attempts, 2);
    assert!(dead[0].died_at.is_some(), "we moved it, so we know when");
}

/// A dead letter stays where it is until an operator acts.
pub async fn a_dead_letter_never_comes_by_itself(broker: Arc<dyn Broker>) {
    let sent = messages(2);
    publish(&*broker, &sent).await;
    let mut first = consumer(&*broker, 1).await;
    kill(next(&mut first).await, "no").await;
    let delivery = next(&mut first).await;
    assert_is(&delivery, &sent[1], 1);
    ack(delivery).await;
    drop(first);
    let mut second = consumer(&*broker, 1).await;
    assert_nothing_else_comes(&*broker, &mut second).await;
    listed(&*broker, 1).await;
}

/// Looking at dead letters changes nothing.
pub async fn dead_letters_are_listed_oldest_first_and_stay(broker: Arc<dyn Broker>) {
    let (sent, mut consumer) = with_dead(&*broker, 4).await;
    let all = listed(&*broker, 4).await;
    let bodies: Vec<&Bytes> = all.iter().map(|letter| &letter.body).collect();
    let expected: Vec<Bytes> = sent.iter().map(OrderMessage::to_bytes).collect();
    assert_eq!(bodies, expected.iter().collect::<Vec<_>>());

    let admin = broker.admin();
    let some = within("dead letters", admin.dead_letters(2)).await.expect("they are known");
    assert_eq!(some, all[..2]);
    let none = within("dead letters", admin.dead_letters(0)).await.expect("they are known");
    assert_eq!(none, []);
    assert_eq!(listed(&*broker, 4).await, all, "the same letters, under the same ids");
    assert_nothing_else_comes(&*broker, &mut consumer).await;
}

/// A purge takes the letters it names and no others.
pub async fn a_purged_dead_letter_is_gone_and_the_others_stay(broker: Arc<dyn Broker>) {
    let (_, mut consumer) = with_dead(&*broker, 3).await;
    let before = listed(&*broker, 3).await;
    let gone = [before[1].id.clone()];
    let admin = broker.admin();
    assert_eq!(within("a purge", admin.purge(&gone)).await.expect("a purge succeeds"), 1);
    let after = listed(&*broker, 2).await;
    assert_eq!(after, [before[0].clone(), before[2].clone()]);
    assert_eq!(within("a purge", admin.purge(&gone)).await.expect("a purge succeeds"), 0);
    assert_nothing_else_comes(&*broker, &mut consumer).await;
}

/// A redriven letter is a fresh message that says that it was redriven.
pub async fn a_redriven_dead_letter_comes_again_with_its_attempts_at_zero(broker: Arc<dyn Broker>) {
    let sent = messages(3);
    publish(&*broker, &sent).await;
    let mut consumer = consumer(&*broker, 1).await;
    for _ in 0..2 * sent.len() {
        let delivery = next(&mut consumer).await;
        if delivery.attempt() == 1 {
            within("a retry", delivery.retry_after(Duration::ZERO, "once".into()))
                .await
                .expect("a retry succeeds");
        } else {
            kill(delivery, "no").await;
        }
    }

    let dead = listed(&*broker, 3).await;
    let chosen = [dead[0].id.clone(), dead[2].id.clone()];
    let moved = within("a redrive", broker.admin().redrive(&chosen)).await;
    assert_eq!(moved.expect("a redrive succeeds"), 2);
    let mut bodies = Vec::new();
    for _ in &chosen {
        let delivery = next(&mut consumer).await;
        assert_eq!(delivery.attempt(), 1, "its attempts are at zero");
        assert!(delivery.redriven() && !delivery.redelivered(), "it begins anew");
        bodies.push(delivery.body().clone());
        ack(delivery).await;
    }
    assert_eq!(sorted(&bodies), sorted([&dead[0].body, &dead[2].body]));
    assert_eq!(listed(&*broker, 1).await, dead[1..2]);
    assert_nothing_else_comes(&*broker, &mut consumer).await;
}

/// A redriven message says so at every later try, and dies as any other.
pub async fn a_redriven_message_keeps_its_mark(broker: Arc<dyn Broker>) {
    let (sent, mut consumer) = with_dead(&*broker, 1).await;
    let dead = listed(&*broker, 1).await;
    let ids = [dead[0].id.clone()];
    let moved = within("a redrive", broker.admin().redrive(&ids)).await;
    assert_eq!(moved.expect("a redrive succeeds"), 1);
    drop(next(&mut consumer).await);
    let delivery = next(&mut consumer).await;
    assert_is(&delivery, &sent[0], 1);
    assert!(delivery.redriven(), "after a drop");
    within("a retry", delivery.retry_after(Duration::ZERO, "again".into()))
        .await
        .expect("a retry succeeds");
    let delivery = next(&mut consumer).await;
    assert_is(&delivery, &sent[0], 2);
    assert!(delivery.redriven(), "after a retry");
    kill(delivery, "for the second time").await;
    let dead = listed(&*broker, 1).await;
    assert_eq!((dead[0].attempts, dead[0].reason.as_str()), (2, "for the second time"));
}

/// For an order whose message is gone.
pub async fn a_message_that_is_sent_again_is_marked_as_redriven(broker: Arc<dyn Broker>) {
    let sent = messages(3);
    let bodies: Vec<Bytes> = sent.iter().map(OrderMessage::to_bytes).collect();
    let admin = broker.admin();
    for some in [&bodies[..1], &bodies[1..], &[]] {
        within("a resend", admin.resend(some)).await.expect("a resend succeeds");
    }
    let mut consumer = consumer(&*broker, 1).await;
    for message in &sent {
        let delivery = next(&mut consumer).await;
        assert_is(&delivery, message, 1);
        assert!(delivery.redriven() && !delivery.redelivered(), "it begins anew");
        ack(delivery).await;
    }
    let last = message();
    publish(&*broker, std::slice::from_ref(&last)).await;
    let delivery = next(&mut consumer).await;
    assert_is(&delivery, &last, 1);
    assert!(!delivery.redriven(), "a message of nobody's");
    ack(delivery).await;
}

/// Ids of nothing, or of no letter's form, are ignored.
pub async fn unknown_dead_letters_are_ignored(broker: Arc<dyn Broker>) {
    let (_, _consumer) = with_dead(&*broker, 1).await;
    let before = listed(&*broker, 1).await;
    let unknown: Vec<DeadLetterId> =
        ["", "999999", "-1", "no such letter", "0b7f6ba6-8a0a-4a4c-a0e5-3f4f3f1f9f11", "é\0"]
            .map(|id| DeadLetterId::new(id.to_owned()))
            .into();
    let admin = broker.admin();
    for ids in [&unknown[..], &[]] {
        assert_eq!(within("a purge", admin.purge(ids)).await.expect("a purge succeeds"), 0);
        assert_eq!(within("a redrive", admin.redrive(ids)).await.expect("a redrive succeeds"), 0);
    }
    assert_eq!(listed(&*broker, 1).await, before);
}

/// Bytes that are no order message die, are listed and are redriven unread.
pub async fn poison_bytes_die_and_are_listed_unread(broker: Arc<dyn Broker>) {
    let bodies = poison();
    send(&*broker, &bodies).await;
    let mut consumer = consumer(&*broker, 1).await;
    for _ in &bodies {
        kill(next(&mut consumer).await, "malformed").await;
    }
    let dead = listed(&*broker, bodies.len()).await;
    assert_eq!(sorted(dead.iter().map(|letter| &letter.body)), sorted(&bodies));
    let ids: Vec<DeadLetterId> = dead.into_iter().map(|letter| letter.id).collect();
    let moved = within("a redrive", broker.admin().redrive(&ids)).await;
    assert_eq!(moved.expect("a redrive succeeds"), bodies.len() as u64);
    let mut again = Vec::new();
    for _ in &bodies {
        let delivery = next(&mut consumer).await;
        again.push(delivery.body().clone());
        kill(delivery, "still malformed").await;
    }
    assert_eq!(sorted(&again), sorted(&bodies));
}

/// Publishes `count` messages and moves each to the dead letters.
async fn with_dead(broker: &dyn Broker, count: usize) -> (Vec<OrderMessage>, Box<dyn Consumer>) {
    let sent = messages(count);
    let mut consumer = consumer(broker, 1).await;
    for message in &sent {
        publish(broker, std::slice::from_ref(message)).await;
        kill(next(&mut consumer).await, "no").await;
    }
    (sent, consumer)
}

async fn kill(delivery: Delivery, why: &str) {
    within("a dead letter", delivery.dead_letter(why.into())).await.expect("it is moved");
}

/// Returns the dead letters once the broker counts `count` of them.
async fn listed(broker: &dyn Broker, count: usize) -> Vec<DeadLetter> {
    let expected = count as u64;
    depth_becomes(broker, &format!("{count} dead"), |depth| depth.dead == expected).await;
    let listed = within("dead letters", broker.admin().dead_letters(count + 10))
        .await
        .expect("dead letters can be listed");
    assert_eq!(listed.len(), count);
    listed
}
