//! Keys for clients, as `woodyctl keys` makes them.

use std::process::Command;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde_json::Value;
use testkit::{
    client::send,
    service::{Start, binary},
};
use woody_adapters::keys::{ApiKeys, Scope};

fn new(words: &[&str]) -> (Option<i32>, String, String) {
    let output =
        Command::new(binary("woodyctl")).args(["keys", "new"]).args(words).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_new_key_is_printed_once_with_the_line_by_which_it_is_known() {
    let (code, told, _) = new(&["acme", "--scopes", "order,read"]);
    assert_eq!(code, Some(0));
    let word = |start: &str| told.split_whitespace().find(|word| word.starts_with(start)).unwrap();
    let (key, line) = (word("woody_"), told.lines().last().unwrap());
    let line = &line[line.find("acme ").unwrap()..];
    let keys: ApiKeys = line.parse().unwrap();
    let client = keys.find(key.as_bytes()).unwrap();
    assert_eq!(
        (client.name.as_str(), client.scopes.to_string()),
        ("acme", "order,read".to_owned())
    );
    assert!(!client.scopes.contains(Scope::Operate));

    let (code, told, _) = new(&["acme", "--scopes", "operate", "--json"]);
    let json: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (code, &json["name"], &json["scopes"]),
        (Some(0), &"acme".into(), &"operate".into())
    );
    let keys: ApiKeys = json["line"].as_str().unwrap().parse().unwrap();
    assert!(keys.find(json["key"].as_str().unwrap().as_bytes()).is_some());
    assert!(keys.find(key.as_bytes()).is_none(), "no two are alike");
}

#[test]
fn what_names_no_client_or_no_scope_is_refused() {
    for (words, says) in [
        (&["Acme", "--scopes", "order"][..], "a client's name is"),
        (&["acme", "--scopes", "write"], "is no scope"),
        (&["acme", "--scopes", ""], "order, read or operate"),
        (&["acme"], "--scopes"),
    ] {
        let (code, told, complaint) = new(words);
        assert_eq!((code, told.as_str()), (Some(2), ""), "{words:?}: {complaint}");
        assert!(complaint.contains(says), "{complaint}");
    }
}

#[tokio::test]
async fn a_shop_in_one_process_lets_in_whom_its_file_knows() {
    let (_, told, _) = new(&["acme", "--scopes", "read", "--json"]);
    let json: Value = serde_json::from_str(&told).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    std::fs::write(&file, format!("# clients\n{}\n", json["line"].as_str().unwrap())).unwrap();
    let shop = Start::of("woodytoys").current_dir(folder.path()).env("WOODY_VALIDATION", "none");
    let shop = shop.env("WOODY_API_KEYS_FILE", file.to_str().unwrap()).ready().await;
    let key = json["key"].as_str().unwrap();
    for (path, key, status) in [
        ("/api/misc/time", Some(key), 200),
        ("/api/misc/time", None, 401),
        ("/api/orders/do?order=lion", Some(key), 403),
        ("/api/ping", None, 200),
        ("/", None, 200),
    ] {
        let request = Request::get(path).header("host", "localhost");
        let request = match key {
            Some(key) => request.header("authorization", format!("Bearer {key}")),
            None => request,
        };
        let answer = send(shop.address, request.body(Full::new(Bytes::new())).unwrap()).await;
        assert_eq!(answer.unwrap().status, status, "{path}");
    }
}
