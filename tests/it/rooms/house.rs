//! The modules of a package, and which file needs what of which other.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;
use crate::repository::Repository;

/// A module's names from the root of its package.
type Path = Vec<String>;

/// A package as its modules.
pub(super) struct House {
    modules: BTreeMap<Path, Module>,
}

struct Module {
    file: String,
    source: Source,
}

/// An import: what a file needs of another.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Import {
    /// The module that needs it.
    pub(super) from: Path,
    /// The module that has it.
    pub(super) to: Path,
    /// Its name.
    pub(super) name: String,
}

impl House {
    /// The package whose code is below `folder`, without its programs and tests.
    pub(super) fn read(repository: &Repository, folder: &str) -> Self {
        let below = format!("{folder}/src/");
        let files =
            repository.files_of("rs").filter_map(|file| Some((file, file.strip_prefix(&below)?)));
        Self::of(files.map(|(file, name)| (name.to_owned(), file.clone(), Repository::text(file))))
    }

    /// A package of these files: the name below `src/`, the name from the root of all, the text.
    pub(super) fn of(files: impl Iterator<Item = (String, String, String)>) -> Self {
        let modules = files.filter_map(|(name, file, text)| {
            let mut path: Path =
                name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
            if path[0] == "bin" || path.iter().any(|part| part == "tests") {
                return None;
            }
            if matches!(path.last().unwrap().as_str(), "mod" | "lib" | "main") {
                path.pop();
            }
            Some((path, Module { file, source: Source::read(&text) }))
        });
        Self { modules: modules.collect() }
    }

    pub(super) fn file(&self, module: &[String]) -> &str {
        &self.modules[module].file
    }

    pub(super) fn files(&self) -> usize {
        self.modules.len()
    }

    /// What the modules need of each other. Handing on (`pub use` of what is below) is no need.
    pub(super) fn imports(&self) -> BTreeSet<Import> {
        let mut imports = BTreeSet::new();
        for (from, module) in &self.modules {
            let mut add = |inline: &[String], names: &[String]| {
                let Some(path) = self.absolute(from, inline, names) else { return };
                let to = self.owner(&path, 0);
                if to != *from {
                    let name = path.last().cloned().unwrap_or_default();
                    imports.insert(Import { from: from.clone(), to, name });
                }
            };
            for one in &module.source.uses {
                let hands_on = one.is_public
                    && self
                        .absolute(from, &one.inline, &one.names)
                        .is_some_and(|path| path.starts_with(from));
                if !hands_on {
                    add(&one.inline, &one.names);
                }
            }
            for written in &module.source.paths {
                let first = Some(written.names[0].as_str());
                let mut uses = module.source.uses.iter();
                // The first name may be a module that was brought in.
                match uses
                    .find(|one| one.called.as_deref() == first && one.inline == written.inline)
                {
                    Some(one) => {
                        let path = self.absolute(from, &one.inline, &one.names);
                        if path.is_some_and(|path| self.modules.contains_key(&path)) {
                            add(&one.inline, &[&one.names, &written.names[1..]].concat());
                        }
                    }
                    None => add(&written.inline, &written.names),
                }
            }
        }
        imports
    }

    /// The path from the root; none if it leads out of the package.
    fn absolute(&self, from: &[String], inline: &[String], names: &[String]) -> Option<Path> {
        let mut path: Path = [from, inline].concat();
        let mut rest = names;
        match names.first()?.as_str() {
            "crate" => {
                path.clear();
                rest = &names[1..];
            }
            "self" => rest = &names[1..],
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    path.pop()?;
                    rest = &rest[1..];
                }
            }
            first => {
                path.push(first.to_owned());
                if !self.modules.contains_key(&path) {
                    return None;
                }
                rest = &names[1..];
            }
        }
        path.extend(rest.iter().cloned());
        Some(path)
    }

    /// The module in which the thing at `path` is written down.
    fn owner(&self, path: &[String], depth: usize) -> Path {
        let mut length = path.len();
        while !self.modules.contains_key(&path[..length]) {
            length -= 1;
        }
        let (module, rest) = path.split_at(length);
        let source = &self.modules[module].source;
        let (Some(name), true) = (rest.first(), depth < 8) else { return module.to_vec() };
        if source.defines.contains(name) {
            return module.to_vec();
        }
        // A name of its own goes before what `*` brings in.
        let named = source.uses.iter().filter(|one| one.called.as_ref() == Some(name));
        let all = source.uses.iter().filter(|one| one.called.is_none());
        for one in named.chain(all) {
            let Some(target) = self.absolute(module, &one.inline, &one.names) else { continue };
            if one.called.is_some() {
                return self.owner(&[&target, &rest[1..]].concat(), depth + 1);
            }
            if self.hands_out(&target, name) {
                return self.owner(&[&target, rest].concat(), depth + 1);
            }
        }
        module.to_vec()
    }

    fn hands_out(&self, module: &[String], name: &str) -> bool {
        self.modules.get(module).is_some_and(|module| {
            let mut handed_on = module.source.uses.iter().filter(|one| one.is_public);
            module.source.defines.contains(name)
                || handed_on.any(|one| one.called.as_deref() == Some(name))
        })
    }
}
