use std::sync::Arc;

use super::{LONG, Told, erp, failed, mail, order};
use crate::domain::Outcome;
use crate::ports::{Attempt, Store};

/// Nobody asked, so nothing is kept.
pub async fn without_a_subscription_there_are_no_notices(store: Arc<dyn Store>) {
    let told = Told { orders: store.orders(), notices: store.notices() };
    let _ = told.finish(&order(), Outcome::Success(None)).await;
    assert!(told.claim(9, LONG).await.is_empty());
    assert!(told.notices.subscriptions(99).await.unwrap().is_empty());
}

/// Every program subscribes whenever it starts.
pub async fn subscribing_again_changes_nothing(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let ended = told.ended(2).await;
    told.notices.subscribe(&mail()).await.unwrap();
    assert_eq!(super::sorted(super::ids(&told.claim(9, LONG).await)), super::sorted(ended));
}

/// A subscription is about what comes.
pub async fn what_ended_before_is_not_told(store: Arc<dyn Store>) {
    let _ = store.orders().finish(&[super::decision(&order(), failed(), false)]).await.unwrap();
    let told = Told::by(&store).await;
    assert!(told.claim(9, LONG).await.is_empty());
}

/// What one has delivered, the other still has to.
pub async fn each_subscription_has_its_own_notices(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    told.notices.subscribe(&erp()).await.unwrap();
    let id = told.one().await;
    told.settle(id, Attempt::Delivered).await;
    let other = told.notices.claim(&erp(), 9, LONG).await.unwrap();
    assert_eq!(super::ids(&other), [id], "one end has one id");
    told.notices.settle(&erp(), &[(id, Attempt::GivenUp("gone".into()))]).await.unwrap();
    let counts = told.notices.subscriptions(99).await.unwrap();
    let counts: Vec<_> =
        counts.into_iter().map(|c| (c.subscription, c.is_subscribed, c.open, c.dead)).collect();
    assert_eq!(counts, [(erp(), true, 0, 1), (mail(), true, 0, 0)]);
}

/// Its notices go with it, and come back with nobody.
pub async fn an_ended_subscription_is_told_no_more(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let id = told.one().await;
    told.settle(id, Attempt::GivenUp("gone".into())).await;
    told.ended(2).await;
    assert_eq!(told.notices.unsubscribe(&mail()).await.unwrap(), 3);
    assert_eq!(told.notices.unsubscribe(&mail()).await.unwrap(), 0);
    told.ended(1).await;
    assert!(told.notices.subscriptions(99).await.unwrap().is_empty());
    told.notices.subscribe(&mail()).await.unwrap();
    assert!(told.claim(9, LONG).await.is_empty());
    assert!(told.dead().await.is_empty());
}

/// They have nothing, and nothing happens to them.
pub async fn subscriptions_that_are_not_there_are_ignored(store: Arc<dyn Store>) {
    let told = Told::by(&store).await;
    let id = told.one().await;
    assert!(told.notices.claim(&erp(), 9, LONG).await.unwrap().is_empty());
    told.notices.settle(&erp(), &[(id, Attempt::Delivered)]).await.unwrap();
    assert_eq!(told.notices.redrive(&erp(), &[id]).await.unwrap(), 0);
    assert!(told.notices.dead(&erp(), None, 9).await.unwrap().is_empty());
    assert_eq!(told.notices.unsubscribe(&erp()).await.unwrap(), 0);
    assert_eq!(told.counts().await, (1, 0));
}
