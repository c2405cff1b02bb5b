//! Orders of a type that is not the shop's, through intake, worker and tracker.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use woody_core::{
    domain::{
        Details, DetailsError, IdempotencyKey, Invalid, NewOrder, OrderDetails, OrderId,
        OrderMessage, OrderStatus, Outcome,
    },
    ports::{Broker, ValidateError, Validator, Verdict},
    services::{IntakeError, IntakeSettings, Kept, OrderRequest, Pipeline},
};

use crate::shop::{Shop, within};

/// What the shop sells this year.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Pizza {
    toppings: Vec<Topping>,
    email: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Topping {
    name: String,
    grams: f64,
}

impl OrderDetails for Pizza {
    const NAME: &'static str = "pizza";

    fn check(&self) -> Result<(), Invalid> {
        if self.email.contains('@') {
            Ok(())
        } else {
            Err(Invalid::new("email", "must be an e-mail address"))
        }
    }
}

/// What it will sell next year: a field more, which has a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct NewPizza {
    toppings: Vec<Topping>,
    email: String,
    note: Option<String>,
    #[serde(default = "medium")]
    size: String,
}

fn medium() -> String {
    "M".to_owned()
}

impl OrderDetails for NewPizza {
    const NAME: &'static str = "pizza";
}

/// Rejects what has no toppings.
struct Kitchen;

#[async_trait]
impl Validator<Pizza> for Kitchen {
    async fn validate(&self, order: &NewOrder<Pizza>) -> Result<Verdict, ValidateError> {
        Ok(match &*order.details.toppings {
            [] => Verdict::Rejected("no toppings".into()),
            toppings => Verdict::Success(Some(format!("with {}", toppings.len()).into())),
        })
    }
}

#[async_trait]
impl Validator<NewPizza> for Kitchen {
    async fn validate(&self, order: &NewOrder<NewPizza>) -> Result<Verdict, ValidateError> {
        Ok(Verdict::Success(Some(format!("size {}", order.details.size).into())))
    }
}

fn pizza(toppings: &[&str]) -> Pizza {
    let topping = |name: &&str| Topping { name: (*name).to_owned(), grams: 0.1 };
    let toppings = toppings.iter().map(topping).collect();
    Pizza {
        toppings, email: "ада@пример.рф".to_owned(), note: Some("🍕 \u{0} \"x\"".to_owned())
    }
}

async fn pipeline<D: OrderDetails>(shop: &Shop, validator: Arc<dyn Validator<D>>) -> Pipeline<D> {
    let pipeline = Pipeline::builder(Arc::clone(&shop.store), shop.broker.clone());
    pipeline.validator(validator).start().await.unwrap()
}

fn keyed<D>(details: D) -> OrderRequest<D> {
    OrderRequest::keyed(details, IdempotencyKey::parse("one").unwrap())
}

#[tokio::test]
async fn an_order_of_any_type_goes_the_whole_way() {
    let shop = Shop::open();
    let pipeline = pipeline(&shop, Arc::new(Kitchen)).await;
    for (details, ends) in [
        (
            pizza(&["анчоусы", "olives"]),
            OrderStatus::Ended(Outcome::Success(Some("with 2".into()))),
        ),
        (pizza(&[]), OrderStatus::Ended(Outcome::Rejected("no toppings".into()))),
    ] {
        let accepted = pipeline.intake().accept(details.clone()).await.unwrap();
        let changes = pipeline.tracker().watch(accepted.order.id).await.unwrap().unwrap();
        let last = within(changes.collect::<Vec<_>>()).await.pop().unwrap();
        assert_eq!(last.status, ends);
        assert_eq!(last.stored.unwrap().details, details);
    }
    assert!(pipeline.stop().await);
}

#[tokio::test]
async fn what_cannot_be_an_order_is_refused_before_it_is_kept() {
    let shop = Shop::open();
    let pipeline = pipeline(&shop, Arc::new(Kitchen)).await;
    let intake = pipeline.intake();
    let wrong = Pizza { email: "nobody".to_owned(), ..pizza(&["ham"]) };
    let refused = intake.accept(wrong).await.unwrap_err();
    assert_eq!(refused.to_string(), "email must be an e-mail address");
    let endless = Pizza { note: Some("x".repeat(Details::MAX_BYTES)), ..pizza(&[]) };
    let refused = intake.accept(endless).await.unwrap_err();
    let IntakeError::Details(DetailsError::TooLarge { at_most, .. }) = refused else {
        panic!("{refused}")
    };
    assert_eq!(at_most, Details::MAX_BYTES);
    assert!(refused.to_string().contains("32768"), "{refused}");
    assert_eq!(shop.store.counts().await.unwrap().pending, 0);
    drop(intake);
    assert!(pipeline.stop().await);
}

