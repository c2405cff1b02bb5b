//! One connection of lapin's, from its login to its end.

use std::{
    collections::HashSet,
    net::{Shutdown, SocketAddr, TcpStream},
    os::fd::AsFd,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use lapin::{
    AsyncTcpStream, Channel, Connection, ConnectionProperties, tcp::OwnedTLSConfig, uri::AMQPUri,
};
use tokio::sync::watch;
use woody_core::ports::BrokerError;

use super::{
    address::is_encrypted,
    error::{Fault, broker_error, is_of_closed_channel, within},
};

/// How many numbers of channels are tried before the connection is given up.
const NUMBERS_TRIED: usize = 32;

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// A live connection; once it has ended it is not opened again.
pub(super) struct Session {
    pub(super) id: u64,
    /// Where it is, as its [`Login`] had it.
    pub(super) at: (usize, SocketAddr),
    pub(super) connection: Connection,
    /// Queues and exchanges that were declared over this connection.
    pub(super) declared: Mutex<HashSet<String>>,
    blocked: watch::Sender<bool>,
    socket: Socket,
}

/// Where a connection goes, and how.
#[derive(Clone, Copy)]
pub(super) struct Login<'a> {
    pub(super) uri: &'a AMQPUri,
    /// The number of the host in the URL, and one of its addresses.
    pub(super) at: (usize, SocketAddr),
    pub(super) tls: &'a OwnedTLSConfig,
    /// For all of it: socket, TLS, and the broker's handshake.
    pub(super) limit: Duration,
}

impl Session {
    /// Connects and logs in, within the login's time.
    pub(super) async fn open(login: Login<'_>, name: &str) -> Result<Self, BrokerError> {
        let limit = login.limit;
        // Boxed: logging in has a future of 16 KiB, which ends here and not in the
        // task that keeps the connection up.
        let connect = Box::pin(Self::connect(login, name));
        match tokio::time::timeout(limit, connect).await {
            Ok(session) => session.map_err(broker_error),
            Err(_) => Err(Fault::TimedOut { what: "connecting", limit }.into()),
        }
    }

    async fn connect(Login { uri, at, tls, .. }: Login<'_>, name: &str) -> lapin::Result<Self> {
        let runtime = lapin::runtime::default_runtime()?;
        // The socket is opened here and not by lapin, which has no deadline for it.
        let stream = AsyncTcpStream::connect(&runtime, at.1).await?;
        let AsyncTcpStream::Plain(plain) = &stream else {
            return Err(std::io::Error::other("a new socket speaks TLS already").into());
        };
        let socket = Socket(plain.get_ref().as_fd().try_clone_to_owned()?.into());
        let stream = if is_encrypted(uri) {
            stream.into_tls(&uri.authority.host, tls.as_ref()).await?
        } else {
            stream
        };

        let stream = Mutex::new(Some(stream));
        let hand_over = async move |_, _| {
            let stream = stream.lock().unwrap_or_else(PoisonError::into_inner).take();
            stream.ok_or_else(|| std::io::Error::other("one socket, one connection").into())
        };
        let properties =
            ConnectionProperties::default().with_connection_name(name.to_owned().into());
        let connection = Connection::connector(uri.clone(), runtime, hand_over, properties).await?;
        Ok(Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            at,
            connection,
            declared: Mutex::default(),
            blocked: watch::Sender::new(false),
            socket,
        })
    }

    pub(super) fn is_up(&self) -> bool {
        self.connection.status().connected()
    }

    /// Whether the broker has blocked this connection: it reads no more from it.
    pub(super) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    pub(super) fn note_blocked(&self, blocked: bool) {
        self.blocked.send_replace(blocked);
    }

    /// Returns when the broker blocks this connection.
    pub(super) async fn blocked(&self) {
        let mut blocked = self.blocked.subscribe();
        // The sender lives as long as `self`: this cannot fail.
        let _ = blocked.wait_for(|blocked| *blocked).await;
    }

    /// Opens a channel.
    ///
    /// lapin keeps the error of each channel that the broker has closed, and gives it to the next
    /// one of that number. Numbers come again after some 2,000: then the next one is taken, and
    /// where one after the other is used up the connection ends, and its successor has all.
    pub(super) async fn channel(&self, limit: Duration) -> Result<Channel, BrokerError> {
        for _ in 0..NUMBERS_TRIED {
            match tokio::time::timeout(limit, self.connection.create_channel()).await {
                Ok(Ok(channel)) => return Ok(channel),
                Ok(Err(error)) if is_of_closed_channel(&error) && self.is_up() => {}
                Ok(Err(error)) => return Err(broker_error(error)),
                Err(_) => return Err(Fault::TimedOut { what: "opening a channel", limit }.into()),
            }
        }
        self.cut();
        Err(Fault::ChannelsUsedUp.into())
    }

    /// Closes the connection within `limit`; what was written before arrives before.
    pub(super) async fn close(&self, limit: Duration) {
        if self.is_up() && !self.is_blocked() {
            let goodbye = self.connection.close(200, "closing".into());
            let _ = within(limit, "closing", goodbye).await;
        }
        self.cut();
    }

    /// Ends the connection without a word to the broker: lapin's thread ends with it.
    pub(super) fn cut(&self) {
        self.socket.cut();
    }
}

/// A second handle on the connection's socket.
///
/// lapin gives no way to end a connection to a broker that does not answer: its
/// thread waits for a reply, or for the end of an alarm. A socket that is shut
/// down ends it. Dropping this does so, which covers a login that takes too long.
struct Socket(TcpStream);

impl Socket {
    fn cut(&self) {
        // It fails when the peer was first, which is fine.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.cut();
    }
}
