//! Consumes from all queues of orders, and shares out the prefetch among them.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{
    sync::{Semaphore, mpsc, watch},
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use tracing::info;
use woody_core::ports::{Consumer, ConsumerState, Delivery, Prefetch};

use super::{
    connection::Link,
    links::Links,
    moving::Moving,
    queues::OrderQueues,
    shares::{self, Demand},
    standing::{Standing, States},
    subscription::{Arrived, SHORTEST, Shared, Subscription},
    topology::{Queue, Topology},
};

/// How soon a look for further queues is tried again that has failed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The caller's end of a consumer; tasks do the work.
pub(super) struct RabbitMqConsumer {
    stopping: CancellationToken,
    _on_drop: DropGuard,
    arrived: mpsc::Receiver<Arrived>,
    state: watch::Receiver<ConsumerState>,
    task: TaskTracker,
}

impl RabbitMqConsumer {
    pub(super) fn start(
        links: &Arc<Links>,
        operating: Arc<Link>,
        topology: Topology,
        queues: Arc<OrderQueues>,
        moving: &Arc<Moving>,
        prefetch: Prefetch,
    ) -> Self {
        // The prefetch bounds this buffer, too: what is in it is unsettled.
        let (arrived, receiver) = mpsc::channel(usize::from(prefetch.get()));
        let (state, watched) = watch::channel(ConsumerState::Recovering);
        let stopping = moving.cancel.child_token();
        let consuming = Consuming {
            links: Arc::clone(links),
            operating,
            queues,
            prefetch: prefetch.get(),
            shared: Arc::new(Shared {
                topology,
                moving: Arc::clone(moving),
                options: links.options.clone(),
                places: Arc::new(Semaphore::new(usize::from(prefetch.get()))),
                arrived,
                states: States::new(state),
            }),
            subscribed: Vec::new(),
            tasks: TaskTracker::new(),
            turns: 0,
        };
        // The broker waits for it, and so does the caller that stops this consumer.
        let task = TaskTracker::new();
        moving.tasks.spawn(task.track_future(consuming.run(stopping.clone())));
        task.close();
        let on_drop = stopping.clone().drop_guard();
        Self { stopping, _on_drop: on_drop, arrived: receiver, state: watched, task }
    }
}

#[async_trait]
impl Consumer for RabbitMqConsumer {
    async fn next(&mut self) -> Option<Delivery> {
        loop {
            let (deliveries, delivery) = self.arrived.recv().await?;
            // What a closed channel delivered is delivered again by the next one.
            if deliveries.are_ours() {
                return Some(delivery);
            }
        }
    }

    fn state(&self) -> watch::Receiver<ConsumerState> {
        self.state.clone()
    }

    async fn stop(&mut self) {
        self.stopping.cancel();
        self.task.wait().await;
        self.arrived.close();
        // Dropping a delivery gives it back.
        while self.arrived.try_recv().is_ok() {}
    }
}

/// Keeps a subscription to each queue, and shares out the prefetch.
struct Consuming {
    links: Arc<Links>,
    operating: Arc<Link>,
    queues: Arc<OrderQueues>,
    prefetch: u16,
    shared: Arc<Shared>,
    /// By the queue's number.
    subscribed: Vec<Subscribed>,
    tasks: TaskTracker,
    turns: usize,
}

struct Subscribed {
    share: watch::Sender<u16>,
    standing: Arc<Standing>,
    /// Nothing was held of the queue at the last look.
    was_idle: bool,
    _ends: DropGuard,
}

impl Consuming {
    async fn run(mut self, stopping: CancellationToken) {
        let cancel = self.shared.moving.cancel.clone();
        cancel.run_until_cancelled(self.consume(&stopping)).await;
        self.subscribed.clear();
        self.tasks.close();
        self.tasks.wait().await;
        self.shared.states.stopped();
    }

