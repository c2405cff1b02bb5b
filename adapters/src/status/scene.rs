//! Each cause as it is seen in the evidence: its sentence, and what to do.

use std::time::Duration;

use time::OffsetDateTime;
use woody_core::ports::{Backlog, QueueDepth};

use super::{
    evidence::{Evidence, Servers, Trouble},
    told::{ago, clock, grouped, lower_first, orders},
};
use crate::figures::age;

/// Entries of the outbox live for milliseconds; one so old is not sent by anybody.
const NOT_SENT: Duration = Duration::from_secs(30);
/// A shop in which an order waits so long is behind.
const BEHIND: Duration = Duration::from_mins(5);
/// Orders that wait so long while messages wait for their next attempt are not validated.
const NOT_VALIDATED: Duration = Duration::from_mins(1);

/// What a cause says, of which it is not yet said how bad it is.
pub(super) struct Told {
    pub(super) says: String,
    pub(super) since: Option<OffsetDateTime>,
    pub(super) act: String,
}

/// The evidence, and how each cause is seen in it.
pub(super) struct Scene<'a> {
    pub(super) seen: &'a Evidence,
    pub(super) servers: &'a Servers,
}

impl<'a> Scene<'a> {
    pub(super) fn new(seen: &'a Evidence, servers: &'a Servers) -> Self {
        Self { seen, servers }
    }

    pub(super) fn nothing_answers(&self) -> Option<Told> {
        let (store, broker) = (self.seen.store.as_ref().err()?, self.seen.publish.as_ref().err()?);
        let Servers { store: store_name, broker: broker_name } = self.servers;
        Some(Told {
            says: format!(
                "Neither {store_name} nor {broker_name} can be used. New orders are refused (503), none \
                 ends, and all goes on by itself once either is back."
            ),
            since: None,
            act: format!(
                "Look at what both have in common first: network, disk, machine, passwords. \
                 {store_name}: {}. {broker_name}: {}.",
                store.says, broker.says
            ),
        })
    }

    pub(super) fn store_unavailable(&self) -> Option<Told> {
        let trouble = self.store_trouble(false)?;
        let name = self.servers.store;
        Some(Told {
            says: format!(
                "{name} does not respond. New orders are kept by {} meanwhile{}; none ends or can be \
                 shown, and all goes on by itself once it is back.",
                self.servers.broker,
                self.waiting_messages()
            ),
            since: None,
            act: format!(
                "Start {name} again, or mend the way to it. It was told: {}.",
                trouble.says
            ),
        })
    }

    pub(super) fn store_refuses(&self) -> Option<Told> {
        let trouble = self.store_trouble(true)?;
        let name = self.servers.store;
        Some(Told {
            says: format!(
                "{name} refuses. New orders are kept by {} meanwhile{}; none ends or can be shown.",
                self.servers.broker,
                self.waiting_messages()
            ),
            since: None,
            act: format!(
                "Give {name} what it lacks: tables (woodyctl migrate), a right, or room on its disk. It \
                 says: {}.",
                trouble.says
            ),
        })
    }

    pub(super) fn broker_unavailable(&self) -> Option<Told> {
        let (trouble, backlog) = self.broker_trouble(false)?;
        let name = self.servers.broker;
        let outbox = match backlog.unpublished {
            0 => "New orders are accepted, and wait in the outbox until it is back".to_owned(),
            waiting => format!(
                "{} in the outbox; they leave by themselves once it is back, and new ones are accepted",
                wait(waiting)
            ),
        };
        let since = self.at_least_since(backlog.oldest_unpublished);
        Some(Told {
            says: format!("{name} does not respond{since}. {outbox}."),
            since: backlog.oldest_unpublished,
            act: format!(
                "Start {name} again, or mend the way to it. It was told: {}.",
                trouble.says
            ),
        })
    }

    pub(super) fn broker_refuses(&self) -> Option<Told> {
        let (trouble, backlog) = self.broker_trouble(true)?;
        let name = self.servers.broker;
        Some(Told {
            says: format!(
                "{name} refuses{}. {} in the outbox; new ones are accepted, and none ends.",
                self.at_least_since(backlog.oldest_unpublished),
                wait(backlog.unpublished)
            ),
            since: backlog.oldest_unpublished,
            act: format!(
                "Give {name} what it lacks: the queue, its virtual host, a right, memory or disk. It \
                 says: {}.",
                trouble.says
            ),
        })
    }

