//! Instances: a JSON object a line, with `name`, `sheets` `[[width, height(, cost)]]`,
//! `pieces` `[[width, height(, count)]]` and `best` by variant. Bounds are computed here.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use woody_cutting::{Part, Problem, Saw, Stock};

/// A problem, and what is known of it.
pub(crate) struct Instance {
    pub(crate) name: String,
    pub(crate) problem: Problem,
    pub(crate) best: Option<u64>,
}

impl Instance {
    /// What it is counted under.
    pub(crate) fn class(&self) -> &str {
        let folder = self.name.split_once('/').map_or(self.name.as_str(), |(folder, _)| folder);
        self.name.split_once(".2bp").map_or(folder, |(class, _)| class)
    }
}

#[derive(Deserialize)]
struct Line {
    name: String,
    sheets: Vec<Vec<u64>>,
    pieces: Vec<Vec<u64>>,
    #[serde(default)]
    best: BTreeMap<String, serde_json::Number>,
}

/// Variants whose values hold for what is planned here, those that fit best first.
const TURNED: [&str; 3] = ["rg3", "rg2", "sheets"];
const FIXED: [&str; 2] = ["og3", "og2"];

/// Reads every `*.jsonl` of `folder`, in the order of names. Knapsacks, whose pieces have a
/// value, are left out.
pub(crate) fn read(folder: &Path, fixed: bool) -> Result<Vec<Instance>, String> {
    let listed =
        std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<_> = listed.filter_map(Result::ok).map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    let mut instances = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file)
            .map_err(|error| format!("{}: {error}", file.display()))?;
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let at = |error: String| format!("{}:{number}: {error}", file.display());
            let line: Line = serde_json::from_str(line).map_err(|error| at(error.to_string()))?;
            if line.pieces.iter().all(|piece| piece.len() < 4) {
                instances.push(line.instance(fixed).map_err(at)?);
            }
        }
    }
    Ok(instances)
}

impl Line {
    fn instance(self, fixed: bool) -> Result<Instance, String> {
        let number =
            |row: &[u64], index: usize, default: u64| row.get(index).copied().unwrap_or(default);
        let side = |row: &[u64], index| u32::try_from(number(row, index, 0)).unwrap_or(u32::MAX);
        let part = |row: &Vec<u64>| Part {
            width_mm: side(row, 0),
            height_mm: side(row, 1),
            count: u32::try_from(number(row, 2, 1)).unwrap_or(u32::MAX),
            may_turn: !fixed,
        };
        let sheet =
            |row: &Vec<u64>| Stock::new(side(row, 0), side(row, 1)).priced(number(row, 2, 1));
        let parts = self.pieces.iter().map(part).collect();
        let problem = Problem::new(parts, self.sheets.iter().map(sheet).collect(), exact())
            .map_err(|error| error.to_string())?;
        let variants = if fixed { &FIXED[..] } else { &TURNED[..] };
        let best = variants
            .iter()
            .find_map(|key| self.best.get(*key).and_then(serde_json::Number::as_u64));
        Ok(Instance { name: self.name, problem, best })
    }
}

/// The saw of the literature.
pub(crate) fn exact() -> Saw {
    Saw { kerf_mm: 0, least_offcut_mm: 1, ..Saw::default() }
}
