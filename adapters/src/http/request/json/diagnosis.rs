//! All that is wrong with a body, whatever type should have been read from it.
//!
//! serde stops at the first error. So what it stops at is noted and replaced by a stand-in, and the body is read again,
//! until all of it can be read. What is wrong only since something stands in for a value is not told: nothing is called
//! wrong that may be right.

use std::cell::RefCell;

use serde::de::DeserializeOwned;
use woody_core::domain::Invalid;

use super::{
    node::{Node, Step},
    problem::{Problem, What},
    reading::{Place, Reading},
    stand_in::StandIn,
};
use crate::http::response::{Failure, FailureKind, FieldError};

/// Times that a body is read, at most; a value may need more than one stand-in until one is taken.
const MOST_READINGS: usize = 128;

/// What was found.
pub(super) struct Diagnosis<T> {
    errors: Vec<FieldError>,
    /// What is wrong with the body as a whole.
    whole: Option<String>,
    /// What was read without any stand-in, once there was nothing too much.
    value: Option<T>,
}

impl<T: DeserializeOwned> Diagnosis<T> {
    /// Reads a `T` from `tree`, of which a field is wrong that a `T` passes over if it `is_whole`; by reading `bytes`
    /// once and again, until `effort` is spent.
    pub(super) fn of(tree: &mut Node, is_whole: bool, bytes: usize, effort: &mut usize) -> Self {
        let mut found = Self { errors: Vec::new(), whole: None, value: None };
        for reading in 0..MOST_READINGS {
            if reading > 1 && *effort == 0 {
                break;
            }
            *effort = effort.saturating_sub(bytes);
            let passed_over = RefCell::new(Vec::new());
            let root = Reading { node: tree, place: Place::Root, passed_over: &passed_over };
            let read = T::deserialize(root);
            let passed_over = passed_over.into_inner();
            if is_whole {
                for path in &passed_over {
                    found.note(tree, path, "is no field");
                }
            }
            match read {
                Ok(value) => {
                    found.value = (!tree.is_made_up()).then_some(value);
                    break;
                }
                Err(problem) if found.errors.len() < Failure::MOST_FIELDS => {
                    if !found.mend(tree, problem) {
                        break;
                    }
                }
                Err(_) => break,
            }
        }
        found
    }

    /// Takes what was read without any stand-in, if it was.
    pub(super) fn take(&mut self) -> Option<T> {
        self.value.take()
    }

    /// Returns what is to be told, `invalid` too.
    pub(super) fn failure(mut self, invalid: &[Invalid]) -> Failure {
        for invalid in invalid {
            self.push(FieldError::from(invalid));
        }
        if self.errors.is_empty() {
            let detail = match self.whole {
                Some(problem) => format!("The body is not as expected: it {problem}."),
                None => "The body is not as expected.".to_owned(),
            };
            return Failure::new(FailureKind::InvalidValue, detail);
        }
        Failure::fields(FailureKind::InvalidValue, self.errors)
    }

    /// Notes what is wrong at `path`. Returns whether it is new.
    fn note(&mut self, tree: &Node, path: &[Step], problem: &str) -> bool {
        self.push(FieldError::new(tree.name(path), problem))
    }

    fn push(&mut self, error: FieldError) -> bool {
        let is_new = !self.errors.iter().any(|other| other.field() == error.field());
        if is_new && self.errors.len() < Failure::MOST_FIELDS {
            self.errors.push(error);
        }
        is_new
    }

    /// Notes a problem, and replaces what is wrong. Returns whether that makes sense.
    fn mend(&mut self, tree: &mut Node, problem: Problem) -> bool {
        let Problem { path, what } = problem;
        let path = path.unwrap_or_default();
        let (node, depth) = tree.at(&path);
        if let Node::StandIn(tries) = *node {
            return replace_again(tree, &path[..depth], tries);
        }
        let by_stand_ins = matches!(what, What::Refused(_) | What::Length(_)) && node.is_made_up();
        match what {
            What::Missing(field) => {
                let name = match tree.name(&path) {
                    within if within.is_empty() => field.to_owned(),
                    within => format!("{within}.{field}"),
                };
                self.push(FieldError::new(name, "is missing"))
                    && match tree.at_mut(&path) {
                        Some(Node::Object(members)) => {
                            members.push((field.to_owned(), Node::StandIn(0)));
                            true
                        }
                        _ => false,
                    }
            }
            What::Unknown(_) | What::Twice => {
                self.note(tree, &path, &what.sentence())
                    && tree.at_mut(&path).is_some_and(|node| {
                        *node = Node::Gone;
                        true
                    })
            }
            What::Wrong(_) | What::Length(_) | What::Refused(_) if path.is_empty() => {
                if !by_stand_ins {
                    self.whole = Some(what.sentence());
                }
                false
            }
            What::Wrong(_) | What::Length(_) | What::Refused(_) => {
                (by_stand_ins || self.note(tree, &path, &what.sentence()))
                    && tree.at_mut(&path).is_some_and(|node| {
                        *node = Node::StandIn(0);
                        true
                    })
            }
        }
    }
}

/// Replaces a stand-in that was refused by another, or else what it stands in. Returns whether there is one.
fn replace_again(tree: &mut Node, path: &[Step], tries: u8) -> bool {
    let Some((last, outer)) = path.split_last() else { return false };
    let (place, other) = match *last {
        _ if tries + 1 < StandIn::TRIES => (path, Node::StandIn(tries + 1)),
        Step::Item(_) => (path, Node::Skipped),
        Step::Member(n) if tries < StandIn::TRIES => {
            // Nothing will do. It is read last, so that the others are read before.
            return match tree.at_mut(outer) {
                Some(Node::Object(members)) if n < members.len() => {
                    members[n].1 = Node::StandIn(StandIn::TRIES);
                    members[n..].rotate_left(1);
                    true
                }
                _ => false,
            };
        }
        Step::Member(_) if outer.is_empty() => return false,
        Step::Member(_) => (outer, Node::StandIn(0)),
    };
    tree.at_mut(place).is_some_and(|node| {
        *node = other;
        true
    })
}
