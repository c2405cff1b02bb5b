//! The gateway's configuration: its files as nginx sees them together.

use std::{
    ops::Deref,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    files::{Unreadable, read_file},
    finding::Place,
    nginx::{self, Directive},
    service::Variable,
    stack_file::Stack,
};

/// The gateway's configuration.
#[derive(Debug)]
pub(super) struct Gateway {
    files: Vec<(PathBuf, Vec<Directive>)>,
}

/// A directive and the file it stands in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'g> {
    file: &'g Path,
    pub(super) directive: &'g Directive,
}

/// How long Docker's DNS lets a response be kept.
const DOCKER_TTL: Duration = Duration::from_mins(10);

impl Gateway {
    /// Reads `files`; if there are none, those beside the stack file or those
    /// that the gateway has as `configs:`.
    pub(super) fn read(stack: &Stack, files: &[PathBuf]) -> Result<Option<Self>, Unreadable> {
        let mut paths = files.to_vec();
        if paths.is_empty() {
            paths.extend(Some(stack.beside("gateway/nginx.conf")).filter(|path| path.is_file()));
            let templates = stack.beside("gateway/templates");
            if templates.is_dir() {
                find_templates(&templates, &mut paths)?;
            }
        }
        if let Some(gateway) = stack.gateway().filter(|_| paths.is_empty()) {
            let is_nginx = |path: &PathBuf| {
                path.is_file() && (has_extension(path, "conf") || is_template(path))
            };
            paths = stack.config_files(gateway).into_iter().filter(is_nginx).collect();
        }
        let variables = stack.gateway().map_or(&[][..], |gateway| &gateway.environment);
        let read = |path: PathBuf| {
            let mut text = read_file(&path)?;
            if is_template(&path) {
                text = fill(&text, variables);
            }
            let directives = nginx::parse(&text)
                .map_err(|error| Unreadable::new(&path, Some(error.line), error.what))?;
            Ok((path, directives))
        };
        let files = paths.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok((!files.is_empty()).then_some(Self { files }))
    }

    #[cfg(test)]
    pub(super) fn of(file: &Path, directives: Vec<Directive>) -> Self {
        Self { files: vec![(file.to_owned(), directives)] }
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(path, _)| path.as_path())
    }

    /// What is at the level of `http`. A file that has no `http` of its own is
    /// included there.
    pub(super) fn http(&self) -> Vec<Seen<'_>> {
        let mut seen = Vec::new();
        for (file, directives) in &self.files {
            let mut blocks = directives.iter().filter(|d| d.name == "http").peekable();
            if blocks.peek().is_none() {
                seen.extend(directives.iter().map(|directive| Seen { file, directive }));
            } else {
                let inside = blocks.flat_map(Directive::children);
                seen.extend(inside.map(|directive| Seen { file, directive }));
            }
        }
        seen
    }

    /// Those of this name at the level of `http`.
    pub(super) fn http_named(&self, name: &str) -> impl Iterator<Item = Seen<'_>> {
        self.http().into_iter().filter(move |seen| seen.name == name)
    }

    /// Every directive at every level.
    pub(super) fn everywhere(&self) -> Vec<Seen<'_>> {
        fn add<'g>(file: &'g Path, directives: &'g [Directive], seen: &mut Vec<Seen<'g>>) {
            for directive in directives {
                seen.push(Seen { file, directive });
                add(file, directive.children(), seen);
            }
        }
        let mut seen = Vec::new();
        for (file, directives) in &self.files {
            add(file, directives, &mut seen);
        }
        seen
    }

    /// The `resolver` that keeps an address longest, and how long.
    pub(super) fn slowest_resolver(&self) -> Option<(Seen<'_>, Duration)> {
        let resolvers = self.everywhere().into_iter().filter(|seen| seen.name == "resolver");
        resolvers
            .map(|seen| {
                let valid = seen.directive.args.iter().find_map(|arg| arg.strip_prefix("valid="));
                (seen, valid.and_then(nginx_time).unwrap_or(DOCKER_TTL))
            })
            .max_by_key(|(_, kept)| *kept)
    }

    /// The `server`s of every `upstream`, and the names they have.
    pub(super) fn upstream_servers(&self) -> Vec<UpstreamServer<'_>> {
        let mut servers = Vec::new();
        for upstream in self.http_named("upstream") {
            for server in upstream.children_seen().filter(|seen| seen.name == "server") {
                let host = host_of(server.directive.arg(0));
                servers.push(UpstreamServer { upstream, server, host });
            }
        }
        servers
    }
}

