//! For each rule our own stack, broken in one place: what is changed, and the rule
//! that says so.

mod containers;
mod files;
mod gateway;
mod health;
mod networks;
mod servers;
mod settings;
mod updates;

use super::{Copy, STACK};

/// One broken stack.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    /// The rule that finds it.
    pub(super) rule: &'static str,
    pub(super) edits: &'static [Edit],
}

/// One change of a copy of `stack/`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Edit {
    /// `with` in place of `what`, in a file or in a service of the stack file.
    Replace { file: &'static str, service: &'static str, what: &'static str, with: &'static str },
    /// A line at the beginning of a service.
    Add { service: &'static str, line: &'static str },
    /// A variable that the stack file is filled in from.
    Set { name: &'static str, value: &'static str },
    /// A file with this in it, so many times.
    Write { file: &'static str, text: &'static str, times: usize },
    /// No such file.
    Remove { file: &'static str },
}

/// Every case there is, by subject.
pub(super) fn all() -> impl Iterator<Item = Case> {
    let subjects = [
        gateway::CASES,
        updates::CASES,
        health::CASES,
        servers::CASES,
        settings::CASES,
        containers::CASES,
        files::CASES,
        networks::CASES,
    ];
    subjects.into_iter().flatten().copied()
}

impl Case {
    pub(super) fn apply(self, copy: Copy) -> Copy {
        self.edits.iter().fold(copy, |copy, edit| edit.apply(copy))
    }

    /// For the table in the documentation.
    pub(super) fn words(self) -> String {
        self.edits.iter().map(Edit::words).collect::<Vec<_>>().join("; ")
    }
}

impl Edit {
    fn apply(&self, copy: Copy) -> Copy {
        match *self {
            Self::Replace { file, service: "", what, with } => copy.replace(file, what, with),
            Self::Replace { service, what, with, .. } => copy.service(service, what, with),
            Self::Add { service, line } => copy.add(service, line),
            Self::Set { name, value } => copy.with(name, value),
            Self::Write { file, text, times } => {
                std::fs::create_dir_all(copy.path(file).parent().unwrap()).unwrap();
                std::fs::write(copy.path(file), text.repeat(times)).unwrap();
                copy
            }
            Self::Remove { file } => {
                let path = copy.path(file);
                if path.is_dir() {
                    std::fs::remove_dir_all(path).unwrap();
                } else {
                    std::fs::remove_file(path).unwrap();
                }
                copy
            }
        }
    }

    fn words(&self) -> String {
        let code = |text: &str| {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("`{}`", text.replace('|', "\\|"))
        };
        match *self {
            Self::Replace { file, service, what, with } => {
                let place = if service.is_empty() { file } else { service };
                match with.trim() {
                    "" => format!("{place}: without {}", code(what)),
                    with => format!("{place}: {} for {}", code(with), code(what)),
                }
            }
            Self::Add { service, line } => format!("{service}: {}", code(line)),
            Self::Set { name, value } => code(&format!("{name}={value}")),
            Self::Write { file, times: 1, text } => format!("{file}: {}", code(text)),
            Self::Write { file, text, times } => {
                format!("{file} of {} bytes", text.len() * times)
            }
            Self::Remove { file } => format!("without {file}"),
        }
    }
}

const fn case(rule: &'static str, edits: &'static [Edit]) -> Case {
    Case { rule, edits }
}

const fn in_file(file: &'static str, what: &'static str, with: &'static str) -> Edit {
    Edit::Replace { file, service: "", what, with }
}

const fn in_stack(what: &'static str, with: &'static str) -> Edit {
    in_file(STACK, what, with)
}

const fn in_service(service: &'static str, what: &'static str, with: &'static str) -> Edit {
    Edit::Replace { file: STACK, service, what, with }
}

const fn add(service: &'static str, line: &'static str) -> Edit {
    Edit::Add { service, line }
}

const fn set(name: &'static str, value: &'static str) -> Edit {
    Edit::Set { name, value }
}
