//! What `woodyctl status` says first.

use serde_json::{Value, json};

use crate::files::files;

#[tokio::test(flavor = "multi_thread")]
async fn status_says_what_is_wrong_the_worst_first() {
    let files = files().await;
    let causes = |status: &Value| {
        let findings = status["findings"].as_array().unwrap().iter();
        findings.map(|finding| finding["cause"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    // Who only looks makes no queue.
    files.bury("no JSON", "no JSON").await;
    let (code, status) = files.json(&["status"]).await;
    assert_eq!((code, &status["severity"]), (4, &json!("act")));
    assert_eq!(causes(&status), ["no-worker", "dead-letters"]);
    let (_, text) = files.woodyctl(&["status"]).await;
    assert!(text.starts_with("Nothing is lost. No order-worker takes orders."), "{text}");

    // With a worker, what is left can wait.
    let worker = files.worker().await;
    let (code, status) = files.json(&["status"]).await;
    assert_eq!((code, causes(&status)), (1, vec!["dead-letters".to_owned()]));

    // Its entry is five minutes old, and nobody sends it.
    files.accept("Train").await;
    let (code, status) = files.json(&["status"]).await;
    assert_eq!((code, causes(&status)[0].as_str()), (4, "not-sent"));
    assert_eq!((&status["store"]["outbox"], &status["lost"]), (&json!(1), &json!("nothing")));
    let (_, text) = files.woodyctl(&["status"]).await;
    assert!(text.starts_with("Nothing is lost. 1 order waits in the outbox"), "{text}");
    worker.close().await;

    let (code, refused) = files.woodyctl(&["status", "--watch", "10ms"]).await;
    assert!(code == 2 && refused.contains("--watch"), "{refused}");
}
