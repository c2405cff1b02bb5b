//! A server's URL, taken apart as far as all servers' URLs are alike.

use std::fmt;

use super::UrlError;

/// As many hosts as a URL may name: each costs a login that fails, should all be away.
const MOST_HOSTS: usize = 32;

/// The parts of `SCHEME://LOGIN@HOST:PORT,HOST:PORT/PATH?NAME=VALUE&…`.
///
/// Drivers read URLs of one host. [`at`](Self::at) makes one for each.
///
/// ```
/// use woody_core::backend_url::ServerUrl;
///
/// let url = ServerUrl::split("town", "town://u:p@a:1,b/shop?colour=red&ours=1").unwrap();
/// assert_eq!(url.hosts(), ["a:1", "b"]);
/// assert_eq!(url.at("b", &["ours"]), "town://u:p@b/shop?colour=red");
/// assert_eq!(url.parameter("ours").as_deref(), Some("1"));
/// ```
#[derive(Clone)]
pub struct ServerUrl<'a> {
    scheme: &'static str,
    /// All before the first host.
    before: &'a str,
    hosts: Vec<&'a str>,
    path: &'a str,
    pairs: Vec<&'a str>,
    is_doubtful: bool,
}

impl<'a> ServerUrl<'a> {
    /// Takes a URL apart. A URL without any host has one whose name is empty.
    ///
    /// # Errors
    /// [`UrlError`], which quotes nothing of the URL.
    pub fn split(scheme: &'static str, url: &'a str) -> Result<Self, UrlError> {
        let malformed = |problem: &str| UrlError::malformed(scheme, problem);
        let Some((name, rest)) = url.split_once("://") else {
            return Err(malformed("`//` must follow the scheme, then a host"));
        };
        let (rest, _) = rest.split_once('#').unwrap_or((rest, ""));
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = place.split_at(place.find('/').unwrap_or(place.len()));
        let login = authority.rfind('@').map_or(0, |at| at + 1);
        let (login, hosts) = authority.split_at(login);
        if login.find('@').is_some_and(|at| login[at..].contains(',')) {
            return Err(malformed(
                "one login stands before all hosts, and an `@` in its password is written %40",
            ));
        }
        let hosts: Vec<&str> = hosts.split(',').collect();
        let has_name = |host: &&str| !host.is_empty() && !host.starts_with(':');
        if hosts.len() > 1 && !hosts.iter().all(has_name) {
            return Err(malformed("between two commas a host must stand"));
        }
        if hosts.len() > MOST_HOSTS {
            return Err(malformed("it names more than 32 hosts"));
        }
        Ok(Self {
            scheme,
            before: &url[..name.len() + "://".len() + login.len()],
            hosts,
            path,
            pairs: query.split('&').filter(|pair| !pair.is_empty()).collect(),
            // The `?` may stand in a password.
            is_doubtful: query.contains('@'),
        })
    }

    /// Returns the hosts as they were written, each with its port if it has one.
    pub fn hosts(&self) -> &[&'a str] {
        &self.hosts
    }

    /// Returns the URL for one of the hosts, without the parameters that are not the
    /// driver's.
    pub fn at(&self, host: &str, without: &[&str]) -> String {
        let is_kept = |pair: &&&str| !without.contains(&name_of(pair));
        let pairs: Vec<&str> = self.pairs.iter().filter(is_kept).copied().collect();
        let mark = if pairs.is_empty() { "" } else { "?" };
        format!("{}{host}{}{mark}{}", self.before, self.path, pairs.join("&"))
    }

    /// Returns a parameter's value, decoded; of several the last.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let pair = self.pairs.iter().rfind(|pair| name_of(pair) == name)?;
        Some(decoded(pair.split_once('=').map_or("", |(_, value)| value)))
    }

    /// Returns a parameter that is a whole number between two bounds.
    ///
    /// # Errors
    /// [`UrlError`] names the bounds.
    pub fn whole(&self, name: &str, least: u32, most: u32) -> Result<Option<u32>, UrlError> {
        let Some(value) = self.parameter(name) else { return Ok(None) };
        let number = value.parse().ok().filter(|number| (least..=most).contains(number));
        let problem = || format!("`{name}` must be a whole number from {least} to {most}");
        number.map(Some).ok_or_else(|| UrlError::malformed(self.scheme, problem()))
    }

    /// Refuses parameters of other names: what would have no effect must not be taken
    /// for a setting that has. A known name like `options[NAME]` stands for any name
    /// between its brackets.
    ///
    /// # Errors
    /// [`UrlError`] names those that are known; the one that is not, unless it may be a
    /// part of a password.
    pub fn only(&self, known: &[&str]) -> Result<(), UrlError> {
        let Some(at) = self.pairs.iter().position(|pair| !is_among(known, &decoded(name_of(pair))))
        else {
            return Ok(());
        };
        let name = name_of(self.pairs[at]);
        let before = at.checked_sub(1).map(|at| name_of(self.pairs[at]));
        let is_a_name = name.len() <= 40
            && name.bytes().all(|byte| byte.is_ascii_alphabetic() || b"_-".contains(&byte))
            && self.pairs[at].contains('=')
            && !self.is_doubtful
            && before != Some("password");
        let which = if is_a_name { format!("`{name}`") } else { "one of its parameters".into() };
        let known = known.join(", ");
        Err(UrlError::malformed(self.scheme, format!("{which} is not known, which are {known}")))
    }
}

/// No part but the scheme is shown: a URL that is malformed may have its password anywhere.
impl fmt::Debug for ServerUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerUrl").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

