//! Which delivery tags of a channel one frame acknowledges.

use std::collections::BTreeSet;

/// A frame that acknowledges one delivery, or all up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AckFrame {
    pub(super) tag: u64,
    pub(super) multiple: bool,
}

/// The deliveries of one channel that are not settled.
///
/// Where nothing earlier is held, a single frame acknowledges all that are to be: to a quorum
/// queue that is one entry of its log instead of one for each.
#[derive(Debug, Default)]
pub(super) struct Tags {
    held: BTreeSet<u64>,
    /// What the next frames are to acknowledge.
    waiting: BTreeSet<u64>,
}

impl Tags {
    /// Notes a delivery; they come with rising tags.
    pub(super) fn deliver(&mut self, tag: u64) {
        self.held.insert(tag);
    }

    /// Notes that the next frames are to acknowledge `tag`.
    pub(super) fn acknowledge(&mut self, tag: u64) {
        self.held.remove(&tag);
        self.waiting.insert(tag);
    }

    /// Notes that a frame of its own, sent before this call, has settled `tag`.
    pub(super) fn settle(&mut self, tag: u64) {
        self.held.remove(&tag);
    }

    /// Returns how many deliveries nobody has settled.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// Returns the frames that acknowledge what waits, in the order in which they must be
    /// sent: a frame for a delivery that is acknowledged already would close the channel.
    pub(super) fn frames(&mut self) -> Vec<AckFrame> {
        let alone = match self.held.first() {
            Some(first) => self.waiting.split_off(first),
            None => BTreeSet::new(),
        };
        let together = std::mem::take(&mut self.waiting);
        let together = together.last().map(|&tag| AckFrame { tag, multiple: together.len() > 1 });
        let alone = alone.iter().map(|&tag| AckFrame { tag, multiple: false });
        together.into_iter().chain(alone).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What RabbitMQ does with a frame; `None` where it would close the channel.
    fn receive(unsettled: &mut BTreeSet<u64>, frame: AckFrame) -> Option<Vec<u64>> {
        if !unsettled.remove(&frame.tag) {
            return None;
        }
        let mut acknowledged = vec![frame.tag];
        if frame.multiple {
            let others: Vec<_> = unsettled.range(..frame.tag).copied().collect();
            unsettled.retain(|tag| !others.contains(tag));
            acknowledged.extend(others);
        }
        Some(acknowledged)
    }

    #[test]
    fn what_nothing_earlier_is_held_of_takes_one_frame() {
        let mut tags = Tags::default();
        for tag in 1..=9 {
            tags.deliver(tag);
        }
        for tag in [2, 1, 3] {
            tags.acknowledge(tag);
        }
        assert_eq!(tags.frames(), [AckFrame { tag: 3, multiple: true }]);
        tags.acknowledge(5);
        assert_eq!(tags.frames(), [AckFrame { tag: 5, multiple: false }]);
        tags.settle(4);
        for tag in [6, 7, 9] {
            tags.acknowledge(tag);
        }
        let expected = [AckFrame { tag: 7, multiple: true }, AckFrame { tag: 9, multiple: false }];
        assert_eq!(tags.frames(), expected);
        assert_eq!(tags.frames(), []);
    }

    proptest! {
        #[test]
        fn what_is_acknowledged_leaves_the_queue_and_nothing_else(
            steps in prop::collection::vec((0_u8..8, any::<prop::sample::Index>()), 0..200),
        ) {
            let mut tags = Tags::default();
            let (mut unsettled, mut held) = (BTreeSet::new(), Vec::new());
            let (mut wanted, mut next) = (BTreeSet::new(), 1);
            for (step, which) in steps {
                match step {
                    0..3 => {
                        unsettled.insert(next);
                        tags.deliver(next);
                        held.push(next);
                        next += 1;
                    }
                    3..6 if !held.is_empty() => {
                        let tag = held.swap_remove(which.index(held.len()));
                        wanted.insert(tag);
                        tags.acknowledge(tag);
                    }
                    6 if !held.is_empty() => {
                        let tag = held.swap_remove(which.index(held.len()));
                        prop_assert!(unsettled.remove(&tag));
                        tags.settle(tag);
                    }
                    _ => {
                        for frame in tags.frames() {
                            let acknowledged = receive(&mut unsettled, frame);
                            prop_assert!(acknowledged.is_some(), "{frame:?} closes the channel");
                            for tag in acknowledged.into_iter().flatten() {
                                prop_assert!(wanted.remove(&tag), "{tag} was not to be");
                            }
                        }
                        prop_assert!(wanted.is_empty());
                    }
                }
            }
        }
    }
}
