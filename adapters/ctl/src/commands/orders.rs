use std::time::Duration;

use clap::Subcommand;
use futures::StreamExt;
use serde_json::{Map, json};
use time::format_description::well_known::Rfc3339;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use woody_core::{
    domain::{
        Details, IdempotencyKey, NewOrder, Order, OrderDetails, OrderId, Outcome, Reason, ToyOrder,
    },
    ports::{Decision, OrderStore, StatusChange, StoreError, Transition},
    services::{
        IntakeSettings, Kept, OrderIntake, OrderRequest, OrderRetry, OrderStories, OrderTracker,
        OutboxRelay, RelaySettings, Retried, TrackedOrder,
    },
};

use super::{
    consent::Consent,
    details,
    error::CtlError,
    logbook::{ActArgs, Deed, Done, Logbook},
    output::Output,
    shop::Shop,
};
use woody_adapters::{config::bounds::whole, story, terminal};

/// How long publishing an order that is stored may take; the outbox keeps it anyhow.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, Subcommand)]
pub(super) enum OrderCommand {
    /// Place an order, as order-service does it.
    Place {
        /// The product's name.
        #[arg(required_unless_present = "details")]
        product: Option<String>,
        /// How many pieces (1 to 1000).
        #[arg(long, default_value = "1", value_name = "N", value_parser = whole::<i64>(1, 1_000))]
        quantity: i64,
        /// What an order of another type asks for: a JSON object. Only who validates
        /// the orders knows the type; what it cannot read becomes a dead letter.
        #[arg(long, value_name = "JSON", conflicts_with_all = ["product", "quantity"])]
        details: Option<Details>,
        /// What this submit is called, so that sending it twice is one order.
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
    /// Show an order as the store holds it.
    Show {
        /// The order's id.
        id: String,
    },
    /// Tell what has become of an order, step by step: accepted, taken up, failed attempts, its end,
    /// what operators did to it, and who is still to be told.
    Story {
        /// The order's id.
        id: String,
    },
    /// Cancel an order that is pending, for good: no verdict changes it any more.
    Cancel {
        /// The order's id.
        id: String,
        /// Why, for whoever looks at the order.
        #[arg(long, value_name = "TEXT")]
        reason: Option<Reason>,
        #[command(flatten)]
        consent: Consent,
        #[command(flatten)]
        act: ActArgs,
    },
    /// End an order that is pending as failed, for good unless its message is redriven.
    ///
    /// For an order that will never be validated: its message is gone, or kills every worker.
    Fail {
        /// The order's id.
        id: String,
        /// Why, for whoever looks at the order.
        #[arg(long, value_name = "TEXT")]
        reason: Reason,
        #[command(flatten)]
        consent: Consent,
        #[command(flatten)]
        act: ActArgs,
    },
    /// Have an order validated once more that has failed, or whose message may be gone.
    ///
    /// Its dead letter goes back to the queue (100,000 are looked through at most, the oldest
    /// first); where there is none, a new message is sent. An order that is pending may have
    /// a message all the same, which is harmless: it ends once.
    #[command(mut_arg("because", |because| because.required(true)))]
    Retry {
        /// The order's id.
        id: String,
        #[command(flatten)]
        act: ActArgs,
    },
    /// Print an order's status now and whenever it changes, until it ends.
    Watch {
        /// The order's id.
        id: String,
    },
}

pub(super) async fn run(command: OrderCommand, shop: &Shop<'_>) -> Result<Output, CtlError> {
    match command {
        OrderCommand::Place { product, quantity, details, key } => {
            let key = key.as_deref().map(IdempotencyKey::parse).transpose()?;
            if let Some(details) = details {
                return place(OrderRequest { details, key, trace: None, client: None }, shop).await;
            }
            let details = ToyOrder::parse(&product.unwrap_or_default(), quantity)?;
            place(OrderRequest { details, key, trace: None, client: None }, shop).await
        }
        OrderCommand::Show { id } => {
            let id = OrderId::parse(&id)?;
            let store = shop.store().await?;
            let order = store.orders().order(id).await;
            store.close().await;
            TrackedOrder::of(id, order?).map(|order| shown(&order)).ok_or_else(|| unknown(id))
        }
        OrderCommand::Story { id } => tell(OrderId::parse(&id)?, shop).await,
        OrderCommand::Cancel { id, reason, consent, act } => {
            let id = OrderId::parse(&id)?;
            consent.to(&format!("Cancel order {id}, for good?"))?;
            let act = act.or_because(reason.as_ref());
            end(id, "order cancel", Outcome::Cancelled(reason), act, shop).await
        }
        OrderCommand::Fail { id, reason, consent, act } => {
            let id = OrderId::parse(&id)?;
            consent.to(&format!("End order {id} as failed?"))?;
            let act = act.or_because(Some(&reason));
            end(id, "order fail", Outcome::Failed(reason), act, shop).await
        }
        OrderCommand::Retry { id, act } => retry(OrderId::parse(&id)?, act, shop).await,
        OrderCommand::Watch { id } => watch(OrderId::parse(&id)?, shop).await,
    }
}

/// Tells the story of an order.
async fn tell(id: OrderId, shop: &Shop<'_>) -> Result<Output, CtlError> {
    let store = shop.store().await?;
    let told = OrderStories::of(&*store).story(id).await;
    store.close().await;
    let Some(told) = told? else {
        return Err(if id.is_ours() {
            CtlError::NotFound(format!(
                "the store does not have order {id}: while only the broker has it, there is no story"
            ))
        } else {
            unknown(id)
        });
    };
    let rows = story::steps(&told).into_iter().map(|step| {
        // What has no time is now, or was at some time.
        let at = step.at.unwrap_or_default();
        ([json!(at), json!(step.happened), json!(step.told)], step.object)
    });
    let table = Output::table(["at", "what", "more"], rows.collect());
    let is = format!("order {id} is {}", told.order.status.as_str());
    let line = if told.is_cut { format!("{is}; {}", story::cut_note()) } else { is };
    Ok(table.concluding(&line, story::object(&told)))
}

async fn place<D: OrderDetails>(
    request: OrderRequest<D>,
    shop: &Shop<'_>,
) -> Result<Output, CtlError> {
    let (store, broker) = (shop.store().await?, shop.broker().await?);
    let tasks = TaskTracker::new();
    let relay = OutboxRelay::new(
        store.orders(),
        broker.publisher(),
        broker.admin(),
        RelaySettings::default(),
    );
    let intake = OrderIntake::start(
        store.orders(),
        broker.publisher(),
        relay.feed(),
        IntakeSettings::default(),
        &tasks,
    );
    let accepted = intake.accept(request).await;
    drop(intake);
    tasks.close();
    tasks.wait().await;
    let published = matches!(tokio::time::timeout(FLUSH_TIMEOUT, relay.flush()).await, Ok(Ok(_)));
    broker.close().await;
    store.close().await;
    let accepted = accepted?;
    let kept = match accepted.kept {
        Kept::InStore if published => "accepted",
        Kept::InStore => "accepted; the broker is unavailable, the order waits in the outbox",
        Kept::Already => "accepted earlier under the same key",
        Kept::InBroker => "accepted; the store is unavailable, the worker writes it later",
    };
    let id = accepted.order.id;
    Ok(Output::pairs(
        &[("order", id.to_string()), ("status", "pending".to_owned()), ("kept", kept.to_owned())],
        json!({ "order_id": id, "status": "pending", "kept": kept }),
    ))
}

/// Ends an order that is pending, as an operator wants it.
async fn end(
    id: OrderId,
    verb: &'static str,
    outcome: Outcome,
    act: ActArgs,
    shop: &Shop<'_>,
) -> Result<Output, CtlError> {
    let store = shop.store().await?;
    let logbook = Logbook::of(&store);
    let wanted = outcome.name();
    let orders = store.orders();
    let ending = async {
        match end_in(&*orders, id, outcome).await? {
            Some((transition, order)) if order.status.name() == wanted => {
                let told = if transition == Transition::Applied {
                    announce(StatusChange::new(id, &order.status), shop).await;
                    None
                } else {
                    Some("it was so before".to_owned())
                };
                Ok(Done { output: shown(&order.into()), told })
            }
            Some((_, order)) => Err(CtlError::TooLate { id, ended: order.status.name() }),
            None if id.is_ours() => Err(CtlError::NotFound(format!(
                "the store does not have order {id}: while only the broker has it, it cannot be ended"
            ))),
            None => Err(unknown(id)),
        }
    };
    let ended = logbook.act(act, Deed::to_order(verb, id), ending).await;
    logbook.close().await;
    ended
}

/// Has an order validated once more.
async fn retry(id: OrderId, act: ActArgs, shop: &Shop<'_>) -> Result<Output, CtlError> {
    let (store, broker) = (shop.store().await?, shop.broker().await?);
    let logbook = Logbook::of(&store);
    let retry = OrderRetry::new(store.orders(), broker.admin());
    let retrying = async {
        let (told, letters) = match retry.retry(id).await? {
            Retried::Redriven { letters: 1 } => ("its dead letter is redriven".to_owned(), 1),
            Retried::Redriven { letters } => {
                (format!("its {letters} dead letters are redriven"), letters)
            }
            Retried::Resent { all_looked_through: true } => {
                ("it has no dead letter: a new message is sent".to_owned(), 0)
            }
            Retried::Resent { all_looked_through: false } => (
                format!(
                    "none of the oldest {} dead letters is its: a new message is sent",
                    OrderRetry::MOST_LETTERS
                ),
                0,
            ),
            Retried::Ended(status) => return Err(CtlError::TooLate { id, ended: status.name() }),
            Retried::Unknown if id.is_ours() => {
                return Err(CtlError::NotFound(format!(
                    "the store does not have order {id}: while only the broker has it, it is on its way"
                )));
            }
            Retried::Unknown => return Err(unknown(id)),
        };
        let output = Output::pairs(
            &[("order", id.to_string()), ("retried", told.clone())],
            json!({ "order_id": id, "retried": told, "dead_letters": letters }),
        );
        Ok(Done { output, told: Some(told) })
    };
    let retried = logbook.act(act, Deed::to_order("order retry", id), retrying).await;
    broker.close().await;
    logbook.close().await;
    retried
}

/// Returns what became of it, and the order as it is then; `None` when the store has none of
/// this id.
async fn end_in(
    orders: &dyn OrderStore,
    id: OrderId,
    outcome: Outcome,
) -> Result<Option<(Transition, Order<Details>)>, StoreError> {
    let transition = match outcome {
        Outcome::Cancelled(reason) => orders.cancel(id, reason).await?,
        outcome => match orders.order(id).await? {
            Some(Order { id, details, accepted_at, trace, client, .. }) => {
                // The row is there: what it is found by stays as it is.
                let order = NewOrder { id, details, accepted_at, trace, client, found_by: None };
                let decision = Decision { order, outcome, redriven: false, validation: None };
                orders.finish(&[decision]).await?.pop()
            }
            None => None,
        },
    };
    Ok(transition.zip(orders.order(id).await?))
}

/// Tells who follows the order; they find out by themselves, a little later, if this fails.
async fn announce(change: StatusChange, shop: &Shop<'_>) {
    let Ok(broker) = shop.broker().await else { return };
    let _ = tokio::time::timeout(FLUSH_TIMEOUT, broker.events().announce(&[change])).await;
    broker.close().await;
}

/// Prints each status as it comes: there may be minutes between them.
async fn watch(id: OrderId, shop: &Shop<'_>) -> Result<Output, CtlError> {
    let store = shop.store().await?;
    let broker = shop.broker().await?;
    let tracker: OrderTracker<Details> =
        OrderTracker::new(store.orders(), broker.events(), Duration::from_millis(500));
    let ending = CancellationToken::new();
    let watching = async {
        let mut statuses = Box::pin(tracker.watch(id).await?.ok_or_else(|| unknown(id))?);
        let mut last = None;
        while let Some(order) = statuses.next().await {
            if !order.status.is_final() {
                terminal::print(order.status.as_str())?;
            }
            last = Some(order);
        }
        last.map(|order| shown(&order)).ok_or_else(|| unknown(id))
    };
    let output = tokio::select! {
        output = watching => output,
        () = tracker.run(ending.clone()) => Err(unknown(id)),
    };
    ending.cancel();
    broker.close().await;
    store.close().await;
    output
}

fn shown(order: &TrackedOrder<Details>) -> Output {
    let at = |time: time::OffsetDateTime| time.format(&Rfc3339).unwrap_or_default();
    let TrackedOrder { id, status, stored } = order;
    let stored = stored.as_ref();
    let (status, reason) = (status.as_str(), status.reason().map(ToString::to_string));
    let accepted_at = stored.map(|order| at(order.accepted_at));
    let finished_at = stored.and_then(|order| order.finished_at).map(at);
    // No field of the details has the name of one of these.
    let mut object = stored.map_or_else(Map::new, |order| details::flat(&order.details));
    object.insert("order_id".to_owned(), json!(id));
    object.insert("accepted_at".to_owned(), json!(accepted_at));
    object.insert("status".to_owned(), json!(status));
    object.insert("reason".to_owned(), json!(reason));
    object.insert("finished_at".to_owned(), json!(finished_at));

    let own = |name: &str, value: String| (name.to_owned(), value);
    let mut pairs = vec![own("order_id", id.to_string())];
    let is_archived = stored.is_some_and(|order| order.details.are_archived());
    if !is_archived {
        pairs.extend(stored.into_iter().flat_map(|order| details::pairs(&order.details)));
    }
    pairs.push(own("status", status.to_owned()));
    if is_archived {
        pairs.push(own("archived", "what it asked for is in the file of an archive".to_owned()));
        object.insert("archived".to_owned(), json!(true));
    }
    if stored.is_none() {
        let where_it_is = "in the broker alone, unless this id was never given out";
        pairs.push(own("kept", where_it_is.to_owned()));
    }
    pairs.extend(accepted_at.map(|accepted_at| own("accepted_at", accepted_at)));
    pairs.extend(reason.map(|reason| own("reason", reason)));
    pairs.extend(finished_at.map(|finished_at| own("finished_at", finished_at)));
    Output::pairs(&pairs, object.into())
}

fn unknown(id: OrderId) -> CtlError {
    CtlError::NotFound(format!("the store knows no order {id}"))
}
