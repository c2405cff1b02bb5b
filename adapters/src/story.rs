//! The story of an order, in words for people and as JSON for programs.

use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;
use woody_core::{
    domain::{Act, AfterFailure, ClientName, Details, Order, Outcome, Reason, Validation},
    ports::{KeptAttempt, KeptIn, KeptNotice, OrderTrail},
    services::{OrderStory, StoryEvent, StoryStep},
};

/// One step of a story, as it is told.
#[derive(Debug, Clone, PartialEq)]
pub struct ToldStep {
    /// When; `None` where only that it happened is kept.
    pub at: Option<String>,
    /// What happened, in one word or two.
    pub happened: &'static str,
    /// What else there is to say.
    pub told: String,
    /// The same for programs.
    pub object: Value,
}

/// Returns the steps of a story, the oldest first.
pub fn steps(story: &OrderStory) -> Vec<ToldStep> {
    story.events.iter().map(|event| step(event, &story.order)).collect()
}

/// Returns a story for programs: `order_id`, `status`, the `trace_id` if the order belongs to a
/// trace, `events`, and whether there was more than is told.
pub fn object(story: &OrderStory) -> Value {
    let events: Vec<_> = steps(story).into_iter().map(|step| step.object).collect();
    json!({
        "order_id": story.order.id,
        "status": story.order.status.as_str(),
        "reason": story.order.status.reason(),
        "trace_id": story.order.trace.map(|trace| trace.trace_id()),
        "events": events,
        "is_cut": story.is_cut,
    })
}

/// Says that a story is not whole.
pub fn cut_note() -> String {
    format!(
        "more is known than is told: of an order that fails over and over its first {} attempts \
         are kept, and its newest 100 acts are told",
        OrderTrail::MOST_ATTEMPTS
    )
}

fn step(event: &StoryEvent, order: &Order<Details>) -> ToldStep {
    let (happened, told, mut object) = match &event.step {
        StoryStep::Accepted(kept) => accepted(*kept, order),
        StoryStep::Unpublished => (
            "unpublished",
            "its message waits in the outbox: the broker has not confirmed it".to_owned(),
            Map::new(),
        ),
        StoryStep::Published => (
            "published",
            "the broker has confirmed its message; when is not kept".to_owned(),
            Map::new(),
        ),
        StoryStep::TakenUp { worker, attempt } => {
            let waited = event.at.map_or_else(String::new, |at| {
                format!(", {} after it was accepted", duration(at - order.accepted_at))
            });
            let before = if *attempt > 1 { "; attempts before are not kept" } else { "" };
            let told = format!("by {worker}, attempt {attempt}{waited}{before}");
            ("taken up", told, fields(json!({ "worker": worker, "attempt": attempt })))
        }
        StoryStep::Failed(kept) => failed(kept),
        StoryStep::Ended(outcome, validation) => ended(outcome, validation.as_ref()),
        StoryStep::Acted(act) => acted(act),
        StoryStep::Untold(subscription, kept) => {
            let KeptNotice { notice, is_dead } = kept;
            let told = format!(
                "{subscription} is to be told that it ended as {}: {} attempts{}{}",
                notice.id.ended(),
                notice.attempt,
                if *is_dead { ", given up" } else { "" },
                notice.problem.as_ref().map_or_else(String::new, |why| format!(", {why}")),
            );
            let object = json!({
                "subscription": subscription.as_str(),
                "notice": notice.id.to_string(),
                "attempts": notice.attempt,
                "problem": notice.problem,
            });
            (if *is_dead { "notice dead" } else { "notice open" }, told, fields(object))
        }
        StoryStep::NothingUntold(subscription) => (
            "notified",
            format!("nothing is left to be told to {subscription}: it has heard, or began later"),
            fields(json!({ "subscription": subscription.as_str() })),
        ),
        _ => ("something", String::new(), Map::new()),
    };
    let at = event.at.and_then(|at| at.format(&Rfc3339).ok());
    object.insert("at".to_owned(), json!(at));
    object.insert("event".to_owned(), json!(happened.replace(' ', "_")));
    ToldStep { at, happened, told, object: object.into() }
}