/// A `server` of an `upstream`.
#[derive(Debug, Clone, Copy)]
pub(super) struct UpstreamServer<'g> {
    pub(super) upstream: Seen<'g>,
    pub(super) server: Seen<'g>,
    pub(super) host: &'g str,
}

impl Seen<'_> {
    pub(super) fn place(&self) -> Place {
        Place { service: None, file: self.file.to_owned(), line: Some(self.directive.line) }
    }

    /// What is in its block.
    pub(super) fn children_seen(self) -> impl Iterator<Item = Self> {
        self.directive.children().iter().map(move |directive| Seen { file: self.file, directive })
    }
}

impl Deref for Seen<'_> {
    type Target = Directive;

    fn deref(&self) -> &Directive {
        self.directive
    }
}

impl std::fmt::Display for Seen<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.directive.name)?;
        self.directive.args.iter().try_for_each(|arg| write!(f, " {arg}"))
    }
}

/// The port of `host:port`, which is 80 unless it is said.
pub(super) fn port_of(address: &str) -> Option<u16> {
    address.split_once(':').map_or(Some(80), |(_, port)| port.parse().ok())
}

/// The host of `host:port` or `scheme://host:port/path`.
pub(super) fn host_of(address: &str) -> &str {
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    address.split(['/', ':']).next().unwrap_or_default()
}

/// Reads a time as nginx writes it: seconds, or `1m30s`.
pub(super) fn nginx_time(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    humantime::parse_duration(text).ok()
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

fn is_template(path: &Path) -> bool {
    has_extension(path, "template")
}

/// Every template below `folder`, by name.
fn find_templates(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Unreadable> {
    let failed =
        |error: std::io::Error| Unreadable::new(folder, None, format!("cannot be read: {error}"));
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    for path in paths {
        // A link may lead back up.
        if path.is_dir() && !path.is_symlink() {
            find_templates(&path, found)?;
        } else if is_template(&path) {
            found.push(path);
        }
    }
    Ok(())
}

/// Fills in a template, as the image does when its container starts. A variable
/// that the stack file does not give is made there; alone on its line it stands
/// for whole directives, which are not known here.
fn fill(text: &str, variables: &[Variable]) -> String {
    let lines = text.lines().map(|line| {
        let mut line = line.to_owned();
        for variable in variables.iter().filter(|variable| !variable.value.contains('\n')) {
            line = line.replace(&format!("${{{}}}", variable.name), &variable.value);
        }
        let alone = line.trim();
        if alone.starts_with("${") && alone.find('}') == Some(alone.len() - 1) {
            line.clear();
        }
        line + "\n"
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_keeps_its_lines() {
        let place = Place { service: None, file: PathBuf::new(), line: None };
        let variables = ["LIMIT", "UNUSED"].map(|name| Variable {
            name: name.to_owned(),
            value: "10".to_owned(),
            place: place.clone(),
        });
        let text = "geo $a {\n    ${LINES}\n}\nrate ${LIMIT}r/s ${OTHER};\n";
        assert_eq!(fill(text, &variables), "geo $a {\n\n}\nrate 10r/s ${OTHER};\n");
    }

    #[test]
    fn hosts_are_found_in_addresses_and_urls() {
        for (address, host) in [
            ("misc-service:5000", "misc-service"),
            ("http://misc/api?x", "misc"),
            ("https://$name:80", "$name"),
            ("unix:/run/x", "unix"),
            ("", ""),
        ] {
            assert_eq!(host_of(address), host);
        }
    }

    #[test]
    fn times_have_units_or_are_seconds() {
        for (text, seconds) in [("30", 30), ("1s", 1), ("1m30s", 90), ("1h", 3_600)] {
            assert_eq!(nginx_time(text), Some(Duration::from_secs(seconds)));
        }
        assert_eq!(nginx_time("soon"), None);
    }
}
