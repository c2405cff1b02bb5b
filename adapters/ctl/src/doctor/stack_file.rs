//! A stack's files as one, and its services.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    files::{Unreadable, read_file},
    finding::Place,
    images::Image,
    interpolate::interpolate,
    lines::{At, Lines},
    merge::merge,
    parts::{self, Grant, Mount, Port},
    service::{Health, Service, Variable},
    settings::go_duration,
    tree::{Entry, Node, ScalarKind, Value},
};

/// A stack.
#[derive(Debug)]
pub(super) struct Stack {
    pub(super) lines: Arc<Lines>,
    /// Its files on top of each other, their variables filled in.
    pub(super) tree: Node,
    pub(super) services: Vec<Service>,
}

/// Where `docker stack deploy` fills in variables.
const SECTIONS: [&str; 5] = ["services", "volumes", "networks", "secrets", "configs"];

impl Stack {
    /// Reads the files, of which the later count more, and what they name as
    /// `env_file`.
    pub(super) fn read(
        files: &[PathBuf],
        environment: &HashMap<String, String>,
    ) -> Result<Self, Unreadable> {
        let mut lines = Lines::default();
        let mut whole: Option<Node> = None;
        for file in files {
            let text = read_file(file)?;
            let mut tree = read_tree(file, &text, environment)?;
            tree.move_down(lines.add(file, &text));
            match &mut whole {
                Some(base) => merge(base, tree),
                None => whole = Some(tree),
            }
        }
        let file = lines.first().to_owned();
        let tree =
            whole.filter(|tree| tree.get("services").is_some_and(|s| !s.entries().is_empty()));
        let Some(tree) = tree else {
            return Err(Unreadable::new(&file, None, "is no stack file: it has no services"));
        };
        let lines = Arc::new(lines);
        let reader = Reader { lines: &lines, environment };
        let services = tree.get("services").map_or(&[][..], Node::entries).iter();
        let services = services.map(|entry| reader.service(entry)).collect::<Result<_, _>>()?;
        Ok(Self { lines, tree, services })
    }

    /// The first of its files.
    pub(super) fn file(&self) -> &Path {
        self.lines.first()
    }

    /// A file beside it.
    pub(super) fn beside(&self, path: &str) -> PathBuf {
        beside(self.file(), path)
    }

    /// What a section defines.
    pub(super) fn section(&self, name: &str) -> &[Entry] {
        self.tree.get(name).map_or(&[], Node::entries)
    }

    /// What a section defines under a name.
    pub(super) fn defined(&self, section: &str, name: &str) -> Option<&Entry> {
        self.tree.get(section)?.entry(name)
    }

    /// A line of no service.
    pub(super) fn place(&self, line: usize) -> Place {
        self.lines.place(None, line)
    }

    /// The service of this name.
    pub(super) fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name)
    }

    /// The service that every request comes through.
    pub(super) fn gateway(&self) -> Option<&Service> {
        self.services.iter().find(|service| service.is_gateway())
    }

    /// Whether every network of a service is one without a way out.
    pub(super) fn has_no_way_out(&self, service: &Service) -> bool {
        service.networks.iter().all(|network| {
            let defined = self.defined("networks", &network.value);
            defined.is_some_and(|network| network.node.is_true("internal"))
        })
    }

    /// The files that a service has as `configs:`.
    pub(super) fn config_files(&self, service: &Service) -> Vec<PathBuf> {
        let names = service.configs.iter().map(|grant| &grant.source);
        names.filter_map(|name| self.file_of("configs", name)).collect()
    }

    /// The file that a config or a secret is made from.
    pub(super) fn file_of(&self, section: &str, name: &str) -> Option<PathBuf> {
        Some(self.beside(self.defined(section, name)?.node.text_of("file")?))
    }
}

fn read_tree(
    file: &Path,
    text: &str,
    environment: &HashMap<String, String>,
) -> Result<Node, Unreadable> {
    let mut tree = Node::parse(file, text)?;
    if let Value::Map(sections) = &mut tree.value {
        for section in sections.iter_mut().filter(|s| SECTIONS.contains(&s.key.as_str())) {
            section.node.fill_in(&mut |line, text: &str| {
                interpolate(text, |name| environment.get(name).map(String::as_str))
                    .map_err(|what| Unreadable::new(file, Some(line), what))
            })?;
        }
    }
    Ok(tree)
}

fn beside(file: &Path, path: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(path.strip_prefix("./").unwrap_or(path))
}

struct Reader<'r> {
    lines: &'r Arc<Lines>,
    environment: &'r HashMap<String, String>,
}

