use std::{fmt, str::FromStr};

use super::Invalid;

/// Where an order stands in a trace: what W3C's `traceparent` says, version 00.
///
/// It comes with the request that places the order, goes with the order and its message, and is
/// told with each of its ends. Of a version that is not known what version 00 has is read, as the
/// specification asks.
///
/// ```
/// use woody_core::domain::TraceContext;
///
/// let context: TraceContext =
///     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse()?;
/// assert_eq!(context.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
/// assert!(context.is_sampled());
/// # Ok::<(), woody_core::domain::Invalid>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace: [u8; 16],
    parent: [u8; 8],
    flags: u8,
}

impl TraceContext {
    /// The name of the header, of a request and of a message.
    pub const HEADER: &'static str = "traceparent";

    /// The target of the `tracing` spans that are parts of a trace, at the level `debug`.
    ///
    /// They are opened where a trace [is sampled](Self::is_sampled), by the services for what becomes of an order.
    /// Their fields are those of OpenTelemetry, and `trace.context` is the context of the span itself, `trace.parent` the
    /// id of the span that it is a part of. Whoever enables the target is to export them: it changes the contexts that go
    /// with messages and to others.
    pub const TARGET: &'static str = "woody.trace";

    /// Returns the context of the first span of a new trace, for `ratio` of them, from 0 for none to 1 for all; it is
    /// sampled.
    pub fn begin(ratio: f64) -> Option<Self> {
        if ratio <= 0.0 {
            return None;
        }
        let fresh = Self { trace: fastrand::u128(1..).to_be_bytes(), parent: [0; 8], flags: 1 };
        (fastrand::f64() < ratio).then(|| fresh.child())
    }

    /// Returns the context of a new span of the same trace.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { parent: fastrand::u64(1..).to_be_bytes(), ..*self }
    }

    /// Returns the trace's id: 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        hex(&self.trace)
    }

    /// Returns the id of the span that what has this context is a part of: 16 hexadecimal digits.
    pub fn span_id(&self) -> String {
        hex(&self.parent)
    }

    /// Whether whoever began the trace records it.
    pub fn is_sampled(&self) -> bool {
        self.flags & 1 == 1
    }
}

impl FromStr for TraceContext {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        read(text).ok_or_else(|| Invalid::new("traceparent", "must be 00-TRACE-PARENT-FLAGS"))
    }
}

fn read(text: &str) -> Option<TraceContext> {
    let mut fields = text.split('-');
    let [version] = bytes::<1>(fields.next()?)?;
    let trace = bytes::<16>(fields.next()?)?;
    let parent = bytes::<8>(fields.next()?)?;
    let [flags] = bytes::<1>(fields.next()?)?;
    let is_over = fields.next().is_none();
    let is_known = match version {
        0 => is_over,
        // Later versions may have more fields.
        1..=254 => true,
        255 => false,
    };
    let is_named = trace != [0; 16] && parent != [0; 8];
    // Only the first flag is defined.
    (is_known && is_named).then_some(TraceContext { trace, parent, flags: flags & 1 })
}

/// Reads lowercase hexadecimal digits.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace_id(), self.span_id(), self.flags)
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(trace in any::<[u8; 16]>(), parent in any::<[u8; 8]>(), sampled: bool) {
            prop_assume!(trace != [0; 16] && parent != [0; 8]);
            let context = TraceContext { trace, parent, flags: u8::from(sampled) };
            let text = context.to_string();
            prop_assert_eq!(text.len(), 55);
            prop_assert_eq!(text.parse(), Ok(context));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in any::<String>()) {
            let _ = text.parse::<TraceContext>();
        }

        #[test]
        fn what_is_read_is_written_as_version_00(
            text in "[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[0-9a-f]{0,4})?",
        ) {
            if let Ok(context) = text.parse::<TraceContext>() {
                let written = context.to_string();
                prop_assert!(written.starts_with("00-") && written[3..52] == text[3..52]);
            }
        }
    }

    #[test]
    fn a_new_trace_is_sampled_and_a_span_of_it_has_an_id_of_its_own() {
        assert_eq!(TraceContext::begin(0.0), None);
        let (first, other) = (TraceContext::begin(1.0).unwrap(), TraceContext::begin(1.0).unwrap());
        assert!(first.is_sampled() && first.trace_id() != other.trace_id());
        assert_eq!(first.to_string().parse(), Ok(first));
        let child = first.child();
        assert_eq!(child.trace_id(), first.trace_id());
        assert!(child.is_sampled() && child.span_id() != first.span_id());
    }

    #[test]
    fn what_is_malformed_is_refused() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(good.parse::<TraceContext>().is_ok());
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-00",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0é",
        ] {
            assert!(bad.parse::<TraceContext>().is_err(), "{bad}");
        }
        let later = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-more";
        assert_eq!(later.parse::<TraceContext>().map(|c| c.to_string()), Ok(good.to_owned()));
    }
}
