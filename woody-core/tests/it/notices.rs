//! Who is told that an order has ended.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinHandle,
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use woody_core::{
    domain::{Details, NewOrder, NoticeId, OrderId, Outcome, SubscriptionName, ToyOrder},
    ports::{
        Decision, Notice, NoticeCounts, NoticeStore, Notifier, NotifyError, OrderNotice, Store,
    },
    services::{NoticeDelivery, NoticeSettings, Pipeline},
    validation::AcceptAll,
};
use woody_store::MemoryStore;

use crate::shop::order;

mod outage;

fn mail() -> SubscriptionName {
    SubscriptionName::parse("mail").unwrap()
}

const PAUSES: [Duration; 3] =
    [Duration::from_secs(5), Duration::from_secs(30), Duration::from_mins(2)];

fn settings() -> NoticeSettings {
    NoticeSettings::default().pauses(PAUSES.into())
}

/// Does what the order's product says, and says what it has been told.
struct Post {
    told: mpsc::UnboundedSender<(OrderNotice, Instant)>,
    /// Those that wait have a permit when they may go on.
    gate: Semaphore,
    inside: AtomicUsize,
    most_inside: AtomicUsize,
    tries: Mutex<HashMap<NoticeId, u32>>,
}

type Told = mpsc::UnboundedReceiver<(OrderNotice, Instant)>;

fn post() -> (Arc<Post>, Told) {
    let (told, receiver) = mpsc::unbounded_channel();
    let post = Post {
        told,
        gate: Semaphore::new(0),
        inside: AtomicUsize::new(0),
        most_inside: AtomicUsize::new(0),
        tries: Mutex::default(),
    };
    (Arc::new(post), receiver)
}

#[async_trait]
impl Notifier for Post {
    async fn notify(&self, notice: &OrderNotice) -> Result<(), NotifyError> {
        let _ = self.told.send((notice.clone(), Instant::now()));
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_inside.fetch_max(inside, Ordering::SeqCst);
        let tries = {
            let mut tries = self.tries.lock().unwrap();
            let tries = tries.entry(notice.id).or_default();
            *tries += 1;
            *tries
        };
        let what = notice.order.details.product.to_string();
        let answer = match what.as_str() {
            "waits" => {
                self.gate.acquire().await.unwrap().forget();
                Ok(())
            }
            "hangs" => std::future::pending().await,
            "panics" => panic!("no such mailbox"),
            "fails" => Err(NotifyError::Later("no response".into())),
            "fails once" if tries == 1 => Err(NotifyError::Later("no response".into())),
            "busy" => Err(NotifyError::After {
                problem: "busy".into(),
                after: Duration::from_secs(if tries == 1 { 60 } else { 1 }),
            }),
            "busy for ever" => {
                Err(NotifyError::After { problem: "busy".into(), after: Duration::MAX })
            }
            "refused" => Err(NotifyError::Never("no such mailbox".into())),
            _ => Ok(()),
        };
        self.inside.fetch_sub(1, Ordering::SeqCst);
        answer
    }
}

/// A store with `mail` subscribed.
async fn store() -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    store.notices().subscribe(&mail()).await.unwrap();
    store
}

async fn end(store: &MemoryStore, order: &NewOrder<Details>, outcome: Outcome, redriven: bool) {
    let decision = Decision { order: order.clone(), outcome, redriven, validation: None };
    let _ = store.orders().finish(&[decision]).await.unwrap();
}

async fn ended(store: &MemoryStore, product: &str) -> OrderId {
    let order = order(product);
    end(store, &order, Outcome::Success(None), false).await;
    order.id
}

/// A process that delivers.
struct Running {
    stopping: CancellationToken,
    task: JoinHandle<()>,
}

fn deliver(store: &MemoryStore, notifier: Arc<dyn Notifier>, settings: NoticeSettings) -> Running {
    deliver_from(store, store.notices(), notifier, settings)
}

fn deliver_from(
    store: &MemoryStore,
    notices: Arc<dyn NoticeStore>,
    notifier: Arc<dyn Notifier>,
    settings: NoticeSettings,
) -> Running {
    let delivery = NoticeDelivery::new(store.orders(), notices, mail(), notifier, settings);
    let stopping = CancellationToken::new();
    Running { task: tokio::spawn(delivery.run(stopping.clone())), stopping }
}

impl Running {
    async fn stop(self) {
        self.stopping.cancel();
        self.task.await.unwrap();
    }
}

