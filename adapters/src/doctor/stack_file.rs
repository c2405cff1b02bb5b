//! The part of a stack file that the rules are about.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    deployment::{Unreadable, read_file},
    finding::Place,
    images::Image,
    interpolate::interpolate,
    service::{At, Deploy, Health, Port, Service, Variable},
    settings::go_duration,
    tree::{Entry, Node, Value},
};

/// A stack file.
#[derive(Debug)]
pub(super) struct Stack {
    pub(super) file: PathBuf,
    pub(super) services: Vec<Service>,
    /// The files of `configs:`, by their keys.
    configs: HashMap<String, PathBuf>,
}

/// Where `docker stack deploy` fills in variables.
const SECTIONS: [&str; 5] = ["services", "volumes", "networks", "secrets", "configs"];

impl Stack {
    /// Reads it and what it names as `env_file`.
    pub(super) fn read(
        file: &Path,
        environment: &HashMap<String, String>,
    ) -> Result<Self, Unreadable> {
        let written = Node::parse(file, &read_file(file)?)?;
        let mut tree = written.clone();
        if let Value::Map(sections) = &mut tree.value {
            for section in sections.iter_mut().filter(|s| SECTIONS.contains(&s.key.as_str())) {
                section.node.change_texts(&mut |line, text: &mut String| {
                    *text = interpolate(text, |name| environment.get(name).map(String::as_str))
                        .map_err(|what| Unreadable::new(file, Some(line), what))?;
                    Ok(())
                })?;
            }
        }
        let Some(services) = tree.get("services").filter(|node| !node.entries().is_empty()) else {
            return Err(Unreadable::new(file, None, "is no stack file: it has no services"));
        };
        let reader = Reader { file, environment };
        let services = services.entries().iter().map(|entry| {
            let image = written.get("services").and_then(|all| all.get(&entry.key));
            reader.service(entry, image.and_then(|service| service.text_of("image")))
        });
        let services = services.collect::<Result<_, _>>()?;
        let configs = tree.get("configs").map_or(&[][..], Node::entries).iter();
        let configs = configs.filter_map(|config| {
            let named = config.node.text_of("file")?;
            Some((config.key.clone(), beside(file, named)))
        });
        Ok(Self { file: file.to_owned(), configs: configs.collect(), services })
    }

    /// A file beside it.
    pub(super) fn beside(&self, path: &str) -> PathBuf {
        beside(&self.file, path)
    }

    /// The service of this name.
    pub(super) fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name)
    }

    /// The service that every request comes through.
    pub(super) fn gateway(&self) -> Option<&Service> {
        self.services.iter().find(|service| service.is_gateway())
    }

    /// The files that a service has as `configs:`.
    pub(super) fn config_files(&self, service: &Service) -> Vec<PathBuf> {
        service.configs.iter().filter_map(|name| self.configs.get(name).cloned()).collect()
    }
}

fn beside(file: &Path, path: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(path.strip_prefix("./").unwrap_or(path))
}

struct Reader<'r> {
    file: &'r Path,
    environment: &'r HashMap<String, String>,
}

