//! What a Rust file says of other modules, read without a compiler.

use std::collections::BTreeSet;

/// What stands in one file, tests aside.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Source {
    /// Paths of other items, as they are written, with the inline module that they stand in.
    pub(super) paths: Vec<Written>,
    /// What `use` brings in, public or not.
    pub(super) uses: Vec<Use>,
    /// The names that are defined here.
    pub(super) defines: BTreeSet<String>,
}

/// A path of two names or more, such as `crate::domain::OrderId`.
#[derive(Debug, PartialEq)]
pub(super) struct Written {
    pub(super) inline: Vec<String>,
    pub(super) names: Vec<String>,
}

/// One leaf of a `use`.
#[derive(Debug, PartialEq)]
pub(super) struct Use {
    pub(super) inline: Vec<String>,
    pub(super) names: Vec<String>,
    /// What it is called here; nothing for `*`.
    pub(super) called: Option<String>,
    /// Whether others may import it from here.
    pub(super) is_public: bool,
}

impl Source {
    pub(super) fn read(text: &str) -> Self {
        let tokens = without_tests(&tokens(text));
        let mut source = Self::default();
        // The inline modules around a token, each with the depth of its braces.
        let mut inline: Vec<(String, usize)> = Vec::new();
        let (mut depth, mut at) = (0, 0);
        while at < tokens.len() {
            let before = if at == 0 { "" } else { tokens[at - 1].as_str() };
            let next = |n: usize| tokens.get(at + n).map_or("", String::as_str);
            let names = || inline.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
            match tokens[at].as_str() {
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    inline.retain(|(_, outside)| *outside < depth);
                }
                "mod" if next(2) == "{" => inline.push((next(1).to_owned(), depth)),
                "struct" | "enum" | "union" | "trait" | "fn" | "type" | "const" | "static"
                | "macro_rules" => {
                    let name = if next(1) == "!" { next(2) } else { next(1) };
                    source.defines.insert(name.to_owned());
                }
                "use" if next(1) != "<" => {
                    let end = at + tokens[at..].iter().position(|token| token == ";").unwrap();
                    let is_public = matches!(before, "pub" | ")");
                    for (names_of_use, called) in leaves(&tokens[at + 1..end]) {
                        let inline = names();
                        source.uses.push(Use { inline, names: names_of_use, called, is_public });
                    }
                    at = end;
                }
                first if is_name(first) && before != "::" && next(1) == "::" => {
                    let mut path = vec![first.to_owned()];
                    while next(path.len() * 2 - 1) == "::" && is_name(next(path.len() * 2)) {
                        path.push(next(path.len() * 2).to_owned());
                    }
                    at += path.len() * 2 - 2;
                    source.paths.push(Written { inline: names(), names: path });
                }
                _ => {}
            }
            at += 1;
        }
        source
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The leaves of `a::{b, c::d as e, f::*}`, each with what it is called.
fn leaves(tree: &[String]) -> Vec<(Vec<String>, Option<String>)> {
    let mut found = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let mut at = 0;
    while at < tree.len() {
        match tree[at].as_str() {
            "::" => {}
            "*" => return vec![(names, None)],
            "as" => return vec![(names, tree.get(at + 1).cloned())],
            "{" => {
                let inside = &tree[at + 1..tree.len() - 1];
                let mut depth = 0;
                let parts = inside.split(|token| {
                    match token.as_str() {
                        "{" => depth += 1,
                        "}" => depth -= 1,
                        _ => {}
                    }
                    depth == 0 && token == ","
                });
                for part in parts.filter(|part| !part.is_empty()) {
                    found.extend(leaves(part).into_iter().map(|(more, called)| {
                        (names.iter().cloned().chain(more).collect::<Vec<_>>(), called)
                    }));
                }
                return found.into_iter().map(without_self).collect();
            }
            name => names.push(name.to_owned()),
        }
        at += 1;
    }
    let called = names.last().cloned();
    vec![(names, called)]
}

/// `a::b::self` is `a::b`.
fn without_self(
    (mut names, mut called): (Vec<String>, Option<String>),
) -> (Vec<String>, Option<String>) {
    if names.len() > 1 && names.last().is_some_and(|last| last == "self") {
        names.pop();
        if called.as_deref() == Some("self") {
            called = names.last().cloned();
        }
    }
    (names, called)
}

/// Names, `::` and single signs; without comments, texts and numbers.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        let next = |n: usize| chars.get(at + n).copied().unwrap_or(' ');
        if c == '/' && next(1) == '/' {
            at += chars[at..].iter().take_while(|c| **c != '\n').count();
        } else if c == '/' && next(1) == '*' {
            at += 2;
            while at < chars.len() && !(chars[at - 1] == '*' && chars[at] == '/') {
                at += 1;
            }
            at += 1;
        } else if c == 'r' && (next(1) == '"' || next(1) == '#' && matches!(next(2), '"' | '#')) {
            let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
            let end: Vec<char> =
                std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            at += hashes + 2;
            while at < chars.len() && !chars[at..].starts_with(&end) {
                at += 1;
            }
            at += end.len();
        } else if c == '"' {
            at += 1;
            while at < chars.len() && chars[at] != '"' {
                at += if chars[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
        } else if c == '\'' && (next(1) == '\\' || next(2) == '\'') {
            at += if next(1) == '\\' { 3 } else { 2 };
            while at < chars.len() && chars[at] != '\'' {
                at += 1;
            }
            at += 1;
        } else if c.is_alphanumeric() || c == '_' {
            let name: String =
                chars[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').collect();
            at += name.chars().count();
            // `b"…"` and `br"…"` are texts too.
            if !(matches!(name.as_str(), "b" | "br")
                && matches!(chars.get(at), Some('"' | '\'' | '#')))
            {
                tokens.push(name);
            }
        } else if c == ':' && next(1) == ':' {
            tokens.push("::".to_owned());
            at += 2;
        } else {
            if !c.is_whitespace() {
                tokens.push(c.to_string());
            }
            at += 1;
        }
    }
    tokens
}

/// Without the items under `#[cfg(test)]`.
fn without_tests(tokens: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at..]
            .iter()
            .take(7)
            .map(String::as_str)
            .eq(["#", "[", "cfg", "(", "test", ")", "]"])
        {
            at += 7;
            let mut depth = 0;
            while at < tokens.len() {
                match tokens[at].as_str() {
                    "{" | "[" | "(" => depth += 1,
                    "}" | "]" | ")" => depth -= 1,
                    _ => {}
                }
                at += 1;
                if depth == 0 && matches!(tokens[at - 1].as_str(), "}" | ";") {
                    break;
                }
            }
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

#[test]
fn uses_and_paths_are_found_whatever_stands_around_them() {
    let source = Source::read(
        r##"
        //! use crate::comment;
        pub(crate) use crate::a::{self, b::C as D, e::*};
        use super::{f::{G, h}, k};
        #[cfg(test)]
        mod tests { use super::*; }
        fn m<'a>(n: &'a str) -> crate::o::P { let q = ("use crate::text;", 'r', '\'', r#"use "x::y"#); h::t(q) }
        mod inner { use super::u; }
        "##,
    );
    let said: Vec<_> =
        source.uses.iter().map(|one| (one.names.join("::"), one.called.clone())).collect();
    let called = |name: &str| Some(name.to_owned());
    let expected = [
        ("crate::a", called("a")),
        ("crate::a::b::C", called("D")),
        ("crate::a::e", None),
        ("super::f::G", called("G")),
        ("super::f::h", called("h")),
        ("super::k", called("k")),
        ("super::u", called("u")),
    ];
    assert_eq!(said, expected.map(|(names, called)| (names.to_owned(), called)));
    assert!(source.uses[0].is_public && !source.uses[3].is_public);
    assert_eq!(source.uses[6].inline, ["inner"]);
    let paths: Vec<_> = source.paths.iter().map(|path| path.names.join("::")).collect();
    assert_eq!(paths, ["crate::o::P", "h::t"]);
    assert!(source.defines.contains("m"));
}
