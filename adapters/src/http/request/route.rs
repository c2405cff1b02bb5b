use hyper::Method;

use super::query;
use crate::http::response::{Failure, FailureKind, Style};
use crate::keys::Scope;

/// One row of a service's route table.
#[derive(Debug, Clone, Copy)]
pub struct Route<A> {
    /// The method; `GET` serves `HEAD` too, unless the route changes state.
    pub method: Verb,
    /// The path, where `{…}` stands for one segment. A trailing slash is optional.
    pub path: &'static str,
    /// How errors are shown.
    pub style: Style,
    /// Whether it is only meant when the query has this parameter.
    pub only_with: Option<&'static str>,
    /// Set on a `GET` that changes state: what to use instead.
    pub instead: Option<&'static str>,
    /// Whether it takes many things at once, and so a larger body.
    pub is_batch: bool,
    /// Whether its body is a form that a browser sends without a script.
    pub is_form: bool,
    /// Who may use it, where clients have keys.
    pub access: Access,
    /// What the service does.
    pub action: A,
}

/// Who may use a route, where clients have keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Open,
    /// Clients whose key has this scope.
    Wants(Scope),
}

/// The methods that routes have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// `GET`, and `HEAD` with it.
    Get,
    /// `POST`.
    Post,
    /// `DELETE`.
    Delete,
}

impl Verb {
    /// The method's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

impl<A: Copy> Route<A> {
    /// A row that is neither a batch nor a form, and is meant whatever the query says. What reads wants the scope
    /// `read`, other methods `order`.
    const fn new(method: Verb, path: &'static str, style: Style, action: A) -> Self {
        let access = Access::Wants(match method {
            Verb::Get => Scope::Read,
            Verb::Post | Verb::Delete => Scope::Order,
        });
        Self {
            method,
            path,
            style,
            only_with: None,
            instead: None,
            is_batch: false,
            is_form: false,
            access,
            action,
        }
    }

    /// The same row, for anybody.
    #[must_use]
    pub const fn open(self) -> Self {
        Self { access: Access::Open, ..self }
    }

    /// The same row, for clients whose key has `scope`.
    #[must_use]
    pub const fn wants(self, scope: Scope) -> Self {
        Self { access: Access::Wants(scope), ..self }
    }

    /// A `GET` that returns text, as the original system did.
    pub const fn text(path: &'static str, action: A) -> Self {
        Self::new(Verb::Get, path, Style::Text, action)
    }

    /// A `GET` of the original system that changes state.
    pub const fn acting(path: &'static str, instead: &'static str, action: A) -> Self {
        Self { instead: Some(instead), ..Self::text(path, action) }.wants(Scope::Order)
    }

    /// A `GET` whose errors are problems.
    pub const fn get(path: &'static str, action: A) -> Self {
        Self::new(Verb::Get, path, Style::Problem, action)
    }

    /// A `POST` whose errors are problems.
    pub const fn post(path: &'static str, action: A) -> Self {
        Self::new(Verb::Post, path, Style::Problem, action)
    }

    /// A `POST` of many things at once, whose errors are problems: its body may have
    /// [`max_batch_bytes`](crate::http::BodyLimits::max_batch_bytes).
    pub const fn post_batch(path: &'static str, action: A) -> Self {
        Self { is_batch: true, ..Self::post(path, action) }
    }

    /// A `POST` of a form, `application/x-www-form-urlencoded`, as a browser sends it without a script.
    ///
    /// Any site's page can send one: the route looks where it comes from.
    pub const fn post_form(path: &'static str, action: A) -> Self {
        Self { is_form: true, ..Self::post(path, action) }
    }

