//! `woodyctl orders archive`.

use std::time::Duration;

use serde_json::Value;
use woody_core::{
    domain::{Details, NewOrder, OrderId, Outcome, now},
    ports::{Decision, Insert},
};

use crate::files::{Files, files};

/// A shop with so many orders that ended 100 days ago, one that failed then, one that has
/// been pending since then, and one that ended now.
async fn old_shop(ended: usize) -> (Files, Vec<NewOrder<Details>>) {
    let files = files().await;
    let orders = files.store.orders();
    let mut old = Vec::new();
    for number in 0..ended + 2 {
        let details = Details::parse(&format!(r#"{{"product":"Train {number}"}}"#)).unwrap();
        let accepted_at = now() - Duration::from_hours(100 * 24);
        old.push(NewOrder { accepted_at, ..NewOrder::new(details) });
    }
    let _ = orders.insert(&old, Duration::ZERO).await.unwrap();
    old.pop();
    let failed = old.pop().unwrap();
    let fresh = files.accept_any(Details::parse(r#"{"product":"Kite"}"#).unwrap()).await;
    let good = old.iter().chain([&fresh]).map(|order| (order, Outcome::Success(None)));
    for (order, outcome) in good.chain([(&failed, Outcome::Failed("no saw".into()))]) {
        let decision =
            Decision { order: order.clone(), outcome, redriven: false, validation: None };
        let _ = orders.finish(&[decision]).await.unwrap();
    }
    (files, old)
}

fn ids_in(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| line["order_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_long_ago_goes_to_the_file_and_is_not_made_anew() {
    let (files, old) = old_shop(7).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.jsonl");
    let to = path.to_str().unwrap();
    let archive = ["orders", "archive", "--older-than", "90days", "--batch", "3"];
    let dry = [&archive[..], &["--dry-run"]].concat();
    let (code, counted) = files.json(&dry).await;
    assert_eq!((code, &counted["may_be_archived"]), (0, &7.into()), "{counted}");
    assert!(!path.exists());
    // A crash has left half a line.
    std::fs::write(&path, "{\"order_id\":\"hal").unwrap();
    let words = [&archive[..], &["--yes", "--to", to, "--because", "every quarter"]].concat();
    let (code, done) = files.json(&words).await;
    assert_eq!((code, &done["archived"]), (0, &7.into()), "{done}");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut expected: Vec<String> = old.iter().map(|order| order.id.to_string()).collect();
    expected.sort();
    let mut written = ids_in(&text);
    written.sort();
    assert_eq!(written, expected);
    assert!(text.contains(r#""details":{"product":"Train 0"}"#), "{text}");

    let (_, done) = files.json(&words).await;
    assert_eq!(done["archived"], 0, "{done}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    let id = old[0].id.to_string();
    let (code, shown) = files.json(&["order", "show", &id]).await;
    assert_eq!((code, &shown["status"], &shown["archived"]), (0, &"success".into(), &true.into()));
    let again = files.store.orders().insert(&old[..1], Duration::ZERO).await.unwrap();
    assert_eq!(again, [Insert::AlreadyPresent]);
    let (_, acts) = files.json(&["acts"]).await;
    let acts = acts["acts"].as_array().unwrap();
    assert_eq!(acts.len(), 2, "a dry run is no act");
    assert_eq!((&acts[1]["act"], &acts[1]["told"]), (&"orders archive".into(), &"7 orders".into()));
}

/// Between the file and the store: what is in the file already is written once more.
#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_was_broken_off_goes_on_and_misses_none() {
    let (files, old) = old_shop(5).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.jsonl");
    let to = path.to_str().unwrap();
    let words = ["orders", "archive", "--older-than", "90days", "--yes", "--to", to];
    assert_eq!(files.woodyctl(&words).await.0, 0);
    let whole = std::fs::read_to_string(&path).unwrap();
    let (files, old_again) = old_shop(5).await;
    assert_eq!(files.json(&words).await.1["archived"], 5);
    let both = std::fs::read_to_string(&path).unwrap();
    assert!(both.starts_with(&whole), "it is appended to");
    let expected = old.iter().chain(&old_again).map(|order| order.id).collect::<Vec<OrderId>>();
    let mut written: Vec<OrderId> =
        ids_in(&both).iter().map(|id| OrderId::parse(id).unwrap()).collect();
    let mut expected = expected;
    written.sort();
    expected.sort();
    assert_eq!(written, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_written_drops_nothing() {
    let (files, old) = old_shop(2).await;
    for (to, says) in [("/dev/full", "no file"), ("/no/such/folder/orders.jsonl", "No such file")] {
        let words = ["orders", "archive", "--older-than", "90days", "--yes", "--to", to];
        let (code, said) = files.woodyctl(&words).await;
        assert!(code == 1 && said.contains(says) && said.contains(to), "{code}: {said}");
    }
    let (code, said) = files.woodyctl(&["orders", "archive", "--older-than", "90days"]).await;
    assert!(code == 2 && said.contains("--to"), "{said}");
    for order in &old {
        let found = files.store.orders().order(order.id).await.unwrap().unwrap();
        assert!(!found.details.are_archived());
    }
}
