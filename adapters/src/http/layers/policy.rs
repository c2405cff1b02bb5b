use std::{num::NonZeroU32, time::Duration};

use hyper::header::HeaderValue;

use super::rate::Rate;
use crate::http::response::Standing;

/// A rate as clients are told of it, by the fields of draft-ietf-httpapi-ratelimit-headers:
/// `RateLimit-Policy: "orders";q=3;w=1` and `RateLimit: "orders";r=2;t=1`.
///
/// The quota is what may come at once, and the window the time after which all of it is there again. So who asks no
/// more than `q` times in any `w` seconds is never refused, although more would be served in the long run.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    /// The policy's name, as a string of structured fields (RFC 9651, 3.3.3).
    name: String,
    quota: u32,
    per_second: NonZeroU32,
    header: HeaderValue,
}

impl Policy {
    pub(super) fn new(name: &str, rate: Rate) -> Self {
        let (name, quota) = (quoted(name), rate.at_once().get());
        let window_s = quota.div_ceil(rate.per_second.get());
        let header = value(format!("{name};q={quota};w={window_s}"));
        Self { name, quota, per_second: rate.per_second, header }
    }

    /// Where a client stands that may send `left` requests more at once.
    pub(super) fn admitted(&self, left: u32) -> Standing {
        let whole_s = self.quota.saturating_sub(left).div_ceil(self.per_second.get());
        self.standing(left, whole_s)
    }

    /// Where a client stands whose request was refused, and when the next one is served.
    pub(super) fn refused(&self, wait: Duration) -> Standing {
        self.standing(0, retry_after_s(wait))
    }

    fn standing(&self, left: u32, until_s: u32) -> Standing {
        let limit = value(format!("{};r={left};t={until_s}", self.name));
        Standing { policy: self.header.clone(), limit }
    }
}

/// Whole seconds, none of which is too early.
pub(super) fn retry_after_s(wait: Duration) -> u32 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    u32::try_from(seconds.max(1)).unwrap_or(u32::MAX)
}

/// `text` as a string of structured fields; what cannot stand in one is left out.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars().filter(|c| matches!(c, ' '..='~')) {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// A header's value; `text` is printable ASCII, so it always is one.
fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use governor::{
        RateLimiter, clock::FakeRelativeClock, middleware::StateInformationMiddleware,
        state::keyed::DefaultKeyedStateStore,
    };
    use hyper::HeaderMap;
    use proptest::prelude::*;

    use super::*;

    /// Reads an Item of structured fields that is a string with whole numbers as parameters (RFC 9651, 4.2.3), to
    /// the letter.
    fn read(value: &HeaderValue) -> Option<(String, Vec<(String, i64)>)> {
        let mut left = value.to_str().ok()?.strip_prefix('"')?.chars();
        let mut name = String::new();
        loop {
            match left.next()? {
                '"' => break,
                '\\' => name.push(left.next().filter(|c| matches!(c, '"' | '\\'))?),
                c @ ' '..='~' => name.push(c),
                _ => return None,
            }
        }
        let mut parameters = left.as_str().split(';');
        if !parameters.next()?.is_empty() {
            return None;
        }
        let parameter = |text: &str| {
            let (key, digits) = text.split_once('=')?;
            let is_key = key.starts_with(|c: char| c == '*' || c.is_ascii_lowercase())
                && key
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-.*".contains(c));
            let is_whole = (1..=15).contains(&digits.len())
                && digits.bytes().all(|digit| digit.is_ascii_digit());
            (is_key && is_whole).then(|| Some((key.to_owned(), digits.parse().ok()?)))?
        };
        Some((name, parameters.map(parameter).collect::<Option<_>>()?))
    }

    fn rate(per_second: u32, burst: u32) -> Rate {
        Rate { per_second: NonZeroU32::new(per_second).unwrap(), burst }
    }

    fn told(standing: Standing) -> [HeaderValue; 2] {
        let mut headers = HeaderMap::new();
        standing.tell(&mut headers);
        ["ratelimit-policy", "ratelimit"].map(|name| headers[name].clone())
    }

    #[test]
    fn a_client_is_told_its_quota_and_what_is_left_of_it() {
        let policy = Policy::new("orders", rate(10, 2));
        let [quota, left] = told(policy.admitted(2));
        assert_eq!(quota, r#""orders";q=3;w=1"#);
        assert_eq!(left, r#""orders";r=2;t=1"#);
        let [_, whole] = told(policy.admitted(3));
        assert_eq!(whole, r#""orders";r=3;t=0"#);
        let [_, spent] = told(policy.refused(Duration::from_millis(1_001)));
        assert_eq!(spent, r#""orders";r=0;t=2"#);
        let [slow, _] = told(Policy::new("misc", rate(1, 20)).admitted(0));
        assert_eq!(slow, r#""misc";q=21;w=21"#);
    }

    proptest! {
        #[test]
        fn whatever_the_rate_and_its_name_the_fields_are_structured(
            name in any::<String>(),
            per_second in 1..=u32::MAX,
            burst in any::<u32>(),
            left in any::<u32>(),
            wait_ms in any::<u64>(),
        ) {
            let policy = Policy::new(&name, rate(per_second, burst));
            let spoken: String = name.chars().filter(|c| (' '..='~').contains(c)).collect();
            for (standing, is_left) in [
                (policy.admitted(left), i64::from(left)),
                (policy.refused(Duration::from_millis(wait_ms)), 0),
            ] {
                let [quota, limit] = told(standing);
                let (named, fields) = read(&quota).expect("a policy that can be read");
                prop_assert_eq!(&named, &spoken);
                prop_assert_eq!(&fields[0], &("q".to_owned(), i64::from(burst.saturating_add(1))));
                prop_assert_eq!(&*fields[1].0, "w");
                prop_assert!(fields.len() == 2 && fields[1].1 >= 1);
                let (named, fields) = read(&limit).expect("a limit that can be read");
                prop_assert_eq!(&named, &spoken);
                prop_assert_eq!(&fields[0], &("r".to_owned(), is_left));
                prop_assert!(fields.len() == 2 && fields[1].0 == "t");
            }
        }

        /// By the same buckets as the limit's, with a clock of the test's.
        #[test]
        fn who_keeps_to_the_policy_is_never_refused(
            per_second in 1..50_u32,
            burst in 0..40_u32,
            pauses_ms in prop::collection::vec(0..1_500_u64, 1..200),
        ) {
            let rate = rate(per_second, burst);
            let [policy, _] = told(Policy::new("any", rate).admitted(0));
            let (_, fields) = read(&policy).expect("a policy that can be read");
            let (quota, window) = (fields[0].1, Duration::from_secs(fields[1].1.unsigned_abs()));
            let clock = FakeRelativeClock::default();
            let buckets = RateLimiter::<u8, DefaultKeyedStateStore<u8>, _, StateInformationMiddleware>::new(
                rate.quota(),
                DefaultKeyedStateStore::default(),
                clock.clone(),
            );
            let (mut now, mut sent) = (Duration::ZERO, VecDeque::new());
            for pause in pauses_ms.into_iter().map(Duration::from_millis) {
                clock.advance(pause);
                now += pause;
                sent.retain(|then: &Duration| now < *then + window);
                while i64::try_from(sent.len()).unwrap() < quota {
                    prop_assert!(buckets.check_key(&0).is_ok(), "{rate:?} after {now:?}");
                    sent.push_back(now);
                }
            }
        }
    }
}
