use std::{borrow::Cow, error::Error, fmt::Write as _, sync::Arc};

use hyper::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use serde::Serialize;

use super::{
    body::{Body, Response},
    field_error::FieldError,
    kind::FailureKind,
    standing::Standing,
};

/// How a route shows what went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A line of text, as the original system's routes do.
    Text,
    /// `application/problem+json` (RFC 9457).
    Problem,
}

/// A request that could not be served, on its way to the boundary, where it is
/// logged and rendered once.
#[derive(Debug)]
pub struct Failure(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: FailureKind,
    detail: Cow<'static, str>,
    field: Option<Cow<'static, str>>,
    /// The wrong fields, where there may be several.
    errors: Vec<FieldError>,
    retry_after_s: Option<u32>,
    allow: Option<HeaderValue>,
    /// How a client shows who it is.
    challenge: Option<HeaderValue>,
    style: Option<Style>,
    /// Where the client stands with its rate limit, where it is told.
    standing: Option<Box<Standing>>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure of this kind; `detail` is a sentence for people.
    pub fn new(kind: FailureKind, detail: impl Into<Cow<'static, str>>) -> Self {
        let retry_after_s = match kind {
            FailureKind::Overloaded
            | FailureKind::ShuttingDown
            | FailureKind::RateLimited
            | FailureKind::TooManyRequests => Some(1),
            FailureKind::Unavailable => Some(2),
            _ => None,
        };
        Self(Box::new(Inner {
            kind,
            detail: detail.into(),
            field: None,
            errors: Vec::new(),
            retry_after_s,
            allow: None,
            challenge: None,
            style: None,
            standing: None,
            source: None,
        }))
    }

    /// A failure about one field; `problem` continues a sentence that begins with it.
    pub fn field(
        kind: FailureKind,
        field: impl Into<Cow<'static, str>>,
        problem: impl std::fmt::Display,
    ) -> Self {
        let field = field.into();
        let mut failure = Self::new(kind, format!("{field} {problem}"));
        failure.0.field = Some(field);
        failure
    }

    /// How many wrong fields one failure tells of, at most.
    pub(in crate::http) const MOST_FIELDS: usize = 32;

    /// A failure about several fields; at most [`MOST_FIELDS`](Self::MOST_FIELDS) are told.
    pub(in crate::http) fn fields(kind: FailureKind, mut errors: Vec<FieldError>) -> Self {
        errors.truncate(Self::MOST_FIELDS);
        let Some(first) = errors.first() else {
            return Self::new(kind, "The values do not go together.");
        };
        let detail = match errors.len() - 1 {
            0 => first.detail().to_owned(),
            1 => format!("{}; 1 more field is wrong, see errors", first.detail()),
            more => format!("{}; {more} more fields are wrong, see errors", first.detail()),
        };
        let mut failure = Self::new(kind, detail);
        failure.0.field = Some(first.field().clone());
        failure.0.errors = errors;
        failure
    }

    /// The same failure with the wrong fields of `other` beside its own.
    #[must_use]
    pub(in crate::http) fn and(mut self, other: &mut Self) -> Self {
        let kind = self.0.kind;
        let mut errors = self.take_fields();
        errors.append(&mut other.take_fields());
        if errors.is_empty() { self } else { Self::fields(kind, errors) }
    }

    fn take_fields(&mut self) -> Vec<FieldError> {
        match (std::mem::take(&mut self.0.errors), &self.0.field) {
            (errors, Some(field)) if errors.is_empty() => {
                vec![FieldError::told(field.clone(), self.0.detail.to_string())]
            }
            (errors, _) => errors,
        }
    }

    /// The same failure, which tells of `most` fields at most, but of one.
    pub(in crate::http) fn keep_fields(&mut self, most: usize) -> usize {
        self.0.errors.truncate(most.max(1));
        self.0.errors.len()
    }

    /// The path has other methods: `allow` lists them.
    pub fn method_not_allowed(allow: &str, detail: impl Into<Cow<'static, str>>) -> Self {
        let mut failure = Self::new(FailureKind::MethodNotAllowed, detail);
        failure.0.allow = HeaderValue::from_str(allow).ok();
        failure
    }

    /// Returns the same failure; where it names the methods of a path, `OPTIONS` is one of them.
    #[must_use]
    pub(in crate::http) fn with_options(mut self) -> Self {
        if let Some(allow) = self.0.allow.take() {
            let listed = allow.to_str().unwrap_or_default().split(", ");
            let mut methods: Vec<_> = listed.filter(|method| !method.is_empty()).collect();
            methods.push("OPTIONS");
            methods.sort_unstable();
            self.0.allow = HeaderValue::try_from(methods.join(", ")).ok();
        }
        self
    }

    /// Returns the same failure, which says how a client shows who it is (RFC 9110, 11.6.1).
    #[must_use]
    pub(in crate::http) fn challenging(mut self, challenge: &str) -> Self {
        self.0.challenge = HeaderValue::from_str(challenge).ok();
        self
    }

    /// Returns the same failure, shown in this style whatever the route's is.
    #[must_use]
    pub fn told_as(mut self, style: Style) -> Self {
        self.0.style = Some(style);
        self
    }

    /// Returns the same failure, which says where the client stands with its rate limit.
    #[must_use]
    pub(in crate::http) fn standing(mut self, standing: Option<Box<Standing>>) -> Self {
        self.0.standing = standing;
        self
    }

    /// The same failure, to be tried again after so many seconds.
    #[must_use]
    pub fn retry_after_s(mut self, seconds: u32) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// The same failure about the field that the client calls `field`.
    #[must_use]
    pub fn named(mut self, field: &'static str) -> Self {
        if let Some(old) = self.0.field.replace(Cow::Borrowed(field))
            && let Some(rest) = self.0.detail.strip_prefix(&*old)
        {
            self.0.detail = Cow::Owned(format!("{field}{rest}"));
        }
        self.0.errors.clear();
        self
    }

    /// Its kind.
    pub fn kind(&self) -> FailureKind {
        self.0.kind
    }

    /// What it says.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// Returns the field that it is about, if it is about one.
    pub(in crate::http) fn about(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// The error behind it, which clients do not see.
    pub fn cause(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }

    /// A fault of ours.
    pub fn internal(source: impl Error + Send + Sync + 'static) -> Self {
        Self::because(
            FailureKind::Internal,
            "Something went wrong here. It has been noted.",
            source,
        )
    }

    /// A failure of this kind, with what is behind it.
    pub(super) fn because(
        kind: FailureKind,
        detail: impl Into<Cow<'static, str>>,
        source: impl Error + Send + Sync + 'static,
    ) -> Self {
        let mut failure = Self::new(kind, detail);
        failure.0.source = Some(Box::new(source));
        failure
    }

    /// Returns the methods that the path has, where it was asked for with another.
    pub(in crate::http) fn allow(&self) -> Option<&HeaderValue> {
        self.0.allow.as_ref()
    }

    /// Returns it as the problem of one of several things that a request asked for.
    pub(in crate::http) fn problem(&self) -> Problem<'_> {
        self.0.problem(None)
    }

    /// Returns after how many seconds to try again, if that makes sense.
    pub(in crate::http) fn retries_after_s(&self) -> Option<u32> {
        self.0.retry_after_s
    }

    /// Returns the response that the client gets.
    pub fn render(self, style: Style, request_id: &str) -> Response {
        let inner = *self.0;
        let status = inner.kind.status();
        let (content_type, body) = match (inner.kind, inner.style.unwrap_or(style)) {
            (FailureKind::RateLimited, _) => ("application/json", RATE_LIMITED.into()),
            (kind, Style::Text) if kind != FailureKind::TooManyRequests => {
                ("text/plain; charset=utf-8", Body::from(one_line(&inner.detail)))
            }
            _ => {
                let problem = inner.problem(Some(request_id));
                // Strings and a number: serialising them cannot fail.
                let json = serde_json::to_vec(&problem).unwrap_or_default();
                ("application/problem+json", Body::from(json))
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = inner.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = inner.allow {
            headers.insert(ALLOW, allow);
        }
        if let Some(challenge) = inner.challenge {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(standing) = inner.standing {
            standing.tell(headers);
        }
        match inner.kind {
            // RFC 9110, 12.5.3: what would have been read.
            FailureKind::UnsupportedCoding => {
                headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            }
            // Where one message ends and the next begins is not sure.
            FailureKind::MalformedHost | FailureKind::UnsupportedTransferCoding => {
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}

impl Inner {
    fn problem<'a>(&'a self, request_id: Option<&'a str>) -> Problem<'a> {
        let (status, slug, title) = self.kind.row();
        Problem {
            urn: format!("urn:woodytoys:problem:{slug}"),
            title,
            status: status.as_u16(),
            detail: &self.detail,
            field: self.field.as_deref(),
            errors: match (&*self.errors, &self.field) {
                ([], Some(field)) => {
                    vec![FieldError::told(field.clone(), self.detail.to_string())].into()
                }
                (errors, _) => errors.into(),
            },
            request_id,
        }
    }
}

/// A failure that the response tells of only in part: the boundary logs it.
#[derive(Debug, Clone)]
pub(in crate::http) struct Noted(pub(in crate::http) Arc<Failure>);

/// What the reference text's gateway returns, to the letter.
const RATE_LIMITED: &str =
    r#"{"error": "Rate limit exceeded", "message": "Too many requests", "status": 503}"#;

/// A problem as RFC 9457 writes it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Problem<'a> {
    /// What kind of problem it is, as a URN.
    #[serde(rename = "type")]
    #[schema(example = "urn:woodytoys:problem:invalid-value")]
    urn: String,
    /// The same in words.
    #[schema(value_type = String, example = "Invalid value")]
    title: &'a str,
    /// The status again.
    #[schema(example = 422)]
    status: u16,
    /// What is wrong with this request.
    #[schema(value_type = String, example = "quantity must be a whole number from 1 to 1,000, not 0")]
    detail: &'a str,
    /// The field that it is about, such as `quantity` or `parts[1].width_mm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "quantity")]
    field: Option<&'a str>,
    /// All fields that are wrong, as far as they can be told at once, 32 at most; `field` is the first of
    /// them. Left out where the problem is about none.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<FieldError>, required = false, max_items = 32)]
    errors: Cow<'a, [FieldError]>,
    /// The request, as the log calls it; left out where this is one of several things that it
    /// asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    request_id: Option<&'a str>,
}

/// `text` on one line: it may quote what the client sent.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            // Writing to a String cannot fail.
            let _ = write!(line, "\\u{{{:x}}}", c as u32);
        } else {
            line.push(c);
        }
    }
    line
}
