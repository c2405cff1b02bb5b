//! Orders cut together, in every form in which a plan is printed.

use std::{path::Path, process::Command, time::Duration};

use serde_json::Value;
use testkit::service::binary;
use woody_core::domain::{Details, NewOrder, OrderId, ToyOrder};
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

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_the_store_are_cut_by_their_ids_from_the_parts_of_their_products() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let url = format!("sqlite:{}", folder.path().join("data/woody.db").display());
    let url = StoreUrl::parse(&url).unwrap();
    let store = woody_store::connect(&url, StoreOptions::default()).await.unwrap();
    store.migrate().await.unwrap();
    let insert = async |details: Details| {
        let accepted_at = woody_core::domain::now();
        let order = NewOrder { id: OrderId::fresh(), details, accepted_at };
        let orders = store.orders();
        let _ = orders.insert(std::slice::from_ref(&order), Duration::ZERO).await.unwrap();
        order.id.to_string()
    };
    let toy = ToyOrder::parse("Train", 3).unwrap();
    let toy = insert(Details::of(&toy, Details::MAX_BYTES).unwrap()).await;
    let other = insert(r#"{"pizza": "Margherita"}"#.parse().unwrap()).await;
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
