//! Several stack files as one, as `docker stack deploy -c A -c B` takes them.

use super::tree::{Entry, Node, Scalar, ScalarKind, Value};

/// Lists that the later file has instead, not in addition.
const REPLACED: [&str; 2] = ["command", "entrypoint"];
/// What tells the items of a list apart: the later one of the same counts.
const IDENTITIES: [&str; 3] = ["published", "target", "source"];

/// Puts `over` on top of `base`.
pub(super) fn merge(base: &mut Node, over: Node) {
    match (&mut base.value, over.value) {
        (Value::Map(entries), Value::Map(later)) => {
            for entry in later {
                merge_entry(entries, entry);
            }
        }
        (Value::List(items), Value::List(later)) => {
            for item in later {
                items.retain(|before| !is_same(before, &item));
                items.push(item);
            }
        }
        // `environment` and `labels` are a map in the one, and a list in the other.
        (Value::Map(entries), Value::List(later)) => {
            for entry in later.iter().filter_map(to_entry) {
                merge_entry(entries, entry);
            }
        }
        (Value::List(items), Value::Map(later)) => {
            let items = std::mem::take(items);
            base.value = Value::Map(items.iter().filter_map(to_entry).collect());
            merge(base, Node { line: over.line, value: Value::Map(later) });
        }
        (_, Value::Null) => {}
        (_, value) => *base = Node { line: over.line, value },
    }
}

fn merge_entry(entries: &mut Vec<Entry>, entry: Entry) {
    match entries.iter_mut().find(|before| before.key == entry.key) {
        Some(before) if !REPLACED.contains(&entry.key.as_str()) => {
            merge(&mut before.node, entry.node);
        }
        Some(before) => *before = entry,
        None => entries.push(entry),
    }
}

fn is_same(one: &Node, other: &Node) -> bool {
    match (one.text(), other.text()) {
        (Some(one), Some(other)) => one == other,
        _ => IDENTITIES
            .iter()
            .find_map(|key| Some((one.text_of(key)?, other.text_of(key)?)))
            .is_some_and(|(one, other)| one == other),
    }
}

/// `KEY=VALUE`, or a name alone as in a list of networks.
fn to_entry(item: &Node) -> Option<Entry> {
    let (key, value) = item.text()?.split_once('=').unwrap_or((item.text()?, ""));
    let (key, text) = (key.to_owned(), value.to_owned());
    let value = match text.as_str() {
        "" => Value::Null,
        _ => Value::Scalar(Scalar { text, kind: ScalarKind::Text }),
    };
    Some(Entry { key, line: item.line, node: Node { line: item.line, value } })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_later_file_adds_and_replaces() {
        let parse = |text: &str| Node::parse(Path::new("a.yml"), text).unwrap();
        let mut base = parse(
            "a: {image: one, command: [x], ports: [{target: 1, published: 1}], environment: {A: 1, B: 1}, networks: [n]}",
        );
        merge(
            &mut base,
            parse(
                "a: {image: two, command: [y], ports: [{target: 2, published: 1}, {target: 3, published: 3}], environment: [B=2, C=3], networks: {m: }}\nb: {image: x}",
            ),
        );
        assert_eq!(base.text_at(&["a", "image"]), Some("two"));
        assert_eq!(base.at(&["a", "command"]).unwrap().texts().collect::<Vec<_>>(), ["y"]);
        let ports = base.at(&["a", "ports"]).unwrap().items().iter();
        assert_eq!(ports.filter_map(|p| p.text_of("target")).collect::<Vec<_>>(), ["2", "3"]);
        let environment = base.at(&["a", "environment"]).unwrap();
        for (name, value) in [("A", "1"), ("B", "2"), ("C", "3")] {
            assert_eq!(environment.text_of(name), Some(value));
        }
        assert_eq!(base.at(&["a", "networks"]).unwrap().entries().len(), 2);
        assert!(base.get("b").is_some());
    }
}