    async fn consume(&mut self, stopping: &CancellationToken) {
        let options = &self.shared.options;
        let (mut turn, mut look_at) = (interval(options.turn.max(SHORTEST)), Instant::now());
        turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let look_every = options.look_every.max(SHORTEST);
        self.subscribe(stopping);
        self.share_out(&shares::even(self.prefetch, self.subscribed.len()));
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                _ = turn.tick(), if self.subscribed.len() > 1 => self.take_turn().await,
                () = sleep_until(look_at) => {
                    let pause = if self.look().await { look_every } else { LOOK_AGAIN };
                    look_at = Instant::now() + pause;
                }
            }
            self.subscribe(stopping);
        }
    }

    /// Subscribes to the queues that are new, and forgets the last ones that are gone.
    fn subscribe(&mut self, stopping: &CancellationToken) {
        let own = usize::from(self.queues.own());
        while self.subscribed.len() > own
            && self.subscribed.last().is_some_and(|last| last.standing.is_gone())
        {
            self.subscribed.pop();
            let left = u16::try_from(self.subscribed.len()).unwrap_or(u16::MAX);
            self.queues.note(left);
            let name = self.shared.topology.name(Queue::Orders(left));
            info!(broker.queue = %name, "the queue is gone");
            self.share_out(&shares::even(self.prefetch, self.subscribed.len()));
        }
        for number in self.subscribed.len()..usize::from(self.queues.count()) {
            let number = u16::try_from(number).unwrap_or(u16::MAX);
            let (share, receiver) = watch::channel(0);
            let standing = Arc::<Standing>::default();
            let subscription = Subscription {
                number,
                is_own: number < self.queues.own(),
                link: self.links.consuming(number),
                share: receiver,
                standing: Arc::clone(&standing),
                shared: Arc::clone(&self.shared),
            };
            if number >= self.queues.own() {
                let name = self.shared.topology.name(Queue::Orders(number));
                info!(broker.queue = %name, "another queue of orders was found, it is consumed too");
            }
            let ending = stopping.child_token();
            let running = subscription.run(ending.clone());
            self.shared.moving.tasks.spawn(self.tasks.track_future(running));
            let ends = ending.drop_guard();
            self.subscribed.push(Subscribed { share, standing, was_idle: false, _ends: ends });
        }
    }

    fn share_out(&self, shares: &[u16]) {
        for (subscribed, share) in self.subscribed.iter().zip(shares) {
            subscribed.share.send_replace(*share);
        }
    }

    /// Looks where messages wait, and divides the prefetch anew if somebody gains by it.
    async fn take_turn(&mut self) {
        let mut demands = Vec::with_capacity(self.subscribed.len());
        for number in 0..self.subscribed.len() {
            let Subscribed { share, standing, .. } = &self.subscribed[number];
            let (share, held) = (*share.borrow(), standing.held());
            // A share that it does not have yet is used up, too.
            let is_used_up = held >= share || !standing.is_subscribed();
            let waits = is_used_up && !standing.is_gone() && self.waits(number).await;
            let idle = held == 0;
            let was_idle = std::mem::replace(&mut self.subscribed[number].was_idle, idle);
            demands.push(Demand { share, held, waits, idle: idle && was_idle });
        }
        if let Some(shares) = shares::divide(self.prefetch, &demands, self.turns) {
            self.share_out(&shares);
        }
        self.turns = self.turns.wrapping_add(1);
    }

    /// Whether messages wait in a queue; not where that is not known.
    async fn waits(&self, number: usize) -> bool {
        let Ok(session) = self.operating.session().await else { return false };
        match self.shared.topology.fill(&session, orders(number)).await {
            Ok(Some(fill)) => fill.messages > 0,
            Ok(None) => {
                // The broker logs each request for a missing queue: the next look asks again.
                self.subscribed[number].standing.set_gone(true);
                false
            }
            Err(_) => false,
        }
    }

    /// Looks for queues that others have made, and makes its own; returns whether it could ask.
    async fn look(&self) -> bool {
        // With one queue there is one connection, which will do.
        let link = match self.subscribed.len() {
            1 => self.links.consuming(0),
            _ => Arc::clone(&self.operating),
        };
        let Ok(session) = link.session().await else { return false };
        let topology = &self.shared.topology;
        for (number, subscribed) in self.subscribed.iter().enumerate().skip(1) {
            let (queue, is_gone) = (orders(number), subscribed.standing.is_gone());
            let is_there = if number < usize::from(self.queues.own()) {
                if is_gone {
                    topology.forget(&session, queue);
                }
                // One that may not be made is none to wait for.
                topology.ensure(&session, queue).await.is_ok()
            } else {
                is_gone && topology.fill(&session, queue).await.is_ok_and(|fill| fill.is_some())
            };
            if is_there {
                subscribed.standing.set_gone(false);
            }
        }
        self.queues.find(topology, &session).await.is_ok()
    }
}

fn orders(number: usize) -> Queue {
    Queue::Orders(u16::try_from(number).unwrap_or(u16::MAX))
}
