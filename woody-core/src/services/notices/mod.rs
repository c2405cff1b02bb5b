mod attempts;
mod bell;
mod settings;

use std::{fmt, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use self::attempts::{Attempts, Tried};
pub use self::{bell::NoticeBell, settings::NoticeSettings};
use crate::{
    domain::{NoticeId, OrderDetails, SubscriptionName, ToyOrder},
    ports::{Attempt, Notice, NoticeStore, Notifier, OrderStore, StoreError},
    resilience::Comeback,
    step,
};

/// Delivers the notices of one subscription: each end of an order is told by a [`Notifier`] until
/// that has worked, or is given up.
///
/// Notices are in the store before anybody can see that an order has ended. This claims those that
/// are due, has them told, several at once, and saves what became of each; what fails comes again
/// after a pause that grows, and after the last attempt it is dead, until an operator redrives it.
/// Any number of processes may deliver the notices of one subscription; each notice is leased to one
/// of them. One that dies leaves its notices to the others, once its leases are over.
///
/// ```
/// # use std::sync::Arc;
/// # use tokio_util::sync::CancellationToken;
/// # use woody_core::{domain::SubscriptionName, ports::{Notifier, Store}};
/// # use woody_core::services::{NoticeDelivery, NoticeSettings};
/// # async fn example(
/// #     store: Arc<dyn Store>, mail: Arc<dyn Notifier>, stop: CancellationToken,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let name = SubscriptionName::parse("mail")?;
/// let settings = NoticeSettings::default();
/// let delivery = NoticeDelivery::new(store.orders(), store.notices(), name, mail, settings);
/// delivery.run(stop).await;
/// # Ok(())
/// # }
/// ```
pub struct NoticeDelivery<D: OrderDetails = ToyOrder> {
    orders: Arc<dyn OrderStore>,
    notices: Arc<dyn NoticeStore>,
    subscription: SubscriptionName,
    attempts: Arc<Attempts<D>>,
    bell: watch::Receiver<()>,
    settings: NoticeSettings,
}

impl<D: OrderDetails> fmt::Debug for NoticeDelivery<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NoticeDelivery")
            .field("subscription", &self.subscription)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// The longest pause while the store does not take part.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// How often a process that ends tries to save what became of its last attempts. What is not saved
/// is tried again by another.
const LAST_TRIES: u32 = 3;

impl<D: OrderDetails> NoticeDelivery<D> {
    /// Makes the delivery of what `subscription` is to be told, by `notifier`.
    pub fn new(
        orders: Arc<dyn OrderStore>,
        notices: Arc<dyn NoticeStore>,
        subscription: SubscriptionName,
        notifier: Arc<dyn Notifier<D>>,
        settings: NoticeSettings,
    ) -> Self {
        let settings = settings.in_bounds();
        let attempts = Attempts::new(subscription.clone(), notifier, settings.clone());
        let bell = NoticeBell::new().listen();
        Self { orders, notices, subscription, attempts: Arc::new(attempts), bell, settings }
    }

    /// Looks as soon as `bell` is rung, not only now and then.
    #[must_use]
    pub fn woken_by(mut self, bell: &NoticeBell) -> Self {
        self.bell = bell.listen();
        self
    }

    /// Has the ends of orders told from now on: [`NoticeStore::subscribe`]. [`run`](Self::run) does
    /// so too, once the store is there.
    ///
    /// # Errors
    /// [`StoreError`]; subscribing again is right.
    pub async fn subscribe(&self) -> Result<(), StoreError> {
        self.notices.subscribe(&self.subscription).await
    }

    /// Delivers until `stopping`; attempts that are under way then are brought to their end.
    ///
    /// Failures of the store are logged and tried again with growing pauses; they never end it.
    pub async fn run(mut self, stopping: CancellationToken) {
        if stopping.run_until_cancelled(self.subscribed()).await.is_none() {
            return;
        }
        // Of a counter that begins with what it counts, Prometheus sees no increase.
        let told = self.subscription.to_string();
        metrics::counter!("woody_notices_total", "subscription" => told, "outcome" => "dead")
            .increment(0);
        let mut under_way = JoinSet::new();
        let mut done = Vec::new();
        let mut comeback = Comeback::new(FIRST_PAUSE, LONGEST_PAUSE);
        let mut look_at = Instant::now();
        loop {
            let has_room = under_way.len() < self.settings.at_once && done.is_empty();
            let is_quiet = under_way.is_empty();
            tokio::select! {
                biased;
                () = stopping.cancelled() => break,
                Some(tried) = under_way.join_next(), if !is_quiet => {
                    done.extend(attempts::result(tried));
                    while let Some(tried) = under_way.try_join_next() {
                        done.extend(attempts::result(tried));
                    }
                }
                () = sleep_until(look_at), if has_room => {}
                // Whoever rings is gone when nobody can end an order here any more.
                Ok(()) = self.bell.changed(), if has_room && !comeback.is_lost() => {}
                // Room comes with the end of an attempt, and what is done is saved after a pause.
                () = sleep_until(look_at), if !has_room && !done.is_empty() => {}
            }
            let round = async {
                self.settle(&mut done).await?;
                let room = self.settings.at_once - under_way.len().min(self.settings.at_once);
                if room == 0 {
                    Ok(0)
                } else {
                    self.begin(room, &mut under_way).await.map(|n| n / room)
                }
            };
            // Whether there may be more.
            let pause = match round.await {
                Ok(0) => {
                    note_back(&self.subscription, &mut comeback);
                    self.settings.poll_every
                }
                Ok(_) => {
                    note_back(&self.subscription, &mut comeback);
                    Duration::ZERO
                }
                Err(error) => note_lost(&self.subscription, &error, &mut comeback),
            };
            look_at = Instant::now() + pause;
        }
        self.end(under_way, done).await;
    }

    /// Subscribes, however long the store is unavailable or refuses.
    async fn subscribed(&self) {
        let mut comeback = Comeback::new(FIRST_PAUSE, LONGEST_PAUSE);
        while let Err(error) = self.subscribe().await {
            sleep(note_lost(&self.subscription, &error, &mut comeback)).await;
        }
        note_back(&self.subscription, &mut comeback);
    }

    /// Claims at most `room` notices and begins to tell them. Returns how many were claimed.
    async fn begin(
        &self,
        room: usize,
        under_way: &mut JoinSet<Tried>,
    ) -> Result<usize, StoreError> {
        let lease = self.settings.timeout.saturating_add(self.settings.settle_within);
        let claimed = self.notices.claim(&self.subscription, room, lease).await?;
        if claimed.is_empty() {
            return Ok(0);
        }
        step!("notice.claimed");
        let count = claimed.len();
        let ids: Vec<_> = claimed.iter().map(|notice| notice.id.order()).collect();
        let found = match self.orders.orders_by_id(&ids).await {
            Ok(found) if found.len() == count => found,
            answer => {
                self.release(&claimed).await;
                let wrong = || StoreError::Corrupt("not as many orders as were asked for".into());
                return Err(answer.err().unwrap_or_else(wrong));
            }
        };
        for (notice, found) in claimed.into_iter().zip(found) {
            let attempts = Arc::clone(&self.attempts);
            under_way.spawn(async move {
                let id = notice.id;
                (id, attempts.attempt(notice, found).await)
            });
        }
        Ok(count)
    }

    /// Gives back what is not tried. Without success its leases run out.
    async fn release(&self, claimed: &[Notice]) {
        let released: Vec<_> = claimed.iter().map(|n| (n.id, Attempt::Released)).collect();
        let _ = self.notices.settle(&self.subscription, &released).await;
    }

    /// Saves what became of attempts; what cannot be saved stays in `done`.
    async fn settle(&self, done: &mut Vec<(NoticeId, Attempt)>) -> Result<(), StoreError> {
        if done.is_empty() {
            return Ok(());
        }
        step!("notice.told");
        self.notices.settle(&self.subscription, done).await?;
        done.clear();
        Ok(())
    }

    /// Waits for what is under way and saves what became of it.
    async fn end(&self, mut under_way: JoinSet<Tried>, mut done: Vec<(NoticeId, Attempt)>) {
        while let Some(tried) = under_way.join_next().await {
            done.extend(attempts::result(tried));
        }
        let mut comeback = Comeback::new(FIRST_PAUSE, LONGEST_PAUSE);
        for _ in 0..LAST_TRIES {
            match self.settle(&mut done).await {
                Ok(()) => return,
                Err(error) => sleep(note_lost(&self.subscription, &error, &mut comeback)).await,
            }
        }
    }
}

fn note_back(subscription: &SubscriptionName, comeback: &mut Comeback) {
    if let Some(back) = comeback.back() {
        tracing::info!(%subscription, after_ms = back.after_ms(), "notices are delivered again");
    }
}

fn note_lost(
    subscription: &SubscriptionName,
    error: &StoreError,
    comeback: &mut Comeback,
) -> Duration {
    let lost = comeback.lost();
    if lost.is_news {
        tracing::warn!(%subscription, error = error as &dyn std::error::Error,
            "the store of notices failed, it goes on trying");
    }
    lost.pause
}
