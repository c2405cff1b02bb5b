use std::{any::Any, collections::BTreeMap};

use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use uuid::Uuid;
use woody_core::{
    domain::{Details, OrderDetails},
    services::{Ready, TrackedOrder},
};

use super::super::dto::ReadyTimes;

/// An order and where it stands, as responses and events show it: its own fields and
/// those of `D` in one object.
///
/// The fields of `D` and the times are missing while the order is kept by the broker alone.
#[derive(Debug, Serialize)]
pub(crate) struct OrderView<D> {
    order_id: Uuid,
    #[serde(flatten, serialize_with = "fields_of", bound(serialize = "D: Serialize + 'static"))]
    details: Option<D>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    accepted_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    finished_at: Option<OffsetDateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ready: Option<ReadyTimes>,
}

/// Writes what an order asks for as fields beside others.
///
/// [`Details`] are a text that is written as it is, which cannot stand among fields: its own
/// are taken out of it.
#[expect(clippy::ref_option, reason = "serde hands over the field as it is")]
fn fields_of<D: Serialize + 'static, S: Serializer>(
    details: &Option<D>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match (details as &dyn Any).downcast_ref::<Option<Details>>() {
        Some(Some(text)) => {
            let fields: BTreeMap<String, &RawValue> =
                serde_json::from_str(text.as_str()).map_err(S::Error::custom)?;
            serializer.collect_map(fields)
        }
        _ => details.serialize(serializer),
    }
}

impl<D: Serialize> OrderView<D> {
    /// The same with when it will be ready, unless orders have a field of that name themselves.
    pub(super) fn ready(self, ready: Option<Ready>) -> Self {
        let ready = ready.filter(|_| {
            let own = self.details.as_ref().and_then(|own| serde_json::to_value(own).ok());
            own.is_none_or(|own| own.get(READY).is_none())
        });
        Self { ready: ready.map(ReadyTimes::from), ..self }
    }
}

/// What the field is called.
const READY: &str = "ready";

impl<D> OrderView<D> {
    /// Where it stands, in the wire's word.
    pub(super) fn status(&self) -> &'static str {
        self.status
    }
}

impl<D: OrderDetails> From<TrackedOrder<D>> for OrderView<D> {
    fn from(order: TrackedOrder<D>) -> Self {
        let TrackedOrder { id, status, stored } = order;
        Self {
            order_id: id.as_uuid(),
            status: status.as_str(),
            reason: status.reason().map(ToString::to_string),
            accepted_at: stored.as_ref().map(|order| order.accepted_at),
            finished_at: stored.as_ref().and_then(|order| order.finished_at),
            details: stored.map(|order| order.details),
            ready: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use woody_core::domain::{NewOrder, Order, OrderId, OrderStatus, ToyOrder, now};

    use super::*;

    #[test]
    fn an_order_is_one_flat_object_and_shows_only_what_is_known() {
        let new = NewOrder::new(ToyOrder::parse("lion", 3).unwrap());
        let (id, at) = (new.id, new.accepted_at);
        let stored = Order {
            id,
            details: new.details,
            status: OrderStatus::Pending,
            accepted_at: at,
            finished_at: None,
            trace: None,
            client: None,
        };
        let text = |order: TrackedOrder| serde_json::to_string(&OrderView::from(order)).unwrap();
        let stamp = at.format(&time::format_description::well_known::Rfc3339).unwrap();
        assert_eq!(
            text(stored.into()),
            format!(
                r#"{{"order_id":"{id}","product":"lion","quantity":3,"status":"pending","accepted_at":"{stamp}"}}"#
            )
        );
        let unwritten = TrackedOrder { id, status: OrderStatus::Pending, stored: None };
        assert_eq!(text(unwritten), format!(r#"{{"order_id":"{id}","status":"pending"}}"#));
    }

    #[test]
    fn when_it_will_be_ready_stands_beside_its_fields_unless_they_say_so_themselves() {
        let ready = Some(Ready { p50: now(), p90: now() });
        let shown = |text: &str| {
            let stored = Order {
                id: OrderId::fresh(),
                details: Details::parse(text).unwrap(),
                status: OrderStatus::Pending,
                accepted_at: now(),
                finished_at: None,
                trace: None,
                client: None,
            };
            let view = OrderView::from(TrackedOrder::from(stored)).ready(ready);
            serde_json::to_value(view).unwrap()["ready"].clone()
        };
        let times = shown(r#"{"product":"lion"}"#);
        assert!(times["p50"].is_string() && times["p90"].is_string(), "{times}");
        assert_eq!(shown(r#"{"ready":"when it is"}"#), "when it is");
    }

    #[test]
    fn the_fields_of_a_text_are_shown_too() {
        let text = r#"{ "items": [{"name": "木馬", "count": 2}], "to": null, "price": 1.50 }"#;
        let stored = Order {
            id: OrderId::fresh(),
            details: Details::parse(text).unwrap(),
            status: OrderStatus::Pending,
            accepted_at: now(),
            finished_at: None,
            trace: None,
            client: None,
        };
        let shown = serde_json::to_string(&OrderView::from(TrackedOrder::from(stored))).unwrap();
        let fields = r#""items":[{"name": "木馬", "count": 2}],"price":1.50,"to":null,"status""#;
        assert!(shown.contains(fields), "{shown}");
        let unwritten: TrackedOrder<Details> =
            TrackedOrder { id: OrderId::fresh(), status: OrderStatus::Pending, stored: None };
        let shown = serde_json::to_value(OrderView::from(unwritten)).unwrap();
        assert_eq!(shown.as_object().unwrap().len(), 2, "{shown}");
    }
}
