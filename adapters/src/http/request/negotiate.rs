use hyper::{
    HeaderMap,
    header::{ACCEPT, ACCEPT_ENCODING},
};

/// Chooses among what a route offers (`type/subtype`, the default first) what
/// the client likes best, as RFC 9110 has it; `None` when it accepts none.
///
/// An empty list is as none. Among equals the one that was named more exactly wins, then the first.
pub(in crate::http) fn choose(headers: &HeaderMap, offers: &[&str]) -> Option<usize> {
    let accepts = headers.get_all(ACCEPT).iter().map(|value| value.to_str().unwrap_or("?"));
    let mut ranges = accepts
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|range| !range.is_empty())
        .peekable();
    if ranges.peek().is_none() {
        return Some(0);
    }
    let ranges: Vec<Range<'_>> = ranges.filter_map(Range::parse).collect();
    let mut best = None;
    for (i, offer) in offers.iter().enumerate() {
        let fitting = ranges.iter().filter_map(|range| Some((range.fits(offer)?, range.quality)));
        let Some((exactness, quality)) = fitting.max_by_key(|(exactness, _)| *exactness) else {
            continue;
        };
        let rank = (quality, exactness);
        if quality > 0 && best.is_none_or(|(_, other)| rank > other) {
            best = Some((i, rank));
        }
    }
    best.map(|(i, _)| i)
}

/// Whether the client likes a body packed by gzip at least as well as one that is not, as RFC 9110 has it in 12.5.3.
pub(in crate::http) fn reads_gzip(headers: &HeaderMap) -> bool {
    let (mut gzip, mut any, mut plain) = (None, None, None);
    let lists = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    for coding in lists.flat_map(|list| list.split(',')) {
        let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
        let name = name.trim();
        let liked = if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            &mut gzip
        } else if name == "*" {
            &mut any
        } else if name.eq_ignore_ascii_case("identity") {
            &mut plain
        } else {
            continue;
        };
        *liked = quality(parameters.split(';'));
    }
    let gzip = gzip.or(any).unwrap_or(0);
    gzip > 0 && gzip >= plain.unwrap_or(0)
}

/// Reads the `q` among parameters, in thousandths; 1,000 where there is none, none where it cannot be read.
fn quality<'p>(mut parameters: impl Iterator<Item = &'p str>) -> Option<u16> {
    let q = parameters.find_map(|parameter| {
        let (name, q) = parameter.trim().split_once('=')?;
        name.eq_ignore_ascii_case("q").then_some(q)
    });
    q.map_or(Some(1_000), thousandths)
}

struct Range<'a> {
    main_type: &'a str,
    subtype: &'a str,
    /// In thousandths.
    quality: u16,
}

impl<'a> Range<'a> {
    /// Reads `type/subtype;q=0.5`; what is none is passed over.
    fn parse(text: &'a str) -> Option<Self> {
        let mut parameters = text.split(';');
        let (main_type, subtype) = parameters.next()?.trim().split_once('/')?;
        let quality = quality(parameters)?;
        Some(Self { main_type, subtype, quality })
    }

    /// How exactly it names `offer`, if it does.
    fn fits(&self, offer: &str) -> Option<u8> {
        let (main_type, subtype) = offer.split_once('/')?;
        let is_of_type = self.main_type.eq_ignore_ascii_case(main_type);
        match (self.main_type, self.subtype) {
            ("*", "*") => Some(0),
            (_, "*") if is_of_type => Some(1),
            (_, found) if is_of_type && found.eq_ignore_ascii_case(subtype) => Some(2),
            _ => None,
        }
    }
}

/// Reads `0`, `0.5`, `1.000`.
fn thousandths(q: &str) -> Option<u16> {
    let (whole, fraction) = q.split_once('.').unwrap_or((q, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{fraction:0<3}").parse::<u16>().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn gzip_is_for_those_who_name_it_or_take_anything() {
        let reads = |accepts: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in accepts {
                headers.append(ACCEPT_ENCODING, HeaderValue::from_str(value).unwrap());
            }
            reads_gzip(&headers)
        };
        for accepts in [
            &["gzip"][..],
            &["gzip, deflate, br, zstd"],
            &["br", "GZip"],
            &["x-gzip"],
            &["*"],
            &["br;q=1.0, gzip;q=0.8, *;q=0.1"],
            &["identity;q=0.5, gzip;q=0.5"],
            &["gzip;foo=bar;q=0.001"],
        ] {
            assert!(reads(accepts), "{accepts:?}");
        }
        for accepts in [
            &[][..],
            &[""],
            &["identity"],
            &["br"],
            &["gzip;q=0"],
            &["*, gzip;q=0"],
            &["*;q=0"],
            &["identity, gzip;q=0.5"],
            &["gzip;q=nonsense"],
            &["gzipped"],
        ] {
            assert!(!reads(accepts), "{accepts:?}");
        }
    }

    const OFFERS: [&str; 3] = ["text/plain", "application/json", "image/svg+xml"];

    fn chosen(accept: &str) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
        choose(&headers, &OFFERS).map(|i| OFFERS[i])
    }

    #[test]
    fn the_default_goes_to_whoever_does_not_mind() {
        assert_eq!(choose(&HeaderMap::new(), &OFFERS), Some(0));
        for accept in ["*/*", "text/*", "text/html, */*;q=0.1", "Text/Plain"] {
            assert_eq!(chosen(accept), Some("text/plain"), "{accept}");
        }
    }

    #[test]
    fn the_highest_quality_wins_then_the_exactest_then_the_first() {
        assert_eq!(chosen("application/json"), Some("application/json"));
        assert_eq!(chosen("application/json, */*"), Some("application/json"));
        assert_eq!(chosen("application/json, text/plain"), Some("text/plain"));
        assert_eq!(chosen("application/json;q=0.5, image/svg+xml"), Some("image/svg+xml"));
        assert_eq!(chosen("image/avif,image/*,*/*;q=0.8"), Some("image/svg+xml"));
        assert_eq!(chosen("*/*, text/plain;q=0"), Some("application/json"));
        assert_eq!(
            chosen("application/json;v=1;q=0.9, text/plain;q=0.8"),
            Some("application/json")
        );
    }

    #[test]
    fn nothing_fits_sometimes() {
        for accept in ["text/html", "text/plain;q=0", "nonsense", "text/plain;q=7", "/", ",x"] {
            assert_eq!(chosen(accept), None, "{accept}");
        }
    }
}
