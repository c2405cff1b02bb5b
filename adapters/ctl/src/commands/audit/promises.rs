//! What clients were promised, as they wrote it down.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use woody_core::domain::OrderId;

use woody_adapters::config::ConfigError;

/// What clients were promised.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Promises {
    pub(super) ids: Vec<OrderId>,
    /// Submits that were promised as more than one order.
    pub(super) doubled: Vec<String>,
}

impl Promises {
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            ConfigError::because(format!("{} cannot be read", path.display()), &error)
        })?;
        Self::parse(&text).map_err(|(line, word)| {
            ConfigError::new(format!("{}:{line}: {word} is no UUID", path.display()))
        })
    }

    /// Reads `ID` or `ID SUBMIT` from each line that is not blank; the error is
    /// the first line without an id, and what stands there.
    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let (mut ids, mut seen) = (Vec::new(), HashSet::new());
        let mut ids_of = HashMap::<&str, HashSet<OrderId>>::new();
        for (n, line) in text.lines().map(str::trim).enumerate().filter(|(_, l)| !l.is_empty()) {
            let (word, submit) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let id = OrderId::parse(word).map_err(|_| (n + 1, word.to_owned()))?;
            if seen.insert(id) {
                ids.push(id);
            }
            if !submit.is_empty() {
                ids_of.entry(submit.trim()).or_default().insert(id);
            }
        }
        let twice = ids_of.into_iter().filter(|(_, ids)| ids.len() > 1);
        let mut doubled: Vec<String> = twice.map(|(submit, _)| submit.to_owned()).collect();
        doubled.sort_unstable();
        Ok(Self { ids, doubled })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_submit_with_two_ids_is_doubled_and_an_id_twice_is_one_promise() {
        let [a, b, c] = [(); 3].map(|()| OrderId::fresh());
        let text = format!("{a} one\n\n{b}\ttwo\n{a} one\n  {c} two \n{b}\n");
        let promises = Promises::parse(&text).unwrap();
        assert_eq!(promises, Promises { ids: vec![a, b, c], doubled: vec!["two".to_owned()] });
    }

    #[test]
    fn a_line_without_an_id_is_named() {
        let text = format!("{}\nnonsense 1\n", OrderId::fresh());
        assert_eq!(Promises::parse(&text), Err((2, "nonsense".to_owned())));
        assert_eq!(Promises::parse("\n"), Ok(Promises::default()));
    }
}
