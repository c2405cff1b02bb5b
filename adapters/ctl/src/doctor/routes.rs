//! Which `location` of the gateway serves a request.

use regex::Regex;

use super::gateway::{Gateway, Seen};

/// A `location`, and the blocks around it.
#[derive(Debug)]
pub(super) struct Location<'g> {
    pub(super) seen: Seen<'g>,
    /// From `http` to its own block.
    levels: Vec<Vec<Seen<'g>>>,
}

/// The locations of one `server`.
#[derive(Debug)]
pub(super) struct Server<'g> {
    locations: Vec<Location<'g>>,
}

/// How often a request is rewritten at most.
const HOPS: usize = 4;
/// What a parameter may be: a regular expression that matches these is taken to
/// match all.
const VALUES: [&str; 2] = ["x", "A%201"];

impl<'g> Server<'g> {
    /// The servers of a gateway.
    pub(super) fn all_of(gateway: &'g Gateway) -> Vec<Self> {
        let http = gateway.http();
        let servers = gateway.http_named("server").map(|server| {
            let mut locations = Vec::new();
            let levels = vec![http.clone(), server.children_seen().collect()];
            collect(server, &levels, &mut locations);
            Self { locations }
        });
        servers.collect()
    }

    /// The location that `GET path` with the parameter `arg` ends in, rewritten or
    /// not; none if the gateway responds by itself.
    pub(super) fn answers<'p>(&self, path: &'p str, arg: &str) -> Option<&Location<'g>>
    where
        'g: 'p,
    {
        let mut path = path;
        for _ in 0..HOPS {
            let location = self.location_for(path)?;
            match location.rewritten(path, arg) {
                Rewritten::No => return Some(location),
                Rewritten::Answered => return None,
                Rewritten::To(other) => path = other,
            }
        }
        None
    }

    /// In nginx's order: the path itself, the longest prefix if it says so, the
    /// first regular expression, the longest prefix.
    fn location_for(&self, path: &str) -> Option<&Location<'g>> {
        let with = |wanted: &'static [&'static str]| {
            let locations = self.locations.iter();
            locations.filter(move |location| wanted.contains(&location.pattern().0))
        };
        if let Some(exact) = with(&["="]).find(|location| location.pattern().1 == path) {
            return Some(exact);
        }
        let prefixes = with(&["", "^~"]).filter(|l| path.starts_with(l.pattern().1));
        let longest = prefixes.max_by_key(|location| location.pattern().1.len());
        if longest.is_some_and(|location| location.pattern().0 == "^~") {
            return longest;
        }
        with(&["~", "~*"]).find(|location| location.is_regex_of(path)).or(longest)
    }
}

enum Rewritten<'g> {
    No,
    Answered,
    To(&'g str),
}

impl<'g> Location<'g> {
    /// The directives of this name that hold here: those of the innermost level
    /// that has any.
    pub(super) fn effective(&self, name: &str) -> Vec<Seen<'g>> {
        let levels = self.levels.iter().rev();
        let mut levels = levels.map(|level| {
            level.iter().copied().filter(|seen| seen.name == name).collect::<Vec<_>>()
        });
        levels.find(|level| !level.is_empty()).unwrap_or_default()
    }

    /// Whether it passes the request on to an upstream.
    pub(super) fn is_proxied(&self) -> bool {
        self.seen.directive.named("proxy_pass").next().is_some()
    }

    fn pattern(&self) -> (&'g str, &'g str) {
        let (first, second) = (self.seen.directive.arg(0), self.seen.directive.arg(1));
        if !second.is_empty() {
            return (first, second);
        }
        // The modifier may touch its pattern.
        ["=", "^~", "~*", "~"]
            .into_iter()
            .find_map(|modifier| Some((modifier, first.strip_prefix(modifier)?)))
            .unwrap_or(("", first))
    }

    fn is_regex_of(&self, path: &str) -> bool {
        let (modifier, pattern) = self.pattern();
        let ignoring_case = if modifier == "~*" { "(?i)" } else { "" };
        let regex = Regex::new(&format!("{ignoring_case}{pattern}"));
        regex.is_ok_and(|regex| regex.is_match(path))
    }

    /// What its `if`s about a parameter do with a request that has it.
    fn rewritten(&self, path: &str, arg: &str) -> Rewritten<'g> {
        for then in self
            .seen
            .children_seen()
            .filter(|seen| seen.name == "if")
            .filter(|seen| asks_for(seen, arg))
        {
            for action in then.directive.children() {
                match action.name.as_str() {
                    "rewrite" if Regex::new(action.arg(0)).is_ok_and(|r| r.is_match(path)) => {
                        let to = action.arg(1).split('?').next().unwrap_or_default();
                        return Rewritten::To(to);
                    }
                    "return" => return Rewritten::Answered,
                    _ => {}
                }
            }
        }
        Rewritten::No
    }
}