impl Reader<'_> {
    /// `image` is the image's name as it is written.
    fn service(&self, entry: &Entry, image: Option<&str>) -> Result<Service, Unreadable> {
        let Entry { key: name, line, node } = entry;
        if !matches!(node.value, Value::Map(_)) {
            let what = format!("the service {name} is no map");
            return Err(Unreadable::new(self.file, Some(*line), what));
        }
        let written = image.unwrap_or_default().to_owned();
        let list = |key| node.get(key).map_or(&[][..], Node::items);
        Ok(Service {
            name: name.clone(),
            file: self.file.to_owned(),
            line: *line,
            image: text_at(node, "image").map(|name| Image { written, name }),
            keys: node
                .entries()
                .iter()
                .map(|entry| At { value: entry.key.clone(), line: entry.line })
                .collect(),
            environment: self.environment_of(name, node)?,
            ports: list("ports").iter().map(port).collect(),
            written_volumes: list("volumes").iter().filter_map(written_volume).collect(),
            configs: list("configs").iter().filter_map(config).collect(),
            health: health(node.entry("healthcheck")),
            stop_grace_period: self.stop_grace_period(node)?,
            user: text_at(node, "user"),
            is_read_only: is_true(node, "read_only"),
            drops_all: list("cap_drop")
                .iter()
                .any(|cap| cap.text().is_some_and(|cap| cap.eq_ignore_ascii_case("ALL"))),
            deploy: node.entry("deploy").map(deploy).unwrap_or_default(),
        })
    }

    fn stop_grace_period(&self, node: &Node) -> Result<Option<At<Duration>>, Unreadable> {
        let Some(At { value, line }) = text_at(node, "stop_grace_period") else { return Ok(None) };
        let Some(value) = go_duration(&value) else {
            let what = format!("stop_grace_period: {value} is no duration such as 30s");
            return Err(Unreadable::new(self.file, Some(line), what));
        };
        Ok(Some(At { value, line }))
    }

    /// What is in `env_file`, and over it what is in `environment`.
    fn environment_of(&self, service: &str, node: &Node) -> Result<Vec<Variable>, Unreadable> {
        let mut found = Vec::new();
        let files = node.get("env_file").into_iter();
        for named in files.flat_map(|node| node.text().into_iter().chain(texts(node))) {
            let file = beside(self.file, named);
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
        let place = |line| Place {
            service: Some(service.to_owned()),
            file: self.file.to_owned(),
            line: Some(line),
        };
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

fn texts(node: &Node) -> impl Iterator<Item = &str> {
    node.items().iter().filter_map(Node::text)
}

/// The text of a key, and the line it stands on.
fn text_at(node: &Node, key: &str) -> Option<At<String>> {
    let node = node.get(key)?;
    Some(At { value: node.text()?.to_owned(), line: node.line })
}

/// Whether a key is true, as Docker reads what it has filled in.
fn is_true(node: &Node, key: &str) -> bool {
    let is_yes =
        |text: &str| ["true", "yes", "on", "y"].iter().any(|y| text.eq_ignore_ascii_case(y));
    node.text_of(key).is_some_and(is_yes)
}

/// `[[IP:]PUBLISHED:]TARGET[/PROTOCOL]`, or a map that says so.
fn port(node: &Node) -> Port {
    let (target, is_in_mesh) = if let Some(text) = node.text() {
        let ports = text.split('/').next().unwrap_or_default();
        (ports.rsplit(':').next(), true)
    } else {
        (node.text_of("target"), node.text_of("mode") != Some("host"))
    };
    Port { line: node.line, target: target.and_then(|port| port.parse().ok()), is_in_mesh }
}

/// The name of a volume; what comes from a path of the host or from memory has none,
/// and what is read-only is not written.
fn written_volume(node: &Node) -> Option<At<String>> {
    let (source, is_read_only) = match node.text() {
        Some(text) => {
            // A target alone has no name either.
            let (source, rest) = text.split_once(':')?;
            let options = rest.split_once(':').map_or("", |(_target, options)| options);
            // The last one counts.
            let mode = options.rsplit(',').find(|option| ["ro", "rw"].contains(option));
            (source, mode == Some("ro"))
        }
        None if matches!(node.text_of("type"), None | Some("volume")) => {
            (node.text_of("source")?, is_true(node, "read_only"))
        }
        None => return None,
    };
    let is_path = source.starts_with(['/', '.', '~']);
    (!is_path && !is_read_only).then(|| At { value: source.to_owned(), line: node.line })
}

fn config(node: &Node) -> Option<String> {
    node.text().or_else(|| node.text_of("source")).map(str::to_owned)
}

fn health(entry: Option<&Entry>) -> Health {
    let Some(Entry { line, node, .. }) = entry else { return Health::NotAsked };
    let line = *line;
    let says_none = node
        .get("test")
        .is_some_and(|test| test.text().or_else(|| test.items().first()?.text()) == Some("NONE"));
    if says_none || is_true(node, "disable") {
        return Health::Disabled { line };
    }
    Health::Asked { line, has_start_period: node.get("start_period").is_some() }
}

fn deploy(entry: &Entry) -> Deploy {
    let node = &entry.node;
    let under = |section, key| node.get(section).and_then(|section| text_at(section, key));
    let resources = node.get("resources");
    let limits = resources.and_then(|resources| resources.entry("limits"));
    let limit = |key| limits.and_then(|limits| limits.node.text_of(key)).map(str::to_owned);
    Deploy {
        line: Some(entry.line),
        endpoint_mode: text_at(node, "endpoint_mode"),
        restart_condition: under("restart_policy", "condition"),
        update_order: under("update_config", "order"),
        limits_line: limits.map(|limits| limits.line),
        memory_limit: limit("memory"),
        cpu_limit: limit("cpus"),
    }
}

#[cfg(test)]
mod tests;
