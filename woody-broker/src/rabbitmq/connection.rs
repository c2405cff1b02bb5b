//! Connections that are kept up by a task of their own.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use backon::BackoffBuilder;
use futures::StreamExt;
use lapin::Event;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, info, warn};
use woody_core::ports::BrokerError;

use super::{
    RabbitMqOptions,
    address::Address,
    error::{Cause, Fault, broker_error},
    session::Session,
};

/// How often a connection is looked at that reports nothing.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A connection that lasted this long was a good one: the pauses start afresh.
const SETTLED: Duration = Duration::from_secs(5);

/// One supervised connection, for one purpose. It is opened when it is first
/// needed and then kept up until the broker is closed.
pub(super) struct Link {
    state: watch::Receiver<State>,
    wanted: Arc<Wanted>,
    patience: Duration,
}

#[derive(Default)]
struct Wanted {
    flag: AtomicBool,
    notify: Notify,
}

#[derive(Clone)]
enum State {
    /// The first attempt, or the first since it was lost, is under way.
    Connecting,
    Up(Arc<Session>),
    Down(Cause),
    Closed,
}

impl Link {
    /// Starts the task that keeps this connection up. `news` is shared by all
    /// links to one broker: when one gets through, the others try at once.
    pub(super) fn start(
        purpose: &'static str,
        address: Address,
        options: &RabbitMqOptions,
        news: &Arc<Notify>,
        cancel: &CancellationToken,
        tasks: &TaskTracker,
    ) -> Arc<Self> {
        let (sender, state) = watch::channel(State::Connecting);
        let wanted = Arc::new(Wanted::default());
        let supervisor = Supervisor {
            purpose,
            address,
            options: options.clone(),
            news: Arc::clone(news),
            cancel: cancel.clone(),
            wanted: Arc::clone(&wanted),
            state: sender,
        };
        tasks.spawn(supervisor.run());
        Arc::new(Self { state, wanted, patience: options.operation_timeout })
    }

    /// Has the connection opened, now and for good.
    pub(super) fn want(&self) {
        if !self.wanted.flag.swap(true, Ordering::Relaxed) {
            self.wanted.notify.notify_one();
        }
    }

    /// The connection, if it is up or comes up at the first attempt. While the
    /// broker is away the answer is an error at once.
    pub(super) async fn session(&self) -> Result<Arc<Session>, BrokerError> {
        self.want();
        let mut states = self.state.clone();
        let known = states.wait_for(|state| match state {
            State::Connecting => false,
            State::Up(session) => session.is_up(),
            State::Down(_) | State::Closed => true,
        });
        match timeout(self.patience, known).await {
            Ok(Ok(state)) => match &*state {
                State::Up(session) => Ok(Arc::clone(session)),
                State::Down(cause) => Err(cause.to_error()),
                State::Connecting | State::Closed => Err(BrokerError::Closed),
            },
            Ok(Err(_)) => Err(BrokerError::Closed),
            Err(_) => Err(Fault::TimedOut { what: "connecting", limit: self.patience }.into()),
        }
    }

    /// Waits for the connection as long as it takes; `None` once the broker is closed.
    pub(super) async fn when_up(&self) -> Option<Arc<Session>> {
        self.want();
        let mut states = self.state.clone();
        let up = states.wait_for(|state| match state {
            State::Up(session) => session.is_up(),
            State::Closed => true,
            State::Connecting | State::Down(_) => false,
        });
        match &*up.await.ok()? {
            State::Up(session) => Some(Arc::clone(session)),
            _ => None,
        }
    }

    /// Returns when `session` is no longer the connection.
    pub(super) async fn lost(&self, session: &Session) {
        let mut states = self.state.clone();
        let _ = states
            .wait_for(|state| !matches!(state, State::Up(current) if current.id == session.id))
            .await;
    }
}

