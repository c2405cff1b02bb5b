//! `woodyctl notices`.

use woody_core::{
    domain::{NoticeId, Outcome, SubscriptionName},
    ports::{Attempt, Decision},
};

use crate::files::{Files, files};

/// A shop with three orders that have ended: two dead notices to `webhook`, one that is open.
async fn told() -> (Files, Vec<NoticeId>) {
    let files = files().await;
    let notices = files.store.notices();
    let name = SubscriptionName::parse("webhook").unwrap();
    notices.subscribe(&name).await.unwrap();
    for product in ["Train", "Boat", "Kite"] {
        let details = serde_json::json!({ "product": product }).to_string();
        let order = files.accept_any(woody_core::domain::Details::parse(&details).unwrap()).await;
        let decision =
            Decision { order, outcome: Outcome::Success(None), redriven: false, validation: None };
        let _ = files.store.orders().finish(&[decision]).await.unwrap();
    }
    let claimed = notices.claim(&name, 2, std::time::Duration::from_mins(5)).await.unwrap();
    let mut dead: Vec<_> = claimed.into_iter().map(|notice| notice.id).collect();
    let given_up: Vec<_> =
        dead.iter().map(|id| (*id, Attempt::GivenUp("410 Gone\u{1b}[2J".into()))).collect();
    notices.settle(&name, &given_up).await.unwrap();
    dead.sort_unstable();
    (files, dead)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_what_could_not_be_told_and_has_it_told_again() {
    let (files, dead) = told().await;
    let (code, stats) = files.json(&["notices", "stats"]).await;
    let counts = |stats: &serde_json::Value| (stats[0]["open"].clone(), stats[0]["dead"].clone());
    assert_eq!((code, counts(&stats)), (0, (1.into(), 2.into())), "{stats}");
    assert!(stats[0]["subscription"] == "webhook" && stats[0]["oldest"].is_string(), "{stats}");
    let (_, list) = files.json(&["notices", "dead", "list", "webhook"]).await;
    let ids: Vec<_> =
        list.as_array().unwrap().iter().map(|notice| notice["id"].as_str().unwrap()).collect();
    assert_eq!(ids, dead.iter().map(ToString::to_string).collect::<Vec<_>>(), "{list}");
    let (_, text) = files.woodyctl(&["notices", "dead", "list", "webhook"]).await;
    assert!(text.contains("410 Gone") && !text.contains('\u{1b}'), "{text}");

    let one = dead[0].to_string();
    let words = ["notices", "dead", "redrive", "webhook", &one, "--because", "mended"];
    let (code, done) = files.json(&words).await;
    assert_eq!((code, &done["redriven"]), (0, &1.into()), "{done}");
    let (code, said) = files.woodyctl(&words).await;
    assert!(code == 1 && said.contains("dead notice to webhook"), "{code}: {said}");
    let (_, done) = files.json(&["notices", "dead", "redrive", "webhook", "--all"]).await;
    assert_eq!(done["redriven"], 1, "{done}");
    let (_, stats) = files.json(&["notices", "stats"]).await;
    assert_eq!(counts(&stats), (3.into(), 0.into()), "{stats}");
    let (_, acts) = files.json(&["acts"]).await;
    let first = acts["acts"].as_array().unwrap().last().unwrap();
    assert_eq!((&first["act"], &first["because"]), (&"notices redrive".into(), &"mended".into()));
    assert_eq!(first["order_id"], dead[0].order().to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_ends_a_subscription_and_must_say_which() {
    let (files, _) = told().await;
    for (words, code, says) in [
        (&["notices", "dead", "redrive", "webhook"][..], 2, "which?"),
        (&["notices", "dead", "redrive", "webhook", "x_failed"], 2, "an order's id"),
        (&["notices", "dead", "redrive", "Web Hook", "--all"], 2, "a to z"),
        (&["notices", "unsubscribe", "mail", "--yes"], 1, "no subscription mail"),
        (
            &["notices", "dead", "list", "webhok"],
            1,
            "no subscription webhok: did you mean webhook?",
        ),
        (&["notices", "dead", "redrive", "mail", "--all"], 1, "no subscription mail"),
        (&["notices", "unsubscribe", "webhook", "--yes"], 0, "3 notices dropped"),
        (&["notices", "unsubscribe", "webhook", "--yes"], 1, "no subscription webhook"),
    ] {
        let (exit, said) = files.woodyctl(words).await;
        assert!(exit == code && said.contains(says), "{words:?}: {exit}, {said}");
    }
    let (_, stats) = files.json(&["notices", "stats"]).await;
    assert_eq!(stats.as_array().map(Vec::len), Some(0), "{stats}");
}