impl Reader<'_> {
    fn service(&self, entry: &Entry) -> Result<Service, Unreadable> {
        let Entry { key: name, line, node } = entry;
        if !matches!(node.value, Value::Map(_)) {
            return Err(self.unreadable(*line, format!("the service {name} is no map")));
        }
        let list = |key| node.get(key).map_or(&[][..], Node::items).iter();
        Ok(Service {
            name: name.clone(),
            lines: Arc::clone(self.lines),
            line: *line,
            image: node.get("image").and_then(image),
            environment: self.environment_of(name, node)?,
            ports: list("ports").map(Port::read).collect(),
            mounts: list("volumes").map(Mount::read).collect(),
            secrets: list("secrets").filter_map(|n| Grant::read(n, "/run/secrets/")).collect(),
            configs: list("configs").filter_map(|n| Grant::read(n, "/")).collect(),
            networks: networks(node, *line),
            health: health(node.entry("healthcheck")),
            stop_grace_period: self.stop_grace_period(node)?,
            node: node.clone(),
        })
    }

    fn unreadable(&self, line: usize, what: String) -> Unreadable {
        let place = self.lines.place(None, line);
        Unreadable::new(&place.file, place.line, what)
    }

    fn stop_grace_period(
        &self,
        node: &Node,
    ) -> Result<Option<At<std::time::Duration>>, Unreadable> {
        let Some(At { value, line }) = node.marked(&["stop_grace_period"]) else { return Ok(None) };
        let Some(value) = go_duration(&value) else {
            let what = format!("stop_grace_period: {value} is no duration such as 30s");
            return Err(self.unreadable(line, what));
        };
        Ok(Some(At { value, line }))
    }

    /// What is in `env_file`, and over it what is in `environment`.
    fn environment_of(&self, service: &str, node: &Node) -> Result<Vec<Variable>, Unreadable> {
        let mut found = Vec::new();
        for named in node.get("env_file").into_iter().flat_map(Node::texts) {
            let file = beside(self.lines.first(), named);
            for (i, line) in read_file(&file)?.lines().enumerate() {
                if !line.trim().is_empty() && !line.trim_start().starts_with('#') {
                    let place = Place {
                        service: Some(service.to_owned()),
                        file: file.clone(),
                        line: Some(i + 1),
                    };
                    found.extend(self.variable(line.split_once('=').unwrap_or((line, "")), place));
                }
            }
        }
        let place = |line| self.lines.place(Some(service), line);
        if let Some(environment) = node.get("environment") {
            for Entry { key, line, node } in environment.entries() {
                let value = node.text().unwrap_or_default();
                found.extend(self.variable((key, value), place(*line)));
            }
            for item in environment.items() {
                let text = item.text().unwrap_or_default();
                let pair = text.split_once('=').unwrap_or((text, ""));
                found.extend(self.variable(pair, place(item.line)));
            }
        }
        // The last one counts.
        let mut variables: Vec<Variable> = Vec::new();
        for variable in found {
            variables.retain(|before| before.name != variable.name);
            variables.push(variable);
        }
        Ok(variables)
    }

    /// One without a value, or with an empty one, comes from the environment of
    /// `docker stack deploy`.
    fn variable(&self, (name, value): (&str, &str), place: Place) -> Option<Variable> {
        let name = name.trim();
        let from_outside = self.environment.get(name).filter(|_| value.is_empty());
        let value = from_outside.map_or(value, String::as_str).to_owned();
        (!name.is_empty()).then(|| Variable { name: name.to_owned(), value, place })
    }
}

fn image(node: &Node) -> Option<Image> {
    let scalar = node.scalar()?;
    let name = At { value: scalar.text.clone(), line: node.line };
    let written = match &scalar.kind {
        ScalarKind::FilledIn { written } => written.clone(),
        _ => scalar.text.clone(),
    };
    Some(Image { written, name })
}

/// One that names none is in the stack's own.
fn networks(node: &Node, line: usize) -> Vec<At<String>> {
    let Some(named) = node.get("networks").filter(|named| !parts::names(named).is_empty()) else {
        return vec![At { value: "default".to_owned(), line }];
    };
    parts::names(named)
        .into_iter()
        .map(|(name, line)| At { value: name.to_owned(), line })
        .collect()
}

fn health(entry: Option<&Entry>) -> Health {
    let Some(Entry { line, node, .. }) = entry else { return Health::NotAsked };
    let line = *line;
    let says_none = node
        .get("test")
        .is_some_and(|test| test.text().or_else(|| test.items().first()?.text()) == Some("NONE"));
    if says_none || node.is_true("disable") {
        return Health::Disabled { line };
    }
    Health::Asked { line, has_start_period: node.get("start_period").is_some() }
}

#[cfg(test)]
mod tests;