async fn next(told: &mut Told) -> (OrderNotice, Instant) {
    told.recv().await.unwrap()
}

async fn counts(store: &MemoryStore) -> NoticeCounts {
    store.notices().subscriptions(99).await.unwrap().remove(0)
}

/// Waits until there are so many open and dead notices; the clock is paused, so it takes no time.
async fn until(store: &MemoryStore, open: u64, dead: u64) {
    loop {
        let counts = counts(store).await;
        if (counts.open, counts.dead) == (open, dead) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn dead(store: &MemoryStore) -> Vec<Notice> {
    store.notices().dead(&mail(), None, 99).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_end_is_told_once_wherever_the_order_ended() {
    let store = store().await;
    let (post, mut told) = post();
    let running = deliver(&store, post, settings());
    let ids = [ended(&store, "train").await, ended(&store, "boat").await];
    for id in ids {
        let (notice, _) = next(&mut told).await;
        assert_eq!((notice.order.id, notice.attempt), (id, 1));
        let stored = store.orders().order(id).await.unwrap().unwrap().decode().unwrap();
        assert_eq!(notice.order, stored);
    }
    until(&store, 0, 0).await;
    running.stop().await;
    assert!(told.try_recv().is_err());
}

/// The notice of the failure is told after the redrive, and still tells of the failure.
#[tokio::test(start_paused = true)]
async fn each_end_is_told_as_it_was() {
    let store = store().await;
    let order = order("train");
    end(&store, &order, Outcome::Failed("no validator".into()), false).await;
    end(&store, &order, Outcome::Rejected("too large".into()), true).await;
    let (post, mut told) = post();
    let running = deliver(&store, post, settings());
    let mut ends = vec![next(&mut told).await.0, next(&mut told).await.0];
    ends.sort_by_key(|notice| notice.id);
    let statuses: Vec<_> = ends.into_iter().map(|notice| notice.order.status).collect();
    let failed = Outcome::Failed("no validator".into());
    assert_eq!(statuses, [failed.into(), Outcome::Rejected("too large".into()).into()]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_tried_again_after_pauses_that_grow_and_then_is_dead() {
    let store = store().await;
    let id = ended(&store, "fails").await;
    let (post, mut told) = post();
    let running = deliver(&store, Arc::clone(&post) as Arc<dyn Notifier>, settings());
    let (first, mut before) = next(&mut told).await;
    for (pause, attempt) in PAUSES.into_iter().zip(2..) {
        let (notice, at) = next(&mut told).await;
        assert_eq!((notice.id, notice.attempt), (first.id, attempt));
        assert!(at - before >= pause, "attempt {attempt} after {:?}", at - before);
        before = at;
    }
    until(&store, 0, 1).await;
    let given_up = dead(&store).await.remove(0);
    assert_eq!((given_up.id.order(), given_up.attempt), (id, 4));
    assert_eq!(given_up.problem, Some("no response".into()));
    assert_eq!(store.notices().redrive(&mail(), &[given_up.id]).await.unwrap(), 1);
    assert_eq!(next(&mut told).await.0.attempt, 1);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_hangs_or_panics_is_tried_again_like_what_fails() {
    let store = store().await;
    for product in ["hangs", "panics"] {
        ended(&store, product).await;
    }
    let (post, mut told) = post();
    let running = deliver(&store, post, settings().pauses(vec![PAUSES[0]]));
    for _ in 0..4 {
        next(&mut told).await;
    }
    until(&store, 0, 2).await;
    let mut problems: Vec<_> =
        dead(&store).await.into_iter().map(|notice| notice.problem.unwrap().to_string()).collect();
    problems.sort();
    assert_eq!(problems, ["not told within 10s", "the notifier panicked: no such mailbox"]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_told_is_dead_at_once_and_keeps_nobody_back() {
    let store = store().await;
    for product in ["refused", "train"] {
        ended(&store, product).await;
    }
    let (post, _told) = post();
    let running = deliver(&store, post, settings().at_once(1));
    until(&store, 0, 1).await;
    assert_eq!(dead(&store).await[0].problem, Some("no such mailbox".into()));
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_time_gets_it_and_uses_up_no_attempt_early() {
    let store = store().await;
    ended(&store, "busy").await;
    let (post, mut told) = post();
    let running = deliver(&store, post, settings());
    let (_, first) = next(&mut told).await;
    let (_, second) = next(&mut told).await;
    assert!(second - first >= Duration::from_mins(1), "longer than our pause");
    let (_, third) = next(&mut told).await;
    assert!(third - second >= PAUSES[1], "shorter than our pause");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn nobody_is_given_more_than_a_day() {
    let store = store().await;
    ended(&store, "busy for ever").await;
    let (post, mut told) = post();
    let running = deliver(&store, post, settings());
    let (_, first) = next(&mut told).await;
    let (_, second) = next(&mut told).await;
    assert!(second - first < Duration::from_hours(25), "{:?}", second - first);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn attempts_are_bounded_and_one_that_waits_holds_up_no_other() {
    let store = store().await;
    for _ in 0..9 {
        ended(&store, "waits").await;
    }
    let (post, mut told) = post();
    let running = deliver(&store, Arc::clone(&post) as Arc<dyn Notifier>, settings().at_once(3));
    for _ in 0..3 {
        next(&mut told).await;
    }
    for _ in 0..6 {
        post.gate.add_permits(1);
        next(&mut told).await;
    }
    post.gate.add_permits(3);
    until(&store, 0, 0).await;
    assert_eq!(post.most_inside.load(Ordering::SeqCst), 3);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn attempts_under_way_are_ended_and_saved_when_the_process_stops() {
    let store = store().await;
    for _ in 0..4 {
        ended(&store, "waits").await;
    }
    let (post, mut told) = post();
    let running = deliver(&store, Arc::clone(&post) as Arc<dyn Notifier>, settings().at_once(2));
    next(&mut told).await;
    next(&mut told).await;
    running.stopping.cancel();
    post.gate.add_permits(9);
    running.stop().await;
    assert_eq!(counts(&store).await.open, 2);
    assert!(told.try_recv().is_err(), "it has taken no more");
    assert_eq!(store.notices().claim(&mail(), 9, Duration::ZERO).await.unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_dead_process_had_claimed_is_told_by_another() {
    let store = store().await;
    let id = ended(&store, "hangs").await;
    let (first, mut told) = post();
    let running = deliver(&store, first, settings().timeout(Duration::from_secs(5)));
    next(&mut told).await;
    running.task.abort();
    let (post, mut told) = post();
    let running = deliver(&store, post, settings());
    let (notice, _) = next(&mut told).await;
    assert_eq!((notice.order.id, notice.attempt), (id, 2));
    running.stop().await;
}

/// A notice that ends every process that tells it is not tried for ever.
#[tokio::test(start_paused = true)]
async fn attempts_of_which_nothing_is_heard_count() {
    let store = store().await;
    let id = ended(&store, "train").await;
    for _ in 0..4 {
        store.notices().claim(&mail(), 9, Duration::ZERO).await.unwrap();
    }
    let (post, mut told) = post();
    let running = deliver(&store, post, settings());
    until(&store, 0, 1).await;
    assert_eq!(dead(&store).await[0].id.order(), id);
    assert!(told.try_recv().is_err());
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_order_that_is_of_another_type_is_dead_and_says_why() {
    let store = store().await;
    let pizza = NewOrder::new(Details::parse(r#"{"toppings":["ham"]}"#).unwrap());
    end(&store, &pizza, Outcome::Success(None), false).await;
    let train = ended(&store, "train").await;
    let (post, mut told) = post();
    let running = deliver(&store, post, settings());
    assert_eq!(next(&mut told).await.0.order.id, train);
    until(&store, 0, 1).await;
    let dead = dead(&store).await.remove(0);
    assert_eq!(dead.id.order(), pizza.id);
    assert!(dead.problem.unwrap().as_str().contains("product"));
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_end_in_this_process_wakes_it() {
    let store = MemoryStore::new();
    let broker = Arc::new(woody_broker::MemoryBroker::new());
    let (post, mut told) = post();
    let pipeline: Pipeline<ToyOrder> = Pipeline::builder(store.orders(), broker)
        .validator(Arc::new(AcceptAll))
        .notifier(store.notices(), mail(), post)
        .notice_settings(settings().poll_every(Duration::from_hours(24)))
        .start()
        .await
        .unwrap();
    let began = Instant::now();
    for cancelled in [false, true] {
        let accepted =
            pipeline.intake().accept(ToyOrder::parse("Train", 1).unwrap()).await.unwrap();
        if cancelled {
            let _ = pipeline.cancel(accepted.order.id, None).await.unwrap();
        }
        assert_eq!(next(&mut told).await.0.order.id, accepted.order.id);
    }
    assert!(began.elapsed() < Duration::from_hours(1), "{:?}", began.elapsed());
    assert!(pipeline.stop().await);
}
