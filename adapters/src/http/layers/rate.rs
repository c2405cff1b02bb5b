use std::num::NonZeroU32;

use governor::Quota;

/// What one client may ask of one service, as nginx's `limit_req` has it with
/// `burst` and `nodelay`: `burst` requests more than the rate at once, and past
/// that a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests per second, on average.
    pub per_second: NonZeroU32,
    /// Requests that may come before their time.
    pub burst: u32,
}

impl Rate {
    /// How many requests may come at once: the one that comes at its time is one more than the burst.
    pub(super) fn at_once(self) -> NonZeroU32 {
        NonZeroU32::MIN.saturating_add(self.burst)
    }

    pub(super) fn quota(self) -> Quota {
        Quota::per_second(self.per_second).allow_burst(self.at_once())
    }
}
