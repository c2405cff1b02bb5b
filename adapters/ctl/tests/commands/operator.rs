//! What `woodyctl` says of orders and dead letters: nothing that a terminal would
//! obey, and one word for what is promised.

use serde_json::{Value, json};
use woody_core::{
    domain::{Details, OrderMessage, Outcome},
    ports::{Decision, Prefetch},
};

use crate::files::files;

const HOSTILE: &str = "\u{1b}]0;pwned\u{7}\u{9b}2J\n\r\u{202e}";

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_cancels_an_order_once_and_none_that_has_ended() {
    let files = files().await;
    let id = files.accept("Train").await;
    let word = id.to_string();
    let cancel = ["order", "cancel", &word, "--yes", "--reason", "ordered twice\u{202e}"];
    for _ in 0..2 {
        let (code, order) = files.json(&cancel).await;
        assert_eq!((code, &order["status"]), (0, &"cancelled".into()), "{order}");
        assert!(order["reason"].as_str().unwrap().starts_with("ordered twice"), "{order}");
        assert!(order["finished_at"].is_string(), "{order}");
    }
    let (_, page) = files.json(&["orders", "list", "--status", "cancelled"]).await;
    assert_eq!(page["orders"][0]["order_id"], word);
    // Until here there was no broker to announce it to.
    files.bury("poison", "no JSON").await;
    let (_, audit) = files.json(&["orders", "audit"]).await;
    let counted = (&audit["stored"], &audit["cancelled"], &audit["pending"], &audit["outbox"]);
    assert_eq!(counted, (&1.into(), &1.into(), &0.into(), &0.into()), "{audit}");

    let ended = files.accept_any(Details::parse(r#"{"product":"Boat"}"#).unwrap()).await;
    let (outcome, redriven) = (Outcome::Rejected("too large".into()), false);
    let decision = Decision { order: ended.clone(), outcome, redriven, validation: None };
    let _ = files.store.orders().finish(&[decision]).await.unwrap();
    let (code, said) = files.woodyctl(&["order", "cancel", &ended.id.to_string(), "--yes"]).await;
    assert!(code == 1 && said.contains("has ended as rejected before"), "{code}: {said}");
    let foreign = "0192f0c1-2f3a-4c4d-8e5f-6a7b8c9d0e1f";
    let (code, said) = files.woodyctl(&["order", "cancel", foreign, "--yes"]).await;
    assert!(code == 1 && said.contains("knows no order"), "{code}: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_fails_an_order_that_is_stuck_and_none_that_has_ended() {
    let files = files().await;
    let word = files.accept("Train").await.to_string();
    let fail = ["order", "fail", &word, "--yes", "--reason", "kills every worker"];
    for _ in 0..2 {
        let (code, order) = files.json(&fail).await;
        assert_eq!((code, &order["status"]), (0, &"failed".into()), "{order}");
        assert_eq!(order["reason"], "kills every worker");
    }
    // The audit asks the broker too.
    files.bury("poison", "no JSON").await;
    let (_, audit) = files.json(&["orders", "audit"]).await;
    let counted = (&audit["stored"], &audit["failed"], &audit["pending"], &audit["outbox"]);
    assert_eq!(counted, (&1.into(), &1.into(), &0.into(), &0.into()), "{audit}");
    let (code, said) = files.woodyctl(&["order", "cancel", &word, "--yes"]).await;
    assert!(code == 1 && said.contains("has ended as failed before"), "{code}: {said}");

    let cancelled = files.accept("Boat").await.to_string();
    let _ = files.woodyctl(&["order", "cancel", &cancelled, "--yes"]).await;
    let (code, said) =
        files.woodyctl(&["order", "fail", &cancelled, "--yes", "--reason", "late"]).await;
    assert!(code == 1 && said.contains("has ended as cancelled before"), "{code}: {said}");
    let foreign = "0192f0c1-2f3a-4c4d-8e5f-6a7b8c9d0e1f";
    let (code, said) =
        files.woodyctl(&["order", "fail", foreign, "--yes", "--reason", "none"]).await;
    assert!(code == 1 && said.contains("knows no order"), "{code}: {said}");
    let (code, said) = files.woodyctl(&["order", "fail", &word]).await;
    assert!(code == 2 && said.contains("--reason"), "{code}: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_from_outside_is_shown_and_not_obeyed() {
    let files = files().await;
    files.bury(HOSTILE, &format!("no JSON: {HOSTILE}")).await;
    let id = files.accept("Train\u{202e}niarT").await.to_string();

    let (_, list) = files.woodyctl(&["dead", "list"]).await;
    assert!(list.contains("pwned"), "{list}");
    let (code, letters) = files.json(&["dead", "list"]).await;
    assert_eq!((code, &letters[0]["attempts"]), (0, &1.into()), "{letters}");
    let name = letters[0]["id"].as_str().unwrap();
    let (_, letter) = files.woodyctl(&["dead", "show", name]).await;
    assert_eq!(letter.lines().count(), 5, "{letter}");
    let (_, letter) = files.json(&["dead", "show", name]).await;
    assert_eq!(letter, letters[0]);

    let (_, stuck) = files.woodyctl(&["orders", "stuck"]).await;
    assert!(stuck.contains("Train\\u{202e}niarT"), "{stuck}");
    let (_, stuck) = files.json(&["orders", "stuck"]).await;
    assert_eq!((&stuck[0]["order_id"], &stuck[0]["quantity"]), (&id.into(), &3.into()));
    for words in [
        &["dead", "show", HOSTILE][..],
        &["order", "show", HOSTILE],
        &["order", "place", HOSTILE],
        &["orders", "audit", "--promised", HOSTILE],
        &["doctor", HOSTILE],
        &["load", &format!("http://{HOSTILE}")],
        &["--broker-url", &format!("kafka://{HOSTILE}"), "queue", "stats"],
        &[HOSTILE],
    ] {
        let (code, said) = files.woodyctl(words).await;
        assert!(code == 1 || code == 2, "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_slow_is_kept_and_no_promises_are_no_verdict() {
    let files = files().await;
    files.bury("no JSON", "no JSON").await;
    let id = files.accept("Train").await;
    let ledger = files.folder.path().join("ledger");
    std::fs::write(&ledger, format!("{id} run-0\n")).unwrap();
    let promised = ["orders", "audit", "--promised", "ledger"];
    let (code, audit) = files.json(&promised).await;
    assert_eq!((code, &audit["verdict"], &audit["kept"]), (0, &"kept".into(), &true.into()));
    assert!(audit["because"].as_str().unwrap().contains("1 have been pending"), "{audit}");

    let (code, audit) = files.json(&["orders", "audit"]).await;
    let word = "cannot say";
    assert_eq!((code, &audit["verdict"], &audit["kept"]), (3, &word.into(), &Value::Null));
    assert!(audit["because"].as_str().unwrap().contains("--promised"), "{audit}");

    // Its entry is gone, and there is no message.
    files.store.orders().clear_outbox(&[id]).await.unwrap();
    let (code, audit) = files.json(&promised).await;
    assert_eq!((code, &audit["verdict"], &audit["kept"]), (1, &"broken".into(), &false.into()));
    assert!(audit["because"].as_str().unwrap().contains("neither an outbox entry"), "{audit}");
    let (code, said) = files.woodyctl(&promised).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("\npromises                       broken\nbecause "), "{said}");
}

/// What another shop orders: nested, with a field that may be missing, in any script.
const NESTED: &str = r#"{"to": {"city": "Köln", "zip": null}, "items": [{"name": "木馬 🚂", "count": 2}, {"name": "Drachen"}, {"name": "Kaufladen mit Waage"}]}"#;

/// The fields of a JSON object that are no order's own.
fn own_fields(object: &Value) -> Value {
    let mut fields = object.as_object().unwrap().clone();
    fields.retain(|name, _| !Details::RESERVED.contains(&name.as_str()));
    fields.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_any_type_is_shown_with_all_its_fields() {
    let files = files().await;
    let nested: Value = serde_json::from_str(NESTED).unwrap();
    let order = files.accept_any(NESTED.parse().unwrap()).await;
    let id = order.id.to_string();
    files.bury(&String::from_utf8_lossy(&OrderMessage::from(&order).to_bytes()), "late").await;

    let (code, shown) = files.json(&["order", "show", &id]).await;
    assert_eq!((code, &shown["order_id"], &shown["status"]), (0, &json!(id), &json!("pending")));
    assert_eq!(own_fields(&shown), nested);
    let (_, shown) = files.woodyctl(&["order", "show", &id]).await;
    let fields: Vec<_> = shown.lines().skip(1).take(2).collect();
    assert!(fields[0].ends_with(r#"{"city":"Köln","zip":null}"#), "{shown}");
    assert!(fields[1].starts_with("items ") && fields[1].contains("木馬 🚂"), "{shown}");

    let (_, stuck) = files.json(&["orders", "stuck"]).await;
    assert_eq!((&stuck[0]["order_id"], own_fields(&stuck[0])), (&json!(id), nested.clone()));
    let (_, stuck) = files.woodyctl(&["orders", "stuck"]).await;
    assert!(stuck.contains(r#"to={"city":"Köln","zip":null} items=[{"count":2,"#), "{stuck}");
    assert!(!stuck.contains('…') && stuck.contains("Waage"), "a pipe gets all of it: {stuck}");

    let (_, letters) = files.json(&["dead", "list"]).await;
    let letter = &letters[0]["order"];
    assert_eq!((&letter["order_id"], own_fields(letter)), (&json!(id), nested));
    let (_, letters) = files.woodyctl(&["dead", "list", "--matching", "Köln"]).await;
    assert!(letters.contains(&id) && letters.contains(r#"to={"city":"Köln""#), "{letters}");
    let (_, audit) = files.json(&["orders", "audit"]).await;
    assert_eq!(audit["dead_without_failed"], 1, "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_any_type_is_placed_and_its_message_published_at_once() {
    let files = files().await;
    // Who only looks makes no queue.
    files.bury("no JSON", "no JSON").await;
    let place = ["order", "place", "--details", NESTED, "--key", "a-7"];
    let (code, placed) = files.json(&place).await;
    assert_eq!((code, &placed["kept"]), (0, &json!("accepted")));
    let (_, shown) = files.json(&["order", "show", placed["order_id"].as_str().unwrap()]).await;
    assert_eq!(shown["items"][0]["name"], "木馬 🚂");
    let (_, outbox) = files.json(&["outbox", "stats"]).await;
    let (_, queue) = files.json(&["queue", "stats"]).await;
    assert_eq!((&outbox["waiting"], &queue["ready"]), (&json!(0), &json!(1)));

    // The same in other words is the same order, and something else is refused.
    let again = serde_json::from_str::<Value>(NESTED).unwrap().to_string();
    let again = ["order", "place", "--details", &again, "--key", "a-7"];
    let (_, again) = files.json(&again).await;
    assert_eq!(again["order_id"], placed["order_id"]);
    let other = ["order", "place", "--details", "{}", "--key", "a-7"];
    assert_eq!(files.woodyctl(&other).await.0, 1);
    assert_eq!(files.json(&["order", "place", "Train", "--quantity", "2"]).await.0, 0);
    for words in [
        &["--details", "[1]"][..],
        &["--details", "{"],
        &["--details", r#"{"status": "success"}"#],
        &["--details", NESTED, "Train"],
        &["--details", NESTED, "--quantity", "2"],
        &[],
    ] {
        let (code, said) = files.woodyctl(&[&["order", "place"], words].concat()).await;
        assert_eq!((code, said.lines().count()), (2, 1), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_what_killed_messages_and_acts_on_one_cause() {
    let files = files().await;
    for seconds in 1..=5 {
        files.bury("late", &format!("no response within {seconds}.5 s")).await;
    }
    files.bury("poison", "no JSON").await;
    files.bury("poison", &format!("no JSON, but {HOSTILE}")).await;

    let (code, groups) = files.json(&["dead", "groups"]).await;
    let told = |group: &Value| (group["reason"].clone(), group["count"].clone());
    assert_eq!(code, 0);
    assert_eq!(told(&groups[0]), (json!("no response within # s"), json!(5)));
    assert_eq!(told(&groups[1]), (json!("no JSON"), json!(1)));
    let late = &groups[0];
    assert!(late["first_died_at"].as_str() < late["last_died_at"].as_str(), "{late}");
    assert_eq!(late["such_as"].as_array().unwrap().len(), 3);
    let (_, letters) = files.json(&["dead", "list"]).await;
    assert_eq!(late["such_as"][0], letters[0]["id"]);
    let (_, said) = files.woodyctl(&["dead", "groups"]).await;
    assert!(said.contains("3 groups of 7 dead letters"), "{said}");

    let like = late["such_as"][1].as_str().unwrap();
    let purge = ["dead", "purge", "--like", like];
    let (code, would) = files.json(&[&purge[..], &["--dry-run"]].concat()).await;
    assert_eq!((code, &would["would_be"]), (0, &json!(5)));
    let (code, done) = files.json(&[&purge[..], &["--limit", "2", "--yes"]].concat()).await;
    assert_eq!((code, &done["purged"]), (0, &json!(2)));
    let (_, rest) = files.json(&["dead", "groups"]).await;
    assert_eq!((&rest[0]["count"], &rest[0]["such_as"][0]), (&json!(3), &letters[2]["id"]));
    let like = letters[2]["id"].as_str().unwrap();
    let (code, done) = files.json(&["dead", "redrive", "--like", like]).await;
    assert_eq!((code, &done["redriven"]), (0, &json!(3)));
    let (_, left) = files.json(&["dead", "list"]).await;
    assert_eq!(left.as_array().unwrap().len(), 2, "{left}");

    for (words, code) in [
        (&["dead", "purge", "--like", like, "--yes"][..], 1),
        (&["dead", "purge", "--like", like, "--all", "--yes"], 2),
        (&["dead", "purge", "--limit", "1", "--yes"], 2),
        (&["dead", "purge", "--all", "--limit", "0", "--yes"], 2),
    ] {
        let (was, said) = files.woodyctl(words).await;
        assert_eq!(was, code, "{words:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sends_a_message_again_as_it_should_have_been() {
    let files = files().await;
    let id = "3f0d6a2e-47d4-4b80-9d0e-0f4c6f3e2b11";
    files.bury(r#"{"product": "Train", "price": 1.50}"#, "order_id is missing").await;
    let (_, letters) = files.json(&["dead", "list"]).await;
    let name = letters[0]["id"].as_str().unwrap();
    let set = format!("order_id={id}");
    let (code, would) = files.json(&["dead", "edit", name, "--set", &set, "--dry-run"]).await;
    let message = format!(r#"{{"order_id":"{id}","price":1.50,"product":"Train"}}"#);
    assert_eq!((code, &would["would_send"]), (0, &json!(message)));
    for (words, says) in [
        (&["--set", "quantity=2"][..], "is no order"),
        (&["--set", "quantity"], "FIELD=VALUE"),
        (&["--body", "nowhere.json"], "cannot read nowhere.json"),
        (&[], "--set"),
    ] {
        let (code, said) = files.woodyctl(&[&["dead", "edit", name], words].concat()).await;
        assert!(code == 2 && said.contains(says), "{words:?}: {code} {said}");
    }
    let (code, done) = files.json(&["dead", "edit", name, "--set", &set, "--by", "ada"]).await;
    assert_eq!((code, &done["order_id"]), (0, &json!(id)));
    let (_, left) = files.json(&["dead", "list"]).await;
    assert_eq!(left, json!([]));
    let (_, acts) = files.json(&["acts", "--order", id]).await;
    assert_eq!(acts["acts"][0]["act"], "dead edit", "{acts}");
    let broker = files.broker().await;
    let delivery = broker.consumer(Prefetch::MIN).await.unwrap().next().await.unwrap();
    assert_eq!(String::from_utf8_lossy(delivery.body()), message);
    drop(delivery);
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_the_store_has_is_not_made_another() {
    let files = files().await;
    let order = files.accept_any(Details::parse(r#"{"product":"Boat"}"#).unwrap()).await;
    let body = OrderMessage::from(&order).to_bytes();
    files.bury(&String::from_utf8_lossy(&body), "no such wood").await;
    let (_, letters) = files.json(&["dead", "list"]).await;
    let edit = ["dead", "edit", letters[0]["id"].as_str().unwrap(), "--set"];
    let (code, said) = files.woodyctl(&[&edit[..], &["product=Train"]].concat()).await;
    assert!(code == 1 && said.contains("as its client placed it"), "{code}: {said}");
    let other = "order_id=3f0d6a2e-47d4-4b80-9d0e-0f4c6f3e2b11";
    let (code, said) = files.woodyctl(&[&edit[..], &[other]].concat()).await;
    assert!(code == 2 && said.contains("and stays so"), "{code}: {said}");
    let (_, left) = files.json(&["dead", "list"]).await;
    assert_eq!(left.as_array().unwrap().len(), 1, "{left}");
    let (_, acts) = files.json(&["acts", "--order", &order.id.to_string()]).await;
    assert_eq!(acts["acts"][0]["result"], "refused", "{acts}");
}
