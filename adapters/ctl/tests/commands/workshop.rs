//! Orders cut together, in every form in which a plan is printed.

use std::{path::Path, process::Command, sync::Arc, time::Duration};

use serde_json::Value;
use testkit::service::binary;
use woody_core::{
    domain::{Details, NewOrder, OrderId, Outcome, Reason, ToyOrder},
    ports::{Decision, Store},
};
use woody_store::{StoreOptions, StoreUrl};

/// Twelve orders of five small toys, as a workshop might write them down.
const ORDERS: &str = "product,quantity,order\n\
    Train,5,a1\nLion,5,a2\nWoody,5,a3\nKite,5,a4\nRobot,5,a5\nTiger,5,a6\n\
    Truck,5,a7\nWhale,5,a8\nHorse,5,a9\nPlane,5,a10\nSnake,5,a11\nZebra,5,a12\n";

/// Exit code, stdout and stderr.
fn woodyctl(folder: &Path, words: &[&str]) -> (i32, String, String) {
    let done = Command::new(binary("woodyctl")).current_dir(folder).args(words).output().unwrap();
    let [out, err] = [done.stdout, done.stderr].map(|said| String::from_utf8(said).unwrap());
    (done.status.code().unwrap(), out, err)
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("orders.csv"), ORDERS).unwrap();
    folder
}

const PLAN: [&str; 5] = ["workshop", "plan", "--orders", "orders.csv", "--letters"];

#[test]
fn twelve_small_orders_share_their_sheets_and_the_shares_add_up() {
    let folder = folder();
    let words = [&PLAN[..], &["--one-by-one", "--output", "json"]].concat();
    let (code, out, err) = woodyctl(folder.path(), &words);
    assert_eq!((code, err.as_str()), (0, ""));
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["one_by_one"]["sheets"], 12);
    let figures = &told["plan"]["figures"];
    assert!(figures["sheets"].as_u64().unwrap() <= 2, "{figures}");
    let orders = told["orders"].as_array().unwrap();
    assert_eq!((orders.len(), &orders[11]["order"]), (12, &"a12".into()));
    let wood: u64 = orders.iter().map(|order| order["wood_mm2"].as_u64().unwrap()).sum();
    let area = |name: &str| figures[name].as_u64().unwrap();
    assert_eq!(wood, area("used_mm2") + area("waste_mm2"));

    let (_, table, _) = woodyctl(folder.path(), &[&PLAN[..], &["--one-by-one"]].concat());
    assert!(table.contains("a7") && table.contains("one by one 12 sheets"), "{table}");
}

#[test]
fn a_plan_is_printed_in_every_form() {
    let folder = folder();
    let begins = [
        ("svg", "<svg "),
        ("csv", "order,toy,part,width_mm,"),
        ("labels", "order,toy,part,size_mm,"),
        ("dxf", "999\nmillimetres\n"),
        ("text", ""),
    ];
    for (form, begin) in begins {
        let words = [&PLAN[..], &["--output", form]].concat();
        let (code, out, err) = woodyctl(folder.path(), &words);
        assert_eq!((code, err.as_str()), (0, ""), "{form}");
        assert!(out.starts_with(begin), "{form}: {out}");
    }
    let (code, _, err) = woodyctl(folder.path(), &["queue", "stats", "--output", "svg"]);
    assert_eq!(code, 2);
    assert!(err.contains("woodyctl workshop plan"), "{err}");
}

#[test]
fn what_cannot_be_planned_is_told() {
    let folder = folder();
    std::fs::write(folder.path().join("bad.csv"), "product,quantity\nTrain,0\n").unwrap();
    std::fs::write(
        folder.path().join("small.toml"),
        "[[sheet]]\nname = \"chip\"\nwidth_mm = 20\nheight_mm = 20\n",
    )
    .unwrap();
    let (code, _, err) =
        woodyctl(folder.path(), &["workshop", "plan", "--orders", "bad.csv", "--letters"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.starts_with("error: bad.csv:2: "), "{err}");
    let words = [&PLAN[..], &["--workshop", "small.toml"]].concat();
    let (code, out, _) = woodyctl(folder.path(), &words);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("part 1: T (66 x 80 mm) is larger than any sheet"), "{out}");
    let (code, _, err) = woodyctl(folder.path(), &["workshop", "plan"]);
    assert_eq!(code, 2, "{err}");
}

/// Opens the store that woodyctl finds in this folder.
async fn open(folder: &Path) -> Arc<dyn Store> {
    std::fs::create_dir(folder.join("data")).unwrap();
    let url = format!("sqlite:{}", folder.join("data/woody.db").display());
    let url = StoreUrl::parse(&url).unwrap();
    let store = woody_store::connect(&url, StoreOptions::default()).await.unwrap();
    store.migrate().await.unwrap();
    store
}

