//! A TCP proxy in the place of the network between a service and a dependency.

use std::{
    io,
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{Instant, sleep_until},
};

/// What the network does to those who use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// Everything gets through.
    Open,
    /// Nothing gets through. Connections stay, and new ones are accepted.
    Blackhole,
    /// Every connection is reset, and so is every new one.
    Reset,
    /// Every byte arrives this much later, each way.
    Slow(Duration),
    /// One chunk in a hundred arrives a second late, and all behind it with it:
    /// that is what TCP makes of a lost packet.
    Lossy,
    /// A connection is reset once it has carried this many bytes.
    CutAfter(usize),
    /// Only this way gets through.
    OneWay(Way),
}

/// A way through the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the service.
    Out,
    /// Back to it.
    Back,
}

impl Line {
    fn carries(self, way: Way) -> bool {
        match self {
            Self::Blackhole => false,
            Self::OneWay(only) => way == only,
            _ => true,
        }
    }

    fn delay(self, chunk: usize) -> Duration {
        match self {
            Self::Slow(delay) => delay,
            Self::Lossy if chunk % 100 == 99 => Duration::from_secs(1),
            _ => Duration::ZERO,
        }
    }
}

/// A line to one target, which can be switched while it is in use.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    line: watch::Sender<Line>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy that carries everything to `target`.
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (line, watched) = watch::channel(Line::Open);
        let accepting = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(carry(client, target, watched.clone()));
            }
        });
        Self { address, line, accepting }
    }

    /// Switches the line, for the connections that are open too.
    pub fn set(&self, line: Line) {
        self.line.send_replace(line);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Carries one connection to its end, or to the proxy's.
async fn carry(mut client: TcpStream, target: SocketAddr, mut line: watch::Receiver<Line>) {
    if line.wait_for(|line| *line != Line::Blackhole).await.is_err() {
        return;
    }
    let refused = *line.borrow() == Line::Reset;
    let server = if refused { None } else { TcpStream::connect(target).await.ok() };
    let Some(mut server) = server else {
        let _ = client.set_zero_linger();
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let in_order = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let carried = AtomicUsize::new(0);
        let mut reset = line.clone();
        tokio::select! {
            ended = async { tokio::try_join!(
                pipe(from_client, to_server, Way::Out, &line, &carried),
                pipe(from_server, to_client, Way::Back, &line, &carried),
            ) } => ended.is_ok(),
            _ = reset.wait_for(|line| *line == Line::Reset) => false,
        }
    };
    if !in_order {
        let _ = (client.set_zero_linger(), server.set_zero_linger());
    }
}

/// Carries one way. What is delayed does not keep what follows from being read.
async fn pipe(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    way: Way,
    line: &watch::Receiver<Line>,
    carried: &AtomicUsize,
) -> io::Result<()> {
    let (queue, mut due) = mpsc::channel::<(Instant, Vec<u8>)>(256);
    let reading = async move {
        let mut buffer = vec![0; 16 * 1024];
        for chunk in 0.. {
            let read = from.read(&mut buffer).await?;
            let delay = line.borrow().delay(chunk);
            let bytes = buffer[..read].to_vec();
            if read == 0 || queue.send((Instant::now() + delay, bytes)).await.is_err() {
                break;
            }
        }
        Ok(())
    };
    let writing = async move {
        let mut line = line.clone();
        while let Some((at, chunk)) = due.recv().await {
            sleep_until(at).await;
            line.wait_for(|line| line.carries(way)).await.map_err(io::Error::other)?;
            let limit = *line.borrow();
            if let Line::CutAfter(bytes) = limit {
                let before = carried.fetch_add(chunk.len(), Ordering::Relaxed);
                if before + chunk.len() > bytes {
                    let rest = bytes.saturating_sub(before).min(chunk.len());
                    to.write_all(&chunk[..rest]).await?;
                    return Err(io::Error::other("cut"));
                }
            }
            to.write_all(&chunk).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(reading, writing).map(|_| ())
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const SHORT: Duration = Duration::from_millis(100);

    async fn echo() -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        Proxy::to(address).await
    }

    async fn says(stream: &mut TcpStream, word: &str) -> io::Result<String> {
        stream.write_all(word.as_bytes()).await?;
        let mut answer = vec![0; word.len()];
        stream.read_exact(&mut answer).await?;
        Ok(String::from_utf8(answer).unwrap())
    }

    #[tokio::test]
    async fn a_line_does_what_it_is_told_to_old_and_new_connections() {
        let proxy = echo().await;
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        assert_eq!(says(&mut stream, "one").await.unwrap(), "one");

        for silent in [Line::Blackhole, Line::OneWay(Way::Out), Line::OneWay(Way::Back)] {
            proxy.set(silent);
            let mut new = TcpStream::connect(proxy.address).await.unwrap();
            assert!(timeout(SHORT, says(&mut new, "two")).await.is_err(), "{silent:?}");
            proxy.set(Line::Open);
            // What was held back arrives, as after a short outage of a network.
            assert_eq!(timeout(SHORT * 50, new.read_u8()).await.unwrap().unwrap(), b't');
        }

        proxy.set(Line::Slow(SHORT));
        let began = Instant::now();
        assert_eq!(says(&mut stream, "six").await.unwrap(), "six");
        assert!(began.elapsed() >= SHORT * 2);

        proxy.set(Line::CutAfter(4));
        assert!(says(&mut stream, "seven").await.is_err());

        proxy.set(Line::Open);
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        assert_eq!(says(&mut stream, "nine").await.unwrap(), "nine");
        proxy.set(Line::Reset);
        assert!(stream.read_u8().await.is_err());
    }
}
