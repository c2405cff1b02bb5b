//! The properties and headers of a message: what is written and what is read.

use std::time::Duration;

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, ShortString},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use woody_core::domain::{ClientName, OrderMessage, Reason, TraceContext, now};

const ATTEMPTS: &str = "x-woody-attempts";
const REDRIVEN: &str = "x-woody-redriven";
/// Who has placed the order.
const CLIENT: &str = "x-woody-client";
const REASON: &str = "x-woody-reason";
const DIED_AT: &str = "x-woody-died-at";
/// RabbitMQ refuses expiries of more than ten years.
const LONGEST_DELAY: Duration = Duration::from_hours(30 * 24);
/// Written by RabbitMQ. They are removed from a message that is moved: the broker
/// might take its way for a cycle and drop it.
const BROKER_HEADERS: [&str; 3] = ["x-death", "x-delivery-count", "x-acquired-count"];
const BROKER_PREFIXES: [&str; 2] = ["x-first-death-", "x-last-death-"];

/// Returns the properties of a new message: persistent JSON.
pub(super) fn fresh() -> BasicProperties {
    BasicProperties::default().with_delivery_mode(2).with_content_type("application/json".into())
}

/// Returns the properties of a new message, if it has some of its own: where its order comes from.
pub(super) fn of_origin(message: &OrderMessage) -> Option<BasicProperties> {
    let mut headers = FieldTable::default();
    if let Some(trace) = message.trace {
        set_text(&mut headers, TraceContext::HEADER, &trace.to_string());
    }
    if let Some(client) = &message.client {
        set_text(&mut headers, CLIENT, client.as_str());
    }
    let is_described = !headers.inner().is_empty();
    is_described.then(|| fresh().with_headers(headers))
}

/// Returns the trace that a message belongs to. A header that is malformed names none.
pub(super) fn trace(properties: &BasicProperties) -> Option<TraceContext> {
    text(properties, TraceContext::HEADER)?.parse().ok()
}

/// Returns who has placed the order of a message. A name that is malformed is nobody's.
pub(super) fn client(properties: &BasicProperties) -> Option<ClientName> {
    text(properties, CLIENT)?.parse().ok()
}

/// Returns how many attempts of the message were counted.
pub(super) fn attempts(properties: &BasicProperties) -> u32 {
    match header(properties, ATTEMPTS) {
        Some(value) => whole(value).unwrap_or(0),
        None => 0,
    }
}

/// Whether an operator redrove the message.
pub(super) fn is_redriven(properties: &BasicProperties) -> bool {
    matches!(header(properties, REDRIVEN), Some(AMQPValue::Boolean(true)))
}

/// Returns the properties for another attempt after `delay`.
pub(super) fn for_retry(
    of: &BasicProperties,
    attempts: u32,
    delay: Duration,
    reason: &Reason,
) -> BasicProperties {
    let delay_ms = delay.clamp(Duration::from_millis(1), LONGEST_DELAY).as_millis();
    let mut headers = kept_headers(of);
    set_attempts(&mut headers, attempts);
    set_text(&mut headers, REASON, reason.as_str());
    kept(of).with_headers(headers).with_expiration(delay_ms.to_string().into())
}

/// Returns the properties for the end of the queue of orders: as the message was, its
/// attempts not counted.
pub(super) fn for_parking(of: &BasicProperties) -> BasicProperties {
    kept(of).with_headers(kept_headers(of))
}

/// Returns the properties for a dead letter of this id.
pub(super) fn for_death(
    of: &BasicProperties,
    attempts: u32,
    reason: &Reason,
    id: &str,
) -> BasicProperties {
    let mut headers = kept_headers(of);
    set_attempts(&mut headers, attempts);
    set_text(&mut headers, REASON, reason.as_str());
    set_text(&mut headers, DIED_AT, &now().format(&Rfc3339).unwrap_or_default());
    kept(of).with_headers(headers).with_message_id(id.into())
}

/// Returns the properties for a dead letter that an operator redrives.
pub(super) fn for_redrive(of: &BasicProperties) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (key, value) in &kept_headers(of) {
        if ![ATTEMPTS, REASON, DIED_AT].contains(&key.as_str()) {
            headers.insert(key.clone(), value.clone());
        }
    }
    headers.insert(REDRIVEN.into(), AMQPValue::Boolean(true));
    kept(of).with_headers(headers)
}

