use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::http::ServerLimits;

/// Files besides the connections of clients: databases, brokers, listeners, connections
/// that are being refused.
const OTHERS: usize = 1_024;

/// Sees to it that a server may open as many connections as `limits` let it have: a
/// connection is a file, and many systems begin a process with 1,024.
///
/// Where the system's hard limit is too low the log says so, with the number: connections
/// that would be refused with 503 are not accepted there until others have closed.
pub fn allow_connections(limits: &ServerLimits) {
    let wanted = u64::try_from(limits.connections.saturating_add(OTHERS)).unwrap_or(u64::MAX);
    let given = getrlimit(Resource::Nofile);
    let raised = raised(&given, wanted);
    let allowed = match raised {
        Some(raised) if setrlimit(Resource::Nofile, raised).is_ok() => raised.current,
        _ => given.current,
    };
    // None is no limit.
    if let Some(files) = allowed.filter(|files| *files < wanted) {
        tracing::warn!(
            files.allowed = files,
            files.wanted = wanted,
            connections = limits.connections,
            "this process may open fewer files than it may have connections: raise its limit \
             (ulimit -Hn, or nofile of the container), or set WOODY_STREAMS lower"
        );
    }
}

/// Returns `given` with room for `wanted` files, as far as the hard limit lets it; `None`
/// when it is enough as it is.
fn raised(given: &Rlimit, wanted: u64) -> Option<Rlimit> {
    given.current.filter(|current| *current < wanted)?;
    let current = given.maximum.map_or(wanted, |most| most.min(wanted));
    Some(Rlimit { current: Some(current), maximum: given.maximum })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_raised_as_far_as_is_wanted_and_the_hard_one_lets_it() {
        let limits = |current, maximum| Rlimit { current, maximum };
        for (given, wanted, raised_to) in [
            (limits(Some(1_024), Some(4_096)), 2_000, Some(2_000)),
            (limits(Some(1_024), Some(4_096)), 9_000, Some(4_096)),
            (limits(Some(1_024), None), 9_000, Some(9_000)),
            (limits(Some(9_000), Some(9_000)), 2_000, None),
            (limits(None, None), 2_000, None),
        ] {
            let raised = raised(&given, wanted);
            assert_eq!(raised.as_ref().and_then(|limits| limits.current), raised_to);
            assert!(raised.is_none_or(|limits| limits.maximum == given.maximum));
        }
    }
}
