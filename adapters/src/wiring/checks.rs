use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::sync::watch;
use woody_core::{
    ports::{Broker, BrokerError, ConsumerState, Store, StoreError},
    services::{OrderForecasts, PauseWatch, Waits},
};

/// A check that passes while the store responds.
pub fn store_check(
    store: &Arc<dyn Store>,
) -> impl Fn() -> BoxFuture<'static, Result<(), StoreError>> + use<> {
    let orders = store.orders();
    move || {
        let orders = Arc::clone(&orders);
        Box::pin(async move { orders.ping().await })
    }
}

/// A check that passes while the broker takes messages.
pub fn broker_check(
    broker: &Arc<dyn Broker>,
) -> impl Fn() -> BoxFuture<'static, Result<(), BrokerError>> + use<> {
    let publisher = broker.publisher();
    move || {
        let publisher = Arc::clone(&publisher);
        Box::pin(async move { publisher.ping().await })
    }
}

/// A check that passes while orders can be accepted in one way or the other.
pub fn either_check(
    store: &Arc<dyn Store>,
    broker: &Arc<dyn Broker>,
) -> impl Fn() -> BoxFuture<'static, Result<(), StoreError>> + use<> {
    let (store, broker) = (store_check(store), broker_check(broker));
    move || {
        let (store, broker) = (store(), broker());
        Box::pin(async move {
            let (store, broker) = tokio::join!(store, broker);
            if broker.is_ok() { Ok(()) } else { store }
        })
    }
}

/// A check that passes while the consumer that is put into `consuming` is on the
/// broker's list.
pub fn late_consumer_check(
    consuming: &Arc<OnceLock<watch::Receiver<ConsumerState>>>,
) -> impl Fn() -> BoxFuture<'static, Result<(), &'static str>> + use<> {
    let consuming = Arc::clone(consuming);
    move || match consuming.get() {
        Some(state) => consumer_check(state.clone())(),
        None => Box::pin(std::future::ready(Err("no orders are taken before the schema is there"))),
    }
}

/// A check that passes while a consumer is on the broker's list, or is paused: what an
/// operator wants is no fault.
pub fn consumer_check(
    state: watch::Receiver<ConsumerState>,
) -> impl Fn() -> BoxFuture<'static, Result<(), &'static str>> {
    move || {
        let state = *state.borrow();
        Box::pin(async move {
            match state {
                ConsumerState::Consuming | ConsumerState::Paused => Ok(()),
                ConsumerState::Recovering => Err("the consumer is on its way back to the broker"),
                ConsumerState::Stopped => Err("the consumer was stopped"),
            }
        })
    }
}

/// A check that passes while workers are not paused; otherwise it says since when, by whom
/// and why.
pub fn pause_check(pauses: Arc<PauseWatch>) -> impl Fn() -> BoxFuture<'static, Result<(), String>> {
    move || {
        let pause = pauses.current();
        Box::pin(async move { pause.map_or(Ok(()), |pause| Err(pause.to_string())) })
    }
}

/// A check that passes while no validation waits for something that refuses, where
/// only an operator can help; with `refused` false, for something that is unavailable.
pub fn waits_check(
    waits: Arc<Waits>,
    refused: bool,
) -> impl Fn() -> BoxFuture<'static, Result<(), String>> {
    move || {
        let wait = waits.current().filter(|wait| wait.refused == refused);
        Box::pin(async move {
            wait.map_or(Ok(()), |wait| {
                Err(format!("validations wait since {}: {}", wait.since, wait.reason))
            })
        })
    }
}

/// Says how long it takes until no order waits in the queue, as the forecasts say that are put into `forecasts`.
pub fn late_until_empty(
    forecasts: &Arc<OnceLock<Arc<OrderForecasts>>>,
) -> impl Fn() -> Option<Duration> + use<> {
    let forecasts = Arc::clone(forecasts);
    move || forecasts.get()?.next().map(|expected| expected.wait)
}
