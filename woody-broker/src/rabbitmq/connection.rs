//! Connections, each kept up by a task of its own.

use std::{pin::pin, sync::Arc, time::Duration};

use futures::StreamExt;
use lapin::Event;
use tokio::{
    sync::{Notify, watch},
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, info, warn};
use woody_core::{
    ports::BrokerError,
    resilience::{Back, Lost},
};

use super::{
    RabbitMqOptions,
    error::{Cause, Fault, broker_error},
    hosts::Hosts,
    session::Session,
};

/// How often the state of a connection is checked.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// After a connection that lasted this long the pauses begin afresh.
const SETTLED: Duration = Duration::from_secs(5);

/// One connection, for one purpose. It is opened when it is first requested and then
/// kept up until the broker is closed.
pub(super) struct Link {
    state: watch::Receiver<State>,
    wanted: watch::Sender<bool>,
    limit: Duration,
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
    /// Starts the task that keeps this connection up. `news` is shared by all links to
    /// one broker: when one connects, the others try at once.
    pub(super) fn start(
        purpose: &'static str,
        hosts: Arc<Hosts>,
        options: &RabbitMqOptions,
        news: &Arc<Notify>,
        cancel: &CancellationToken,
        tasks: &TaskTracker,
    ) -> Arc<Self> {
        let (sender, state) = watch::channel(State::Connecting);
        let wanted = watch::Sender::new(false);
        let supervisor = Supervisor {
            purpose,
            hosts,
            options: options.clone(),
            news: Arc::clone(news),
            cancel: cancel.clone(),
            wanted: wanted.subscribe(),
            state: sender,
        };
        tasks.spawn(supervisor.run());
        Arc::new(Self { state, wanted, limit: options.operation_timeout })
    }

    /// Requests the connection; it then stays open until the broker is closed.
    /// Idempotent.
    pub(super) fn want(&self) {
        self.wanted.send_if_modified(|wanted| !std::mem::replace(wanted, true));
    }

    /// Returns the connection, if it is up or comes up at the first attempt. While the
    /// broker is unavailable it fails at once.
    pub(super) async fn session(&self) -> Result<Arc<Session>, BrokerError> {
        self.want();
        let mut states = self.state.clone();
        let known = states.wait_for(|state| match state {
            State::Connecting => false,
            State::Up(session) => session.is_up(),
            State::Down(_) | State::Closed => true,
        });
        match timeout(self.limit, known).await {
            Ok(Ok(state)) => match &*state {
                State::Up(session) => Ok(Arc::clone(session)),
                State::Down(cause) => Err(cause.to_error()),
                State::Connecting | State::Closed => Err(BrokerError::Closed),
            },
            Ok(Err(_)) => Err(BrokerError::Closed),
            Err(_) => Err(Fault::TimedOut { what: "connecting", limit: self.limit }.into()),
        }
    }

    /// Waits for the connection without a limit; `None` once the broker is closed.
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
    hosts: Arc<Hosts>,
    options: RabbitMqOptions,
    news: Arc<Notify>,
    cancel: CancellationToken,
    wanted: watch::Receiver<bool>,
    state: watch::Sender<State>,
}

impl Supervisor {
    async fn run(mut self) {
        let cancel = self.cancel.clone();
        // It fails when the link was dropped, and nothing can request the connection.
        let wanted = self.wanted.wait_for(|wanted| *wanted);
        if cancel.run_until_cancelled(wanted).await.is_some_and(|wanted| wanted.is_ok()) {
            self.keep_up(&cancel).await;
        }
        self.state.send_replace(State::Closed);
    }

    async fn keep_up(&self, cancel: &CancellationToken) {
        let mut comeback = self.options.comeback().good_after(SETTLED);
        loop {
            let name = format!("woodytoys {} {}", self.options.queue, self.purpose);
            let opening = self.hosts.open(&name);
            let Some(opened) = cancel.run_until_cancelled(opening).await else { return };
            let cause = match opened {
                Ok(session) => {
                    if let Some(back) = comeback.back() {
                        self.report_back(back);
                    }
                    let Some(cause) = self.hold(session, cancel).await else { return };
                    cause
                }
                Err(error) => Cause::of(&error),
            };
            let lost = comeback.lost();
            self.report_lost(lost, &cause);
            if lost.was_good {
                self.state.send_replace(State::Connecting);
                continue;
            }
            self.state.send_replace(State::Down(cause));
            tokio::select! {
                () = cancel.cancelled() => return,
                () = self.news.notified() => {}
                () = sleep(lost.pause) => {}
            }
        }
    }

    /// Publishes the connection until it ends, and returns why it did; `None` once the
    /// broker was closed.
    async fn hold(&self, session: Session, cancel: &CancellationToken) -> Option<Cause> {
        let session = Arc::new(session);
        self.state.send_replace(State::Up(Arc::clone(&session)));
        self.news.notify_waiters();
        let ended = cancel.run_until_cancelled(self.watch(&session)).await;
        if ended.is_some() {
            self.hosts.lost(&session);
            session.cut();
        } else {
            session.close(self.options.close_timeout).await;
        }
        ended
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
                    // The error may be a channel's; then the connection is still up.
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

    fn report_lost(&self, lost: Lost, cause: &Cause) {
        let (queue, purpose) = (&self.options.queue, self.purpose);
        if lost.is_news {
            warn!(broker.queue = queue, broker.connection = purpose, error = %cause,
                "broker is unavailable");
        } else {
            debug!(broker.queue = queue, broker.connection = purpose, error = %cause,
                "broker is still unavailable");
        }
    }

    fn report_back(&self, back: Back) {
        info!(
            broker.queue = self.options.queue,
            broker.connection = self.purpose,
            elapsed_ms = back.after_ms(),
            failures = back.failures,
            "broker is back"
        );
    }
}
