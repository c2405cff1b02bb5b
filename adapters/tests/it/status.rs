//! What is said of a shop, of each thing that can be wrong with it.

use time::{Duration, OffsetDateTime, macros::datetime};
use woody_adapters::status::{Cause, Evidence, Servers, Severity, ShopStatus, Trouble};
use woody_core::{
    domain::{Pause, Reason, SubscriptionName},
    ports::{Backlog, NoticeCounts, QueueDepth, Replication},
    services::Wait,
};

const LOOKED_AT: OffsetDateTime = datetime!(2026-11-29 03:10 UTC);
const SERVERS: Servers = Servers { store: "PostgreSQL", broker: "RabbitMQ" };

fn before(age: Duration) -> OffsetDateTime {
    LOOKED_AT - age
}

fn waiting(pending: u64, age: Duration) -> Backlog {
    Backlog { pending, oldest_pending: Some(before(age)), ..Backlog::default() }
}

fn unsent(orders: u64, age: Duration) -> Backlog {
    let since = Some(before(age));
    Backlog { unpublished: orders, oldest_unpublished: since, ..waiting(orders, age) }
}

fn queue() -> QueueDepth {
    QueueDepth { consumers: Some(5), ..QueueDepth::default() }
}

fn seen(store: Backlog, queue: QueueDepth) -> Evidence {
    Evidence {
        looked_at: LOOKED_AT,
        store: Ok(store),
        publish: Ok(()),
        queue: Ok(queue),
        pause: None,
        notices: vec![],
        replication: None,
        validation: None,
    }
}

/// A worker's validations wait for the validator.
fn held_up(refused: bool) -> Evidence {
    let (age, reason) = (Duration::minutes(2), Reason::new("the validator does not respond"));
    let validation = Some(Wait { reason, since: before(age), refused });
    Evidence { validation, ..seen(waiting(6, age), QueueDepth { delayed: 6, ..queue() }) }
}

fn trouble(refuses: bool, says: &str) -> Trouble {
    Trouble { refuses, says: says.to_owned() }
}

fn away(evidence: Evidence, trouble: Trouble) -> Evidence {
    Evidence { publish: Err(trouble.clone()), queue: Err(trouble), ..evidence }
}

fn told(evidence: Evidence) -> ShopStatus {
    ShopStatus::of(evidence, &SERVERS)
}

#[test]
fn a_shop_at_work_is_well() {
    for (evidence, headline) in [
        (seen(Backlog::default(), queue()), "Nothing is lost. All is well."),
        (
            seen(waiting(12, Duration::seconds(3)), queue()),
            "Nothing is lost. All is well: 12 orders wait, the oldest for 3 s.",
        ),
        // Just accepted, not yet sent.
        (
            seen(unsent(40, Duration::seconds(2)), queue()),
            "Nothing is lost. All is well: 40 orders wait, the oldest for 2 s.",
        ),
        // Each commit waits for one of two standbys.
        (
            Evidence {
                replication: Some(Replication {
                    standbys: 2,
                    waits_for: 1,
                    ..Replication::default()
                }),
                ..seen(Backlog::default(), queue())
            },
            "Nothing is lost. All is well.",
        ),
        // A segment of the log that could not be archived is tried again.
        (
            Evidence {
                replication: Some(Replication {
                    unarchived_since: Some(before(Duration::seconds(100))),
                    ..Replication::default()
                }),
                ..seen(Backlog::default(), queue())
            },
            "Nothing is lost. All is well.",
        ),
        // A burst, of which the workers make what they can.
        (
            seen(
                waiting(80_000, Duration::minutes(2)),
                QueueDepth { ready: 79_000, in_flight: Some(1_000), ..queue() },
            ),
            "Nothing is lost. All is well: 80,000 orders wait, the oldest for 2 min.",
        ),
        // Ends of orders on their way, of which a receiver took one at the second attempt.
        (
            untold(12, 0, Some(Duration::seconds(6)), Some("the receiver gave no response")),
            "Nothing is lost. All is well.",
        ),
        (untold(80_000, 0, Some(Duration::seconds(50)), None), "Nothing is lost. All is well."),
    ] {
        let status = told(evidence);
        assert_eq!((status.severity(), status.findings()), (Severity::Well, &[][..]));
        assert_eq!(status.headline(), headline);
    }
}