/// An order of three toys, accepted so many minutes ago.
fn order(toy: &str, minutes: i64) -> NewOrder<Details> {
    let toy = ToyOrder::parse(toy, 3).unwrap();
    let details = Details::of(&toy, Details::MAX_BYTES).unwrap();
    let accepted_at = woody_core::domain::now() - time::Duration::minutes(minutes);
    NewOrder {
        id: OrderId::fresh(),
        details,
        accepted_at,
        trace: None,
        client: None,
        found_by: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_the_last_hour_are_cut_together_unless_they_cannot_be_made() {
    let folder = folder();
    let store = open(folder.path()).await;
    let orders = [
        order("Earlier", 61),
        order("Train", 59),
        order("Lion", 30),
        order("Castle", 20),
        order("Whale", 10),
        NewOrder { details: r#"{"pizza": "Margherita"}"#.parse().unwrap(), ..order("Kite", 5) },
    ];
    let _ = store.orders().insert(&orders, Duration::ZERO).await.unwrap();
    let ended = |order: usize, outcome| Decision {
        order: orders[order].clone(),
        outcome,
        redriven: false,
        validation: None,
    };
    let why = || Reason::new("no");
    let decisions = [
        ended(1, Outcome::Success(None)),
        ended(3, Outcome::Rejected(why())),
        ended(4, Outcome::Failed(why())),
    ];
    let _ = store.orders().finish(&decisions).await.unwrap();
    let ids: Vec<_> = orders.iter().map(|order| order.id.to_string()).collect();
    let (at, named) = (folder.path().to_owned(), ids[2].clone());
    let told = tokio::task::spawn_blocking(move || {
        let plan = ["workshop", "plan", "--output", "json"];
        let hour = woodyctl(&at, &[&plan[..], &["--since", "1h", &named]].concat());
        let minute = woodyctl(&at, &[&plan[..], &["--since", "1m"]].concat());
        let list = ["orders", "list", "--since", "1h", "--limit", "3", "--output", "json"];
        let first = woodyctl(&at, &list).1;
        let cursor = serde_json::from_str::<Value>(&first).unwrap()["next"].clone();
        let words = [&list[..], &["--cursor", cursor.as_str().unwrap()]].concat();
        let second = woodyctl(&at, &words).1;
        let failed = woodyctl(&at, &["orders", "list", "--status", "failed"]).1;
        let bad = woodyctl(&at, &["orders", "list", "--cursor", "7"]);
        (hour, minute, [first, second], failed, bad)
    });
    let (hour, minute, pages, failed, bad) = told.await.unwrap();
    assert_eq!(hour.0, 0, "{}", hour.2);
    let hour: Value = serde_json::from_str(&hour.1).unwrap();
    let of_each = |told: &Value, name: &str| -> Vec<String> {
        let orders = told["orders"].as_array().unwrap();
        orders.iter().map(|order| order[name].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(of_each(&hour, "order"), [ids[1].as_str(), ids[2].as_str()], "each once");
    assert_eq!(minute.0, 1, "{}", minute.2);
    assert!(minute.2.contains("holds no order of toys of that time"), "{}", minute.2);

    let pages = pages.map(|page| serde_json::from_str::<Value>(&page).unwrap());
    assert_eq!(of_each(&pages[0], "order_id"), ids[1..4]);
    assert_eq!(of_each(&pages[1], "order_id"), ids[4..]);
    assert_eq!(pages[0]["orders"][2]["reason"], "no");
    assert!(pages[1]["next"].is_null());
    assert!(failed.contains(&ids[4]) && failed.contains("1 orders, and no more"), "{failed}");
    assert_eq!(bad.0, 2, "{}", bad.2);
    assert!(bad.2.contains("must be one that a page ended with"), "{}", bad.2);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_the_store_are_cut_by_their_ids_from_the_parts_of_their_products() {
    let folder = folder();
    let store = open(folder.path()).await;
    let toy = order("Train", 0);
    let pizza = r#"{"pizza": "Margherita"}"#.parse().unwrap();
    let other = NewOrder { details: pizza, ..order("Train", 0) };
    let _ = store.orders().insert(&[toy.clone(), other.clone()], Duration::ZERO).await.unwrap();
    let (toy, other) = (toy.id.to_string(), other.id.to_string());
    let part =
        serde_json::json!([{ "name": "wagon", "width_mm": 300, "height_mm": 200, "count": 2 }]);
    let product = woody_core::domain::NewProduct {
        id: woody_core::domain::ProductId::fresh(),
        name: woody_core::domain::ProductName::parse("Train").unwrap(),
        parts: serde_json::from_value(part).unwrap(),
        created_at: woody_core::domain::now(),
    };
    store.products().add(&product).await.unwrap();
    let at = folder.path().to_owned();
    let told = tokio::task::spawn_blocking(move || {
        let plan = ["workshop", "plan", "--output", "csv"];
        let known = woodyctl(&at, &[&plan[..], &[&toy]].concat());
        let refused = woodyctl(&at, &[&plan[..], &[&other]].concat());
        let unknown = OrderId::fresh().to_string();
        let unknown = woodyctl(&at, &[&plan[..], &[&unknown]].concat());
        (toy, known, refused, unknown)
    });
    let (toy, known, refused, unknown) = told.await.unwrap();
    assert_eq!(known.0, 0, "{}", known.2);
    assert!(known.1.contains(&format!("{toy},Train,wagon,")), "{}", known.1);
    assert_eq!((refused.0, unknown.0), (1, 1), "{} {}", refused.2, unknown.2);
    assert!(refused.2.contains("no order of toys is"), "{}", refused.2);
}
