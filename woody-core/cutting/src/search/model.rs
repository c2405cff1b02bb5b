//! A problem as the search sees it: sizes with the kerf in them, prices as weights.

/// What is wanted of one part.
#[derive(Debug, Clone)]
pub(crate) struct PieceKind {
    pub(crate) size: [u32; 2],
    pub(crate) may_turn: bool,
    pub(crate) count: u32,
}

impl PieceKind {
    pub(crate) fn area(&self) -> u64 {
        u64::from(self.size[0]) * u64::from(self.size[1])
    }

    /// The ways it may lie; one for squares and for parts with a grain.
    pub(crate) fn ways(&self) -> impl Iterator<Item = [u32; 2]> + use<> {
        let [w, h] = self.size;
        let turned = (self.may_turn && w != h).then_some([h, w]);
        std::iter::once([w, h]).chain(turned)
    }

    pub(crate) fn fits(&self, room: [u32; 2]) -> bool {
        self.ways().any(|size| size[0] <= room[0] && size[1] <= room[1])
    }
}

/// One size in stock.
#[derive(Debug, Clone)]
pub(crate) struct Sort {
    pub(crate) size: [u32; 2],
    /// Its price, made so that of two plans of one price that with fewer sheets weighs less.
    pub(crate) weight: u64,
    pub(crate) at_hand: u32,
}

impl Sort {
    pub(crate) fn area(&self) -> u64 {
        u64::from(self.size[0]) * u64::from(self.size[1])
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) kinds: Vec<PieceKind>,
    pub(crate) stock: Vec<Sort>,
    /// How deep pieces may be cut; one more cut trims a piece to its size.
    pub(crate) stages: Option<u32>,
}
