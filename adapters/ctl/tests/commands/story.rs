//! `woodyctl order story`.

use std::time::Duration;

use woody_core::{
    domain::{AfterFailure, Details, FailedAttempt, NewOrder, Outcome, Validation},
    ports::Decision,
};

use crate::files::files;

fn validation(attempt: u32) -> Validation {
    Validation {
        worker: "saw-1\u{202e}".into(),
        attempt,
        redriven: false,
        taken_up_at: woody_core::domain::now(),
        took: Duration::from_micros(1_250),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_is_told_what_has_become_of_an_order_and_who_did_what_to_it() {
    let files = files().await;
    let order = files.accept_any(Details::parse(r#"{"product":"Boat"}"#).unwrap()).await;
    let id = order.id.to_string();
    let (code, said) = files.woodyctl(&["order", "story", &id]).await;
    assert!(code == 0 && said.contains("unpublished") && said.contains("is pending"), "{said}");
    assert!(!said.contains("trace"), "{said}");

    let orders = files.store.orders();
    let failed = FailedAttempt {
        order: order.id,
        validation: validation(1),
        reason: "saw is stuck\u{1b}[2J".into(),
        then: AfterFailure::Again,
    };
    orders.keep_attempts(&[failed]).await.unwrap();
    let outcome = Outcome::Failed("no such wood".into());
    let validation = Some(validation(5));
    let decision = Decision { order, outcome, redriven: false, validation };
    let _ = orders.finish(&[decision]).await.unwrap();
    let by_ada = ["--by", "ada", "--because", "mended"];
    // There is no broker: the act fails, and is told all the same.
    let retry =
        [&["--broker-url", "amqp://127.0.0.1:1", "order", "retry", &id][..], &by_ada].concat();
    let (code, said) = files.woodyctl(&retry).await;
    assert_ne!(code, 0, "{said}");

    let (code, said) = files.woodyctl(&["order", "story", &id]).await;
    assert_eq!(code, 0, "{said}");
    for part in [
        "accepted",
        "kept in the store",
        "taken up",
        "attempt failed",
        "saw is stuck",
        "given up",
        "no such wood",
        "order retry by ada because mended",
        "is failed",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (code, story) = files.json(&["order", "story", &id]).await;
    let events = story["events"].as_array().unwrap();
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!((code, names.len()), (0, 7), "{names:?}");
    assert_eq!(names[..2], ["accepted", "published"]);
    for name in ["taken_up", "attempt_failed", "given_up", "failed", "act"] {
        assert_eq!(names.iter().filter(|told| **told == name).count(), 1, "{name}: {names:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_says_which_trace_its_order_belongs_to_and_who_placed_it() {
    let files = files().await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().ok();
    let details = Details::parse(r#"{"product":"Boat"}"#).unwrap();
    let client = "acme".parse().ok();
    let order = NewOrder { trace, client, ..NewOrder::new(details) };
    let _ = files.store.orders().insert(std::slice::from_ref(&order), Duration::ZERO).await;
    let id = order.id.to_string();
    let (code, said) = files.woodyctl(&["order", "story", &id]).await;
    assert!(code == 0 && said.contains("trace 4bf92f3577b34da6a3ce929d0e0e4736"), "{said}");
    let (_, story) = files.json(&["order", "story", &id]).await;
    assert_eq!(story["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert!(said.contains("placed by acme"), "{said}");
    assert_eq!(story["events"][0]["placed_by"], "acme");
    for (client, count) in [("acme", 1), ("globex", 0)] {
        let (_, listed) = files.json(&["orders", "list", "--client", client]).await;
        assert_eq!(listed["orders"].as_array().unwrap().len(), count, "{client}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_without_a_story_says_why() {
    let files = files().await;
    let ours = woody_core::domain::OrderId::fresh().to_string();
    for (id, code, says) in [
        (ours.as_str(), 1, "while only the broker has it"),
        ("0192f0c1-2f3a-4c4d-8e5f-6a7b8c9d0e1f", 1, "knows no order"),
        ("train", 2, "UUID"),
    ] {
        let (was, said) = files.woodyctl(&["order", "story", id]).await;
        assert!(was == code && said.contains(says), "{was}: {said}");
    }
}
