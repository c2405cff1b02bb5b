use std::{fmt::Write as _, future::poll_fn, io};

use futures::{FutureExt, StreamExt};
use tokio::io::AsyncWriteExt;

use super::{takeover::Streamed, wire::Wire};

/// What is ready at once is sent at once, up to about so many bytes.
const AT_ONCE: usize = 16 * 1024;

impl Streamed {
    /// Sends it to its end, or until the client has left, and closes the connection.
    pub(super) async fn send(mut self, mut wire: Wire) -> io::Result<()> {
        while let Some(piece) = self.next_before_leaving(&wire).await {
            wire.write_all(&piece).await?;
            wire.flush().await?;
        }
        drop(self.pieces);
        if self.is_chunked {
            wire.write_all(b"0\r\n\r\n").await?;
        }
        wire.shutdown().await
    }

    /// Returns what comes next, as it is on the wire; `None` at the end of the stream, and when
    /// the client has left: nothing else tells of that before the next event.
    async fn next_before_leaving(&mut self, wire: &Wire) -> Option<Vec<u8>> {
        let mut piece = tokio::select! {
            biased;
            () = poll_fn(|context| wire.poll_left(context)) => return None,
            first = self.pieces.next() => Vec::from(first?),
        };
        while piece.len() < AT_ONCE
            && let Some(Some(more)) = self.pieces.next().now_or_never()
        {
            piece.extend_from_slice(&more);
        }
        Some(if self.is_chunked { chunk(&piece) } else { piece })
    }
}

/// Of an empty piece nothing is sent: an empty chunk is the end.
fn chunk(piece: &[u8]) -> Vec<u8> {
    if piece.is_empty() {
        return vec![];
    }
    let mut size = String::new();
    // Writing to a string cannot fail.
    let _ = write!(size, "{:x}\r\n", piece.len());
    [size.as_bytes(), piece, b"\r\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_says_its_length_and_none_is_empty() {
        assert_eq!(chunk(b"retry: 1000\n\n"), b"d\r\nretry: 1000\n\n\r\n");
        assert_eq!(chunk(b""), b"");
    }
}
