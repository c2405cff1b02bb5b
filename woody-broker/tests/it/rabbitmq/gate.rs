//! A host in front of the server under test, which a test has as it wants it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf},
    sync::watch,
};

/// Passes connections on to the server. Dropping it ends it.
pub(crate) struct Gate {
    pub(crate) at: SocketAddr,
    seen: Arc<Seen>,
    /// Whether it passes nothing on to the server, and nothing back.
    silent: [watch::Sender<bool>; 2],
    task: tokio::task::JoinHandle<()>,
}

/// What went through a gate so far.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    /// Bytes for the server.
    sent: AtomicUsize,
}

impl Gate {
    /// A host that passes all on.
    pub(crate) async fn open() -> Self {
        Self::with(false, None).await
    }

    /// A host that accepts and says nothing.
    pub(crate) async fn silent() -> Self {
        Self::with(true, None).await
    }

    /// A host at which this password is another.
    pub(crate) async fn spoiling(password: &str) -> Self {
        Self::with(false, Some(password.as_bytes().into())).await
    }

    async fn with(silent: bool, spoiled: Option<Arc<[u8]>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let silent = [watch::Sender::new(silent), watch::Sender::new(silent)];
        let (counts, ways) = (Arc::clone(&seen), silent.each_ref().map(watch::Sender::subscribe));
        let task = tokio::spawn(async move {
            let mut running = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                counts.connections.fetch_add(1, Ordering::Relaxed);
                running.spawn(pass(client, ways.clone(), spoiled.clone(), Arc::clone(&counts)));
            }
        });
        Self { at, seen, silent, task }
    }

    /// From now on it passes nothing on, and keeps its connections.
    pub(crate) fn freeze(&self) {
        for way in &self.silent {
            way.send_replace(true);
        }
    }

    /// Keeps what the server says, or passes it on again.
    pub(crate) fn hold_answers(&self, hold: bool) {
        self.silent[1].send_replace(hold);
    }

    pub(crate) fn accepted(&self) -> usize {
        self.seen.connections.load(Ordering::Relaxed)
    }

    /// How many bytes went to the server.
    pub(crate) fn sent(&self) -> usize {
        self.seen.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(
    client: TcpStream,
    [silent, silent_back]: [watch::Receiver<bool>; 2],
    spoiled: Option<Arc<[u8]>>,
    seen: Arc<Seen>,
) {
    let url = super::url();
    let place = url.rsplit_once('@').unwrap().1.split('/').next().unwrap().to_owned();
    let server = TcpStream::connect(place).await.unwrap();
    let ((from_client, to_client), (from_server, to_server)) =
        (client.into_split(), server.into_split());
    tokio::join!(
        copy(from_client, to_server, silent, spoiled, |bytes| {
            seen.sent.fetch_add(bytes, Ordering::Relaxed);
        }),
        copy(from_server, to_client, silent_back, None, |_| {}),
    );
}

async fn copy(
    mut from: OwnedReadHalf,
    mut to: impl AsyncWriteExt + Unpin,
    mut silent: watch::Receiver<bool>,
    spoiled: Option<Arc<[u8]>>,
    passed: impl Fn(usize),
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        // It fails when the gate is gone, and then nothing is passed on either.
        if silent.wait_for(|silent| !silent).await.is_err() {
            return;
        }
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        let bytes = &mut buffer[..read];
        if let Some(secret) = &spoiled
            && let Some(at) = bytes.windows(secret.len()).position(|part| *part == **secret)
        {
            bytes[at] ^= 1;
        }
        // It became silent while there was nothing to read.
        if silent.wait_for(|silent| !silent).await.is_err() {
            return;
        }
        passed(read);
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}
