use std::{fmt::Write as _, path::PathBuf};

use serde_json::{Value, json};

use super::{
    deployment::Deployment,
    finding::{Finding, Severity},
};
use woody_adapters::terminal::visible;

/// What the doctor says.
#[derive(Debug)]
pub struct Report {
    files: Vec<PathBuf>,
    services: usize,
    findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new(deployment: &Deployment, findings: Vec<Finding>) -> Self {
        Self {
            files: deployment.files().into_iter().map(Into::into).collect(),
            services: deployment.stack.services.len(),
            findings,
        }
    }

    /// What is wrong, the worst first.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How many findings are as bad as this.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// One document for programs.
    pub fn to_json(&self) -> Value {
        json!({
            "files": self.file_names(),
            "services": self.services,
            "errors": self.count(Severity::Error),
            "warnings": self.count(Severity::Warning),
            "findings": self.findings,
        })
    }

    /// As they are shown: a path need not be text.
    fn file_names(&self) -> Vec<String> {
        self.files.iter().map(|file| file.display().to_string()).collect()
    }

    /// What findings are listed under: their service, or their file.
    fn subjects(&self) -> Vec<String> {
        let mut subjects = Vec::new();
        for finding in &self.findings {
            let subject = subject(finding);
            if !subjects.contains(&subject) {
                subjects.push(subject);
            }
        }
        subjects
    }
}

fn subject(finding: &Finding) -> String {
    let place = &finding.place;
    place.service.clone().unwrap_or_else(|| place.file.display().to_string())
}

impl std::fmt::Display for Report {
    /// For people: by service or file, then the sum in the last line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for subject_of_all in self.subjects() {
            writeln!(f, "{}", visible(&subject_of_all))?;
            let here = self.findings.iter().filter(|finding| subject(finding) == subject_of_all);
            for Finding { rule, severity, place, what, why, mend } in here {
                let place = place.to_string();
                writeln!(f, "  {:7}  {rule}  {}", severity.as_str(), visible(&place))?;
                writeln!(f, "           {}", visible(what))?;
                writeln!(f, "           Why: {why}")?;
                writeln!(f, "           Mend: {}", visible(mend))?;
            }
            f.write_char('\n')?;
        }
        writeln!(f, "read {}", visible(&self.file_names().join(", ")))?;
        write!(
            f,
            "{}, {} in {}",
            counted(self.count(Severity::Error), "error"),
            counted(self.count(Severity::Warning), "warning"),
            counted(self.services, "service")
        )
    }
}

fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

#[cfg(all(test, unix))]
mod tests {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    use super::*;
    use crate::doctor::Place;

    #[test]
    fn a_file_name_that_is_no_text_does_not_stop_the_document() {
        let file = PathBuf::from(OsStr::from_bytes(b"st\xffck.yml"));
        let finding = Finding {
            rule: "no-limits",
            severity: Severity::Error,
            place: Place { service: None, file: file.clone(), line: None },
            what: String::new(),
            why: "",
            mend: String::new(),
        };
        let report = Report { files: vec![file], services: 1, findings: vec![finding] }.to_json();
        assert_eq!(report["files"][0], "st\u{fffd}ck.yml");
        assert_eq!(report["findings"][0]["file"], "st\u{fffd}ck.yml");
    }
}