/// The webhook is still to be told of these, and has been given up for those.
fn untold(open: u64, dead: u64, age: Option<Duration>, problem: Option<&str>) -> Evidence {
    let webhook = NoticeCounts {
        subscription: SubscriptionName::parse("webhook").unwrap(),
        is_subscribed: true,
        open,
        dead,
        oldest: age.map(before),
        problem: problem.map(Reason::new),
    };
    Evidence { notices: vec![webhook], ..seen(Backlog::default(), queue()) }
}

/// One thing that is wrong, and the first line that is said of it.
type Case = (Cause, Evidence, &'static str);

fn cases() -> Vec<Case> {
    outages().into_iter().chain(delays()).chain(notices()).chain(standbys()).collect()
}

/// What can be wrong with those who are told how orders end.
fn notices() -> Vec<Case> {
    let (minutes, no_response) = (Duration::minutes(12), Some("the receiver gave no response"));
    vec![
        (
            Cause::Unheard,
            untold(1_204, 0, Some(minutes), no_response),
            "Nothing is lost. 1,204 ends of orders wait to be told to webhook, at least since 02:58 UTC (12 \
             min). They are tried again by themselves, and orders go on.",
        ),
        (
            Cause::Unheard,
            untold(1, 0, Some(Duration::minutes(2)), None),
            "Nothing is lost. 1 end of an order waits to be told to webhook, at least since 03:08 UTC (2 \
             min). They are tried again by themselves, and orders go on.",
        ),
        (
            Cause::DeadNotices,
            untold(0, 1, None, None),
            "Nothing is lost. 1 end of an order was not told to webhook: it was given up, and is kept as a \
             dead notice.",
        ),
        (
            Cause::DeadNotices,
            untold(0, 1_300, None, None),
            "Nothing is lost. 1,300 ends of orders were not told to webhook: they were given up, and are \
             kept as dead notices.",
        ),
    ]
}

/// What can be wrong with the servers that keep what the store's has committed.
fn standbys() -> Vec<Case> {
    let kept = |standbys, waits_for| Evidence {
        replication: Some(Replication { standbys, waits_for, unarchived_since: None }),
        ..seen(Backlog::default(), queue())
    };
    let unarchived = Replication {
        unarchived_since: Some(before(Duration::minutes(12))),
        ..Replication::default()
    };
    vec![
        (
            Cause::StandbysMissing,
            kept(1, 2),
            "Nothing is lost. PostgreSQL has 1 standby connected, and each commit waits for 2. No order \
             ends; new ones are kept by RabbitMQ meanwhile, and all goes on by itself once they are \
             back.",
        ),
        (
            Cause::LastStandby,
            kept(1, 1),
            "Nothing is lost. Each commit of PostgreSQL waits for 1 standby, and there are no more: once \
             one of them is down, no order ends.",
        ),
        (
            Cause::Asynchronous,
            kept(2, 0),
            "Nothing is lost. PostgreSQL has 2 standbys and waits for none: orders that were promised in \
             its last moments are gone when a standby takes its place.",
        ),
        (
            Cause::NotArchived,
            Evidence { replication: Some(unarchived), ..seen(Backlog::default(), queue()) },
            "Nothing is lost. PostgreSQL has put nothing of its log into the archive since 02:58 UTC (12 \
             min): the shop cannot be brought back to a later moment, and the log fills the disk.",
        ),
    ]
}

/// What can be wrong with the store and the broker themselves.
fn outages() -> Vec<Case> {
    let refused = || trouble(false, "the broker is unavailable: connection refused");
    let calm = || seen(Backlog::default(), queue());
    let store_away = |refuses| Evidence {
        store: Err(trouble(refuses, "the store is unavailable: connection refused")),
        ..seen(Backlog::default(), QueueDepth { ready: 3, ..queue() })
    };
    vec![
        (
            Cause::BrokerUnavailable,
            away(seen(unsent(1_204, Duration::minutes(12)), queue()), refused()),
            "Nothing is lost. RabbitMQ does not respond, at least since 02:58 UTC (12 min). 1,204 orders \
             wait in the outbox; they leave by themselves once it is back, and new ones are accepted.",
        ),
        (
            Cause::BrokerUnavailable,
            away(calm(), refused()),
            "Nothing is lost. RabbitMQ does not respond. New orders are accepted, and wait in the outbox \
             until it is back.",
        ),
        (
            Cause::BrokerRefuses,
            away(
                seen(unsent(1, Duration::seconds(4)), queue()),
                trouble(true, "NOT_FOUND - no queue"),
            ),
            "Nothing is lost. RabbitMQ refuses, at least since 03:09 UTC (4 s). 1 order waits in the \
             outbox; new ones are accepted, and none ends.",
        ),
        (
            Cause::StoreUnavailable,
            store_away(false),
            "Nothing is known to be lost. PostgreSQL does not respond. New orders are kept by RabbitMQ \
             meanwhile (3 messages wait there); none ends or can be shown, and all goes on by itself \
             once it is back.",
        ),
        (
            Cause::StoreRefuses,
            store_away(true),
            "Nothing is known to be lost. PostgreSQL refuses. New orders are kept by RabbitMQ meanwhile \
             (3 messages wait there); none ends or can be shown.",
        ),
        (
            Cause::NothingAnswers,
            away(store_away(false), refused()),
            "Nothing is known to be lost. Neither PostgreSQL nor RabbitMQ can be used. New orders are \
             refused (503), none ends, and all goes on by itself once either is back.",
        ),
    ]
}

/// What can be wrong while store and broker respond.
fn delays() -> Vec<Case> {
    vec![
        (
            Cause::QueueUncertain,
            Evidence {
                queue: Err(trouble(false, "the queue has no leader")),
                ..seen(waiting(9, Duration::seconds(40)), queue())
            },
            "Nothing is lost. RabbitMQ takes messages and cannot say what it holds. 9 orders wait, the \
             oldest for 40 s, and nothing is put back into the queue until it can.",
        ),
        (
            Cause::Paused,
            Evidence {
                pause: Some(Pause {
                    since: before(Duration::minutes(9)),
                    by: "ada".into(),
                    because: Some(Reason::new("the saw is being mended")),
                }),
                ..seen(
                    waiting(31, Duration::minutes(8)),
                    QueueDepth { ready: 31, consumers: Some(0), ..queue() },
                )
            },
            "Nothing is lost. ada has paused the workers since 03:01 UTC (the saw is being mended). 31 \
             orders wait, the oldest for 8 min; new ones are accepted, and wait.",
        ),
        (
            Cause::NoWorker,
            seen(
                waiting(250, Duration::minutes(3)),
                QueueDepth { ready: 250, consumers: Some(0), ..queue() },
            ),
            "Nothing is lost. No order-worker takes orders. 250 orders wait, the oldest for 3 min; new \
             ones are accepted, and wait.",
        ),
        (
            Cause::NoWorker,
            seen(
                waiting(1, Duration::minutes(3)),
                QueueDepth { ready: 1, in_flight: Some(0), consumers: None, ..queue() },
            ),
            "Nothing is lost. No order-worker takes orders. 1 order waits, for 3 min; new ones are \
             accepted, and wait.",
        ),
        (
            Cause::NotSent,
            seen(unsent(77, Duration::hours(2)), queue()),
            "Nothing is lost. 77 orders wait in the outbox, at least since 01:10 UTC (2 h), though \
             RabbitMQ takes messages. After an outage they leave within moments; otherwise no \
             order-service sends them.",
        ),
        (
            Cause::ValidationRefused,
            held_up(true),
            "Nothing is lost. Validations wait, at least since 03:08 UTC (2 min). 6 orders wait, the \
             oldest for 2 min. None of them is given up.",
        ),
        (
            Cause::ValidationWaits,
            held_up(false),
            "Nothing is lost. Validations wait, at least since 03:08 UTC (2 min). 6 orders wait, the \
             oldest for 2 min. They go on by themselves once it responds.",
        ),
        (
            Cause::NotValidated,
            seen(waiting(6, Duration::minutes(2)), QueueDepth { delayed: 1, ..queue() }),
            "Nothing is lost. Some validations have not succeeded: 1 message waits for another attempt, \
             which comes by itself. 6 orders wait, the oldest for 2 min.",
        ),
        (
            Cause::Behind,
            seen(waiting(100_000, Duration::minutes(20)), QueueDepth { ready: 200_000, ..queue() }),
            "Nothing is lost. The workers are behind: 100,000 orders or more wait, the oldest for 20 \
             min; 5 workers take them. They go on by themselves.",
        ),
        (
            Cause::DeadLetters,
            seen(Backlog::default(), QueueDepth { dead: 1, ..queue() }),
            "Nothing is lost. 1 message was given up, and kept as a dead letter.",
        ),
        (
            Cause::DeadLetters,
            seen(Backlog::default(), QueueDepth { dead: 1_300, ..queue() }),
            "Nothing is lost. Some messages were given up, and kept as 1,300 dead letters.",
        ),
    ]
}

#[test]
fn each_cause_has_its_sentence() {
    for (cause, evidence, headline) in cases() {
        let status = told(evidence);
        let first = &status.findings()[0];
        assert_eq!((first.cause, status.severity()), (cause, cause.severity()), "{headline}");
        assert_eq!(status.headline(), headline);
        assert!(first.act.ends_with('.'), "{}", first.act);
    }
}

#[test]
fn each_cause_has_a_case_and_a_line_in_the_documentation() {
    let operations = include_str!("../../../docs/operations.md");
    for cause in Cause::ALL {
        assert!(cases().iter().any(|(of, ..)| *of == cause), "{cause:?}");
        let line = format!("| `{}` |", cause.as_str());
        assert!(operations.contains(&line), "docs/operations.md has no line {line}");
    }
}

#[test]
fn the_worst_comes_first_and_the_rest_is_told_as_well() {
    let depth = QueueDepth { ready: 3, dead: 2, consumers: Some(0), ..queue() };
    let status = told(seen(waiting(3, Duration::minutes(9)), depth));
    let causes: Vec<_> = status.findings().iter().map(|finding| finding.cause).collect();
    assert_eq!(causes, [Cause::NoWorker, Cause::Behind, Cause::DeadLetters]);
    let text = status.text();
    assert_eq!(text.lines().next(), Some(&*status.headline()));
    assert_eq!(text.matches("Also: ").count(), 2, "{text}");
    assert!(text.contains("pending orders   3, the oldest 9 min"), "{text}");
    assert!(
        text.contains("dead letters     2") && text.contains("at workers       unknown"),
        "{text}"
    );
    let json = status.json();
    assert_eq!(json["severity"], "act");
    assert_eq!(json["findings"][0]["cause"], "no-worker");
    assert_eq!(json["findings"][0]["since"], "2026-11-29T03:01:00Z");
    assert_eq!(json["store"]["pending"], 3);
    assert_eq!(json["lost"], "nothing");
}

#[test]
fn gauges_say_what_is_known_and_leave_out_what_is_not() {
    let busy = Evidence {
        notices: untold(3, 2, Some(Duration::seconds(4)), None).notices,
        ..seen(unsent(7, Duration::seconds(5)), QueueDepth { ready: 9, dead: 1, ..queue() })
    };
    let gauges = told(busy.clone()).gauges();
    for line in [
        "# TYPE woody_shop_orders gauge",
        "woody_shop_cause{cause=\"dead-letters\",severity=\"wrong\"} 1",
        "woody_shop_cause{cause=\"no-worker\",severity=\"act\"} 0",
        "woody_shop_orders{state=\"pending\"} 7",
        "woody_shop_orders{state=\"outbox\"} 7",
        "woody_shop_oldest_order_seconds{state=\"outbox\"} 5",
        "woody_shop_messages{state=\"ready\"} 9",
        "woody_shop_messages{state=\"dead\"} 1",
        "woody_shop_consumers 5",
        "woody_shop_notices{subscription=\"webhook\",state=\"open\"} 3",
        "woody_shop_notices{subscription=\"webhook\",state=\"dead\"} 2",
        "woody_shop_oldest_notice_seconds{subscription=\"webhook\"} 4",
    ] {
        assert!(gauges.lines().any(|told| told == line), "no {line} in\n{gauges}");
    }
    // Not every broker counts them.
    assert!(!gauges.contains("in_flight"), "{gauges}");
    let gauges = told(away(busy, trouble(false, "connection refused"))).gauges();
    assert!(gauges.contains("woody_shop_orders") && !gauges.contains("woody_shop_messages"));
    let unavailable = "woody_shop_cause{cause=\"broker-unavailable\",severity=\"act\"} 1";
    assert!(gauges.contains(unavailable), "{gauges}");
}
