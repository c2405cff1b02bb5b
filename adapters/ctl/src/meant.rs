//! What somebody meant who mistyped a name.

use strsim::damerau_levenshtein;

/// Returns the known name that is nearest, if it is near.
pub(crate) fn nearest<'a>(
    typed: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let near = known.into_iter().map(|name| (damerau_levenshtein(name, &typed), name));
    near.filter(|(far, name)| *far <= 1 + name.len() / 5).min().map(|(_, name)| name)
}

/// Returns `: did you mean …?` where a known name is near, and nothing elsewhere.
pub(crate) fn hint<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(typed, known).map_or_else(String::new, |name| format!(": did you mean {name}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_near_is_meant_and_another_is_not() {
        let known = ["pending", "success", "rejected", "failed", "cancelled"];
        for (typed, meant) in [
            ("succes", Some("success")),
            ("Success", Some("success")),
            ("fialed", Some("failed")),
            ("canceled", Some("cancelled")),
            ("done", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
        assert_eq!(hint("pendign", known), ": did you mean pending?");
        assert_eq!(hint("done", known), "");
    }
}
