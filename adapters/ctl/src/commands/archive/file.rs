//! The file to which orders are archived: one JSON object a line, appended and on the disk before
//! anything is dropped.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
};

use serde::Serialize;
use time::format_description::well_known::Rfc3339;
use tokio::task::spawn_blocking;
use woody_core::domain::{ClientName, Details, Order, OrderId};

/// How much is read at once, from its end, to find its last whole line.
const CHUNK: u64 = 64 * 1024;

/// A file that this process alone appends to, for as long as it is open.
pub(super) struct ArchiveFile(Arc<File>);

/// An order as it stands in the file.
#[derive(Serialize)]
struct Line<'a> {
    order_id: OrderId,
    status: &'a str,
    reason: Option<String>,
    accepted_at: Option<String>,
    finished_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    placed_by: Option<&'a str>,
    details: &'a Details,
}

impl ArchiveFile {
    /// Opens the file, and makes it unless it is there. A line that was broken off is cut off: its
    /// order was not dropped.
    pub(super) async fn open(path: &Path) -> io::Result<Self> {
        let path = path.to_owned();
        let opened = spawn_blocking(move || open(&path)).await.map_err(io::Error::other)?;
        opened.map(|file| Self(Arc::new(file)))
    }

    /// Appends orders. Returns when they are on the disk.
    pub(super) async fn append(&self, orders: &[Order<Details>]) -> io::Result<()> {
        let mut lines = Vec::new();
        for order in orders {
            lines.extend(line(order)?);
        }
        let file = Arc::clone(&self.0);
        let write = move || {
            (&*file).write_all(&lines)?;
            file.sync_data()
        };
        spawn_blocking(write).await.map_err(io::Error::other)?
    }
}

fn line(order: &Order<Details>) -> io::Result<Vec<u8>> {
    let at = |time: time::OffsetDateTime| time.format(&Rfc3339).ok();
    let mut line = serde_json::to_vec(&Line {
        order_id: order.id,
        status: order.status.as_str(),
        reason: order.status.reason().map(ToString::to_string),
        accepted_at: at(order.accepted_at),
        finished_at: order.finished_at.and_then(at),
        placed_by: order.client.as_ref().map(ClientName::as_str),
        details: &order.details,
    })?;
    // Details stand there as they were written, and JSON has line breaks between its parts alone.
    for byte in &mut line {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    line.push(b'\n');
    Ok(line)
}

fn open(path: &Path) -> io::Result<File> {
    let is_new = !path.try_exists()?;
    let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    file.try_lock().map_err(|_| io::Error::other("another process archives to it"))?;
    cut_off_half_a_line(&file)?;
    if is_new {
        // Its name must not be gone while what was dropped from the store is in it alone.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(file)
}

fn cut_off_half_a_line(mut file: &File) -> io::Result<()> {
    let length = file.metadata()?.len();
    let mut end = length;
    while end > 0 {
        let begin = end.saturating_sub(CHUNK);
        file.seek(SeekFrom::Start(begin))?;
        let mut chunk = Vec::new();
        file.take(end - begin).read_to_end(&mut chunk)?;
        let last = chunk.iter().rposition(|byte| *byte == b'\n');
        if let Some(kept) = last.and_then(|at| u64::try_from(at + 1).ok()) {
            end = begin + kept;
            break;
        }
        end = begin;
    }
    if end < length {
        file.set_len(end)?;
        file.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use woody_core::domain::{NewOrder, OrderStatus, Outcome, now};

    use super::*;

    fn order(details: &str) -> Order<Details> {
        let NewOrder { id, details, accepted_at, trace, .. } =
            NewOrder::new(Details::parse(details).unwrap());
        let status = OrderStatus::Ended(Outcome::Rejected("too \"large\"".into()));
        let (finished_at, client) = (Some(now()), "acme".parse().ok());
        Order { id, details, status, accepted_at, finished_at, trace, client }
    }

    #[tokio::test]
    async fn every_order_is_a_line_however_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("orders.jsonl");
        let orders =
            ["{}", "{\n \"product\":\r\n\"a\\nb\", \"n\": 1.00000000000000000001 }"].map(order);
        let file = ArchiveFile::open(&path).await.unwrap();
        file.append(&orders[..1]).await.unwrap();
        assert!(ArchiveFile::open(&path).await.is_err(), "one process at a time");
        drop(file);
        ArchiveFile::open(&path).await.unwrap().append(&orders[1..]).await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert!(text.contains("1.00000000000000000001"), "numbers stay as they are: {text}");
        for (line, order) in text.lines().zip(&orders) {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["order_id"], order.id.to_string());
            assert_eq!(
                (&line["status"], &line["reason"]),
                (&"rejected".into(), &"too \"large\"".into())
            );
            assert!(line["finished_at"].is_string() && line["details"].is_object());
            assert_eq!(line["placed_by"], "acme");
        }
    }

    #[tokio::test]
    async fn half_a_line_is_cut_off_and_whole_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("orders.jsonl");
        let long = "x".repeat(200_000);
        for (before, after) in [
            (String::new(), ""),
            ("{\"half".to_owned(), ""),
            ("{}\n{}\n".to_owned(), "{}\n{}\n"),
            ("{}\n{\"half".to_owned(), "{}\n"),
            (format!("{{}}\n{long}"), "{}\n"),
        ] {
            std::fs::write(&path, before).unwrap();
            drop(ArchiveFile::open(&path).await.unwrap());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), after);
        }
    }
}
