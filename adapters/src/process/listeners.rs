use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpListener, TcpSocket},
    task::JoinHandle,
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;

use super::lifecycle::Process;
use crate::{
    config::ConfigError,
    http::{
        self, AdminRoutes, Drain, RateLimit, Readiness, Sampler, ServerLimits, ServiceSettings,
        serve,
    },
};

/// Connections that may wait to be accepted, as many as Linux allows by default: after an update
/// all that followed an order come back in the same moment, and the kernel turns away those that
/// find no room.
const BACKLOG: u32 = 4_096;

/// Listens on the address that `variable` gave.
///
/// # Errors
/// [`ConfigError`] when it is taken, or is not ours.
pub async fn bind(variable: &str, address: SocketAddr) -> Result<TcpListener, ConfigError> {
    listen(address).map_err(|error| {
        ConfigError::because(format!("cannot listen on {address} ({variable})"), &error)
    })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Otherwise the address stays taken for a minute after a process has ended.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// The private listener: it serves to the very end, so that one sees how a
/// process drains.
#[derive(Debug)]
pub struct Admin {
    stop: CancellationToken,
    serving: JoinHandle<http::Drained>,
}

impl Admin {
    /// Begins to serve.
    ///
    /// # Errors
    /// [`ConfigError`] when it cannot listen.
    pub async fn start(readiness: Readiness, process: &Process) -> Result<Self, ConfigError> {
        let listener = bind("WOODY_ADMIN_LISTEN", process.admin_listen()).await?;
        let metrics = process.telemetry().metrics.clone();
        let routes = AdminRoutes::new(readiness.into(), metrics.clone())
            .in_environment(process.environment());
        let sampler = routes.sampler();
        let settings = ServiceSettings { hosts: process.hosts(), ..ServiceSettings::default() };
        let service = http::service(routes, RateLimit::off(), &settings);
        let stop = CancellationToken::new();
        let drain = Drain::new(stop.clone(), process.grace_left());
        let serving = tokio::spawn(async move {
            // Samples are kept until they are read, which may be never.
            let upkeep = async {
                loop {
                    tokio::time::sleep(UPKEEP_EVERY).await;
                    metrics.run_upkeep();
                }
            };
            let sampling = async {
                let Some(sampler) = sampler else { return std::future::pending().await };
                let mut ticks = tokio::time::interval(Sampler::EVERY);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                loop {
                    sampler.sample(ticks.tick().await);
                }
            };
            tokio::select! {
                drained = serve(listener, service, ServerLimits::default(), drain) => drained,
                never = upkeep => never,
                never = sampling => never,
            }
        });
        Ok(Self { stop, serving })
    }

    /// Stops answering.
    pub async fn stop(self) {
        self.stop.cancel();
        // A panic in there is logged there, and must not spoil the end.
        let _ = self.serving.await;
    }
}
