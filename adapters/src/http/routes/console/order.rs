//! What has become of one order, as a timeline, or which orders are found by a text.

use std::fmt::Write as _;

use hyper::StatusCode;
use time::format_description::well_known::Rfc3339;
use woody_core::{
    domain::{Label, OrderId, OrderStatus, Outcome},
    ports::{OrderPage, PageSize},
    services::{OrderStories, OrderStory},
};

use super::{
    document::{document, html},
    page,
};
use crate::{
    environment::Environment,
    http::response::{Failure, Response, Text, reply},
    story,
};

/// Responds with the story of the order with this id, with the orders that are found by this text, or kindly with why
/// there is none.
pub(super) async fn respond(
    environment: Option<&Environment>,
    stories: Option<&OrderStories>,
    id: Option<&str>,
) -> Response {
    let text = id.map(str::trim).unwrap_or_default();
    let Some(stories) = stories else {
        let why = "This process tells no stories of orders: see the console of an order-service.";
        return respond_with(environment, StatusCode::NOT_FOUND, text, None, &said(why));
    };
    let Ok(id) = OrderId::parse(text) else {
        if !text.is_empty() {
            return find(environment, stories, text).await;
        }
        let why = "Which order? Its id stands in the client’s receipt, in its page’s address, and in the logs (order.id).";
        return respond_with(environment, StatusCode::OK, text, None, &said(why));
    };
    match stories.story(id).await {
        Ok(Some(told)) => {
            respond_with(environment, StatusCode::OK, text, Some(&told), &timeline(&told))
        }
        Ok(None) => {
            let why = if id.is_ours() {
                "The store does not have this order. If it was accepted while the store was unavailable, only the broker has it, and \
                 there is no story before it ends; otherwise look whether the id belongs to another shop, or the order was archived."
            } else {
                "There is no order with this id, and it is none of those that this shop gives. Look whether it was copied whole."
            };
            respond_with(environment, StatusCode::NOT_FOUND, text, None, &said(why))
        }
        Err(error) => respond_away(environment, text, error.into()),
    }
}

/// Responds with the orders that are found by a text which is no id.
async fn find(environment: Option<&Environment>, stories: &OrderStories, text: &str) -> Response {
    let found = match stories.found_by(Label::new(text), PageSize::default()).await {
        Ok(found) => found,
        Err(error) => return respond_away(environment, text, error.into()),
    };
    if found.orders.is_empty() {
        let why = "No order is found by this, and it is no order’s id: those are UUIDs, such as 0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f. \
                   Look whether it was copied whole.";
        return respond_with(environment, StatusCode::UNPROCESSABLE_ENTITY, text, None, &said(why));
    }
    respond_with(environment, StatusCode::OK, text, None, &listed(&found))
}

fn respond_away(environment: Option<&Environment>, text: &str, failure: Failure) -> Response {
    let (status, why) = (
        failure.kind().status(),
        "The store cannot tell it now. The first line of the console says why.",
    );
    reply::noting(respond_with(environment, status, text, None, &said(why)), failure)
}

fn listed(found: &OrderPage) -> String {
    let mut html = String::from("<h3>Found by this</h3>\n<ul class=\"found\">\n");
    for order in &found.orders {
        let (id, status) = (order.id, order.status.as_str());
        let at = order.accepted_at.format(&Rfc3339).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(
            html,
            "<li><a href=\"/console/order?id={id}\">{id}</a> <span class=\"state {status}\">{status}</span> \
             <time class=\"hint\" datetime=\"{at}\">{at}</time></li>"
        );
    }
    html.push_str("</ul>\n");
    if found.next.is_some() {
        html.push_str(
            "<p class=\"hint\">There are more, accepted later: woodyctl orders list --text TEXT shows all.</p>\n",
        );
    }
    html
}

fn respond_with(
    environment: Option<&Environment>,
    status: StatusCode,
    id: &str,
    told: Option<&OrderStory>,
    story: &str,
) -> Response {
    let of_one = match told {
        Some(told) => format!("{} · {} · ", told.order.status.as_str(), told.order.id),
        None => "One order · ".to_owned(),
    };
    let title = of_one + &page::title(None, environment);
    let main = format!(
        "<section aria-labelledby=\"order-title\">
<h2 id=\"order-title\">One order</h2>
{}{story}<p><a href=\"/console\">Back to the shop</a></p>
</section>\n",
        page::form(id)
    );
    let mut response = html(document(&title, environment, "", &main));
    *response.status_mut() = status;
    response
}

fn said(why: &str) -> String {
    format!("<p class=\"note\" role=\"status\">{}</p>\n", Text(why))
}

fn timeline(told: &OrderStory) -> String {
    let status = told.order.status.as_str();
    let mut html = format!("<h3>It is <span class=\"state {status}\">{status}</span></h3>\n");
    // Writing to a String cannot fail.
    if let Some(why) = told.order.status.reason() {
        let _ = writeln!(html, "<p>{}</p>", Text(&why.to_string()));
    }
    html.push_str("<ol class=\"story\">\n");
    for step in story::steps(told) {
        let at = step.at.as_deref().map_or_else(
            || "when is not kept".to_owned(),
            |at| format!("<time datetime=\"{0}\">{0}</time>", Text(at)),
        );
        let _ = writeln!(
            html,
            "<li><strong>{}</strong> <span class=\"hint\">{at}</span><br>{}</li>",
            Text(step.happened),
            Text(&step.told)
        );
    }
    html.push_str("</ol>\n");
    if told.is_cut {
        let _ = writeln!(html, "<p class=\"hint\">{}</p>", Text(&story::cut_note()));
    }
    html.push_str(&acts(told.order.id, &told.order.status));
    html
}

/// What can be done to an order that is as it is.
fn acts(id: OrderId, status: &OrderStatus) -> String {
    let cancel = format!(
        "<div><dt>Take it back</dt><dd><code>woodyctl order cancel {id} --reason WHY</code></dd></div>\n"
    );
    let retry = format!(
        "<div><dt>Have it validated again</dt><dd><code>woodyctl order retry {id} --because WHY</code></dd></div>\n"
    );
    match status {
        OrderStatus::Pending => format!("<dl class=\"commands\">\n{cancel}{retry}</dl>\n"),
        OrderStatus::Ended(Outcome::Failed(_)) => {
            format!("<dl class=\"commands\">\n{retry}</dl>\n")
        }
        OrderStatus::Ended(_) => String::new(),
    }
}
