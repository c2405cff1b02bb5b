//! What the documents say of the limit of each client's requests, where its operator has it told by 429.

use utoipa::openapi::{
    Content, Header, Paths, RefOr, Response, ResponseBuilder, Type,
    path::{Operation, PathItem},
};

use super::words::{header, view};

const PROBLEM: &str = "application/problem+json";

/// Says of each operation that is limited what a client gets that has spent its requests, and of those whose errors
/// are problems where it stands before that.
pub(super) fn limited(mut paths: Paths) -> Paths {
    for (_, item) in paths.paths.iter_mut().filter(|(path, _)| is_limited(path)) {
        operations(item).for_each(limit);
    }
    paths
}

/// The pages, their files and the documents are not.
fn is_limited(path: &str) -> bool {
    path.starts_with("/api/") || path == "/orders" || path.ends_with("/cancel")
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.delete].into_iter().flatten()
}

fn limit(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    let is_told =
        matches!(responses.get("503"), Some(RefOr::T(busy)) if busy.content.contains_key(PROBLEM));
    if is_told {
        let good = responses.iter_mut().filter(|(status, _)| status.starts_with('2'));
        for (_, response) in good {
            if let RefOr::T(response) = response {
                tell(response);
            }
        }
    }
    let about = "The client has spent its requests, where the shop's operator has set `WOODY_RATE_STATUS=429`; \
                 elsewhere it gets 503.";
    let mut refused = ResponseBuilder::new()
        .description(about)
        .content(PROBLEM, Content::new(Some(view("Problem"))))
        .header("Retry-After", header("Seconds until the next try.", Type::Integer))
        .build();
    if is_told {
        tell(&mut refused);
    }
    responses.insert("429".to_owned(), refused.into());
}

fn tell(response: &mut Response) {
    let told = [
        (
            "RateLimit-Policy",
            "With `WOODY_RATE_STATUS=429`: how many requests (`q`) a client may send in so many seconds (`w`) and be \
             sure to be served, such as `\"orders\";q=3;w=1`.",
        ),
        (
            "RateLimit",
            "With `WOODY_RATE_STATUS=429`: how many requests are left (`r`), and in how many seconds all are again, \
             or the next one after a 429 (`t`), such as `\"orders\";r=2;t=1`.",
        ),
    ];
    for (name, about) in told {
        let header: Header = header(about, Type::String);
        response.headers.insert(name.to_owned(), header.into());
    }
}
