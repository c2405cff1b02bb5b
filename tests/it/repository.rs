//! What is in this repository, as documents may name it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The files of the repository, and what is defined in them.
pub(crate) struct Repository {
    /// Every file, from the root.
    pub(crate) files: BTreeSet<String>,
    /// Every folder, from the root.
    pub(crate) folders: BTreeSet<String>,
    /// The names of tests and of clauses of contracts.
    pub(crate) tests: BTreeSet<String>,
    /// Words of code, scripts and configuration, as far as documents are held against them.
    pub(crate) words: BTreeSet<String>,
    /// Packages, by name, with the folder of each.
    pub(crate) packages: BTreeMap<String, String>,
}

/// Folders that are made, not kept.
const NOT_KEPT: [&str; 4] = [".git", "target", "data", "node_modules"];
const TEXTS: [&str; 12] = [
    "rs",
    "sh",
    "toml",
    "yml",
    "conf",
    "json",
    "py",
    "sql",
    "template",
    "js",
    "envsh",
    "Dockerfile",
];

impl Repository {
    pub(crate) fn read() -> Self {
        let root = Self::root();
        let mut repository = Self {
            files: BTreeSet::new(),
            folders: BTreeSet::new(),
            tests: BTreeSet::new(),
            words: BTreeSet::new(),
            packages: BTreeMap::new(),
        };
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                if path.is_file() {
                    repository.add(&path, name);
                } else if path.is_dir()
                    && !NOT_KEPT.contains(&path.file_name().unwrap().to_str().unwrap())
                {
                    repository.folders.insert(name);
                    folders.push(path);
                }
            }
        }
        repository
    }

    pub(crate) fn root() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
    }

    pub(crate) fn text(name: &str) -> String {
        fs::read_to_string(Self::root().join(name)).unwrap()
    }

    /// The files whose names end with a dot and `kind`.
    pub(crate) fn files_of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a String> {
        self.files.iter().filter(move |file| file.rsplit('.').next() == Some(kind))
    }

    fn add(&mut self, path: &Path, name: String) {
        let kind = name.rsplit('.').next().unwrap();
        if TEXTS.contains(&kind) || name == ".ci/run" {
            let text = fs::read_to_string(path).unwrap();
            if kind == "rs" {
                self.tests.extend(tests_of(&text, name.contains("/contract/")));
            }
            if name.ends_with("Cargo.toml")
                && let Some(package) = text.lines().find_map(|line| line.strip_prefix("name = "))
            {
                let folder = name.trim_end_matches("Cargo.toml").trim_end_matches('/');
                // Below the root it is a program of its own, as an embedder has it.
                let is_outside = !folder.is_empty() && text.contains("\n[workspace]\n");
                if !is_outside {
                    self.packages.insert(package.trim_matches('"').to_owned(), folder.to_owned());
                }
            }
            // This folder names what is missing, in its own tests.
            if !name.starts_with("tests/it/") {
                let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                self.words.extend(words.filter(|word| word.contains('_')).map(str::to_owned));
            }
        }
        self.files.insert(name);
    }

    /// Whether something ends with `name`, component by component.
    pub(crate) fn has_file_called(&self, name: &str) -> bool {
        ends_with(&self.files, name)
    }

    pub(crate) fn has_folder_called(&self, name: &str) -> bool {
        ends_with(&self.folders, name)
    }

    /// Whether `name` begins with a folder of the root.
    pub(crate) fn begins_at_the_root(&self, name: &str) -> bool {
        name.split_once('/').is_some_and(|(first, _)| self.folders.contains(first))
    }

    /// Whether a package in `folder`, or any if there is none, has such a target: an `example`, a `bench`, a `test`, a `bin`.
    pub(crate) fn has_target(&self, folder: Option<&str>, kind: &str, name: &str) -> bool {
        let place = match kind {
            "example" => "examples",
            "bench" => "benches",
            "test" => "tests",
            _ => "src/bin",
        };
        self.packages.values().filter(|package| folder.is_none_or(|folder| folder == *package)).any(
            |package| {
                let at = if package.is_empty() {
                    place.to_owned()
                } else {
                    format!("{package}/{place}")
                };
                self.files.contains(&format!("{at}/{name}.rs"))
                    || self.files.contains(&format!("{at}/{name}/main.rs"))
            },
        )
    }
}

fn ends_with(all: &BTreeSet<String>, name: &str) -> bool {
    all.contains(name)
        || all.iter().any(|file| file.strip_suffix(name).is_some_and(|rest| rest.ends_with('/')))
}

/// The functions below a `#[test]` of any kind; in a contract, every public one.
fn tests_of(text: &str, is_contract: bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim_start) {
        if line.starts_with("#[") {
            is_test |= line.starts_with("#[test") || line.starts_with("#[tokio::test");
        } else if let Some((before, after)) = line.split_once("fn ") {
            if is_test || (is_contract && before.contains("pub")) {
                found.push(after.split(['(', '<']).next().unwrap().to_owned());
            }
            is_test = false;
        } else if !line.starts_with("//") && !line.is_empty() && line.ends_with(['}', ';', '{']) {
            is_test = false;
        }
    }
    found
}