/// Why and when a message became a dead letter.
pub(super) struct Death {
    pub(super) reason: Reason,
    pub(super) attempts: u32,
    pub(super) died_at: Option<OffsetDateTime>,
    /// `None` when the broker itself moved it.
    pub(super) id: Option<String>,
}

/// Reads the properties of a dead letter that a worker or the broker moved.
pub(super) fn death(properties: &BasicProperties) -> Death {
    let died_at =
        text(properties, DIED_AT).and_then(|stamp| OffsetDateTime::parse(&stamp, &Rfc3339).ok());
    if died_at.is_some() {
        return Death {
            reason: Reason::new(text(properties, REASON).unwrap_or_default()),
            attempts: attempts(properties),
            died_at,
            id: properties.message_id().as_ref().map(ToString::to_string),
        };
    }
    let why = text(properties, "x-first-death-reason").or_else(|| last_death(properties));
    let reason = match why.as_deref() {
        Some("delivery_limit") => "the broker delivered it too often".to_owned(),
        Some(why) => format!("moved by the broker: {why}"),
        None => "put here by another program".to_owned(),
    };
    Death {
        reason: Reason::new(reason),
        // Not `x-delivery-count`: in this queue it counts how often the letter was read.
        attempts: attempts(properties),
        died_at: None,
        id: None,
    }
}

/// Returns the reason of the latest entry of `x-death`.
fn last_death(properties: &BasicProperties) -> Option<String> {
    let Some(AMQPValue::FieldArray(deaths)) = header(properties, "x-death") else { return None };
    let Some(AMQPValue::FieldTable(latest)) = deaths.as_slice().first() else { return None };
    latest.inner().get("reason").and_then(as_text)
}

fn header<'a>(properties: &'a BasicProperties, key: &str) -> Option<&'a AMQPValue> {
    properties.headers().as_ref()?.inner().get(key)
}

fn text(properties: &BasicProperties, key: &str) -> Option<String> {
    header(properties, key).and_then(as_text)
}

