//! Variables in a stack file, as `docker stack deploy` fills them in.

/// Fills in the variables of `text`: `$NAME`, `${NAME}`, `${NAME:-default}`,
/// `${NAME-default}`, `${NAME:?why}`, `${NAME?why}`; `$$` is a dollar.
///
/// # Errors
/// What is wrong: a variable that must be set is not, or a `$` begins none of
/// these. It holds nothing of the text but a name: the text may be a password.
pub(super) fn interpolate<'e>(
    text: &str,
    lookup: impl Fn(&str) -> Option<&'e str>,
) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        rest = if let Some(after) = after.strip_prefix('$') {
            filled.push('$');
            after
        } else if let Some(braced) = after.strip_prefix('{') {
            let (inside, after) = braced
                .split_once('}')
                .ok_or_else(|| format!("${{{} has no closing brace", split_name(braced).0))?;
            filled.push_str(&substitute(inside, &lookup)?);
            after
        } else {
            let (name, after) = split_name(after);
            if name.is_empty() {
                return Err("a $ begins no variable: write $$ for a dollar".to_owned());
            }
            filled.push_str(lookup(name).unwrap_or_default());
            after
        };
    }
    filled.push_str(rest);
    Ok(filled)
}

/// What stands for `${inside}`.
fn substitute<'e>(
    inside: &str,
    lookup: &impl Fn(&str) -> Option<&'e str>,
) -> Result<String, String> {
    let (name, operation) = split_name(inside);
    if name.is_empty() {
        return Err("${…} has no name".to_owned());
    }
    let value = lookup(name);
    // With a colon, empty is as good as not set.
    let (operation, value) = match operation.strip_prefix(':') {
        Some(operation) => (operation, value.filter(|value| !value.is_empty())),
        None => (operation, value),
    };
    if operation.contains("${") {
        return Err(format!(
            "${{{name}…}} has a variable in a variable: docker stack deploy ends it at the first }}"
        ));
    }
    if let Some(default) = operation.strip_prefix('-') {
        Ok(value.unwrap_or(default).to_owned())
    } else if let Some(why) = operation.strip_prefix('?') {
        value.map(str::to_owned).ok_or_else(|| match why {
            "" => format!("{name} must be set"),
            why => format!("{name} must be set: {why}"),
        })
    } else if operation.is_empty() && inside == name {
        Ok(value.unwrap_or_default().to_owned())
    } else {
        Err(format!("${{{name}…}} is nothing that docker stack deploy knows"))
    }
}

/// The name that `text` begins with, and what follows.
fn split_name(text: &str) -> (&str, &str) {
    let is_part = |(i, c): (usize, char)| {
        c == '_' || c.is_ascii_alphabetic() || (i > 0 && c.is_ascii_digit())
    };
    let end = text.char_indices().find(|at| !is_part(*at)).map_or(text.len(), |(i, _)| i);
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fill(text: &str) -> Result<String, String> {
        interpolate(text, |name| match name {
            "SET" => Some("value"),
            "EMPTY" => Some(""),
            _ => None,
        })
    }

    #[test]
    fn each_form_is_filled_in() {
        for (text, filled) in [
            ("$SET/${SET}.${NOT}", "value/value."),
            ("${SET:-d} ${EMPTY:-d} ${NOT:-d}", "value d d"),
            ("${SET-d} ${EMPTY-d} ${NOT-d}", "value  d"),
            ("${NOT:-}${NOT:-node.role == worker}", "node.role == worker"),
            ("${SET:?why} ${SET?why} ${EMPTY?why}", "value value "),
            ("$$SET costs 5$$", "$SET costs 5$"),
            ("${NOT:-a:-b?c}", "a:-b?c"),
        ] {
            assert_eq!(fill(text).as_deref(), Ok(filled), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_filled_in_says_so() {
        for (text, says) in [
            ("${NOT:?name a version}", "NOT must be set: name a version"),
            ("${EMPTY:?}", "EMPTY must be set"),
            ("${NOT?}", "NOT must be set"),
            ("5$", "write $$"),
            ("$1", "write $$"),
            ("${SET", "closing brace"),
            ("${}", "no name"),
            ("${1X}", "no name"),
            ("${SET:+other}", "nothing that docker stack deploy knows"),
            ("${SET:}", "nothing that docker stack deploy knows"),
            ("${NOT:-${SET}}", "a variable in a variable"),
        ] {
            let error = fill(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_wrong_repeats_nothing_of_a_value() {
        for text in
            ["hunter2$1", "$1hunter2", "${NOT:-hunter2", "${NOT:-hunter2${X}}", "${NOT+hunter2}"]
        {
            let error = fill(text).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn it_never_panics(text in any::<String>(), braced in "[$]\\{[$A-Z:?{}-]{0,9}") {
            let _ = fill(&text);
            let _ = fill(&braced);
            let _ = fill(&format!("{text}${text}"));
        }

        #[test]
        fn text_without_a_dollar_stays(text in "[^$]*") {
            prop_assert_eq!(fill(&text), Ok(text));
        }

        #[test]
        fn a_dollar_that_is_doubled_comes_back(text in any::<String>()) {
            prop_assert_eq!(fill(&text.replace('$', "$$")), Ok(text));
        }

        #[test]
        fn a_default_is_taken_as_it_is(before in "[^$]*", default in "[^$}]*") {
            let text = format!("{before}${{NOT:-{default}}}{before}");
            prop_assert_eq!(fill(&text), Ok(format!("{before}{default}{before}")));
        }
    }
}
