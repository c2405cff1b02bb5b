//! What a worker leaves behind for the stories of its orders.

use std::sync::{Arc, atomic::Ordering};

use woody_core::{
    domain::{ActId, AfterFailure, Details, Label, NewAct, NewOrder, Outcome},
    ports::{Broker, KeptIn, Publishing, Store, Validator},
    services::{Handled, OrderStories, OrderWorker, StoryStep, WorkerSettings},
};
use woody_store::MemoryStore;

use crate::shop::{Shop, next, order};
use crate::worker::{AsNamed, handle};

#[tokio::test]
async fn an_order_that_goes_straight_through_says_who_validated_it_and_when() {
    let (shop, validator) = (Shop::open(), Arc::default());
    let toy = order("Train");
    let _ = shop.store.insert(std::slice::from_ref(&toy), std::time::Duration::ZERO).await;
    shop.publish(&toy).await;
    shop.store.clear_outbox(&[toy.id]).await.unwrap();
    assert_eq!(handle(&shop, &validator, 1).await, [Handled::Decided]);
    let trail = shop.store.trail(toy.id).await.unwrap().unwrap();
    let made = trail.ended_by.unwrap();
    assert_eq!(made.worker, Label::new(format!("process {}", std::process::id())));
    assert_eq!((made.attempt, made.redriven), (1, false));
    assert!(made.taken_up_at >= toy.accepted_at, "{made:?}");
    assert_eq!((trail.kept, trail.publishing), (Some(KeptIn::Store), Publishing::Done));
    assert_eq!(trail.attempts, []);
}

#[tokio::test]
async fn each_failed_attempt_is_told_with_its_reason_before_the_message_comes_again() {
    let (shop, validator) = (Shop::open(), Arc::<AsNamed>::default());
    let stubborn = order("fails twice");
    shop.publish(&stubborn).await;
    let handled = handle(&shop, &validator, 3).await;
    assert_eq!(handled, [Handled::Retry, Handled::Retry, Handled::Decided]);
    let trail = shop.store.trail(stubborn.id).await.unwrap().unwrap();
    let told: Vec<_> = trail
        .attempts
        .iter()
        .map(|kept| (kept.failed.validation.attempt, kept.failed.then, kept.failed.reason.as_str()))
        .collect();
    let again = AfterFailure::Again;
    let why = "validation failed for now: saw is stuck";
    assert_eq!(told, [(1, again, why), (2, again, why)]);
    assert_eq!(trail.ended_by.unwrap().attempt, 3);
    assert_eq!(trail.kept, Some(KeptIn::Broker));
}

#[tokio::test]
async fn an_order_that_is_given_up_and_redriven_tells_of_both_ends() {
    let (shop, validator) = (Shop::open(), Arc::<AsNamed>::default());
    let hopeless = order("fails");
    shop.publish(&hopeless).await;
    let handled = handle(&shop, &validator, 3).await;
    assert_eq!(handled, [Handled::Retry, Handled::Retry, Handled::GivenUp]);
    let trail = shop.store.trail(hopeless.id).await.unwrap().unwrap();
    let told: Vec<_> = trail.attempts.iter().map(|kept| kept.failed.then).collect();
    assert_eq!(told, [AfterFailure::Again, AfterFailure::Again, AfterFailure::GivenUp]);
    assert_eq!(trail.ended_by.as_ref().unwrap().attempt, 3);
    let dead = shop.broker.admin().dead_letters(9).await.unwrap();
    let ids: Vec<_> = dead.iter().map(|letter| letter.id.clone()).collect();
    assert_eq!(shop.broker.admin().redrive(&ids).await.unwrap(), 1);
    let _ = handle(&shop, &validator, 3).await;
    let after = shop.store.trail(hopeless.id).await.unwrap().unwrap();
    // It fails again: the first failure stays, and the attempts are told.
    assert_eq!(after.ended_by, trail.ended_by);
    let redriven = after.attempts.iter().filter(|kept| kept.failed.validation.redriven).count();
    assert_eq!((after.attempts.len(), redriven), (5, 2));

    // Mended and redriven, it ends anew, and what had failed is still told.
    let mended = order("fails twice");
    shop.publish(&mended).await;
    validator.validations.store(0, Ordering::SeqCst);
    fail_for_good(&shop, &mended).await;
    validator.validations.store(2, Ordering::SeqCst);
    let dead = shop.broker.admin().dead_letters(9).await.unwrap();
    let ids: Vec<_> = dead.iter().map(|letter| letter.id.clone()).collect();
    let _ = shop.broker.admin().redrive(&ids).await.unwrap();
    let handled = handle(&shop, &validator, 2).await;
    assert!(handled.contains(&Handled::Decided), "{handled:?}");
    let trail = shop.store.trail(mended.id).await.unwrap().unwrap();
    let made = trail.ended_by.unwrap();
    assert_eq!((made.attempt, made.redriven), (1, true));
    assert_eq!(trail.attempts.last().unwrap().failed.then, AfterFailure::GivenUp);
}

