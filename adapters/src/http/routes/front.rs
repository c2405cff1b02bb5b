use std::fmt;

use bytes::Bytes;
use hyper::{
    HeaderMap,
    header::{HOST, HeaderValue, VARY},
};

use super::{asyncapi, file::File, openapi, reference};
use crate::http::{
    request::{Route, RoutedRequest, choose, name_of},
    response::{Failure, FailureKind, Response, reply},
    server::Routes,
};

/// The shop's pages.
///
/// | route | response |
/// | --- | --- |
/// | `GET /` | the shop; to clients that do not ask for reply::HTML, what to try with curl |
/// | `GET /workshop` | where products are added and plans drawn |
/// | `GET /orders/{id}` | an order's page, the same file whichever order it is: its script asks for the order |
/// | `GET /style.css`, `/docs.css`, `/shop.js`, `/order.js`, `/workshop.js`, `/favicon.svg` | what the pages need |
/// | `GET /shop/{module}` | the modules of their scripts |
/// | `GET /docs` | the routes of every service and the messages, for people; made from the two documents |
/// | `GET /openapi.json` | the routes of every service |
/// | `GET /asyncapi.json` | the messages of the queue, the events, and webhooks |
pub struct FrontRoutes {
    page: File,
    order_page: File,
    workshop: File,
    style: File,
    script: File,
    order_script: File,
    workshop_script: File,
    modules: [(&'static str, File); MODULES.len()],
    icon: File,
    reference_style: File,
}

impl fmt::Debug for FrontRoutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrontRoutes").finish_non_exhaustive()
    }
}

/// What a row of the table does.
#[derive(Debug, Clone, Copy)]
pub enum Action {
    Page,
    OrderPage,
    Workshop,
    Style,
    Script,
    OrderScript,
    WorkshopScript,
    Module,
    Icon,
    Reference,
    ReferenceStyle,
    OpenApi,
    AsyncApi,
}

const TABLE: &[Route<Action>] = &[
    Route::get("/", Action::Page).open(),
    Route::get("/orders/{id}", Action::OrderPage).open(),
    Route::get("/workshop", Action::Workshop).open(),
    Route::get("/style.css", Action::Style).open(),
    Route::get("/shop.js", Action::Script).open(),
    Route::get("/order.js", Action::OrderScript).open(),
    Route::get("/workshop.js", Action::WorkshopScript).open(),
    Route::get("/shop/{module}", Action::Module).open(),
    Route::get("/favicon.svg", Action::Icon).open(),
    Route::get("/docs", Action::Reference).open(),
    Route::get("/docs.css", Action::ReferenceStyle).open(),
    Route::get("/openapi.json", Action::OpenApi).open(),
    Route::get("/asyncapi.json", Action::AsyncApi).open(),
];

const WELCOME: &str = include_str!("../../../front/welcome.txt");

/// The modules of the pages' scripts.
const MODULES: [(&str, &str); 16] = [
    ("api.js", include_str!("../../../front/shop/api.js")),
    ("en.js", include_str!("../../../front/shop/en.js")),
    ("follow.js", include_str!("../../../front/shop/follow.js")),
    ("form.js", include_str!("../../../front/shop/form.js")),
    ("fr.js", include_str!("../../../front/shop/fr.js")),
    ("kept.js", include_str!("../../../front/shop/kept.js")),
    ("order.js", include_str!("../../../front/shop/order.js")),
    ("orders.js", include_str!("../../../front/shop/orders.js")),
    ("page.js", include_str!("../../../front/shop/page.js")),
    ("plan.js", include_str!("../../../front/shop/plan.js")),
    ("products.js", include_str!("../../../front/shop/products.js")),
    ("samples.js", include_str!("../../../front/shop/samples.js")),
    ("send.js", include_str!("../../../front/shop/send.js")),
    ("shelf.js", include_str!("../../../front/shop/shelf.js")),
    ("toys.js", include_str!("../../../front/shop/toys.js")),
    ("words.js", include_str!("../../../front/shop/words.js")),
];

impl FrontRoutes {
    /// The pages, with their files in the program.
    pub fn new() -> Self {
        let file = |content_type, text: &'static str| {
            File::new(content_type, Bytes::from_static(text.as_bytes()))
        };
        Self {
            page: file(reply::HTML, include_str!("../../../front/index.html")),
            order_page: file(reply::HTML, include_str!("../../../front/order.html")),
            workshop: file(reply::HTML, include_str!("../../../front/workshop.html")),
            style: file(reply::CSS, include_str!("../../../front/style.css")),
            script: file(reply::JAVASCRIPT, include_str!("../../../front/shop.js")),
            order_script: file(reply::JAVASCRIPT, include_str!("../../../front/order.js")),
            workshop_script: file(reply::JAVASCRIPT, include_str!("../../../front/workshop.js")),
            modules: MODULES.map(|(name, text)| (name, file(reply::JAVASCRIPT, text))),
            icon: file(reply::SVG, include_str!("../../../front/favicon.svg")),
            reference_style: file(reply::CSS, include_str!("../../../front/docs.css")),
        }
    }

    fn module(&self, name: &str) -> Result<&File, Failure> {
        let found = self.modules.iter().find(|(known, _)| *known == name);
        found
            .map(|(_, file)| file)
            .ok_or_else(|| Failure::new(FailureKind::NotFound, "The page has no such module."))
    }

    fn page(&self, asked: &HeaderMap) -> Response {
        let mut response = match choose(asked, &["text/plain", "text/html"]) {
            Some(1) => self.page.respond(asked),
            _ => reply::no_store(reply::text(WELCOME.replace("{base}", &base(asked)))),
        };
        response.headers_mut().append(VARY, HeaderValue::from_static("accept"));
        response
    }
}

impl Default for FrontRoutes {
    fn default() -> Self {
        Self::new()
    }
}

/// Where the client found us, as an address to copy from a terminal; what it
/// says is believed only when it is a plain name and port.
fn base(asked: &HeaderMap) -> String {
    let host = asked.get(HOST).and_then(|host| host.to_str().ok());
    match host.filter(|host| name_of(host).is_some()) {
        Some(host) => format!("http://{host}"),
        None => "http://127.0.0.1:8080".to_owned(),
    }
}

impl Routes for FrontRoutes {
    type Action = Action;

    const SERVICE: &'static str = "front";

    fn table() -> &'static [Route<Action>] {
        TABLE
    }

    async fn handle(&self, request: &RoutedRequest<Action>) -> Result<Response, Failure> {
        let asked = request.headers();
        Ok(match request.action {
            Action::Page => self.page(asked),
            Action::OrderPage => self.order_page.respond(asked),
            Action::Workshop => self.workshop.respond(asked),
            Action::Style => self.style.respond(asked),
            Action::Script => self.script.respond(asked),
            Action::OrderScript => self.order_script.respond(asked),
            Action::WorkshopScript => self.workshop_script.respond(asked),
            Action::Module => self.module(request.variable())?.respond(asked),
            Action::Icon => self.icon.respond(asked),
            Action::Reference => reference::page().respond(asked),
            Action::ReferenceStyle => self.reference_style.respond(asked),
            Action::OpenApi => openapi::document().respond(asked),
            Action::AsyncApi => asyncapi::document().respond(asked),
        })
    }
}