#[tokio::test]
async fn a_message_of_another_type_is_poison_and_says_where() {
    let shop = Shop::open();
    let id = OrderId::fresh();
    let body = format!(
        r#"{{"order_id":"{id}","email":"a@b","toppings":[{{"name":"ham","grams":1}},{{"name":7}}]}}"#
    );
    shop.broker.publisher().send(&[Bytes::from(body)]).await.unwrap();
    let pipeline = pipeline::<Pizza>(&shop, Arc::new(Kitchen)).await;
    let dead = within(async {
        loop {
            if let Some(letter) = shop.broker.admin().dead_letters(9).await.unwrap().pop() {
                return letter;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let reason = dead.await.reason.to_string();
    assert!(reason.contains("toppings[1].name: invalid type: integer"), "{reason}");
    assert!(shop.order(id).await.is_none());
    assert!(pipeline.stop().await);
}

#[tokio::test]
async fn a_key_stands_for_what_was_asked_whoever_wrote_it() {
    let shop = Shop::open();
    let old = pipeline(&shop, Arc::new(Kitchen)).await;
    let first = old.intake().accept(keyed(pizza(&["ham"]))).await.unwrap();
    let again = old.intake().accept(keyed(pizza(&["ham"]))).await.unwrap();
    assert_eq!((again.kept, again.order.id), (Kept::Already, first.order.id));
    let other = old.intake().accept(keyed(pizza(&["cheese"]))).await;
    assert!(matches!(other, Err(IntakeError::KeyReused)), "{other:?}");
    assert!(old.stop().await);

    // The next version writes the same order with a field more.
    let new = pipeline(&shop, Arc::new(Kitchen)).await;
    let Pizza { toppings, email, note } = pizza(&["ham"]);
    let same = NewPizza { toppings, email, note, size: medium() };
    let again = new.intake().accept(keyed(same.clone())).await.unwrap();
    assert_eq!((again.kept, again.order.id), (Kept::Already, first.order.id));
    let large = new.intake().accept(keyed(NewPizza { size: "L".to_owned(), ..same })).await;
    assert!(matches!(large, Err(IntakeError::KeyReused)), "{large:?}");
    assert!(new.stop().await);
}

#[tokio::test]
async fn a_newer_type_reads_older_messages_and_rows() {
    let shop = Shop::open();
    // Without a worker: both wait.
    let no_worker = Pipeline::<Pizza>::builder(Arc::clone(&shop.store), shop.broker.clone());
    let no_worker = no_worker.start().await.unwrap();
    let accepted = no_worker.intake().accept(pizza(&["ham"])).await.unwrap();
    assert!(no_worker.stop().await);

    let new: Pipeline<NewPizza> = pipeline(&shop, Arc::new(Kitchen)).await;
    let changes = new.tracker().watch(accepted.order.id).await.unwrap().unwrap();
    let last = within(changes.collect::<Vec<_>>()).await.pop().unwrap();
    assert_eq!(last.status, OrderStatus::Ended(Outcome::Success(Some("size M".into()))));
    assert_eq!(last.stored.unwrap().details.size, "M");
    assert!(new.stop().await);
}

/// A worker of the old version may be the first to write an order that the new version
/// has given to the broker.
#[tokio::test]
async fn an_older_worker_loses_no_field_that_it_does_not_know() {
    let shop = Shop::open();
    let Pizza { toppings, email, note } = pizza(&["ham"]);
    let large = NewPizza { toppings, email, note, size: "L".to_owned() };
    let order = NewOrder::new(large.clone()).encode(Details::MAX_BYTES).unwrap();
    shop.publish(&order).await;
    let old: Pipeline<Pizza> = pipeline(&shop, Arc::new(Kitchen)).await;
    let ended = shop.ended(order.id).await;
    assert_eq!(ended.status, OrderStatus::Ended(Outcome::Success(Some("with 1".into()))));
    assert_eq!(ended.details.decode::<NewPizza>().unwrap(), large);
    assert!(old.stop().await);
}

#[tokio::test]
async fn a_row_that_is_no_such_order_is_told_as_damaged() {
    let shop = Shop::open();
    let order = NewOrder::new(Details::parse(r#"{"toppings": 7}"#).unwrap());
    let message = OrderMessage::from(&order);
    let _ = shop.store.insert(&[message.into_order()], Duration::ZERO).await.unwrap();
    let pipeline = pipeline::<Pizza>(&shop, Arc::new(Kitchen)).await;
    let error = pipeline.tracker().order(order.id).await.unwrap_err();
    assert!(!error.is_transient());
    assert!(error.to_string().contains("as a pizza: toppings"), "{error}");
    assert!(pipeline.stop().await);
}

/// Room for what waits that is smaller than one order would refuse that order for ever.
#[tokio::test]
async fn an_order_that_may_be_as_large_as_it_is_always_fits_when_nothing_waits() {
    let shop = Shop::open();
    let settings = IntakeSettings::default().waiting_bytes(0);
    let pipeline = Pipeline::<Pizza>::builder(Arc::clone(&shop.store), shop.broker.clone());
    let pipeline = pipeline.intake_settings(settings).start().await.unwrap();
    let accepted = pipeline.intake().accept(pizza(&["ham"])).await.unwrap();
    assert_eq!(accepted.kept, Kept::InStore);
    assert!(pipeline.stop().await);
}