struct Supervisor {
    purpose: &'static str,
    address: Address,
    options: RabbitMqOptions,
    news: Arc<Notify>,
    cancel: CancellationToken,
    wanted: Arc<Wanted>,
    state: watch::Sender<State>,
}

impl Supervisor {
    async fn run(self) {
        let cancel = self.cancel.clone();
        let until_wanted = async {
            while !self.wanted.flag.load(Ordering::Relaxed) {
                self.wanted.notify.notified().await;
            }
        };
        if cancel.run_until_cancelled(until_wanted).await.is_some() {
            self.keep_up(&cancel).await;
        }
        self.state.send_replace(State::Closed);
    }

    async fn keep_up(&self, cancel: &CancellationToken) {
        let mut pauses = self.options.pauses().build();
        let mut down_since = Instant::now();
        let mut failures = 0_u32;
        let mut first = true;
        loop {
            let name = format!("woodytoys {} {}", self.options.queue, self.purpose);
            let Some(opened) = cancel.run_until_cancelled(Session::open(&self.address, name)).await
            else {
                return;
            };
            match opened {
                Ok(session) => {
                    if !first || failures > 0 {
                        self.report_back(down_since, failures);
                    }
                    let session = Arc::new(session);
                    let up_since = Instant::now();
                    self.state.send_replace(State::Up(Arc::clone(&session)));
                    self.news.notify_waiters();
                    let Some(cause) = cancel.run_until_cancelled(self.watch(&session)).await else {
                        session.close(self.options.close_timeout).await;
                        return;
                    };
                    session.cut();
                    (first, failures, down_since) = (false, 0, Instant::now());
                    self.report_lost(&cause);
                    if up_since.elapsed() >= SETTLED {
                        pauses = self.options.pauses().build();
                        self.state.send_replace(State::Connecting);
                        continue;
                    }
                    self.state.send_replace(State::Down(cause));
                }
                Err(error) => {
                    let cause = Cause::of(&error);
                    if failures == 0 && first {
                        self.report_lost(&cause);
                    } else {
                        debug!(broker.queue = self.options.queue, broker.connection = self.purpose,
                            error = %cause, "broker still away");
                    }
                    failures = failures.saturating_add(1);
                    self.state.send_replace(State::Down(cause));
                }
            }
            let pause = pauses.next().unwrap_or(self.options.max_pause);
            tokio::select! {
                () = cancel.cancelled() => return,
                () = self.news.notified() => {}
                () = sleep(pause) => {}
            }
        }
    }

    /// Returns why the connection ended, once it has.
    async fn watch(&self, session: &Session) -> Cause {
        let mut events = pin!(session.connection.events_listener());
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut cause = Cause::of(&Fault::ConnectionEnded.into());
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(Event::ConnectionBlocked(reason)) => {
                        session.note_blocked(true);
                        warn!(broker.queue = self.options.queue,
                            broker.connection = self.purpose, reason, "broker blocks us");
                    }
                    Some(Event::ConnectionUnblocked) => {
                        session.note_blocked(false);
                        info!(broker.queue = self.options.queue,
                            broker.connection = self.purpose, "broker blocks us no more");
                    }
                    // It may be the error of a channel; then the connection is still up.
                    Some(Event::Error(error)) => cause = Cause::of(&broker_error(error)),
                    Some(_) => {}
                    None => return cause,
                },
                _ = look.tick() => {}
            }
            if !session.is_up() {
                return cause;
            }
        }
    }

    fn report_lost(&self, cause: &Cause) {
        warn!(broker.queue = self.options.queue, broker.connection = self.purpose,
            error = %cause, "broker is away");
    }

    fn report_back(&self, down_since: Instant, failures: u32) {
        let elapsed_ms = u64::try_from(down_since.elapsed().as_millis()).unwrap_or(u64::MAX);
        info!(
            broker.queue = self.options.queue,
            broker.connection = self.purpose,
            elapsed_ms,
            failures,
            "broker is back"
        );
    }
}
