use std::{fmt, sync::Arc};

use hyper::StatusCode;
use woody_core::{
    domain::{Parts, ProductId, ProductName, now, python_stamp},
    services::Catalogue,
};

use super::dto::{ProductPage, ProductToAdd, ProductView};
use crate::{
    http::{
        request::{Route, RoutedRequest, query},
        response::{Failure, FailureKind, Response, reply},
        server::Routes,
    },
    keys::Scope,
};

/// The product service.
///
/// | route | response |
/// | --- | --- |
/// | `GET /api/products?product=N` | adds N, returns `N` |
/// | `GET /api/products/last` | `db: NOW - COUNT products (last=N)` |
/// | `GET /api/products?limit=&after=` | a page, newest first |
/// | `POST /api/products` | 201, the product |
/// | `GET /api/products/{id}` | the product, or 404 |
pub struct ProductRoutes {
    catalogue: Arc<Catalogue>,
}

impl fmt::Debug for ProductRoutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProductRoutes").finish_non_exhaustive()
    }
}

/// What a row of the table does.
#[derive(Debug, Clone, Copy)]
pub enum Action {
    AddByGet,
    Last,
    Page,
    Add,
    Show,
}

const TABLE: &[Route<Action>] = &[
    Route {
        only_with: Some("product"),
        ..Route::acting("/api/products", "POST /api/products", Action::AddByGet)
            .wants(Scope::Operate)
    },
    Route::get("/api/products", Action::Page),
    Route::post("/api/products", Action::Add).wants(Scope::Operate),
    Route::text("/api/products/last", Action::Last),
    Route::get("/api/products/{id}", Action::Show),
];

/// How many products a page has when the request does not say.
const PAGE: usize = 20;

impl ProductRoutes {
    /// The routes of the product service over `catalogue`.
    pub fn new(catalogue: Arc<Catalogue>) -> Self {
        Self { catalogue }
    }

    async fn add_by_get(&self, request: &RoutedRequest<Action>) -> Result<Response, Failure> {
        request.refuse_browsers()?;
        let [product] = request.query(["product"])?;
        let name = ProductName::parse(&query::required(product, "product")?)?;
        let product = self.catalogue.add(name, Parts::default()).await?;
        Ok(reply::no_store(reply::text(String::from(product.name))))
    }

    async fn last(&self, request: &RoutedRequest<Action>) -> Result<Response, Failure> {
        request.query([])?;
        let summary = self.catalogue.summary().await?;
        let now = python_stamp(now());
        Ok(reply::no_store(reply::text(match summary.newest {
            Some(last) => format!("db: {now} - {} products (last={})", summary.count, last.name),
            None => format!("db: {now} - No product found"),
        })))
    }

    async fn page(&self, request: &RoutedRequest<Action>) -> Result<Response, Failure> {
        let [limit, after] = request.query(["limit", "after"])?;
        let limit = match limit {
            None => PAGE,
            Some(limit) => match usize::try_from(query::number(&limit, "limit")?) {
                Ok(limit) if (1..=Catalogue::MAX_PAGE).contains(&limit) => limit,
                _ => {
                    let problem = format!("must be 1 to {}, not {limit}", Catalogue::MAX_PAGE);
                    return Err(Failure::field(FailureKind::InvalidValue, "limit", problem));
                }
            },
        };
        let after = after.map(|after| ProductId::parse(&after, "after")).transpose()?;
        let page = self.catalogue.page(after, limit).await?;
        reply::json(&ProductPage {
            items: page.products.into_iter().map(ProductView::from).collect(),
            next: page.next.map(ProductId::as_uuid),
        })
    }

    async fn add(&self, request: &RoutedRequest<Action>) -> Result<Response, Failure> {
        request.query([])?;
        let body: ProductToAdd = request.body.json()?;
        let (name, parts) = body.into();
        let product = self.catalogue.add(name, parts).await?;
        let location = format!("{}/api/products/{}", request.prefix(), product.id);
        reply::made(StatusCode::CREATED, &location, &ProductView::from(product))
    }

    async fn show(&self, request: &RoutedRequest<Action>) -> Result<Response, Failure> {
        request.query([])?;
        let id = ProductId::parse(request.variable(), "id")?;
        let product = self.catalogue.find(id).await?;
        reply::json(&ProductView::from(product.ok_or_else(|| reply::no_such("product", id))?))
    }
}

impl Routes for ProductRoutes {
    type Action = Action;

    const SERVICE: &'static str = "products";

    fn table() -> &'static [Route<Action>] {
        TABLE
    }

    async fn handle(&self, request: &RoutedRequest<Action>) -> Result<Response, Failure> {
        match request.action {
            Action::AddByGet => self.add_by_get(request).await,
            Action::Last => self.last(request).await,
            Action::Page => self.page(request).await,
            Action::Add => self.add(request).await,
            Action::Show => self.show(request).await,
        }
    }
}
