//! What a receiver's response means.

use std::time::Duration;

use hyper::{
    HeaderMap, StatusCode,
    header::{HeaderValue, RETRY_AFTER},
};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use woody_core::{domain::Reason, ports::NotifyError};

/// Judges a response by its status.
pub(super) fn judge(
    status: StatusCode,
    headers: &HeaderMap,
    now: OffsetDateTime,
) -> Result<(), NotifyError> {
    if status.is_success() {
        return Ok(());
    }
    let said = |what: &str| Reason::new(format!("the receiver answered {status}{what}"));
    Err(match status {
        StatusCode::GONE => NotifyError::Never(said("")),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            match headers.get(RETRY_AFTER).and_then(|after| pause(after, now)) {
                Some(after) => NotifyError::After { problem: said(""), after },
                None => NotifyError::Later(said("")),
            }
        }
        status if status.is_redirection() => {
            NotifyError::Later(said(", and redirects are not followed"))
        }
        _ => NotifyError::Later(said("")),
    })
}

/// Reads seconds or a date; what cannot be read is ignored.
fn pause(after: &HeaderValue, now: OffsetDateTime) -> Option<Duration> {
    let text = after.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = OffsetDateTime::parse(text, &Rfc2822).ok()?;
    Some((at - now).try_into().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-29 12:00:00 UTC);

    fn judged(status: u16, after: Option<&'static str>) -> Result<(), NotifyError> {
        let mut headers = HeaderMap::new();
        if let Some(after) = after {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(after));
        }
        judge(StatusCode::from_u16(status).unwrap(), &headers, NOW)
    }

    #[test]
    fn a_success_is_one_whatever_else_it_says() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(judged(status, Some("60")), Ok(()), "{status}");
        }
    }

    #[test]
    fn only_gone_is_for_good() {
        assert!(matches!(judged(410, None), Err(NotifyError::Never(_))));
        for status in
            [301, 302, 307, 308, 400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504]
        {
            assert!(matches!(judged(status, None), Err(NotifyError::Later(_))), "{status}");
        }
    }

    #[test]
    fn who_is_busy_says_for_how_long() {
        for (text, seconds) in [
            ("60", 60),
            ("0", 0),
            (" 5 ", 5),
            ("Sun, 29 Nov 2026 12:02:00 GMT", 120),
            ("Sun, 29 Nov 2026 11:02:00 GMT", 0),
        ] {
            for status in [429, 503] {
                let Err(NotifyError::After { after, .. }) = judged(status, Some(text)) else {
                    panic!("{status} {text}")
                };
                assert_eq!(after, Duration::from_secs(seconds), "{text}");
            }
        }
        for text in ["", "soon", "-1", "1.5", "99999999999999999999999"] {
            assert!(matches!(judged(503, Some(text)), Err(NotifyError::Later(_))), "{text}");
        }
        assert!(matches!(judged(500, Some("60")), Err(NotifyError::Later(_))));
    }
}