    /// A `DELETE` whose errors are problems.
    pub const fn delete(path: &'static str, action: A) -> Self {
        Self::new(Verb::Delete, path, Style::Problem, action)
    }
}

/// Where a request goes, or why it goes nowhere.
pub(in crate::http) enum Found {
    /// To this row.
    Row { index: usize },
    /// Nowhere.
    Nowhere { style: Style, failure: Failure },
}

/// Finds the row for a request.
pub(in crate::http) fn find<A>(
    table: &[Route<A>],
    legacy_get: bool,
    method: &Method,
    path: &str,
    raw_query: Option<&str>,
) -> Found {
    // `/orders/do` is not `/orders/{id}`: the first path that fits is the one.
    let template = table.iter().map(|route| route.path).find(|asked| matches(asked, path));
    let here = |route: &&Route<A>| Some(route.path) == template;
    let meant = |route: &Route<A>| {
        let by_method = match route.method {
            Verb::Get => method == Method::GET || method == Method::HEAD,
            Verb::Post => method == Method::POST,
            Verb::Delete => method == Method::DELETE,
        };
        by_method && route.only_with.is_none_or(|name| query::has(raw_query, name))
    };
    let row = table.iter().position(|route| here(&route) && meant(route));
    let Some(index) = row else {
        let mut styles = table.iter().filter(here).map(|route| route.style);
        let Some(first) = styles.next() else {
            let detail = "There is no such route. GET /openapi.json lists them all.";
            return Found::Nowhere {
                style: Style::Problem,
                failure: Failure::new(FailureKind::NotFound, detail),
            };
        };
        // A path that is not the original system's alone is shown as the others are.
        let style =
            if styles.any(|style| style == Style::Problem) { Style::Problem } else { first };
        let allow = allow(table.iter().filter(here), legacy_get);
        let detail = if allow.is_empty() {
            "This route is switched off.".to_owned()
        } else {
            format!("This route is not there for {method}; its methods are: {allow}.")
        };
        let failure = Failure::method_not_allowed(&allow, detail);
        return Found::Nowhere { style, failure };
    };
    let route = &table[index];
    if let Some(instead) = route.instead {
        let refused = if !legacy_get {
            Some(format!("This GET changes state and is switched off: use {instead}."))
        } else if method == Method::HEAD {
            Some(format!("HEAD must not change anything, and this route does: use {instead}."))
        } else {
            None
        };
        if let Some(detail) = refused {
            let allow = allow(table.iter().filter(here), legacy_get);
            let failure = Failure::method_not_allowed(&allow, detail);
            return Found::Nowhere { style: route.style, failure };
        }
    }
    Found::Row { index }
}

/// The methods of a path.
fn allow<'t, A: 't>(here: impl Iterator<Item = &'t Route<A>> + Clone, legacy_get: bool) -> String {
    let mut allow = Vec::new();
    for route in here {
        match route.method {
            Verb::Get if route.instead.is_some() => {
                if legacy_get {
                    allow.push("GET");
                }
            }
            Verb::Get => allow.extend(["GET", "HEAD"]),
            Verb::Post | Verb::Delete => allow.push(route.method.as_str()),
        }
    }
    allow.sort_unstable();
    allow.dedup();
    allow.join(", ")
}

/// Whether `path` is as `template` says.
fn matches(template: &str, path: &str) -> bool {
    if template == path {
        return true;
    }
    let path = match path.strip_suffix('/') {
        Some(rest) if !rest.is_empty() => rest,
        _ => path,
    };
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(asked), Some(found)) if is_variable(asked) => {
                if found.is_empty() {
                    return false;
                }
            }
            (Some(asked), Some(found)) if asked == found => {}
            _ => return false,
        }
    }
}

/// What stands in `path` for the variable of `template`.
pub(super) fn variable<'p>(template: &str, path: &'p str) -> &'p str {
    let at = template.split('/').position(is_variable);
    at.and_then(|at| path.split('/').nth(at)).unwrap_or_default()
}

fn is_variable(segment: &str) -> bool {
    segment.starts_with('{')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Route<u8>] = &[
        Route::acting("/toys/do", "POST /toys", 0),
        Route::get("/toys/{id}", 1),
        Route { only_with: Some("toy"), ..Route::acting("/toys", "POST /toys", 2) },
        Route::get("/toys", 3),
        Route::post("/toys", 4),
        Route::get("/toys/{id}/events", 5),
        Route::delete("/toys/{id}", 6),
    ];

    fn go(method: &str, path: &str, legacy_get: bool) -> Result<u8, (FailureKind, String)> {
        let (path, query) = path.split_once('?').map_or((path, None), |(p, q)| (p, Some(q)));
        let method = method.parse().unwrap();
        match find(TABLE, legacy_get, &method, path, query) {
            Found::Row { index } => Ok(TABLE[index].action),
            Found::Nowhere { failure, style } => {
                let kind = failure.kind();
                let response = failure.render(style, "");
                let allow = response.headers().get("allow");
                Err((kind, allow.map_or_else(String::new, |a| a.to_str().unwrap().to_owned())))
            }
        }
    }

    #[test]
    fn the_first_row_that_fits_is_taken() {
        assert_eq!(go("GET", "/toys/do", true), Ok(0));
        assert_eq!(go("GET", "/toys/7", true), Ok(1));
        assert_eq!(go("GET", "/toys?toy=x", true), Ok(2));
        assert_eq!(go("GET", "/toys?limit=3", true), Ok(3));
        assert_eq!(go("HEAD", "/toys/", true), Ok(3));
        assert_eq!(go("POST", "/toys", true), Ok(4));
        assert_eq!(go("GET", "/toys/7/events", true), Ok(5));
        assert_eq!(go("DELETE", "/toys/7", false), Ok(6));
    }

    #[test]
    fn other_methods_learn_which_there_are() {
        let not_allowed = |allow: &str| Err((FailureKind::MethodNotAllowed, allow.to_owned()));
        assert_eq!(go("DELETE", "/toys", true), not_allowed("GET, HEAD, POST"));
        assert_eq!(go("POST", "/toys/7", true), not_allowed("DELETE, GET, HEAD"));
        assert_eq!(go("HEAD", "/toys/do", true), not_allowed("GET"));
        assert_eq!(go("GET", "/toys/do", false), not_allowed(""));
        assert_eq!(go("GET", "/toys?toy=x", false), not_allowed("GET, HEAD, POST"));
    }

    #[test]
    fn nothing_else_is_there() {
        for path in ["/", "/toy", "/toys//", "/toys/7/8", "/toys/7/events/8", "/Toys", "*"] {
            assert_eq!(
                go("GET", path, true),
                Err((FailureKind::NotFound, String::new())),
                "{path}"
            );
        }
    }

    #[test]
    fn the_variable_is_found() {
        assert_eq!(variable("/toys/{id}/events", "/toys/7/events"), "7");
        assert_eq!(variable("/toys", "/toys"), "");
    }
}