    pub(super) fn queue_uncertain(&self) -> Option<Told> {
        self.seen.publish.as_ref().ok()?;
        let (backlog, trouble) = (self.seen.store.as_ref().ok()?, self.seen.queue.as_ref().err()?);
        let name = self.servers.broker;
        Some(Told {
            says: format!(
                "{name} takes messages and cannot say what it holds. {}, and nothing is put back \
                 into the queue until it can.",
                pending(backlog, self.seen.looked_at)
            ),
            since: None,
            act: format!(
                "See whether the queue has a leader (rabbitmq-queues quorum_status). It says: {}.",
                trouble.says
            ),
        })
    }

    pub(super) fn paused(&self) -> Option<Told> {
        let (pause, backlog) = (self.seen.pause.as_ref()?, self.seen.store.as_ref().ok()?);
        let why = pause.because.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
        let since = clock(pause.since, self.seen.looked_at);
        Some(Told {
            says: format!(
                "{} has paused the workers since {since}{why}. {}; new ones are accepted, and wait.",
                pause.by,
                pending(backlog, self.seen.looked_at)
            ),
            since: Some(pause.since),
            act: "When what it was for is done: woodyctl queue resume.".to_owned(),
        })
    }

    pub(super) fn no_worker(&self) -> Option<Told> {
        let (backlog, queue) = self.both()?;
        // Paused, they leave the queue.
        if self.seen.pause.is_some() {
            return None;
        }
        let nobody = match queue.consumers {
            Some(consumers) => consumers == 0,
            // Where workers are not counted, messages that nobody takes tell.
            None => {
                queue.ready > 0
                    && queue.in_flight == Some(0)
                    && self.waits_longer(backlog.oldest_pending, NOT_VALIDATED)
            }
        };
        nobody.then(|| Told {
            says: format!(
                "No order-worker takes orders. {}; new ones are accepted, and wait.",
                pending(backlog, self.seen.looked_at)
            ),
            since: backlog.oldest_pending,
            act: "Start order-workers, or see in their logs why they do not stay.".to_owned(),
        })
    }

    pub(super) fn not_sent(&self) -> Option<Told> {
        let (backlog, _) = self.both()?;
        self.waits_longer(backlog.oldest_unpublished, NOT_SENT).then(|| Told {
            says: format!(
                "{} in the outbox{}, though {} takes messages. After an outage they leave within moments; \
                 otherwise no order-service sends them.",
                wait(backlog.unpublished),
                self.at_least_since(backlog.oldest_unpublished),
                self.servers.broker
            ),
            since: backlog.oldest_unpublished,
            act: "Start an order-service, or see in its log why it does not send; any one sends what \
                  others have left."
                .to_owned(),
        })
    }

    pub(super) fn validation_waits(&self, refused: bool) -> Option<Told> {
        let wait = self.seen.validation.as_ref().filter(|wait| wait.refused == refused)?;
        let backlog = self.seen.store.as_ref().ok()?;
        let (goes_on, act) = if refused {
            ("None of them is given up", "Mend what refuses")
        } else {
            ("They go on by themselves once it responds", "See to what does not respond")
        };
        Some(Told {
            says: format!(
                "Validations wait{}. {}. {goes_on}.",
                self.at_least_since(Some(wait.since)),
                pending(backlog, self.seen.looked_at)
            ),
            since: Some(wait.since),
            act: format!("{act}: {}.", wait.reason),
        })
    }

    pub(super) fn not_validated(&self) -> Option<Told> {
        let (backlog, queue) = self.both()?;
        let is_so = self.seen.validation.is_none()
            && queue.delayed > 0
            && self.waits_longer(backlog.oldest_pending, NOT_VALIDATED);
        is_so.then(|| Told {
            says: format!(
                "Some validations have not succeeded: {} {} for another attempt, which comes by itself. {}.",
                messages(queue.delayed),
                if queue.delayed == 1 { "waits" } else { "wait" },
                pending(backlog, self.seen.looked_at)
            ),
            since: backlog.oldest_pending,
            act: "See /readyz of an order-worker, or its log: they say what validations wait for."
                .to_owned(),
        })
    }

