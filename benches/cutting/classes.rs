//! Instances made from published class definitions: classes 1 to 6 of Berkey and Wang
//! (1987), 7 to 10 of Martello and Vigo (1998). The seed is fixed, so every run has the same.

use woody_cutting::{Part, Problem, Stock};

use crate::instance::{Instance, exact};

const PIECES: [usize; 5] = [20, 40, 60, 80, 100];
const OF_EACH: usize = 2;

/// Side of the sheet and longest side of a piece, for classes 1 to 6.
const UNIFORM: [(u32, u32); 6] = [(10, 10), (30, 10), (40, 35), (100, 35), (100, 100), (300, 100)];
/// Side of the sheet in classes 7 to 10.
const SIDE: u32 = 100;

pub(crate) fn all(fixed: bool) -> Vec<Instance> {
    let mut instances = Vec::new();
    for class in 1..=10 {
        for pieces in PIECES {
            for number in 1..=OF_EACH {
                instances.extend(instance(class, pieces, number, fixed));
            }
        }
    }
    instances
}

fn instance(class: usize, pieces: usize, number: usize, fixed: bool) -> Option<Instance> {
    let mut dice = Dice((class * 1_000_000 + pieces * 1_000 + number) as u64);
    let mut piece = || {
        let [width, height] = match UNIFORM.get(class - 1) {
            Some((_, longest)) => [dice.between(1, *longest), dice.between(1, *longest)],
            None => dice.typed(class - 7),
        };
        Part { may_turn: !fixed, ..Part::new(width, height) }
    };
    let parts = (0..pieces).map(|_| piece()).collect();
    let side = UNIFORM.get(class - 1).map_or(SIDE, |(side, _)| *side);
    let stock = vec![Stock::new(side, side).priced(1)];
    Some(Instance {
        name: format!("made/Class_{class:02}.2bp_{pieces}_{number}"),
        problem: Problem::new(parts, stock, exact()).ok()?,
        best: None,
    })
}

/// `SplitMix64`.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn between(&mut self, least: u32, most: u32) -> u32 {
        least + u32::try_from(self.next() % u64::from(most - least + 1)).unwrap_or(0)
    }

    /// A place in a list that has `length` of them.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.next() % length.max(1) as u64).unwrap_or(0)
    }

    /// A piece of the `main` type seven times of ten, of each other type once.
    fn typed(&mut self, main: usize) -> [u32; 2] {
        let other = usize::try_from(self.next() % 10).unwrap_or(0);
        let kind = if other < 3 { (main + 1 + other) % 4 } else { main };
        let (long, large, small) = ((SIDE * 2 / 3, SIDE), (SIDE / 2, SIDE), (1, SIDE / 2));
        let (width, height) = [(long, small), (small, long), (large, large), (small, small)][kind];
        [self.between(width.0, width.1), self.between(height.0, height.1)]
    }
}