fn name_of(pair: &str) -> &str {
    pair.split_once('=').map_or(pair, |(name, _)| name)
}

fn is_among(known: &[&str], name: &str) -> bool {
    let is_between_brackets = |known: &str| {
        let head = known.strip_suffix("NAME]");
        head.is_some_and(|head| name.starts_with(head) && name.ends_with(']'))
    };
    known.iter().any(|known| *known == name || is_between_brackets(known))
}

/// Decodes `%2F` and `+`; what is no such escape stays as it is.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match tail {
            [high, low, ..] if *first == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            bytes.push(high * 16 + low);
            rest = &tail[2..];
        } else {
            bytes.push(if *first == b'+' { b' ' } else { *first });
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(url: &str) -> Result<ServerUrl<'_>, UrlError> {
        ServerUrl::split("town", url)
    }

    fn refusal(url: &str) -> String {
        split(url).and_then(|url| url.only(&["colour", "size"])).unwrap_err().to_string()
    }

    #[test]
    fn each_host_has_a_url_of_its_own() {
        for (url, hosts, first) in [
            ("town://a", &["a"][..], "town://a"),
            ("town://a/", &["a"], "town://a/"),
            ("town:///x", &[""], "town:///x"),
            ("town://a,b:2/x?colour=red", &["a", "b:2"], "town://a/x?colour=red"),
            ("town://[::1]:1,[::2]/x", &["[::1]:1", "[::2]"], "town://[::1]:1/x"),
            ("town://u:p,q@a:1,b", &["a:1", "b"], "town://u:p,q@a:1"),
            ("town://u:p@q@a?size=1", &["a"], "town://u:p@q@a?size=1"),
            ("town://u:p@a?size=1&ours=2#x", &["a"], "town://u:p@a?size=1"),
            ("town://a?ours=2", &["a"], "town://a"),
        ] {
            let url = split(url).unwrap();
            assert_eq!(url.hosts(), hosts);
            assert_eq!(url.at(url.hosts()[0], &["ours"]), first);
        }
    }

    #[test]
    fn a_list_with_a_gap_is_refused_and_nothing_is_quoted() {
        for url in ["town://u:hunter2@a,", "town://u:hunter2@,a", "town://u:hunter2@a,:1"] {
            let says = refusal(url);
            assert!(says.contains("a host must stand") && !says.contains("hunter2"), "{says}");
        }
        let many = format!("town://{}", ["a"; 33].join(","));
        assert!(refusal(&many).contains("more than 32 hosts"));
        assert!(refusal("town:a").contains("`//` must follow"));
    }

    #[test]
    fn a_second_login_is_refused_and_not_taken_for_a_password() {
        let says = refusal("town://u:hunter2@a,u:hunter2@b/x");
        assert!(says.contains("one login") && !says.contains("hunter2"), "{says}");
    }

    #[test]
    fn an_unknown_parameter_is_refused_with_those_that_are_known() {
        assert!(refusal("town://a?size=1&color=red").contains("`color` is not known"));
        assert!(refusal("town://a?Size=1").ends_with("which are colour, size"));
        for url in [
            "town://u:hun?hunter=2@a",
            "town://a?hunter2",
            "town://a?password=x&hunter=",
            "town://a?size=1&hunter2=x@y",
        ] {
            let says = split(url).and_then(|url| url.only(&["size", "password"])).unwrap_err();
            assert!(!says.to_string().contains("hunter"), "{says}");
        }
    }

    #[test]
    fn a_name_in_brackets_may_be_any() {
        let only = |url: &str| split(url).unwrap().only(&["size[NAME]"]);
        only("town://a?size[hat]=1&size%5Bshoe%5D=2").unwrap();
        for url in ["town://a?size=1", "town://a?size[hat=1", "town://a?siz[hat]=1"] {
            only(url).unwrap_err();
        }
    }

    #[test]
    fn a_number_has_bounds() {
        let url = split("town://a?size=5&colour=red").unwrap();
        assert_eq!(url.whole("size", 5, 5).unwrap(), Some(5));
        assert_eq!(url.whole("other", 5, 5).unwrap(), None);
        for (name, least) in [("size", 6), ("colour", 0)] {
            let says = url.whole(name, least, 9).unwrap_err().to_string();
            assert!(says.contains(&format!("`{name}` must be a whole number from {least} to 9")));
        }
    }

    #[test]
    fn a_value_is_decoded() {
        let url = split("town://a?x=%2Fa+b%zz%2&x=%2fetc").unwrap();
        assert_eq!(url.parameter("x").as_deref(), Some("/etc"));
        assert_eq!(decoded("%2Fa+b%zz%2"), "/a b%zz%2");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_of_a_url_and_nothing_added(
            login in "([a-z]{1,4}(:[a-z0-9,%:!]{0,6})?@)?",
            hosts in proptest::collection::vec("[a-z0-9.-]{1,6}(:[0-9]{1,5})?", 1..6),
            path in "(/[a-z%0-9]{0,6})?",
            query in "(\\?[a-z]{1,4}=[a-z0-9/]{0,4}(&[a-z]{1,4}=[a-z]{0,4}){0,2})?",
        ) {
            let text = format!("town://{login}{}{path}{query}", hosts.join(","));
            let url = split(&text).unwrap();
            prop_assert_eq!(url.hosts(), &hosts[..]);
            for host in &hosts {
                let expected = format!("town://{login}{host}{path}{query}");
                prop_assert_eq!(url.at(host, &[]), expected);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}") {
            if let Ok(url) = split(&text) {
                let _ = (url.at("host", &["a"]), url.only(&[]), url.parameter("a"));
            }
        }
    }
}
