//! RabbitMQ's configuration file and definitions.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use regex::Regex;

use super::{
    files::{Unreadable, read_file},
    finding::Place,
    service::Service,
    stack_file::Stack,
    tree::{Entry, Node},
};

/// The configuration of a stack's RabbitMQ.
#[derive(Debug)]
pub(super) struct RabbitMq {
    /// The service's name.
    pub(super) service: String,
    /// Files of `key = value`, in the order of their reading.
    conf: Vec<(PathBuf, Vec<Setting>)>,
    definitions: Option<(PathBuf, Node)>,
}

/// A line of `rabbitmq.conf`.
#[derive(Debug)]
struct Setting {
    key: String,
    value: String,
    line: usize,
}

/// A policy, as it holds for a queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Policy<'d> {
    file: &'d Path,
    node: &'d Node,
}

/// How long RabbitMQ waits for an acknowledgement by default.
pub(super) const CONSUMER_TIMEOUT: Duration = Duration::from_mins(30);

impl RabbitMq {
    /// Reads what belongs to the stack's RabbitMQ, if it has one.
    pub(super) fn read(
        stack: &Stack,
        definitions: Option<&Path>,
    ) -> Result<Option<Self>, Unreadable> {
        let Some(service) = stack.services.iter().find(|service| is_rabbitmq(service)) else {
            return Ok(None);
        };
        let mut files = stack.config_files(service);
        files.retain(|file| file.is_file());
        files.retain(|file| file.extension().is_some_and(|extension| extension == "conf"));
        if files.is_empty() {
            files
                .extend(Some(stack.beside("rabbitmq/rabbitmq.conf")).filter(|file| file.is_file()));
        }
        let conf = files.into_iter().map(|file| {
            let settings = parse_conf(&file, &read_file(&file)?)?;
            Ok((file, settings))
        });
        let definitions = definitions.map(Path::to_owned).or_else(|| {
            Some(stack.beside("rabbitmq/definitions.json")).filter(|file| file.is_file())
        });
        let definitions = definitions.map(|file| {
            let tree = Node::parse(&file, &read_file(&file)?)?;
            Ok((file, tree))
        });
        Ok(Some(Self {
            service: service.name.clone(),
            conf: conf.collect::<Result<_, _>>()?,
            definitions: definitions.transpose()?,
        }))
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        let conf = self.conf.iter().map(|(file, _)| file);
        conf.chain(self.definitions.iter().map(|(file, _)| file)).map(PathBuf::as_path)
    }

    /// How long it waits for an acknowledgement.
    pub(super) fn consumer_timeout(&self) -> Duration {
        let told = self.setting("consumer_timeout").and_then(|value| value.parse().ok());
        told.map_or(CONSUMER_TIMEOUT, Duration::from_millis)
    }

    /// Whether a queue that is declared without arguments is a quorum queue.
    pub(super) fn makes_quorum_queues(&self) -> bool {
        let vhosts = self.list("vhosts").iter();
        let told = vhosts
            .filter(|vhost| is_default_vhost(vhost, "name"))
            .find_map(|vhost| vhost.text_of("default_queue_type"));
        let told = told.or_else(|| self.setting("default_queue_type"));
        told == Some("quorum")
    }

    /// Where a user of this name is defined.
    pub(super) fn user(&self, name: &str) -> Option<Place> {
        let user = self.list("users").iter().find(|user| user.text_of("name") == Some(name))?;
        let (file, _) = self.definitions.as_ref()?;
        Some(Place { service: None, file: file.clone(), line: Some(user.get("name")?.line) })
    }

    /// Whether nothing gives it a user, so that it makes `guest` when it starts.
    pub(super) fn makes_guest(&self) -> bool {
        let is_guest = self.setting("default_user").is_none_or(|user| user == "guest");
        is_guest && self.definitions.is_none() && self.setting("load_definitions").is_none()
    }

