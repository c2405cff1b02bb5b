//! Spans of orders' traces.

use tracing::{Span, field::display};

use crate::{
    domain::OrderMessage,
    ports::{BrokerError, Publisher},
};

/// Opens a span of a trace, where the trace is sampled and somebody exports its spans. Evaluates to the span and to the
/// context for what follows from it: that of the span, or the one that came.
macro_rules! part_of {
    ($came:expr, $name:literal, $kind:literal $(, $($fields:tt)+)?) => {{
        let came: Option<$crate::domain::TraceContext> = $came;
        match came.filter($crate::domain::TraceContext::is_sampled) {
            None => (tracing::Span::none(), came),
            Some(parent) => {
                let own = parent.child();
                let span = tracing::debug_span!(
                    target: $crate::domain::TraceContext::TARGET,
                    parent: None,
                    $name,
                    otel.kind = $kind,
                    otel.status_description = tracing::field::Empty,
                    trace.context = %own,
                    trace.parent = parent.span_id(),
                    $($($fields)+)?
                );
                let follows = if span.is_disabled() { parent } else { own };
                (span, Some(follows))
            }
        }
    }};
}
pub(super) use part_of;

/// Notes on a span why what it stands for failed.
pub(super) fn failed(span: &Span, why: impl std::fmt::Display) {
    span.record("otel.status_description", display(why));
}

/// Publishes messages. Each of a trace that is recorded is a span, and its message tells that one.
pub(super) async fn publish(
    publisher: &dyn Publisher,
    messages: &mut [OrderMessage],
) -> Result<(), BrokerError> {
    let mut spans = Vec::new();
    for message in messages.iter_mut().filter(|message| message.trace.is_some()) {
        let (span, follows) = part_of!(
            message.trace,
            "publish",
            "producer",
            messaging.operation.type = "send",
            woody.order.id = %message.order_id,
        );
        message.trace = follows;
        if !span.is_disabled() {
            spans.push(span);
        }
    }
    let sent = publisher.publish(messages).await;
    if let Err(error) = &sent {
        for span in &spans {
            failed(span, error);
        }
    }
    sent
}
