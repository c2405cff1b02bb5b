use std::{
    net::SocketAddr,
    process::ExitCode,
    sync::{Arc, OnceLock},
    time::Duration,
};

use clap::{Args, Command, Parser};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    healthcheck::healthcheck,
    telemetry::{Telemetry, start_metrics, start_telemetry},
};
use crate::{
    config::{AdminArgs, ConfigError, ProcessArgs, parse_args},
    environment::Environment,
    http::{Drain, Hosts, Sampling},
    otlp::SpanExport,
    terminal,
};

/// The life of a process, in the order in which it ends:
///
/// 1. `SIGTERM` or Ctrl-C: it is [`draining`](Self::draining). It is not ready
///    any more and goes on answering for the drain delay, so that the gateway
///    learns of it. A second signal cuts the delay short.
/// 2. [`stopping`](Self::stopping): listeners close, what is in flight is
///    answered, workers take nothing new and finish what they hold.
/// 3. What runs in the background ends.
///
/// All of it is over within the grace, counted from the signal.
#[derive(Debug)]
pub struct Process {
    admin_listen: SocketAddr,
    hosts: Hosts,
    environment: Option<Environment>,
    draining: CancellationToken,
    stopping: CancellationToken,
    told_at: Arc<OnceLock<Instant>>,
    grace: Duration,
    /// What the drain delay leaves of the grace.
    serving: Duration,
    sampling: Sampling,
    telemetry: Telemetry,
    spans: Option<SpanExport>,
}

impl Process {
    /// Begins to listen for signals, and to count: what was counted before is in no metric.
    ///
    /// # Errors
    /// [`ConfigError`] when the operating system does not let it, or something else in the
    /// process counts already.
    pub fn start(args: &ProcessArgs, admin: &AdminArgs) -> Result<Self, ConfigError> {
        if args.drain_delay >= args.grace {
            return Err(ConfigError::new(format!(
                "WOODY_DRAIN_DELAY ({:?}) must be shorter than WOODY_GRACE ({:?}), which includes it",
                args.drain_delay, args.grace
            )));
        }
        let process = Self {
            admin_listen: admin.admin_listen,
            hosts: admin.hosts(),
            environment: admin.environment.clone(),
            draining: CancellationToken::new(),
            stopping: CancellationToken::new(),
            told_at: Arc::default(),
            grace: args.grace,
            serving: args.grace.saturating_sub(args.drain_delay),
            sampling: args.trace.sampling(),
            telemetry: start_metrics()?,
            spans: None,
        };
        let no_signals = |error| ConfigError::because("cannot listen for signals", &error);
        let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
        let (draining, stopping) = (process.draining.clone(), process.stopping.clone());
        let (told_at, delay) = (Arc::clone(&process.told_at), args.drain_delay);
        // Not tracked: it waits for a signal that may never come.
        tokio::spawn(async move {
            let mut told = async || {
                tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                }
            };
            let signal = told().await;
            let _ = told_at.set(Instant::now());
            tracing::info!(
                signal,
                drain_delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
                "shutdown requested: not ready any more"
            );
            draining.cancel();
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                _ = told() => tracing::info!("shutdown requested again: the drain delay is cut short"),
            }
            stopping.cancel();
        });
        Ok(process)
    }

    /// Cancelled when the process should not be given new work.
    pub fn draining(&self) -> CancellationToken {
        self.draining.clone()
    }

    /// Cancelled when the process takes no new work.
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// How a server of this process ends.
    pub fn drain(&self) -> Drain {
        Drain { draining: self.draining(), ..Drain::new(self.stopping(), self.serving) }
    }

    /// How long what is in flight has from when the process takes no new work.
    pub fn serving(&self) -> Duration {
        self.serving
    }

    /// What has been counted since it began.
    pub(super) fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// Where the operator looks in.
    pub fn admin_listen(&self) -> SocketAddr {
        self.admin_listen
    }

    /// The names under which the service may be asked for.
    pub fn hosts(&self) -> Hosts {
        self.hosts.clone()
    }

    /// What the deployment is called.
    pub fn environment(&self) -> Option<Environment> {
        self.environment.clone()
    }

    /// How many of its requests begin a trace.
    pub fn sampling(&self) -> Sampling {
        self.sampling
    }

    /// Sends the last spans, within what is left of the grace.
    pub(super) async fn end_spans(&self) {
        if let Some(spans) = &self.spans {
            spans.end(self.grace_left()).await;
        }
    }

    /// How much of the grace is left; all of it before the signal.
    pub fn grace_left(&self) -> Duration {
        match self.told_at.get() {
            Some(told_at) => (*told_at + self.grace).saturating_duration_since(Instant::now()),
            None => self.grace,
        }
    }

    /// Logs how it ended, and returns it.
    pub fn ended(&self, in_time: bool) -> bool {
        if in_time {
            tracing::info!("stopped, everything in flight is finished");
        } else {
            tracing::warn!("the grace is over: what is unfinished goes back to the queue");
        }
        in_time
    }
}

/// What configures a service: flags of its own, and those that every service has.
#[derive(Debug, Parser)]
#[command(version)]
pub struct ServiceArgs<A: Args> {
    /// Where the operator looks in.
    #[command(flatten)]
    pub admin: AdminArgs,
    /// Its own.
    #[command(flatten)]
    pub own: A,
    /// How it lives and ends.
    #[command(flatten)]
    pub process: ProcessArgs,
}

/// Runs a service to its end, on a runtime of its own, and returns the exit
/// code: 0 when it ended well, 1 when the grace was too short, 2 when its
/// configuration cannot work (one line on stderr says why).
///
/// It is called `name`, and `--help` says of it what `A` says of itself; `adjust` may
/// change defaults of the flags.
pub fn run<A, Fut>(
    name: &'static str,
    adjust: impl FnOnce(Command) -> Command,
    service: impl FnOnce(A, Process) -> Fut,
) -> ExitCode
where
    A: Args,
    Fut: Future<Output = Result<bool, ConfigError>>,
{
    let own = A::augment_args(Command::new(name));
    let with_name = |mut flags: Command| {
        flags = flags.name(name).bin_name(name);
        if let Some(about) = own.get_about() {
            flags = flags.about(about.clone());
        }
        if let Some(about) = own.get_long_about() {
            flags = flags.long_about(about.clone());
        }
        adjust(flags)
    };
    let outcome = parse_args::<ServiceArgs<A>>(with_name).and_then(|args| {
        let ServiceArgs { own, admin, process } = args;
        if admin.healthcheck {
            return Ok(healthcheck(admin.admin_listen));
        }
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        if let Some(threads) = process.threads {
            builder.worker_threads(threads);
        }
        let runtime = builder
            .enable_all()
            .build()
            .map_err(|error| ConfigError::because("the runtime cannot start", &error))?;
        let spans = SpanExport::start(name, &process.trace, runtime.handle())?;
        start_telemetry(&process.log, spans.as_ref())?;
        #[cfg(feature = "failpoints")]
        super::failpoints::arm()?;
        let outcome = runtime.block_on(async {
            let process = Process { spans, ..Process::start(&process, &admin)? };
            service(own, process).await
        });
        // Blocking reads that nothing waits for must not hold up the exit.
        runtime.shutdown_timeout(Duration::from_secs(1));
        outcome
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            terminal::complain(error);
            ExitCode::from(2)
        }
    }
}
