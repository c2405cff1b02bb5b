use std::sync::Arc;

use time::OffsetDateTime;

use crate::{
    domain::{
        Act, Details, Label, Order, OrderId, OrderStatus, Outcome, SubscriptionName, Validation,
    },
    ports::{
        ActLog, ActPage, ActQuery, KeptAttempt, KeptIn, KeptNotice, ListOf, NoticeStore, OrderPage,
        OrderQuery, OrderStore, OrderTrail, PageSize, Publishing, Store, StoreError,
    },
};

/// How many of an order's acts a story tells, the newest of them.
const MOST_ACTS: u16 = 100;

/// Tells what has become of orders, step by step, from what the store keeps of them.
///
/// ```
/// # use woody_core::{domain::OrderId, ports::{Store, StoreError}, services::OrderStories};
/// # async fn example(store: &dyn Store, id: OrderId) -> Result<(), StoreError> {
/// if let Some(story) = OrderStories::of(store).story(id).await? {
///     for event in story.events {
///         println!("{:?}: {:?}", event.at, event.step);
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct OrderStories {
    orders: Arc<dyn OrderStore>,
    acts: Arc<dyn ActLog>,
    notices: Arc<dyn NoticeStore>,
}

impl std::fmt::Debug for OrderStories {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OrderStories").finish_non_exhaustive()
    }
}

/// The story of one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderStory {
    /// The order as it is.
    pub order: Order<Details>,
    /// What happened, as far as it is kept, the oldest first. Times are of the clocks of those
    /// who wrote them: steps of two machines may be told in the wrong order.
    pub events: Vec<StoryEvent>,
    /// Whether there are more attempts or acts than a story tells.
    pub is_cut: bool,
}

/// Something that happened to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoryEvent {
    /// When, UTC; `None` where only that it happened is kept.
    pub at: Option<OffsetDateTime>,
    /// What.
    pub step: StoryStep,
}

/// What can happen to an order.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoryStep {
    /// It was accepted, and kept there; `None` when that is not known.
    Accepted(Option<KeptIn>),
    /// Its message waits in the outbox.
    Unpublished,
    /// Its message was confirmed by the broker. When is not kept.
    Published,
    /// A worker took it up, the first that is known of.
    TakenUp {
        /// The worker's name.
        worker: Label,
        /// Which attempt it was; those before it are not kept.
        attempt: u32,
    },
    /// An attempt reached no verdict.
    Failed(KeptAttempt),
    /// It ended. The validation is what it ended by; `None` when it ended by none, or that is not
    /// kept.
    Ended(Outcome, Option<Validation>),
    /// An operator did something to it.
    Acted(Act),
    /// An end of it is still to be told, or was given up.
    Untold(SubscriptionName, KeptNotice),
    /// There is nothing that is still to be told: its end was told, or it ended before the
    /// subscription began.
    NothingUntold(SubscriptionName),
}

impl OrderStories {
    /// Makes it over the ports of a store.
    pub fn of(store: &dyn Store) -> Self {
        Self { orders: store.orders(), acts: store.acts(), notices: store.notices() }
    }

    /// Returns the story of this order; `None` when the store does not have the order: while only
    /// the broker has it, there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn story(&self, id: OrderId) -> Result<Option<OrderStory>, StoreError> {
        let Some(trail) = self.orders.trail(id).await? else { return Ok(None) };
        let limit = PageSize::new(MOST_ACTS).unwrap_or_default();
        let asked = ActQuery { order: Some(id), limit, ..ActQuery::default() };
        let acts = self.acts.list(&asked).await?;
        let told = self.notices.of_order(id).await?;
        Ok(Some(tell(trail, acts, told)))
    }

    /// Returns the oldest orders that are found by this very text, as their type
    /// [has it](crate::domain::OrderDetails::found_by): `limit` of them, and whether there are more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn found_by(&self, text: Label, limit: PageSize) -> Result<OrderPage, StoreError> {
        let of = Some(ListOf::FoundBy(text));
        self.orders.list(&OrderQuery { of, limit, ..OrderQuery::default() }).await
    }
}

fn tell(
    trail: OrderTrail,
    acts: ActPage,
    told: Vec<(SubscriptionName, Vec<KeptNotice>)>,
) -> OrderStory {
    let OrderTrail { order, kept, publishing, ended_by, attempts } = trail;
    let is_cut = attempts.len() >= OrderTrail::MOST_ATTEMPTS || acts.next.is_some();
    let event = |at, step| StoryEvent { at: Some(at), step };
    // Those of one time stay in this order.
    let mut timed = Vec::new();
    let first = attempts.iter().map(|kept| &kept.failed.validation).chain(&ended_by);
    if let Some(first) = first.min_by_key(|made| made.taken_up_at) {
        let (worker, attempt) = (first.worker.clone(), first.attempt);
        timed.push(event(first.taken_up_at, StoryStep::TakenUp { worker, attempt }));
    }
    timed.extend(attempts.into_iter().map(|kept| event(kept.first_at, StoryStep::Failed(kept))));
    timed.extend(acts.acts.into_iter().map(|act| event(act.at, StoryStep::Acted(act))));
    if let OrderStatus::Ended(outcome) = &order.status {
        let step = StoryStep::Ended(outcome.clone(), ended_by);
        timed.push(StoryEvent { at: order.finished_at, step });
    }
    let is_final = order.status.is_final();
    for (subscription, notices) in told {
        if notices.is_empty() && is_final {
            timed.push(StoryEvent { at: None, step: StoryStep::NothingUntold(subscription) });
            continue;
        }
        for kept in notices {
            let step = StoryStep::Untold(subscription.clone(), kept);
            timed.push(StoryEvent { at: None, step });
        }
    }
    // What has no time comes last.
    timed.sort_by_key(|event| (event.at.is_none(), event.at));
    let mut events = vec![event(order.accepted_at, StoryStep::Accepted(kept))];
    let was_taken_up = timed.iter().any(|event| matches!(event.step, StoryStep::TakenUp { .. }));
    let published = match publishing {
        Publishing::Waits => Some(StoryStep::Unpublished),
        // A worker had its message.
        _ if was_taken_up => Some(StoryStep::Published),
        Publishing::Done if !is_final => Some(StoryStep::Published),
        Publishing::Done | Publishing::Unknown => None,
    };
    events.extend(published.map(|step| StoryEvent { at: None, step }));
    events.extend(timed);
    OrderStory { order, events, is_cut }
}
