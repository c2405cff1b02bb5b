use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use woody_core::workshop::{Effort, Saw, Sheet, Workshop};

use super::{ConfigError, text_file};

/// What the workshop has.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Heavy work")]
pub struct WorkshopArgs {
    /// TOML file of sheets, saw and effort; boards of 2440 x 1220 mm and their parts without one.
    #[arg(long, env = "WOODY_WORKSHOP", value_name = "FILE")]
    pub workshop: Option<PathBuf>,
}

/// A file of more bytes than this is no workshop's.
const MOST_BYTES: u64 = 256 * 1024;

impl WorkshopArgs {
    /// Returns the workshop of the file, or the usual one.
    ///
    /// # Errors
    /// [`ConfigError`] that names the file, the line and what is wrong there.
    pub fn open(&self) -> Result<Workshop, ConfigError> {
        // A stack file writes `${WOODY_WORKSHOP:-}`, so empty is none.
        match self.workshop.as_deref().filter(|file| !file.as_os_str().is_empty()) {
            None => Ok(Workshop::default()),
            Some(file) => {
                let wrong = |what: String| {
                    ConfigError::new(format!("WOODY_WORKSHOP: {}{what}", file.display()))
                };
                let text = text_file::read(file, MOST_BYTES)
                    .map_err(|problem| wrong(format!(": {problem}")))?;
                parse(&text).map_err(|problem| wrong(problem.to_string()))
            }
        }
    }
}

/// Where in the file something is wrong, and what.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error(":{line}: {what}")]
    Line { line: usize, what: String },
    #[error(": {0}")]
    Whole(String),
}

/// The file, as it is written.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    saw: Saw,
    max_sheets: u32,
    effort: EffortName,
    sheet: Vec<Sheet>,
}

impl Default for File {
    fn default() -> Self {
        Self { saw: Saw::default(), max_sheets: 250, effort: EffortName::Balanced, sheet: vec![] }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EffortName {
    Fast,
    Balanced,
    Thorough,
}

fn parse(text: &str) -> Result<Workshop, Problem> {
    let file: File = toml::from_str(text).map_err(|error| {
        let what = error.message().to_owned();
        match error.span() {
            Some(span) => Problem::Line { line: line(text, span.start), what },
            None => Problem::Whole(what),
        }
    })?;
    let sheets =
        if file.sheet.is_empty() { Workshop::default().sheets().to_vec() } else { file.sheet };
    let effort = match file.effort {
        EffortName::Fast => Effort::FAST,
        EffortName::Balanced => Effort::BALANCED,
        EffortName::Thorough => Effort::THOROUGH,
    };
    Workshop::new(sheets, file.saw, file.max_sheets)
        .map(|workshop| workshop.with_effort(effort))
        .map_err(|invalid| Problem::Whole(invalid.to_string()))
}

/// The number of the line in which the byte `at` is.
fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use woody_core::workshop::Stages;

    use super::*;

    #[test]
    fn an_empty_file_is_the_usual_workshop() {
        assert_eq!(parse(""), Ok(Workshop::default()));
    }

    #[test]
    fn everything_that_a_workshop_has_can_be_set() {
        let text = "
            max_sheets = 40
            effort = 'thorough'

            [saw]
            kerf_mm = 4
            trim_mm = 10
            stages = 'three'
            least_offcut_mm = 200

            [[sheet]]
            name = 'plywood'
            width_mm = 2500
            height_mm = 1250
            price = 4900

            [[sheet]]
            name = 'rest of Tuesday'
            width_mm = 900
            height_mm = 500
            price = 100
            at_hand = 1
        ";
        let sheets = vec![
            Sheet::new("plywood", 2_500, 1_250).priced(4_900),
            Sheet::new("rest of Tuesday", 900, 500).priced(100).limited(1),
        ];
        let saw = Saw { kerf_mm: 4, trim_mm: 10, stages: Stages::Three, least_offcut_mm: 200 };
        let wanted = Workshop::new(sheets, saw, 40).unwrap().with_effort(Effort::THOROUGH);
        assert_eq!(parse(text), Ok(wanted));
    }

    #[test]
    fn every_kind_of_stages_is_set_by_its_word() {
        for (word, stages) in [
            ("two", Stages::Two),
            ("three", Stages::Three),
            ("any", Stages::Any),
            ("free", Stages::Free),
        ] {
            let workshop = parse(&format!("[saw]\nstages = '{word}'")).unwrap();
            assert_eq!(workshop.saw().stages, stages);
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, says) in [
            (
                "[saw]\nkerf = 3",
                ":2: unknown field `kerf`, expected one of `kerf_mm`, `trim_mm`, `stages`, `least_offcut_mm`",
            ),
            ("\n[saw]\nkerf_mm = '3'", ":3: invalid type: string \"3\", expected u32"),
            ("max_sheets = -1", ":1: invalid value: integer `-1`, expected u32"),
            (
                "effort = 'much'",
                ":1: unknown variant `much`, expected one of `fast`, `balanced`, `thorough`",
            ),
            (
                "[saw]\nkerf_mm = 6\nstages = 'nested'",
                ":3: unknown variant `nested`, expected one of `two`, `three`, `any`, `free`",
            ),
            ("[[sheet]]\nname = 'board'\nwidth_mm = 9", ":1: missing field `height_mm`"),
            ("max_sheets = 0", ": max_sheets must be 1 to 100000"),
            (
                "[[sheet]]\nname = 'b'\nwidth_mm = 9\nheight_mm = 0",
                ": sheets [0] must have sides of 1 to 20000 mm",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), says, "{text}");
        }
        let broken = parse("saw = ").unwrap_err();
        assert!(matches!(broken, Problem::Line { line: 1, .. }), "{broken}");
    }

    #[test]
    fn a_file_that_does_not_end_is_refused() {
        let args = WorkshopArgs { workshop: Some("/dev/zero".into()) };
        let error = args.open().unwrap_err().to_string();
        assert!(error.ends_with("has 262144 bytes at most"), "{error}");
    }

    #[test]
    fn a_file_that_is_not_there_is_named_with_its_variable() {
        let args = WorkshopArgs { workshop: Some("/nowhere/workshop.toml".into()) };
        let error = args.open().unwrap_err().to_string();
        assert_eq!(
            error,
            "WOODY_WORKSHOP: /nowhere/workshop.toml: No such file or directory (os error 2)"
        );
        assert_eq!(
            WorkshopArgs { workshop: Some(PathBuf::new()) }.open().unwrap(),
            Workshop::default()
        );
    }
}
