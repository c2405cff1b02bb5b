//! Ports, mounts and grants of a service, however they are written.

use super::tree::{Entry, Node, ScalarKind, Value};

/// A port that a service publishes.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) line: usize,
    /// The container's; none if it is a range.
    pub(super) target: Option<u16>,
    /// The outside's; none if Swarm chooses, or if it is a range.
    pub(super) published: Option<u16>,
    pub(super) protocol: String,
    /// Whether it is published through the routing mesh.
    pub(super) is_in_mesh: bool,
}

impl Port {
    /// `[[IP:]PUBLISHED:]TARGET[/PROTOCOL]`, or a map that says so.
    pub(super) fn read(node: &Node) -> Self {
        let number = |text: &str| text.parse().ok();
        if let Some(text) = node.text() {
            let (numbers, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
            let mut parts = numbers.rsplit(':');
            return Self {
                line: node.line,
                target: parts.next().and_then(number),
                published: parts.next().and_then(number),
                protocol: protocol.to_ascii_lowercase(),
                is_in_mesh: true,
            };
        }
        Self {
            line: node.line,
            target: node.text_of("target").and_then(number),
            published: node.text_of("published").and_then(number),
            protocol: node.text_of("protocol").unwrap_or("tcp").to_ascii_lowercase(),
            is_in_mesh: node.text_of("mode") != Some("host"),
        }
    }
}

/// What a mount is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MountKind {
    Volume,
    Bind,
    Tmpfs,
    Other,
}

/// Something that a container has in its file system.
#[derive(Debug)]
pub(super) struct Mount {
    pub(super) line: usize,
    pub(super) kind: MountKind,
    /// Empty for memory and for a volume without a name.
    pub(super) source: String,
    pub(super) target: String,
    pub(super) is_read_only: bool,
    /// How much memory it may take.
    pub(super) size: Option<u64>,
}

impl Mount {
    /// `[SOURCE:]TARGET[:OPTIONS]`, or a map that says so.
    pub(super) fn read(node: &Node) -> Self {
        if let Some(text) = node.text() {
            let (source, rest) = text.split_once(':').unwrap_or(("", text));
            let (target, options) = rest.split_once(':').unwrap_or((rest, ""));
            // The last one counts.
            let mode = options.rsplit(',').find(|option| ["ro", "rw"].contains(option));
            let is_path = source.starts_with(['/', '.', '~']);
            return Self {
                line: node.line,
                kind: if is_path { MountKind::Bind } else { MountKind::Volume },
                source: source.to_owned(),
                target: target.to_owned(),
                is_read_only: mode == Some("ro"),
                size: None,
            };
        }
        let text = |key| node.text_of(key).unwrap_or_default().to_owned();
        Self {
            line: node.line,
            kind: match node.text_of("type") {
                None | Some("volume") => MountKind::Volume,
                Some("bind") => MountKind::Bind,
                Some("tmpfs") => MountKind::Tmpfs,
                Some(_) => MountKind::Other,
            },
            source: text("source"),
            target: text("target"),
            is_read_only: node.is_true("read_only"),
            size: node.text_at(&["tmpfs", "size"]).and_then(|size| size.parse().ok()),
        }
    }

    /// Whether it is a volume that the stack file defines.
    pub(super) fn is_named_volume(&self) -> bool {
        self.kind == MountKind::Volume && !self.source.is_empty()
    }

    /// Whether what it holds outlives the container: a volume without a name is
    /// another one each time.
    pub(super) fn is_kept(&self) -> bool {
        self.kind == MountKind::Bind || self.is_named_volume()
    }

    /// Whether a path is in it.
    pub(super) fn covers(&self, path: &str) -> bool {
        let target = self.target.trim_end_matches('/');
        let rest = without_link(path).strip_prefix(without_link(target));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// `/var/run` is `/run` in every image.
fn without_link(path: &str) -> &str {
    if path == "/var/run" || path.starts_with("/var/run/") {
        path.strip_prefix("/var").unwrap_or(path)
    } else {
        path
    }
}

/// A secret or a config that a service is given.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) line: usize,
    /// Its name in the stack file.
    pub(super) source: String,
    /// Where the container has it.
    pub(super) path: String,
    pub(super) uid: Option<String>,
    pub(super) gid: Option<String>,
    pub(super) mode: Option<u32>,
}

impl Grant {
    /// `folder` is where it goes unless it names a whole path.
    pub(super) fn read(node: &Node, folder: &str) -> Option<Self> {
        let source = node.text().or_else(|| node.text_of("source"))?;
        let target = node.text_of("target").unwrap_or(source);
        let path =
            if target.starts_with('/') { target.to_owned() } else { format!("{folder}{target}") };
        let own = |key| node.text_of(key).map(str::to_owned);
        Some(Self {
            line: node.line,
            source: source.to_owned(),
            path,
            uid: own("uid"),
            gid: own("gid"),
            mode: node
                .get("mode")
                .and_then(Node::scalar)
                // A text is refused.
                .filter(|mode| mode.kind != ScalarKind::Text)
                .and_then(|mode| mode.text.parse().ok()),
        })
    }
}

/// The names of a list, or the keys of a map, with their lines.
pub(super) fn names(node: &Node) -> Vec<(&str, usize)> {
    match &node.value {
        Value::List(items) => {
            items.iter().filter_map(|item| Some((item.text()?, item.line))).collect()
        }
        _ => node.entries().iter().map(|Entry { key, line, .. }| (key.as_str(), *line)).collect(),
    }
}
