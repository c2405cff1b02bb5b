use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep},
};

use super::takeover::Takeover;

/// How long a closed connection is read on, so that the last response is not lost
/// to a client that still writes: the close of a socket with unread bytes resets
/// the connection, and the reset overtakes the response.
const LINGER: Duration = Duration::from_secs(5);
/// The same, while nothing comes.
const LINGER_IN_SILENCE: Duration = Duration::from_secs(1);
/// The most bytes that are read on and discarded.
const LINGER_BYTES: usize = 32 * 1024 * 1024;

/// The socket of a connection, as the server reads and writes it.
///
/// It fails when nothing moves for too long: while a response waits to be read,
/// or while a request that was begun does not go on. It tells a [`Takeover`] what has
/// been sent, and closes so that the last response arrives.
pub(super) struct Wire {
    stream: TcpStream,
    /// What was read of it before.
    arrived: Bytes,
    stall: Duration,
    takeover: Takeover,
    reading: Stall,
    writing: Stall,
    /// Whether something came since the last response: a request was begun.
    heard: bool,
    /// Whether the client has shut down its sending side.
    ended: bool,
    farewell: Option<Farewell>,
}

/// The end of a connection: its sending side is shut down.
struct Farewell {
    timer: Pin<Box<Sleep>>,
    until: Instant,
    bytes_left: usize,
}

impl Wire {
    /// A socket of which `arrived` was read already, and whose client may keep still for
    /// `stall` in the middle of something.
    pub(super) fn new(
        stream: TcpStream,
        arrived: Vec<u8>,
        stall: Duration,
        takeover: Takeover,
    ) -> Self {
        Self {
            stream,
            arrived: arrived.into(),
            stall,
            takeover,
            reading: Stall::default(),
            writing: Stall::default(),
            heard: false,
            ended: false,
            farewell: None,
        }
    }

    /// Ready when the client has gone, or has shut down its sending side: of one that only
    /// listens there is no other sign.
    pub(super) fn poll_left(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut byte = [0];
        match self.stream.poll_peek(context, &mut ReadBuf::new(&mut byte)) {
            Poll::Ready(Ok(0) | Err(_)) => Poll::Ready(()),
            Poll::Ready(Ok(_)) | Poll::Pending => Poll::Pending,
        }
    }

    fn written(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.heard = false;
            self.writing.clear();
            return written;
        }
        self.writing.poll(self.stall, context).map(|()| Err(stalled("took nothing of its answer")))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.arrived.is_empty() {
            let piece = this.arrived.split_to(buffer.remaining().min(this.arrived.len()));
            buffer.put_slice(&piece);
            this.heard = true;
            return Poll::Ready(Ok(()));
        }
        let (before, room) = (buffer.filled().len(), buffer.remaining());
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(context, buffer) {
            let some = buffer.filled().len() > before;
            this.heard |= some;
            this.ended |= read.is_ok() && !some && room > 0;
            this.reading.clear();
            return Poll::Ready(read);
        }
        if !this.heard {
            // Between two requests: the server knows how long that may last.
            return Poll::Pending;
        }
        this.reading.poll(this.stall, context).map(|()| Err(stalled("did not finish its request")))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.written(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Whoever writes here keeps nothing back that could be written.
        self.takeover.flushed();
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.farewell.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        }
        if this.ended {
            return Poll::Ready(Ok(()));
        }
        this.farewell.get_or_insert_with(Farewell::begin).poll(&mut this.stream, context).map(Ok)
    }
}

impl Farewell {
    fn begin() -> Self {
        Self {
            timer: Box::pin(sleep(LINGER_IN_SILENCE)),
            until: Instant::now() + LINGER,
            bytes_left: LINGER_BYTES,
        }
    }

    /// Reads on until the client has ended too, or was given enough.
    fn poll(&mut self, stream: &mut TcpStream, context: &mut Context<'_>) -> Poll<()> {
        let mut discarded = [MaybeUninit::uninit(); 8 * 1024];
        loop {
            let mut buffer = ReadBuf::uninit(&mut discarded);
            match Pin::new(&mut *stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    self.bytes_left = self.bytes_left.saturating_sub(buffer.filled().len());
                    if self.bytes_left == 0 {
                        return Poll::Ready(());
                    }
                    let silent_until = Instant::now() + LINGER_IN_SILENCE;
                    self.timer.as_mut().reset(silent_until.min(self.until));
                }
                // It has ended, or is gone.
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return self.timer.as_mut().poll(context),
            }
        }
    }
}

fn stalled(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("the client {what} for too long"))
}

/// A timer that runs while nothing moves; made when it is first needed.
#[derive(Default)]
struct Stall {
    timer: Option<Pin<Box<Sleep>>>,
    runs: bool,
}

impl Stall {
    fn poll(&mut self, limit: Duration, context: &mut Context<'_>) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        if !std::mem::replace(&mut self.runs, true) {
            timer.as_mut().reset(Instant::now() + limit);
        }
        timer.as_mut().poll(context)
    }

    fn clear(&mut self) {
        self.runs = false;
    }
}