    /// The policy that holds for a queue: of those that match, the one of the
    /// highest priority.
    pub(super) fn policy_for(&self, queue: &str) -> Option<Policy<'_>> {
        let (file, _) = self.definitions.as_ref()?;
        let kind = if self.makes_quorum_queues() { "quorum_queues" } else { "classic_queues" };
        let matching = self.list("policies").iter().filter(|policy| {
            let applies_to = policy.text_of("apply-to").unwrap_or("all");
            let pattern = Regex::new(policy.text_of("pattern").unwrap_or_default());
            is_default_vhost(policy, "vhost")
                && ["all", "queues", kind].contains(&applies_to)
                && pattern.is_ok_and(|pattern| pattern.is_match(queue))
        });
        let priority =
            |policy: &&Node| policy.text_of("priority").and_then(|p| p.parse::<i64>().ok());
        matching.max_by_key(priority).map(|node| Policy { file, node })
    }

    /// The definitions, or the configuration, or nothing: where a policy would be.
    pub(super) fn policies_place(&self) -> Option<Place> {
        let (file, tree) = self.definitions.as_ref()?;
        let line = tree.entry("policies").map(|policies| policies.line);
        Some(Place { service: None, file: file.clone(), line })
    }

    /// Whether a configuration of it is known.
    pub(super) fn is_configured(&self) -> bool {
        !self.conf.is_empty()
    }

    /// A line of its configuration, and where it stands. The last one counts.
    pub(super) fn placed(&self, key: &str) -> Option<(&str, Place)> {
        let mut settings = self
            .conf
            .iter()
            .flat_map(|(file, settings)| settings.iter().map(move |setting| (file, setting)));
        let (file, setting) = settings.rfind(|(_, setting)| setting.key == key)?;
        let place = Place { service: None, file: file.clone(), line: Some(setting.line) };
        Some((&setting.value, place))
    }

    /// Where the first line of its configuration stands whose key begins so.
    pub(super) fn placed_under(&self, prefix: &str) -> Option<Place> {
        self.conf.iter().find_map(|(file, settings)| {
            let setting = settings.iter().find(|setting| setting.key.starts_with(prefix))?;
            Some(Place { service: None, file: file.clone(), line: Some(setting.line) })
        })
    }

    /// Every policy of its definitions.
    pub(super) fn policies(&self) -> impl Iterator<Item = Policy<'_>> {
        let file = self.definitions.as_ref().map(|(file, _)| file);
        let policies = self.list("policies").iter();
        policies.filter_map(move |node| Some(Policy { file: file?, node }))
    }

    fn setting(&self, key: &str) -> Option<&str> {
        let mut settings = self.conf.iter().flat_map(|(_, settings)| settings);
        settings.rfind(|setting| setting.key == key).map(|setting| setting.value.as_str())
    }

    fn list(&self, key: &str) -> &[Node] {
        let Some((_, tree)) = &self.definitions else { return &[] };
        tree.get(key).map_or(&[], Node::items)
    }
}

impl<'d> Policy<'d> {
    pub(super) fn name(&self) -> &'d str {
        self.node.text_of("name").unwrap_or_default()
    }

    /// The keys of its definition.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'d str> {
        let definition = self.node.get("definition").map_or(&[][..], Node::entries);
        definition.iter().map(|entry| entry.key.as_str())
    }

    /// Whether it holds for classic queues.
    pub(super) fn is_for_classic_queues(&self, is_default_quorum: bool) -> bool {
        match self.node.text_of("apply-to") {
            Some("classic_queues") => true,
            None | Some("all" | "queues") => !is_default_quorum,
            Some(_) => false,
        }
    }

    /// A key of its definition.
    pub(super) fn value(&self, key: &str) -> Option<&'d str> {
        self.node.get("definition")?.text_of(key)
    }

    pub(super) fn place(&self) -> Place {
        let line = self.node.entry("definition").map_or(self.node.line, |Entry { line, .. }| *line);
        Place { service: None, file: self.file.to_owned(), line: Some(line) }
    }
}

pub(super) fn is_rabbitmq(service: &Service) -> bool {
    service.name == "rabbitmq" || service.runs("rabbitmq")
}

fn is_default_vhost(node: &Node, key: &str) -> bool {
    node.text_of(key).is_none_or(|vhost| vhost == "/")
}

fn parse_conf(file: &Path, text: &str) -> Result<Vec<Setting>, Unreadable> {
    let lines = text.lines().enumerate().map(|(i, line)| (i + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let settings = lines.map(|(line, text)| match text.split_once('=') {
        Some((key, value)) => {
            Ok(Setting { key: key.trim().to_owned(), value: value.trim().to_owned(), line })
        }
        None => Err(Unreadable::new(file, Some(line), format!("{text} is no key = value"))),
    });
    settings.collect()
}
