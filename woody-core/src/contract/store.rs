//! The clauses of [`Store`]'s contract.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc)]

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;

use super::OrderType;
use crate::domain::{ActId, ActResult, NewProduct, Parts, ProductId, ProductName, now};
use crate::ports::{ActQuery, OrderCounts, Store, StoreError};

/// No clause is about orders.
pub const ORDER_TYPES: &[OrderType] = OrderType::ONE;

/// Runs every clause against what `fresh` returns: a store that is not migrated, unless
/// opening it did so.
#[macro_export]
macro_rules! store_contract {
    ($(#[$attr:meta])* $fresh:path) => {
        $crate::__contract_clauses! {
            [$(#[$attr])*] $fresh, $crate::contract::store =>
            all_ports_work_once_it_is_migrated
            migrating_again_changes_nothing
            migrating_at_once_is_migrating_once
            all_ports_lead_to_the_same_store
            a_closed_store_is_unavailable
            closing_twice_is_fine
        }
    };
}

fn product() -> NewProduct {
    NewProduct {
        id: ProductId::fresh(),
        name: ProductName::parse("train").unwrap(),
        parts: Parts::default(),
        created_at: now(),
    }
}

/// Nothing else has to be done first.
pub async fn all_ports_work_once_it_is_migrated(store: Arc<dyn Store>) {
    store.migrate().await.unwrap();
    store.orders().ping().await.unwrap();
    assert_eq!(store.orders().counts().await.unwrap(), OrderCounts::default());
    assert_eq!(store.products().summary().await.unwrap().count, 0);
    assert_eq!(store.pauses().current().await.unwrap(), None);
    assert_eq!(store.acts().list(&ActQuery::default()).await.unwrap().acts, []);
}

/// A program does so whenever it starts.
pub async fn migrating_again_changes_nothing(store: Arc<dyn Store>) {
    store.migrate().await.unwrap();
    let product = product();
    store.products().add(&product).await.unwrap();
    store.migrate().await.unwrap();
    assert_eq!(store.products().product(product.id).await.unwrap(), Some(product));
}

/// So do several that start together.
pub async fn migrating_at_once_is_migrating_once(store: Arc<dyn Store>) {
    for migrated in join_all((0..4).map(|_| store.migrate())).await {
        migrated.unwrap();
    }
    store.orders().ping().await.unwrap();
}

/// A port that is asked for twice is the same port.
pub async fn all_ports_lead_to_the_same_store(store: Arc<dyn Store>) {
    store.migrate().await.unwrap();
    let (one, other) = (store.products(), store.products());
    let product = product();
    one.add(&product).await.unwrap();
    assert_eq!(other.product(product.id).await.unwrap(), Some(product));
}

/// Its ports outlive it, but do nothing more.
pub async fn a_closed_store_is_unavailable(store: Arc<dyn Store>) {
    store.migrate().await.unwrap();
    let (orders, products, acts) = (store.orders(), store.products(), store.acts());
    store.close().await;
    for refused in [
        orders.ping().await,
        orders.counts().await.map(drop),
        store.orders().claim_outbox(1, Duration::from_secs(1)).await.map(drop),
        products.summary().await.map(drop),
        acts.list(&ActQuery::default()).await.map(drop),
        store.pauses().current().await.map(drop),
        store.pauses().resume().await.map(drop),
        store.acts().close(ActId::fresh(), &ActResult::Done(None)).await,
        store.products().add(&product()).await,
    ] {
        assert!(refused.as_ref().is_err_and(StoreError::is_transient), "{refused:?}");
    }
}

/// Several parts of a program may close it.
pub async fn closing_twice_is_fine(store: Arc<dyn Store>) {
    store.migrate().await.unwrap();
    store.close().await;
    store.close().await;
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_suite_forgets_no_clause() {
        let source = include_str!("store.rs");
        assert_eq!(super::super::unlisted_clauses(source, &[source]), Vec::<&str>::new());
    }
}
