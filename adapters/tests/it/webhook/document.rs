//! Webhooks as the document of messages has them.

use serde_json::{Map, Value};
use woody_adapters::http::asyncapi;
use woody_core::domain::Outcome;

use super::{HERE, Manner, OLD_SECRET, Receiver, SECRET, notice, signed, tell};
use crate::schemas::refused;

#[tokio::test]
#[ignore = "needs WOODY_TEST_PYTHON with jsonschema"]
async fn webhooks_are_as_their_schemas_say() {
    let document = asyncapi();
    let mut receiver = Receiver::start(&[Manner::Answers("200 OK")]).await;
    let schemas = &document["components"]["schemas"];
    let mut checks = Vec::new();
    for (outcome, secrets) in [
        (Outcome::Success(Some("2 sheets".into())), &[SECRET][..]),
        (Outcome::Rejected("too large".into()), &[SECRET, OLD_SECRET]),
        (Outcome::Failed("no verdict".into()), &[SECRET]),
        (Outcome::Cancelled(Some("not wanted".into())), &[SECRET]),
    ] {
        let mut notice = notice("Train 🚂", outcome);
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        notice.order.trace = Some(trace.parse().unwrap());
        tell(&signed(&receiver.url, secrets, HERE), &notice).await.unwrap();
        let posted = receiver.next().await;
        let named = schemas["WebhookHeaders"]["properties"].as_object().unwrap().keys();
        let headers: Map<_, _> =
            named.map(|name| (name.clone(), Value::from(posted.header(name)))).collect();
        checks.extend([("WebhookHeaders", headers.into()), ("OrderEnded", posted.json())]);
    }
    assert_eq!(refused(&document, &checks), [""; 0]);
    // Each end has a type of its own, and there is none besides.
    let kinds: Vec<_> = checks.iter().filter_map(|(_, sent)| sent.get("type").cloned()).collect();
    assert_eq!(Value::from(kinds), schemas["EndKind"]["enum"]);
}