    pub(super) fn behind(&self) -> Option<Told> {
        let (backlog, queue) = self.both()?;
        let behind = self.seen.pause.is_none() && self.waits_longer(backlog.oldest_pending, BEHIND);
        behind.then(|| Told {
            says: format!(
                "The workers are behind: {}{}. They go on by themselves.",
                lower_first(&pending(backlog, self.seen.looked_at)),
                workers(&queue)
            ),
            since: backlog.oldest_pending,
            act: "Start more order-workers (woodyctl size says how many), or see what takes a validation \
                  so long."
                .to_owned(),
        })
    }

    pub(super) fn dead_letters(&self) -> Option<Told> {
        let queue = self.seen.queue.as_ref().ok().filter(|queue| queue.dead > 0)?;
        Some(Told {
            says: format!(
                "{} given up, and kept as {}.",
                if queue.dead == 1 { "1 message was" } else { "Some messages were" },
                if queue.dead == 1 {
                    "a dead letter".to_owned()
                } else {
                    format!("{} dead letters", grouped(queue.dead))
                }
            ),
            since: None,
            act:
                "See why with woodyctl dead groups; mend it, and send them again with woodyctl dead \
                  redrive."
                    .to_owned(),
        })
    }

    /// What the store said in its trouble, where the broker is well.
    fn store_trouble(&self, refuses: bool) -> Option<&Trouble> {
        self.seen.publish.as_ref().ok()?;
        self.seen.store.as_ref().err().filter(|trouble| trouble.refuses == refuses)
    }

    /// What the broker said in its trouble, where the store is well.
    fn broker_trouble(&self, refuses: bool) -> Option<(&Trouble, &Backlog)> {
        let backlog = self.seen.store.as_ref().ok()?;
        let trouble = self.seen.publish.as_ref().err()?;
        (trouble.refuses == refuses).then_some((trouble, backlog))
    }

    fn both(&self) -> Option<(&Backlog, QueueDepth)> {
        Some((self.seen.store.as_ref().ok()?, *self.seen.queue.as_ref().ok()?))
    }

    pub(super) fn waits_longer(&self, since: Option<OffsetDateTime>, than: Duration) -> bool {
        since.is_some_and(|since| ago(since, self.seen.looked_at) > than)
    }

    pub(super) fn at_least_since(&self, since: Option<OffsetDateTime>) -> String {
        since.map_or_else(String::new, |since| {
            let looked_at = self.seen.looked_at;
            format!(", at least since {} ({})", clock(since, looked_at), age(ago(since, looked_at)))
        })
    }

    fn waiting_messages(&self) -> String {
        match &self.seen.queue {
            Ok(queue) if queue.ready > 0 => format!(" ({} wait there)", messages(queue.ready)),
            _ => String::new(),
        }
    }
}

/// `1,204 orders wait`.
fn wait(count: u64) -> String {
    match count {
        0 => "No order waits".to_owned(),
        1 => "1 order waits".to_owned(),
        _ => format!("{} wait", orders(count)),
    }
}

/// `1,204 orders wait, the oldest for 12 min`.
pub(super) fn pending(backlog: &Backlog, looked_at: OffsetDateTime) -> String {
    let since = backlog.oldest_pending.map(|since| age(ago(since, looked_at)));
    let oldest = since.map_or_else(String::new, |age| match backlog.pending {
        1 => format!(", for {age}"),
        _ => format!(", the oldest for {age}"),
    });
    format!("{}{oldest}", wait(backlog.pending))
}

fn workers(queue: &QueueDepth) -> String {
    match queue.consumers {
        Some(1) => "; 1 worker takes them".to_owned(),
        Some(consumers) => format!("; {} workers take them", grouped(consumers)),
        None => String::new(),
    }
}

fn messages(count: u64) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{} messages", grouped(count)) }
}
