//! The free wood of a sheet as its maximal rectangles (Jylänki 2010): each touches, on all
//! four sides, an edge or a piece; they overlap.

/// Corner and size, the kerf included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wood {
    pub(super) at: [u32; 2],
    pub(super) size: [u32; 2],
}

impl Wood {
    fn end(&self, axis: usize) -> u32 {
        self.at[axis] + self.size[axis]
    }

    fn overlaps(&self, other: &Self) -> bool {
        (0..2).all(|axis| self.at[axis] < other.end(axis) && other.at[axis] < self.end(axis))
    }

    fn holds(&self, other: &Self) -> bool {
        (0..2).all(|axis| self.at[axis] <= other.at[axis] && other.end(axis) <= self.end(axis))
    }

    fn area(&self) -> u64 {
        u64::from(self.size[0]) * u64::from(self.size[1])
    }

    /// What is left of it on the four sides of `taken`, as wide and as high as it goes.
    fn around(self, taken: &Self) -> impl Iterator<Item = Self> {
        let sides = (0..2).flat_map(move |axis| {
            let (mut before, mut after) = (self, self);
            before.size[axis] = taken.at[axis].saturating_sub(self.at[axis]);
            after.at[axis] = taken.end(axis);
            after.size[axis] = self.end(axis).saturating_sub(taken.end(axis));
            [before, after]
        });
        let taken = *taken;
        sides.filter(move |side| side.area() > 0 && !side.overlaps(&taken))
    }
}

#[derive(Debug)]
pub(super) struct FreeWood {
    woods: Vec<Wood>,
    /// Looks at places so far.
    pub(super) looks: u64,
}

impl FreeWood {
    pub(super) fn new(size: [u32; 2]) -> Self {
        Self { woods: vec![Wood { at: [0; 2], size }], looks: 0 }
    }

    /// Returns where a piece leaves the least beside its better fitting side, and of such
    /// places beside the other.
    pub(super) fn best(&mut self, ways: impl Iterator<Item = [u32; 2]>) -> Option<Wood> {
        let mut best: Option<([u32; 2], Wood)> = None;
        for size in ways {
            self.looks += self.woods.len() as u64;
            for wood in &self.woods {
                if size[0] > wood.size[0] || size[1] > wood.size[1] {
                    continue;
                }
                let left = [wood.size[0] - size[0], wood.size[1] - size[1]];
                let score = [left[0].min(left[1]), left[0].max(left[1])];
                if best.is_none_or(|(least, _)| score < least) {
                    best = Some((score, Wood { at: wood.at, size }));
                }
            }
        }
        best.map(|(_, wood)| wood)
    }

    pub(super) fn take(&mut self, taken: &Wood) {
        self.looks += self.woods.len() as u64;
        let mut parts: Vec<Wood> = Vec::new();
        self.woods.retain(|wood| {
            let hit = wood.overlaps(taken);
            if hit {
                parts.extend(wood.around(taken));
            }
            !hit
        });
        self.looks += (parts.len() * (parts.len() + self.woods.len())) as u64;
        let inner = |i: usize| {
            let held = |(j, other): (usize, &Wood)| {
                // Of equal ones the first is kept.
                other.holds(&parts[i]) && (j < i || (j != i && *other != parts[i]))
            };
            self.woods.iter().any(|wood| wood.holds(&parts[i]))
                || parts.iter().enumerate().any(held)
        };
        let kept: Vec<Wood> = (0..parts.len()).filter(|i| !inner(*i)).map(|i| parts[i]).collect();
        self.woods.extend(kept);
    }

    /// Takes the largest that has no side shorter than `least`.
    pub(super) fn take_largest(&mut self, least: u32) -> Option<Wood> {
        let fitting = self.woods.iter().filter(|wood| wood.size.iter().all(|side| *side >= least));
        let largest = *fitting.max_by_key(|wood| (wood.area(), std::cmp::Reverse(wood.at)))?;
        self.take(&largest);
        Some(largest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn free_wood_is_what_no_piece_covers(sizes in prop::collection::vec((1..9_u32, 1..9_u32), 1..20)) {
            let side = 20;
            let mut free = FreeWood::new([side; 2]);
            let mut taken: Vec<Wood> = Vec::new();
            for (w, h) in sizes {
                let Some(wood) = free.best([[w, h], [h, w]].into_iter()) else { continue };
                prop_assert!(taken.iter().all(|other| !other.overlaps(&wood)));
                free.take(&wood);
                taken.push(wood);
            }
            for at in (0..side).flat_map(|x| (0..side).map(move |y| [x, y])) {
                let cell = Wood { at, size: [1; 2] };
                let is_taken = taken.iter().any(|wood| wood.holds(&cell));
                let is_free = free.woods.iter().any(|wood| wood.holds(&cell));
                prop_assert!(is_taken != is_free, "{:?}", at);
            }
            for (i, wood) in free.woods.iter().enumerate() {
                let within = free.woods.iter().enumerate().any(|(j, other)| i != j && other.holds(wood));
                prop_assert!(!within, "{:?} is not maximal", wood);
            }
        }
    }
}
