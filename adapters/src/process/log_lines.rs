//! Log lines on their way out: those of single orders go together, any other goes at once.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
    time::Duration,
};

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;
use woody_core::services::ORDER_LINES;

use crate::terminal::JsonLines;

/// How long the line of an order waits for others.
const WAIT: Duration = Duration::from_millis(50);
/// How many bytes wait at most.
const WAITING: usize = 64 * 1024;

/// Where log lines go, in the order in which they were logged.
///
/// To write a line costs the process, and whoever reads it at the other end of a pipe, as much as all else that a line takes,
/// and a busy shop has two for each order. So those wait for each other, for 50 ms at most; any other line goes at once, and
/// takes along what waits. A process that is killed leaves what waits untold.
#[derive(Debug)]
pub(super) struct LogLines<W: Write> {
    out: Arc<Out<W>>,
    /// Whether there is somebody who writes what waits: since the first line that did.
    flusher: OnceLock<bool>,
}

#[derive(Debug)]
struct Out<W: Write> {
    waiting: Mutex<Vec<u8>>,
    /// Told when something begins to wait.
    begins: Condvar,
    /// Taken before `waiting`, and held until what was taken from there is written: lines stay in their order.
    to: Mutex<Target<W>>,
}

#[derive(Debug)]
struct Target<W> {
    to: W,
    /// What lines have waited in, to be filled again: one that grew anew each time would be copied several times.
    spare: Vec<u8>,
}

impl<W: Write + Send + 'static> LogLines<W> {
    pub(super) fn new(to: W) -> Self {
        let to = Mutex::new(Target { to, spare: Vec::new() });
        let (waiting, begins) = (Mutex::default(), Condvar::new());
        Self { out: Arc::new(Out { waiting, begins, to }), flusher: OnceLock::new() }
    }

    fn may_wait(&self, of: &Metadata<'_>) -> bool {
        of.target() == ORDER_LINES
            && *self.flusher.get_or_init(|| {
                let out = Arc::downgrade(&self.out);
                let flush = move || {
                    while let Some(out) = out.upgrade() {
                        out.flush_soon();
                    }
                };
                thread::Builder::new().name("log-lines".to_owned()).spawn(flush).is_ok()
            })
    }
}

impl<'a, W: Write + Send + 'static> MakeWriter<'a> for LogLines<W> {
    type Writer = Line<'a, W>;

    fn make_writer(&'a self) -> Line<'a, W> {
        Line { out: &self.out, waits: false }
    }

    fn make_writer_for(&'a self, of: &Metadata<'_>) -> Line<'a, W> {
        Line { out: &self.out, waits: self.may_wait(of) }
    }
}

/// The same, of lines that are JSON documents.
#[derive(Debug)]
pub(super) struct JsonLogLines<W: Write>(pub(super) LogLines<W>);

impl<'a, W: Write + Send + 'static> MakeWriter<'a> for JsonLogLines<W> {
    type Writer = JsonLines<Line<'a, W>>;

    fn make_writer(&'a self) -> Self::Writer {
        JsonLines(self.0.make_writer())
    }

    fn make_writer_for(&'a self, of: &Metadata<'_>) -> Self::Writer {
        JsonLines(self.0.make_writer_for(of))
    }
}

/// Takes one line: the subscriber hands over an event at a time.
#[derive(Debug)]
pub(super) struct Line<'a, W: Write> {
    out: &'a Out<W>,
    waits: bool,
}

impl<W: Write> Write for Line<'_, W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let is_enough = self.out.add(line);
        if is_enough || !self.waits {
            self.out.flush()?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Out<W> {
    /// Has a line wait; returns whether no more should.
    fn add(&self, line: &[u8]) -> bool {
        let mut waiting = held(&self.waiting);
        if waiting.is_empty() {
            self.begins.notify_one();
        }
        waiting.extend_from_slice(line);
        waiting.len() >= WAITING
    }

    /// Writes all that waits.
    fn flush(&self) -> io::Result<()> {
        let mut target = held(&self.to);
        let spare = std::mem::take(&mut target.spare);
        let mut waiting = std::mem::replace(&mut *held(&self.waiting), spare);
        target.to.write_all(&waiting)?;
        waiting.clear();
        // What a long line needed is given back.
        if waiting.capacity() <= 2 * WAITING {
            target.spare = waiting;
        }
        target.to.flush()
    }

    /// Waits until something does, and a little longer, and writes it; comes back now and then though nothing does.
    #[expect(clippy::disallowed_methods, reason = "it has a thread of its own")]
    fn flush_soon(&self) {
        let waiting = held(&self.waiting);
        let idle =
            self.begins.wait_timeout_while(waiting, Duration::from_secs(5), |all| all.is_empty());
        let (waiting, waited) = idle.unwrap_or_else(PoisonError::into_inner);
        drop(waiting);
        if !waited.timed_out() {
            thread::sleep(WAIT);
            // Where stderr takes nothing there is nobody to tell.
            let _ = self.flush();
        }
    }
}

impl<W: Write> Drop for Out<W> {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use tracing_subscriber::{fmt::layer, layer::SubscriberExt, registry};

    use super::*;

    /// Hands over each write.
    struct Writes(Sender<String>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.send(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logging(log: impl FnOnce()) -> Receiver<String> {
        let (writes, written) = channel();
        let lines =
            layer().with_writer(LogLines::new(Writes(writes))).without_time().with_ansi(false);
        tracing::subscriber::with_default(registry().with(lines), log);
        written
    }

    fn order(n: usize) {
        tracing::info!(target: ORDER_LINES, n, "order accepted");
    }

    #[test]
    fn lines_of_orders_wait_for_each_other_and_any_other_takes_them_along() {
        let written = logging(|| {
            (0..100).for_each(order);
            tracing::warn!("the store is away");
            order(100);
        });
        let (mut writes, mut text) = (0, String::new());
        while text.lines().count() < 102 {
            text += &written.recv_timeout(Duration::from_mins(1)).unwrap();
            writes += 1;
        }
        let lines: Vec<_> = text.lines().collect();
        assert!(writes < 50, "{writes} writes");
        assert!(lines[..100].iter().enumerate().all(|(n, line)| line.ends_with(&format!("n={n}"))));
        assert!(lines[100].contains("the store is away") && lines[101].ends_with("n=100"));
    }

    #[test]
    fn what_waits_is_bounded() {
        let written = logging(|| (0..5_000).for_each(order));
        let first = written.recv_timeout(Duration::from_mins(1)).unwrap();
        assert!(first.len() < WAITING + 1_000, "{}", first.len());
    }
}
