//! Where a shop is, and what is asked there.

use hyper::http::uri::{Authority, PathAndQuery};

/// Reads where a shop is, without a slash at its end; the error never repeats a password.
pub(super) fn shop(url: &str) -> Result<String, String> {
    let wrong = |what: &str| format!("the shop's URL {what}: it must be http://HOST[:PORT]");
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(wrong("has no scheme"));
    };
    if !scheme.eq_ignore_ascii_case("http") {
        return Err(wrong(&format!("begins with {scheme}://, which load does not speak")));
    }
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains('@') {
        return Err(wrong("holds a user, and the shop knows none"));
    }
    if authority.contains(['/', '?', '#']) {
        return Err(wrong("holds a path or a query, and the shop's paths are fixed"));
    }
    let parsed: Authority =
        authority.parse().map_err(|error| wrong(&format!("has no host ({error})")))?;
    let port = authority.rsplit_once(']').map_or(authority, |(_, after)| after).split_once(':');
    if parsed.host().is_empty() || port.is_some() && parsed.port_u16().is_none_or(|port| port == 0)
    {
        return Err(wrong("needs a host, and a port from 1 to 65535 where it has one"));
    }
    Ok(format!("http://{authority}"))
}

/// A path of the shop, perhaps with a query.
pub(super) fn path(text: &str) -> Result<PathAndQuery, String> {
    if !text.starts_with('/') {
        return Err("must begin with /".to_owned());
    }
    text.parse().map_err(|error| format!("is no path of a URL: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_is_a_host_and_a_port_and_no_more() {
        for (url, is) in [
            ("http://shop", "http://shop"),
            ("HTTP://shop:8080/", "http://shop:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(shop(url).as_deref(), Ok(is));
        }
        for (url, says) in [
            ("shop:8080", "no scheme"),
            ("https://shop", "https://"),
            ("http://", "host"),
            ("http:///", "host"),
            ("http://shop:0", "port from 1"),
            ("http://shop:70000", "port from 1"),
            ("http://shop:", "port from 1"),
            ("http://shop/api", "a path or a query"),
            ("http://shop//", "a path or a query"),
            ("http://shop?x=1", "a path or a query"),
            ("http://shop#top", "a path or a query"),
            ("http://me:hunter2@shop", "a user"),
            ("http://sh op", "no host"),
        ] {
            let error = shop(url).unwrap_err();
            assert!(error.contains(says) && !error.contains("hunter2"), "{url}: {error}");
        }
    }

    #[test]
    fn what_is_asked_too_is_a_path() {
        assert!(path("/api/misc/heavy?name=ark").is_ok());
        assert!(path("api/misc/time").is_err());
        assert!(path("/api/b c").is_err());
    }
}
