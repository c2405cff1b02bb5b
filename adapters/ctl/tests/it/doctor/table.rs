//! Every rule, a broken stack that it finds, and the sentence it says: tested, and
//! written down in docs/doctor.md.

use std::{collections::BTreeSet, fmt::Write as _, path::Path, sync::LazyLock};

use regex::Regex;
use woodyctl::doctor::{Finding, Report, rules};

use super::{
    cases::{self, Case},
    ours,
};

const DOCUMENT: &str = "../../docs/doctor.md";
/// The table stands between these.
const BEGIN: &str = "<!-- begin of the table -->\n";
const END: &str = "<!-- end of the table -->\n";

/// A file and the line of it.
static LINE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(\.(?:conf|template|yml|json)):\d+").unwrap());

/// A case and what the doctor says of it.
struct Examined {
    case: Case,
    report: Report,
    folder: String,
}

/// All of them, examined once.
static EXAMINED: LazyLock<Vec<Examined>> = LazyLock::new(|| {
    let examined = cases::all().map(|case| {
        let copy = case.apply(ours());
        let folder = format!("{}/", copy.folder.path().display());
        Examined { case, report: copy.examine(), folder }
    });
    examined.collect()
});

#[test]
fn every_broken_stack_is_found_by_its_rule_and_by_no_other() {
    let mut wrong = Vec::new();
    for Examined { case, report, .. } in &*EXAMINED {
        let found: BTreeSet<_> = report.findings().iter().map(|finding| finding.rule).collect();
        if found != BTreeSet::from([case.rule]) {
            wrong.push(format!("{} ({}): {report}", case.rule, case.words()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_rule_has_a_broken_stack() {
    let tested: BTreeSet<_> = cases::all().map(|case| case.rule).collect();
    let rules: BTreeSet<_> = rules().iter().map(|rule| rule.id).collect();
    assert_eq!(tested, rules);
}

#[test]
fn no_rule_is_named_twice_and_none_finds_worse_than_it_says() {
    let mut seen = BTreeSet::new();
    for rule in rules() {
        assert!(seen.insert(rule.id), "{}", rule.id);
        assert!(rule.finds.len() > 10 && !rule.finds.ends_with('.'), "{}", rule.finds);
    }
    for finding in EXAMINED.iter().flat_map(|examined| examined.report.findings()) {
        let rule = rules().iter().find(|rule| rule.id == finding.rule).unwrap();
        assert!(finding.severity <= rule.severity, "{finding:?}");
        is_whole(finding);
    }
}

/// Whether a finding says all that it should.
fn is_whole(finding: &Finding) {
    for text in [finding.what.as_str(), finding.why] {
        assert!(text.len() > 10 && !text.contains("  "), "{finding:?}");
    }
    assert!(finding.mend.len() > 5 && !finding.mend.contains("  "), "{finding:?}");
    assert!(finding.why.ends_with(['.', ')']) && !finding.mend.ends_with('.'), "{finding:?}");
    assert!(finding.place.line.is_some_and(|line| line > 0), "{finding:?}");
}

/// `WOODY_WRITE_DOCS=1 cargo test -p woodyctl --test it doctor::table` writes it.
#[test]
fn the_document_says_what_the_rules_do() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    let document = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once(BEGIN).expect("the table begins");
    let (_, after) = rest.split_once(END).expect("the table ends");
    let written = format!("{before}{BEGIN}{}{END}{after}", table());
    if std::env::var_os("WOODY_WRITE_DOCS").is_some() {
        std::fs::write(&path, &written).unwrap();
    }
    let document = std::fs::read_to_string(&path).unwrap();
    assert!(document == written, "docs/doctor.md is old: run this test with WOODY_WRITE_DOCS=1");
}

fn table() -> String {
    let mut table = "| rule | a broken stack | what it says |\n| --- | --- | --- |\n".to_owned();
    for rule in rules() {
        let Examined { case, report, folder } =
            EXAMINED.iter().find(|examined| examined.case.rule == rule.id).unwrap();
        let finding = &report.findings()[0];
        let [what, mend] = [&finding.what, &finding.mend].map(|text| {
            let text = text.replace(folder, "").replace('|', "\\|");
            // Which line it is changes with every other change of the file.
            LINE.replace_all(&text, "$1").into_owned()
        });
        writeln!(
            table,
            "| `{}` ({}): {} | {} | {what}. {} *Mend:* {mend} |",
            rule.id,
            rule.severity.as_str(),
            rule.finds,
            case.words(),
            finding.why,
        )
        .unwrap();
    }
    table
}
