//! Stories of orders, for operators.

use woody_core::{domain::OrderId, services::OrderStories};

use crate::{
    http::{
        request::RoutedRequest,
        response::{Failure, FailureKind, Response, reply},
    },
    story,
};

/// Responds with the story of the order that the path names.
pub(in crate::http::routes) async fn story<A>(
    stories: &OrderStories,
    request: &RoutedRequest<A>,
) -> Result<Response, Failure> {
    request.query([])?;
    let id = OrderId::parse(request.variable())?;
    match stories.story(id).await? {
        Some(told) => Ok(reply::no_store(reply::json(&story::object(&told))?)),
        None if id.is_ours() => {
            let detail = format!(
                "The store does not have order {id}: while only the broker has it, there is no story."
            );
            Err(Failure::new(FailureKind::NotFound, detail))
        }
        None => Err(reply::no_such("order", id)),
    }
}
