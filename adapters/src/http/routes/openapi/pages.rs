//! The pages for people, and what they are made of.

use serde_json::json;
use utoipa::openapi::{Content, HttpMethod, Required, ResponseBuilder, Type};

use super::words::{
    BAD_QUERY, BAD_VALUE, FOREIGN, Told, get, header, in_path, query, text_like, text_schema,
    typed, uuid,
};

pub(super) fn page() -> Told {
    let answer = text_like("WoodyToys: …", "What to try with curl; to a browser, the page.");
    let answer = answer.content("text/html", Content::new(Some(text_schema())));
    get("front", "page", "Shows the shop")
        .about("To a browser; to what does not ask for HTML, as text, what to try with curl.")
        .answer("200", answer.build())
        .answer("304", ResponseBuilder::new().description("The client's copy is the same.").build())
        .problems(&[])
}

pub(super) fn reference() -> Told {
    file("reference", "text/html")
}

fn html(about: &str) -> ResponseBuilder {
    typed("text/html", None, ResponseBuilder::new().description(about))
}

pub(super) fn order_form() -> Told {
    get("front", "order_form", "Shows a form to order by without a script")
        .about("It sends itself with a key, so that an order which is sent twice is one.")
        .parameter(query("product", Required::False, text_schema(), "What stands in the form."))
        .parameter(query("quantity", Required::False, text_schema(), "What stands in the form."))
        .parameter(query(
            "lang",
            Required::False,
            text_schema(),
            "`en` or `fr`; the browser's if it is left out.",
        ))
        .answer("200", html("The form.").build())
        .problems(&[BAD_QUERY])
}

pub(super) fn place_by_form() -> Told {
    let placed = ResponseBuilder::new()
        .description("The order is kept from now on.")
        .header("Location", header("Its page.", Type::String));
    Told::new(HttpMethod::Post, "front", "place_order_by_form", "Places the order that a form asks for")
        .about(
            "From a page of the shop's own: `Sec-Fetch-Site`, `Origin` or `Referer` says so. Sent twice with one \
                `key`, it is one order; without a key the form is shown once more.",
        )
        .form(&["product", "quantity", "key", "lang"], json!({"product": "lion", "quantity": "3", "key": "a-key-of-its-own"}))
        .answer("200", html("The form once more, with a key.").build())
        .answer("303", placed.build())
        .problems(&[
            (400, "The form cannot be read, or has other fields."),
            FOREIGN,
            (415, "It is no form."),
            (422, "A value that cannot be, or a key that placed another order; as a page."),
        ])
}

pub(super) fn cancel_by_form() -> Told {
    let led = ResponseBuilder::new()
        .description("What has become of it.")
        .header("Location", header("Its page.", Type::String));
    Told::new(HttpMethod::Post, "front", "cancel_order_by_form", "Cancels an order that is pending")
        .about(
            "From a page of the shop's own. One that has ended stays as it is; its page says so.",
        )
        .parameter(in_path("id", uuid(), "The order."))
        .form(&["lang"], json!({"lang": "en"}))
        .answer("303", led.build())
        .problems(&[(400, "The form cannot be read."), FOREIGN, (415, "It is no form."), BAD_VALUE])
}

pub(super) fn workshop_page() -> Told {
    file("workshop_page", "text/html")
}

pub(super) fn order_page() -> Told {
    get("front", "order_page", "Shows an order's page")
        .about(
            "It is the same whichever order it is: its script asks for the order. With `plain` it shows \
                the order without a script, and looks again by itself.",
        )
        .parameter(in_path("id", text_schema(), "The order."))
        .parameter(query("plain", Required::False, text_schema(), "Whether it is to do without a script."))
        .parameter(query("lang", Required::False, text_schema(), "`en` or `fr`, where it does."))
        .answer(
            "200",
            typed("text/html", None, ResponseBuilder::new().description("The page.")).build(),
        )
        .answer("304", ResponseBuilder::new().description("The client's copy is the same.").build())
        .problems(&[])
}

pub(super) fn file(id: &str, media_type: &str) -> Told {
    let answer = ResponseBuilder::new().description("The file.");
    get("front", id, "A file of the page")
        .about(
            "It has an `ETag`; whoever sends it back gets 304 for as long as the file is the same.",
        )
        .answer("200", typed(media_type, None, answer).build())
        .answer("304", ResponseBuilder::new().description("The client's copy is the same.").build())
        .problems(&[])
}

pub(super) fn module() -> Told {
    file("script_module", "text/javascript")
        .parameter(in_path("module", text_schema(), "Its name: `orders.js`."))
        .problems(&[(404, "The page has no such module.")])
}