type Told = (&'static str, String, Map<String, Value>);

fn accepted(kept: Option<KeptIn>, order: &Order<Details>) -> Told {
    let told = match kept {
        Some(KeptIn::Store) => "kept in the store",
        Some(KeptIn::Broker) => "kept in the broker; the store learned of it when it ended",
        None => "where it was kept is not known",
    };
    let client = order.client.as_ref().map(ClientName::as_str);
    let placed = client.map_or_else(String::new, |client| format!("placed by {client}; "));
    let trace = order.trace.map(|trace| trace.trace_id());
    let belongs = trace.as_ref().map_or_else(String::new, |trace| format!("; trace {trace}"));
    let object =
        json!({ "kept": kept.map(KeptIn::as_str), "trace_id": trace, "placed_by": client });
    ("accepted", format!("{placed}{told}{belongs}"), fields(object))
}

fn failed(kept: &KeptAttempt) -> Told {
    let KeptAttempt { failed, times, .. } = kept;
    let Validation { worker, attempt, took, .. } = &failed.validation;
    let (happened, then) = match failed.then {
        AfterFailure::Again => ("attempt failed", "it comes again"),
        AfterFailure::Postponed => ("postponed", "no attempt is counted"),
        AfterFailure::GivenUp => ("given up", "it was the last attempt"),
    };
    let last = failed.validation.ended_at().format(&Rfc3339).ok();
    let often = match (*times, &last) {
        (2.., Some(last)) => format!(", {times} times, the last at {last}"),
        _ => String::new(),
    };
    let told = format!(
        "attempt {attempt} by {worker} after {}: {}; {then}{often}",
        duration(time::Duration::try_from(*took).unwrap_or_default()),
        failed.reason,
    );
    let mut object = validation(&failed.validation);
    object.insert("reason".to_owned(), json!(failed.reason));
    object.insert("times".to_owned(), json!(times));
    object.insert("last_at".to_owned(), json!(last));
    (happened, told, object)
}

fn ended(outcome: &Outcome, made: Option<&Validation>) -> Told {
    let reason = outcome.reason().map_or_else(String::new, |reason| format!(": {reason}"));
    let how = match (outcome, made) {
        (Outcome::Cancelled(_), _) => "taken back while it was pending".to_owned(),
        (Outcome::Failed(_), Some(made)) => {
            format!("given up by {}; its message goes to the dead letters", made.worker)
        }
        (Outcome::Failed(_), None) => "without a validation that is known of".to_owned(),
        (_, Some(made)) => format!(
            "validated in {} by {}, attempt {}{}",
            duration(time::Duration::try_from(made.took).unwrap_or_default()),
            made.worker,
            made.attempt,
            if made.redriven { ", redriven" } else { "" },
        ),
        (_, None) => "by whom it was validated is not known".to_owned(),
    };
    let mut object = made.map(validation).unwrap_or_default();
    object.insert("reason".to_owned(), json!(outcome.reason()));
    (outcome.name().as_str(), format!("{how}{reason}"), object)
}

fn acted(act: &Act) -> Told {
    let asked = &act.asked;
    let result = act.result.as_ref().map_or_else(
        || "no result: under way, or broken off".to_owned(),
        |result| match result.told() {
            Some(told) => format!("{}: {told}", result.as_str()),
            None => result.as_str().to_owned(),
        },
    );
    let because = asked.because.as_ref().map_or_else(String::new, |why| format!(" because {why}"));
    let told = format!("{} by {}{because} ({result})", asked.verb, asked.by);
    let object = json!({
        "act_id": asked.id,
        "act": asked.verb,
        "by": asked.by,
        "because": asked.because,
        "result": act.result.as_ref().map(woody_core::domain::ActResult::as_str),
        "told": act.result.as_ref().and_then(|result| result.told()).map(Reason::as_str),
    });
    ("act", told, fields(object))
}

fn validation(made: &Validation) -> Map<String, Value> {
    fields(json!({
        "worker": made.worker,
        "attempt": made.attempt,
        "redriven": made.redriven,
        "taken_up_at": made.taken_up_at.format(&Rfc3339).ok(),
        "took_us": u64::try_from(made.took.as_micros()).unwrap_or(u64::MAX),
    }))
}

fn fields(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// `850 us`, `1.25 ms`, `8.4 s`, `12 min`, and so on.
fn duration(time: time::Duration) -> String {
    let micros = time.whole_microseconds();
    let seconds = time.as_seconds_f64();
    match micros {
        ..1_000 => format!("{micros} us"),
        1_000..1_000_000 => format!("{:.1} ms", seconds * 1_000.0),
        1_000_000..120_000_000 => format!("{seconds:.1} s"),
        120_000_000..7_200_000_000 => format!("{} min", time.whole_minutes()),
        _ => format!("{:.1} h", seconds / 3_600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_in_a_unit_that_fits() {
        for (micros, told) in [
            (-5, "-5 us"),
            (850, "850 us"),
            (1_250, "1.2 ms"),
            (8_400_000, "8.4 s"),
            (720_000_000, "12 min"),
            (9_000_000_000, "2.5 h"),
        ] {
            assert_eq!(duration(time::Duration::microseconds(micros)), told);
        }
    }
}
