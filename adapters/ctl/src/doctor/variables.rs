//! nginx's variables: what they depend on, and what they would be for a request.

use std::collections::HashMap;

use regex::Regex;

use super::gateway::{Gateway, Seen};

/// The client's address, as the connection has it.
const CLIENT: [&str; 3] = ["remote_addr", "binary_remote_addr", "realip_remote_addr"];
/// How far variables are followed; they may lead back to themselves.
const DEEPEST: usize = 8;

/// The variables that `map` and `geo` make, by name.
pub(super) struct Variables<'g> {
    made: HashMap<&'g str, Seen<'g>>,
}

impl<'g> Variables<'g> {
    pub(super) fn of(gateway: &'g Gateway) -> Self {
        let made =
            gateway.http().into_iter().filter(|seen| seen.name == "map" || seen.name == "geo");
        let made = made.filter_map(|seen| {
            // The name comes last: a `geo` may have no source.
            let name = seen.directive.args.last()?.strip_prefix('$')?;
            Some((name, seen))
        });
        Self { made: made.collect() }
    }

    /// Whether a text tells one client from another by its address.
    pub(super) fn tell_the_client(&self, text: &str) -> bool {
        self.tell(text, DEEPEST)
    }

    fn tell(&self, text: &str, depth: usize) -> bool {
        if depth == 0 {
            return false;
        }
        let mut names = names_in(text);
        names.any(|name| {
            CLIENT.contains(&name)
                || self.made.get(name).is_some_and(|made| {
                    let by_address = made.name == "geo" && made.directive.args.len() == 1;
                    let source = made.directive.args.iter().rev().skip(1);
                    let values = made.directive.children().iter().map(|row| row.arg(0));
                    by_address
                        || source.map(String::as_str).chain(values).any(|t| self.tell(t, depth - 1))
                })
        })
    }

    /// What a text becomes for `GET path` of a client that sends no headers. What
    /// only nginx knows stands for itself.
    pub(super) fn value(&self, text: &str, path: &str) -> String {
        self.expand(text, path, DEEPEST)
    }

    fn expand(&self, text: &str, path: &str, depth: usize) -> String {
        let mut value = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            value.push_str(before);
            let (name, after) = split_name(after);
            value.push_str(&self.variable(name, path, depth));
            rest = after;
        }
        value + rest
    }

    fn variable(&self, name: &str, path: &str, depth: usize) -> String {
        let is_from_client = ["http_", "arg_", "cookie_"].iter().any(|from| name.starts_with(from));
        match self.made.get(name) {
            _ if depth == 0 || is_from_client => String::new(),
            _ if ["uri", "document_uri", "request_uri"].contains(&name) => path.to_owned(),
            Some(map) if map.name == "map" => {
                let source = self.expand(map.directive.arg(0), path, depth - 1);
                let row = map.directive.children().iter().find(|row| matches(&row.name, &source));
                let row = row.or_else(|| map.directive.named("default").next());
                row.map(|row| self.expand(row.arg(0), path, depth - 1)).unwrap_or_default()
            }
            _ => format!("<{name}>"),
        }
    }
}

/// Whether a row of a `map` is for this source.
fn matches(row: &str, source: &str) -> bool {
    let regex = |pattern: &str| Regex::new(pattern).is_ok_and(|regex| regex.is_match(source));
    if let Some(pattern) = row.strip_prefix("~*") {
        regex(&format!("(?i){pattern}"))
    } else if let Some(pattern) = row.strip_prefix('~') {
        regex(pattern)
    } else {
        row != "default" && row.eq_ignore_ascii_case(source)
    }
}

/// The variables in a text.
pub(super) fn names_in(text: &str) -> impl Iterator<Item = &str> {
    text.split('$').skip(1).map(|after| split_name(after).0).filter(|name| !name.is_empty())
}

/// The name that follows a dollar, in braces or not, and what comes after.
fn split_name(text: &str) -> (&str, &str) {
    if let Some(braced) = text.strip_prefix('{') {
        return braced.split_once('}').unwrap_or((braced, ""));
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::doctor::nginx;

    fn gateway(text: &str) -> Gateway {
        Gateway::of(Path::new("a.conf"), nginx::parse(text).unwrap())
    }

    #[test]
    fn an_address_is_recognised_through_maps_and_geos() {
        let gateway = gateway(
            "geo $exempt { default 1; } geo $http_x_real $claimed {} \
             map $exempt $limited { 1 yes; } map $host $by_value { a \"for ${remote_addr}\"; } \
             map $host $vhost { a b; } map $loop $loop { a $loop; }",
        );
        let variables = Variables::of(&gateway);
        for text in ["$remote_addr", "${binary_remote_addr}x", "$exempt", "$limited", "$by_value"] {
            assert!(variables.tell_the_client(text), "{text}");
        }
        for text in ["", "$", "remote_addr", "$remote_addr_x", "$claimed", "$vhost", "$loop"] {
            assert!(!variables.tell_the_client(text), "{text}");
        }
    }

    #[test]
    fn a_map_gives_what_its_row_says() {
        let gateway = gateway(
            "map $uri $key { /a own-$request_id; ~^/b/ b; ~*^/C c; default \"\"; } \
             map $http_key $sent { \"\" $key; default $http_key; } map $loop $loop { default $loop; }",
        );
        let variables = Variables::of(&gateway);
        for (text, path, value) in [
            ("$sent", "/a", "own-<request_id>"),
            ("${sent}!", "/A", "own-<request_id>!"),
            ("$sent", "/b/1", "b"),
            ("$sent", "/cd", "c"),
            ("$sent", "/b", ""),
            ("$http_key$arg_x", "/a", ""),
            ("$loop", "/a", ""),
        ] {
            assert_eq!(variables.value(text, path), value, "{text} {path}");
        }
    }
}
