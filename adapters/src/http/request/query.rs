use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::http::response::{Failure, FailureKind};

/// The parameters of a route, each at most once and none besides.
///
/// ```text
/// let [name, quantity] = query::parse(raw, ["name", "quantity"])?;
/// ```
///
/// # Errors
/// A [`Failure`] that names the first parameter that is unknown, stands twice,
/// has a broken escape or is no UTF-8.
pub(super) fn parse<'q, const N: usize>(
    raw: Option<&'q str>,
    names: [&'static str; N],
) -> Result<[Option<Cow<'q, str>>; N], Failure> {
    let mut values = [const { None }; N];
    for pair in raw.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name, "the name of a parameter")?;
        let Some(i) = names.iter().position(|known| *known == name) else {
            return Err(unknown(&name, &names));
        };
        if values[i].is_some() {
            return Err(Failure::field(FailureKind::DuplicateParameter, names[i], "stands twice"));
        }
        values[i] = Some(decode(value, names[i])?);
    }
    Ok(values)
}

/// The value of a parameter that the route cannot do without.
///
/// # Errors
/// A [`Failure`] that names it.
pub(in crate::http) fn required<'q>(
    value: Option<Cow<'q, str>>,
    name: &'static str,
) -> Result<Cow<'q, str>, Failure> {
    value.ok_or_else(|| {
        Failure::field(FailureKind::MissingParameter, name, format!("is missing: add ?{name}=…"))
    })
}

/// The value of a parameter as a whole number.
///
/// # Errors
/// A [`Failure`] that names it.
pub(in crate::http) fn number(value: &str, name: &'static str) -> Result<i64, Failure> {
    value.parse().map_err(|_| {
        Failure::field(
            FailureKind::InvalidValue,
            name,
            format!("must be a whole number, not {}", quoted(value)),
        )
    })
}

/// Whether the query has a parameter of this name, well formed or not.
pub(super) fn has(raw: Option<&str>, name: &str) -> bool {
    raw.unwrap_or_default()
        .split('&')
        .map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name))
        .any(|found| found == name || percent_decode_str(found).eq(name.bytes()))
}

fn unknown(name: &str, names: &[&'static str]) -> Failure {
    let known = match names {
        [] => "this route takes none".to_owned(),
        names => format!("this route takes {}", names.join(", ")),
    };
    let name: String = name.chars().take(100).collect();
    Failure::field(FailureKind::UnknownParameter, name, format!("is no parameter: {known}"))
}

/// What a client sent, short enough to send back.
pub(in crate::http) fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(50).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

/// Undoes `+` and `%XX`; strict, unlike a browser.
fn decode<'q>(text: &'q str, name: &'static str) -> Result<Cow<'q, str>, Failure> {
    let plain = !text.bytes().any(|b| matches!(b, b'+' | b'%'));
    if plain {
        return Ok(Cow::Borrowed(text));
    }
    let spaced = text.replace('+', " ");
    let bytes = spaced.as_bytes();
    for (i, _) in spaced.match_indices('%') {
        if !bytes.get(i + 1..i + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) {
            return Err(Failure::field(
                FailureKind::MalformedQuery,
                name,
                "has a % that no two hexadecimal digits follow",
            ));
        }
    }
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(decoded) => Ok(Cow::Owned(decoded.into_owned())),
        Err(_) => Err(Failure::field(FailureKind::MalformedQuery, name, "is not UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    fn failure(raw: &str) -> (FailureKind, String) {
        let failure = parse(Some(raw), ["name", "quantity"]).unwrap_err();
        (failure.kind(), failure.detail().to_owned())
    }

    #[test]
    fn parameters_are_found_whatever_their_order() {
        let [name, quantity] =
            parse(Some("quantity=3&&name=a+b%2Bc%C3%A9&"), ["name", "quantity"]).unwrap();
        assert_eq!(name.as_deref(), Some("a b+cé"));
        assert_eq!(quantity.as_deref(), Some("3"));
        let [none, _] = parse(None, ["name", "quantity"]).unwrap();
        assert_eq!(none, None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (raw, kind, says) in [
            ("name=a&name=b", FailureKind::DuplicateParameter, "name stands twice"),
            (
                "nam=a",
                FailureKind::UnknownParameter,
                "nam is no parameter: this route takes name, quantity",
            ),
            ("name=%", FailureKind::MalformedQuery, "name has a %"),
            ("name=%2", FailureKind::MalformedQuery, "name has a %"),
            ("quantity=%zz", FailureKind::MalformedQuery, "quantity has a %"),
            ("name=%ff", FailureKind::MalformedQuery, "name is not UTF-8"),
            ("%ff=1", FailureKind::MalformedQuery, "the name of a parameter is not UTF-8"),
        ] {
            let (found, said) = failure(raw);
            assert_eq!(found, kind, "{raw}");
            assert!(said.starts_with(says), "{raw}: {said}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(name in any::<String>(), quantity in any::<String>()) {
            let raw = format!(
                "name={}&quantity={}",
                utf8_percent_encode(&name, NON_ALPHANUMERIC),
                utf8_percent_encode(&quantity, NON_ALPHANUMERIC),
            );
            let [a, b] = parse(Some(&raw), ["name", "quantity"]).unwrap();
            prop_assert_eq!(a.as_deref(), Some(name.as_str()));
            prop_assert_eq!(b.as_deref(), Some(quantity.as_str()));
            prop_assert!(has(Some(&raw), "quantity"));
        }

        #[test]
        fn no_text_makes_the_parser_panic(raw in "[ -~é]{0,80}") {
            let _ = parse(Some(&raw), ["name", "quantity"]);
            let _ = has(Some(&raw), "name");
        }

        #[test]
        fn no_escapes_make_the_parser_panic(raw in "(name|quantity|&|=|%[0-9a-g]{0,2}|[+]){0,20}") {
            let _ = parse(Some(&raw), ["name", "quantity"]);
        }
    }
}