/// Whether an `if` holds for every request that has a parameter: `($arg_NAME)` or
/// `($args)`, alone, with `!= ""`, or with a regular expression.
fn asks_for(condition: &Seen, arg: &str) -> bool {
    let words = words_of(condition);
    let [subject, test @ ..] = words.as_slice() else { return false };
    let before_value = match *subject {
        "$args" | "$query_string" => format!("{arg}="),
        own if own == format!("$arg_{arg}") => String::new(),
        _ => return false,
    };
    let (ignoring_case, pattern) = match test {
        [] | ["!=", ""] => return true,
        ["~", pattern] => ("", pattern),
        ["~*", pattern] => ("(?i)", pattern),
        _ => return false,
    };
    let regex = Regex::new(&format!("{ignoring_case}{pattern}"));
    let texts = VALUES.map(|value| format!("{before_value}{value}"));
    regex.is_ok_and(|regex| texts.iter().all(|text| regex.is_match(text)))
}

/// What an `if` has in its parentheses, which may touch a word without quotes.
fn words_of<'g>(condition: &Seen<'g>) -> Vec<&'g str> {
    let mut words: Vec<_> = condition.directive.args.iter().map(String::as_str).collect();
    match words.first_mut() {
        Some(&mut "(") => drop(words.remove(0)),
        Some(first) => *first = first.strip_prefix('(').unwrap_or(first),
        None => {}
    }
    match words.last_mut() {
        Some(&mut ")") => drop(words.pop()),
        Some(last) => *last = last.strip_suffix(')').unwrap_or(last),
        None => {}
    }
    words
}

fn collect<'g>(block: Seen<'g>, levels: &[Vec<Seen<'g>>], found: &mut Vec<Location<'g>>) {
    for seen in block.children_seen().filter(|seen| seen.name == "location") {
        let mut levels = levels.to_vec();
        levels.push(seen.children_seen().collect());
        collect(seen, &levels, found);
        found.push(Location { seen, levels });
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::doctor::nginx;

    /// The pattern of the location that serves it.
    fn answers(locations: &str, path: &str) -> Option<String> {
        let directives = nginx::parse(&format!("server {{ {locations} }}")).unwrap();
        let gateway = Gateway::of(Path::new("a.conf"), directives);
        let servers = Server::all_of(&gateway);
        servers[0].answers(path, "toy").map(|location| location.seen.directive.args.join(" "))
    }

    #[test]
    fn a_location_is_chosen_as_nginx_does_it() {
        let locations = "location / {} location /toys {} location ^~ /toys/old {} \
             location ~ ^/toys/[a-z]+$ {} location ~* ^/TOYS/ {} location = /toys/do {} \
             location /toys/old/er/ {}";
        for (path, chosen) in [
            ("/", "/"),
            ("/toys", "/toys"),
            ("/toys/do", "= /toys/do"),
            ("/toys/train", "~ ^/toys/[a-z]+$"),
            ("/toys/train/1", "~* ^/TOYS/"),
            ("/toys/old", "^~ /toys/old"),
            // The longest prefix is another, which lets regular expressions go first.
            ("/toys/old/er/1", "~* ^/TOYS/"),
        ] {
            assert_eq!(answers(locations, path).as_deref(), Some(chosen), "{path}");
        }
        assert_eq!(answers("location /toys {}", "/"), None);
        assert_eq!(answers("location =/toys {}", "/toys").as_deref(), Some("=/toys"));
    }

    #[test]
    fn a_request_goes_where_it_is_rewritten_to() {
        let rewriting = |action: &str| {
            format!("location /toys {{ if ($arg_toy) {{ {action} }} }} location = /by-get {{}}")
        };
        for (action, chosen) in [
            ("rewrite ^ /by-get last;", Some("= /by-get")),
            ("rewrite ^/toys$ /by-get?x=1 last;", Some("= /by-get")),
            ("rewrite ^/other /by-get last;", Some("/toys")),
            ("rewrite ^ /toys last;", None),
            ("return 405;", None),
            ("set $toy 1;", Some("/toys")),
        ] {
            assert_eq!(answers(&rewriting(action), "/toys").as_deref(), chosen, "{action}");
        }
    }

    #[test]
    fn a_condition_may_look_at_the_whole_query() {
        for (condition, is_asked) in [
            ("($args ~ (^|&)toy=)", true),
            ("($args ~* \"(^|&)(TOY|[^=&]*%)\")", true),
            ("($query_string ~ toy)", true),
            ("($args ~ (^|&)order=)", false),
            ("($uri ~ toy)", false),
            ("($args)", true),
            ("($arg_order)", false),
        ] {
            let locations = format!("location /toys {{ if {condition} {{ return 405; }} }}");
            assert_eq!(answers(&locations, "/toys").is_none(), is_asked, "{condition}");
        }
    }

    #[test]
    fn a_condition_counts_if_every_value_meets_it() {
        for (condition, is_met) in [
            ("($arg_toy)", true),
            ("( $arg_toy )", true),
            ("($arg_toy != \"\")", true),
            ("($arg_toy ~ .)", true),
            ("($arg_toy ~* \"^.+$\")", true),
            ("($arg_toy = \"\")", false),
            ("($arg_toy = 1)", false),
            ("($arg_toy != 1)", false),
            ("($arg_toy !~ .)", false),
            ("($arg_toy ~ ^[a-z]+$)", false),
            ("($arg_toy ~ %)", false),
            ("($arg_toys)", false),
            ("($arg_toys ~ .)", false),
            ("()", false),
        ] {
            let locations = format!("location /toys {{ if {condition} {{ return 405; }} }}");
            assert_eq!(answers(&locations, "/toys").is_none(), is_met, "{condition}");
        }
    }
}