/// Has a worker with one attempt give the order up.
async fn fail_for_good(shop: &Shop, order: &NewOrder<Details>) {
    let mut consumer = shop.consumer(1).await;
    let delivery = next(&mut consumer).await;
    let settings = WorkerSettings::default().max_attempts(1);
    let validator: Arc<dyn Validator> = Arc::new(AsNamed::default());
    let store = Arc::clone(&shop.store);
    let worker: OrderWorker =
        OrderWorker::start(store, validator, shop.broker.events(), settings, &shop.tasks);
    assert_eq!(worker.handle(delivery, &shop.shutdown).await, Handled::GivenUp);
    consumer.stop().await;
    assert_eq!(shop.order(order.id).await.unwrap().status.as_str(), "failed");
}

#[tokio::test]
async fn a_store_that_is_away_holds_up_no_message_for_its_story() {
    let (shop, validator) = (Shop::open(), Arc::<AsNamed>::default());
    let stubborn = order("fails twice");
    shop.publish(&stubborn).await;
    shop.store_fault.begin();
    assert_eq!(handle(&shop, &validator, 1).await, [Handled::Retry]);
    shop.store_fault.end();
    assert_eq!(handle(&shop, &validator, 2).await, [Handled::Retry, Handled::Decided]);
    let trail = shop.store.trail(stubborn.id).await.unwrap().unwrap();
    assert_eq!(trail.attempts.len(), 1);
    assert_eq!(trail.attempts[0].failed.validation.attempt, 2);
}

#[tokio::test]
async fn what_waits_for_a_dependency_is_told_as_postponed() {
    let (shop, validator) = (Shop::open(), Arc::<AsNamed>::default());
    let refused = order("refused");
    shop.publish(&refused).await;
    let worker = shop.worker(validator);
    let mut consumer = shop.consumer(1).await;
    tokio::time::pause();
    let delivery = next(&mut consumer).await;
    assert_eq!(worker.handle(delivery, &shop.shutdown).await, Handled::Postponed);
    consumer.stop().await;
    let _ = shop.store.insert(std::slice::from_ref(&refused), std::time::Duration::ZERO).await;
    let trail = shop.store.trail(refused.id).await.unwrap().unwrap();
    let told: Vec<_> = trail.attempts.iter().map(|kept| (kept.failed.then, kept.times)).collect();
    assert_eq!(told, [(AfterFailure::Postponed, 1)]);
}

#[tokio::test]
async fn a_story_is_told_from_acceptance_to_the_last_act() {
    let store = MemoryStore::new();
    let train = order("Train");
    let stories = OrderStories::of(&store);
    assert_eq!(stories.story(train.id).await.unwrap(), None);
    let _ = store.orders().insert(std::slice::from_ref(&train), std::time::Duration::ZERO).await;
    let waiting = stories.story(train.id).await.unwrap().unwrap();
    let steps: Vec<_> = waiting.events.iter().map(|event| &event.step).collect();
    assert_eq!(steps, [&StoryStep::Accepted(Some(KeptIn::Store)), &StoryStep::Unpublished]);
    store.orders().clear_outbox(&[train.id]).await.unwrap();
    let act = NewAct {
        id: ActId::fresh(),
        by: "ada".into(),
        because: Some("ordered twice".into()),
        verb: "order cancel".into(),
        order: Some(train.id),
        target: Label::new(""),
    };
    store.acts().record(&act).await.unwrap();
    store.notices().subscribe(&"mail".parse().unwrap()).await.unwrap();
    let _ = store.orders().cancel(train.id, Some("ordered twice".into())).await.unwrap();
    let told = stories.story(train.id).await.unwrap().unwrap();
    let mut events = told.events.into_iter();
    let mut step = || events.next().map(|event| (event.at.is_some(), event.step)).unwrap();
    assert_eq!(step(), (true, StoryStep::Accepted(Some(KeptIn::Store))));
    assert!(matches!(step(), (true, StoryStep::Acted(done)) if done.asked == act));
    let reason = Some("ordered twice".into());
    assert_eq!(step(), (true, StoryStep::Ended(Outcome::Cancelled(reason), None)));
    assert!(matches!(step(), (false, StoryStep::Untold(name, _)) if name.as_str() == "mail"));
    assert!(events.next().is_none() && !told.is_cut);
}
