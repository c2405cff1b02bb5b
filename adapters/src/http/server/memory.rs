//! What a crowd of clients took of memory, and the system has back when they are gone.
//!
//! A connection takes some 14 kB. The allocator of the GNU C library keeps whatever is freed below
//! something that is still used, so a process that 8,000 clients have left would go on with what
//! they took.

use std::{future::pending, time::Duration};

use tokio::time::{Instant, sleep_until};

/// Fewer clients than this take too little for it to matter.
const CROWD: usize = 512;
/// For so long a crowd must have been gone: what comes back at once would ask for the same memory.
const GONE_FOR: Duration = Duration::from_secs(1);

/// The clients of a server since memory was last given back.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    most: usize,
    look_at: Option<Instant>,
}

impl Crowd {
    /// A client has come; so many are there now.
    pub(super) fn came(&mut self, open: usize) {
        self.most = self.most.max(open);
    }

    /// A client has gone; so many are left.
    pub(super) fn went(&mut self, open: usize, now: Instant) {
        if self.look_at.is_none() && self.is_gone(open) {
            self.look_at = Some(now + GONE_FOR);
        }
    }

    /// Waits until it is to be asked whether they are [gone for good](Self::is_over): for ever
    /// while they are there.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub(super) async fn has_gone(&self) {
        match self.look_at {
            Some(look_at) => sleep_until(look_at).await,
            None => pending().await,
        }
    }

    /// Returns whether most of them are still gone, and begins to count anew if so.
    pub(super) fn is_over(&mut self, open: usize) -> bool {
        self.look_at = None;
        let is_over = self.is_gone(open);
        if is_over {
            self.most = open;
        }
        is_over
    }

    fn is_gone(&self, open: usize) -> bool {
        self.most >= CROWD && open <= self.most / 4
    }
}

/// Gives the system what is free of the process's memory.
///
/// It takes milliseconds, in which whoever allocates may wait, so it is for a thread that may block.
pub(super) fn give_back() {
    let began = Instant::now();
    let is_less = trim();
    tracing::debug!(memory.given_back = is_less, took = ?began.elapsed(), "a crowd of clients has gone");
}

/// Returns whether the process has less than before.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the C library's call, which has no other name in Rust")]
fn trim() -> bool {
    // SAFETY: it takes no pointer and may be called at any time by any thread; it locks what it looks through, as an
    // allocation does.
    unsafe { libc::malloc_trim(0) == 1 }
}

/// Other allocators give back by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_once_most_of_a_crowd_is_gone_for_a_while() {
        let mut crowd = Crowd::default();
        crowd.came(CROWD - 1);
        crowd.went(0, Instant::now());
        assert_eq!(crowd.look_at, None, "so few take nothing");

        crowd.came(4_000);
        crowd.went(1_001, Instant::now());
        assert_eq!(crowd.look_at, None, "more than a quarter are there");
        let gone = Instant::now();
        crowd.went(1_000, gone);
        crowd.went(900, gone + GONE_FOR / 2);
        assert_eq!(crowd.look_at, Some(gone + GONE_FOR), "the first to be gone begin the time");
        assert!(crowd.is_over(600));

        // What is left is a crowd again, and the next quarter is of that.
        crowd.went(151, Instant::now());
        assert_eq!(crowd.look_at, None);
        crowd.went(150, Instant::now());
        crowd.came(151);
        assert!(!crowd.is_over(151), "one has come back");
        crowd.went(150, Instant::now());
        assert!(crowd.is_over(150));
        crowd.went(0, Instant::now());
        assert_eq!(crowd.look_at, None);
    }

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn what_is_freed_below_what_is_still_used_goes_back_to_the_system() {
        const BYTES: usize = 64 << 20;
        const PIECE: usize = 8 << 10;
        let mut pieces: Vec<Vec<u8>> = (0..BYTES / PIECE).map(|_| vec![1; PIECE]).collect();
        let kept = pieces.pop();
        drop(pieces);
        let before = resident_bytes();
        give_back();
        let after = resident_bytes();
        assert!(after + BYTES / 2 < before, "{before} bytes, then {after}");
        drop(kept);
    }

    /// The second number of `man proc_pid_statm`, in pages.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn resident_bytes() -> usize {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
        pages * 4_096
    }
}