fn as_text(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => Some(text.to_string()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}

/// Reads a count from any of AMQP's integer types.
fn whole(value: &AMQPValue) -> Option<u32> {
    match value {
        AMQPValue::ShortShortInt(n) => u32::try_from(*n).ok(),
        AMQPValue::ShortShortUInt(n) => Some(u32::from(*n)),
        AMQPValue::ShortInt(n) => u32::try_from(*n).ok(),
        AMQPValue::ShortUInt(n) => Some(u32::from(*n)),
        AMQPValue::LongInt(n) => u32::try_from(*n).ok(),
        AMQPValue::LongUInt(n) => Some(*n),
        AMQPValue::LongLongInt(n) => u32::try_from(*n).ok(),
        _ => None,
    }
}

fn set_attempts(headers: &mut FieldTable, attempts: u32) {
    headers.insert(ATTEMPTS.into(), AMQPValue::LongLongInt(i64::from(attempts)));
}

fn set_text(headers: &mut FieldTable, key: &str, value: &str) {
    headers.insert(key.into(), AMQPValue::LongString(value.into()));
}

/// Returns the headers that a message keeps when it is moved.
fn kept_headers(of: &BasicProperties) -> FieldTable {
    let mut kept = FieldTable::default();
    for (key, value) in of.headers().iter().flatten() {
        let name = key.as_str();
        if !BROKER_HEADERS.contains(&name) && !BROKER_PREFIXES.iter().any(|p| name.starts_with(p)) {
            kept.insert(key.clone(), value.clone());
        }
    }
    kept
}

/// Returns the properties that a message keeps when it is moved: all but its headers,
/// its expiry, and its user, which must be the user of the connection.
fn kept(of: &BasicProperties) -> BasicProperties {
    type With = fn(BasicProperties, ShortString) -> BasicProperties;
    let texts: [(&Option<ShortString>, With); 7] = [
        (of.content_type(), BasicProperties::with_content_type),
        (of.content_encoding(), BasicProperties::with_content_encoding),
        (of.correlation_id(), BasicProperties::with_correlation_id),
        (of.reply_to(), BasicProperties::with_reply_to),
        (of.message_id(), BasicProperties::with_message_id),
        (of.kind(), BasicProperties::with_type),
        (of.app_id(), BasicProperties::with_app_id),
    ];
    let mut kept = BasicProperties::default().with_delivery_mode(2);
    for (value, with) in texts {
        if let Some(value) = value {
            kept = with(kept, value.clone());
        }
    }
    if let Some(priority) = of.priority() {
        kept = kept.with_priority(*priority);
    }
    if let Some(stamp) = of.timestamp() {
        kept = kept.with_timestamp(*stamp);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign() -> BasicProperties {
        let mut headers = FieldTable::default();
        set_text(&mut headers, "colour", "red");
        set_text(&mut headers, "x-first-death-queue", "q");
        headers.insert("x-death".into(), AMQPValue::FieldArray(Vec::new().into()));
        headers.insert("x-acquired-count".into(), AMQPValue::LongLongInt(1));
        BasicProperties::default()
            .with_headers(headers)
            .with_user_id("guest".into())
            .with_expiration("60000".into())
            .with_correlation_id("c".into())
    }

    #[test]
    fn a_message_that_moves_keeps_what_is_its_own_and_not_what_the_broker_wrote() {
        let moved = for_retry(&foreign(), 3, Duration::ZERO, &"why".into());
        let headers = moved.headers().as_ref().unwrap();
        assert!(headers.contains_key("colour"));
        for of_the_broker in ["x-death", "x-first-death-queue", "x-acquired-count"] {
            assert!(!headers.contains_key(of_the_broker), "{of_the_broker}");
        }
        assert_eq!(attempts(&moved), 3);
        assert_eq!(moved.expiration().as_ref().unwrap().as_str(), "1");
        assert_eq!(moved.correlation_id().as_ref().unwrap().as_str(), "c");
        assert_eq!(moved.user_id(), &None);
        assert_eq!(moved.delivery_mode(), &Some(2));
    }

    #[test]
    fn a_dead_letter_tells_its_story_and_a_redrive_forgets_it() {
        let dead = for_death(&foreign(), 5, &"no wood".into(), "id-1");
        let story = death(&dead);
        assert_eq!((story.reason.as_str(), story.attempts), ("no wood", 5));
        assert!(story.died_at.is_some() && story.id.as_deref() == Some("id-1"));
        let again = for_redrive(&dead);
        assert!(is_redriven(&again) && attempts(&again) == 0);
        let headers = again.headers().as_ref().unwrap();
        assert!(headers.contains_key("colour") && !headers.contains_key(DIED_AT));
    }

    #[test]
    fn a_trace_and_a_client_stay_with_their_message_wherever_that_is_moved() {
        let context = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
        let acme: ClientName = "acme".parse().unwrap();
        let plain = OrderMessage::parse(
            br#"{"order_id": "3f0d6a2e-47d4-4b80-9d0e-0f4c6f3e2b11", "product": "Train"}"#,
        );
        let plain = plain.unwrap();
        assert!(of_origin(&plain).is_none());
        let (trace_of, client_of) = (Some(context), Some(acme.clone()));
        let new = of_origin(&OrderMessage { trace: trace_of, client: client_of, ..plain }).unwrap();
        assert_eq!((trace(&new), client(&new)), (Some(context), Some(acme.clone())));
        let again = for_retry(&new, 1, Duration::ZERO, &"why".into());
        let dead = for_death(&again, 2, &"why".into(), "id-1");
        let redriven = for_redrive(&dead);
        for moved in [&again, &dead, &redriven] {
            assert_eq!((trace(moved), client(moved)), (Some(context), Some(acme.clone())));
        }
        let mut headers = FieldTable::default();
        set_text(&mut headers, TraceContext::HEADER, "00-nonsense");
        set_text(&mut headers, CLIENT, "No Name");
        let malformed = BasicProperties::default().with_headers(headers);
        assert_eq!((trace(&malformed), client(&malformed)), (None, None));
    }

    #[test]
    fn what_the_broker_moved_says_why() {
        let mut headers = FieldTable::default();
        set_text(&mut headers, "x-first-death-reason", "delivery_limit");
        set_attempts(&mut headers, 3);
        let story = death(&BasicProperties::default().with_headers(headers));
        assert_eq!(story.reason.as_str(), "the broker delivered it too often");
        assert_eq!((story.attempts, story.id, story.died_at), (3, None, None));
    }
}
