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
    /// Connections so far.
    accepted: Arc<AtomicUsize>,
    silent: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
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
        let accepted = Arc::new(AtomicUsize::new(0));
        let (silent, is_silent) = watch::channel(silent);
        let count = Arc::clone(&accepted);
        let task = tokio::spawn(async move {
            let mut running = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                running.spawn(pass(client, is_silent.clone(), spoiled.clone()));
            }
        });
        Self { at, accepted, silent, task }
    }

    /// From now on it passes nothing on, and keeps its connections.
    pub(crate) fn freeze(&self) {
        self.silent.send_replace(true);
    }

    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(client: TcpStream, silent: watch::Receiver<bool>, spoiled: Option<Arc<[u8]>>) {
    let url = super::url();
    let place = url.rsplit_once('@').unwrap().1.split('/').next().unwrap().to_owned();
    let server = TcpStream::connect(place).await.unwrap();
    let ((from_client, to_client), (from_server, to_server)) =
        (client.into_split(), server.into_split());
    tokio::join!(
        copy(from_client, to_server, silent.clone(), spoiled),
        copy(from_server, to_client, silent, None),
    );
}

async fn copy(
    mut from: OwnedReadHalf,
    mut to: impl AsyncWriteExt + Unpin,
    mut silent: watch::Receiver<bool>,
    spoiled: Option<Arc<[u8]>>,
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
        if *silent.borrow() {
            continue;
        }
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}
