//! The sentences of the pages, from the tables that their scripts have.

use std::{collections::BTreeMap, sync::LazyLock};

use hyper::{HeaderMap, header::ACCEPT_LANGUAGE};

use crate::http::response::Failure;

/// What the pages say in one language.
#[derive(Debug)]
pub(super) struct Words {
    tag: &'static str,
    name: &'static str,
    sentences: BTreeMap<String, String>,
}

static LANGUAGES: LazyLock<[Words; 2]> = LazyLock::new(|| {
    [
        Words::read("en", "English", include_str!("../../../../../front/shop/en.js")),
        Words::read("fr", "Français", include_str!("../../../../../front/shop/fr.js")),
    ]
});

impl Words {
    /// Reads a table: a module that exports one JSON object. A test holds both files to that.
    fn read(tag: &'static str, name: &'static str, module: &str) -> Self {
        let table = module.trim().strip_prefix("export default").unwrap_or_default();
        let sentences = serde_json::from_str(table.trim_end_matches(';')).unwrap_or_default();
        Self { tag, name, sentences }
    }

    /// Returns the language that was chosen, or the one that the browser likes best.
    pub(super) fn of(asked: &HeaderMap, chosen: Option<&str>) -> &'static Self {
        let known = |tag: &str| LANGUAGES.iter().find(|words| words.tag == tag);
        if let Some(words) = chosen.and_then(known) {
            return words;
        }
        let lists = asked.get_all(ACCEPT_LANGUAGE).iter().filter_map(|list| list.to_str().ok());
        let mut best: Option<(f32, &Self)> = None;
        for range in lists.flat_map(|list| list.split(',')) {
            let (tag, quality) = range.split_once(';').unwrap_or((range, ""));
            let quality = match quality.trim().strip_prefix("q=") {
                Some(quality) => quality.parse().unwrap_or(0.0),
                None => 1.0,
            };
            let primary = tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
            let Some(words) = known(&primary) else { continue };
            // Among equals the first.
            if quality > best.map_or(0.0, |(quality, _)| quality) {
                best = Some((quality, words));
            }
        }
        best.map_or(&LANGUAGES[0], |(_, words)| words)
    }

    /// Returns the other languages, each by its tag and its name.
    pub(super) fn others(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let others = LANGUAGES.iter().filter(|words| words.tag != self.tag);
        others.map(|words| (words.tag, words.name))
    }

    pub(super) fn tag(&self) -> &'static str {
        self.tag
    }

    /// Returns the sentence of `key`.
    pub(super) fn say<'a>(&'a self, key: &'a str) -> &'a str {
        self.sentences.get(key).map_or(key, String::as_str)
    }

    /// Returns what a failure is called, by its kind and its field, not by its text.
    pub(super) fn problem(&self, failure: &Failure) -> &str {
        let kind = failure.kind().slug();
        let field = failure.about().and_then(|field| field.rsplit(['.', '/']).next());
        let exact = field.and_then(|field| self.sentences.get(&format!("problem.{kind}.{field}")));
        exact
            .or_else(|| self.sentences.get(&format!("problem.{kind}")))
            .map_or_else(|| self.say("problem.unavailable"), String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;
    use crate::http::response::FailureKind;

    #[test]
    fn both_tables_are_read_and_have_the_same_keys() {
        let [en, fr] = &*LANGUAGES;
        assert!(en.sentences.len() > 100);
        let keys = |words: &Words| words.sentences.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(en), keys(fr));
        assert_eq!(
            (en.say("orders.place"), fr.say("orders.place")),
            ("Place the order", "Passer la commande")
        );
    }

    #[test]
    fn the_language_is_the_chosen_one_or_the_one_that_is_liked_best() {
        let of = |list: &'static str, chosen| {
            let mut asked = HeaderMap::new();
            asked.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(list));
            Words::of(&asked, chosen).tag()
        };
        for (list, tag) in [
            ("fr-BE,fr;q=0.9,en;q=0.8", "fr"),
            ("nl-BE, en;q=0.3, fr;q=0.7", "fr"),
            ("EN-gb", "en"),
            ("de", "en"),
            ("fr;q=0, en;q=0.1", "en"),
            ("fr;q=often", "en"),
            ("", "en"),
            (";;;,,q=", "en"),
        ] {
            assert_eq!(of(list, None), tag, "{list}");
        }
        assert_eq!((of("en", Some("fr")), of("fr", Some("tlh"))), ("fr", "fr"));
        assert_eq!(
            Words::of(&HeaderMap::new(), None).others().collect::<Vec<_>>(),
            [("fr", "Français")]
        );
    }

    #[test]
    fn a_failure_is_called_by_its_kind_and_its_field() {
        let fr = Words::of(&HeaderMap::new(), Some("fr"));
        let failure =
            Failure::field(FailureKind::InvalidValue, "quantity", "is -1, says the server");
        assert_eq!(fr.problem(&failure), fr.say("problem.invalid-value.quantity"));
        let failure = Failure::field(FailureKind::InvalidValue, "colour", "is none");
        assert_eq!(fr.problem(&failure), fr.say("problem.invalid-value"));
        let failure = Failure::new(FailureKind::BrokenBody, "The body broke off.");
        assert_eq!(fr.problem(&failure), fr.say("problem.unavailable"));
    }
}
