//! Equal pieces side by side, written as one block.

use super::Placement;

/// Joins pieces that follow each other in the order of the sawing and lie a kerf apart.
pub(super) fn joined(pieces: Vec<Placement>, kerf_mm: u32) -> Vec<Placement> {
    let below = |a: &mut Placement, b: &Placement| {
        let is_next = (a.x_mm, a.columns) == (b.x_mm, b.columns)
            && a.y_mm + a.block_height_mm(kerf_mm) + kerf_mm == b.y_mm;
        a.rows += if is_next { b.rows } else { 0 };
        is_next
    };
    let beside = |a: &mut Placement, b: &Placement| {
        let is_next = (a.y_mm, a.rows) == (b.y_mm, b.rows)
            && a.x_mm + a.block_width_mm(kerf_mm) + kerf_mm == b.x_mm;
        a.columns += if is_next { b.columns } else { 0 };
        is_next
    };
    join(join(join(pieces, below), beside), below)
}

fn join(
    pieces: Vec<Placement>,
    takes: impl Fn(&mut Placement, &Placement) -> bool,
) -> Vec<Placement> {
    let kind = |piece: &Placement| (piece.part, piece.width_mm, piece.height_mm);
    let mut joined: Vec<Placement> = Vec::new();
    for piece in pieces {
        let last = joined.last_mut().filter(|last| kind(last) == kind(&piece));
        if !last.is_some_and(|last| takes(last, &piece)) {
            joined.push(piece);
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(part: usize, x_mm: u32, y_mm: u32) -> Placement {
        let (width_mm, height_mm, rotated) = (40, 20, false);
        Placement { part, x_mm, y_mm, width_mm, height_mm, rotated, columns: 1, rows: 1 }
    }

    #[test]
    fn a_grid_is_one_block_whichever_way_it_is_sawn() {
        let column = |x| (0..4).map(move |row| piece(0, x, row * 23));
        let by_columns: Vec<_> = (0..3).flat_map(|n| column(n * 43)).collect();
        let by_rows = (0..4).flat_map(|row| (0..3).map(move |n| piece(0, n * 43, row * 23)));
        let block = Placement { columns: 3, rows: 4, ..piece(0, 0, 0) };
        assert_eq!(joined(by_columns, 3), [block]);
        assert_eq!(joined(by_rows.collect(), 3), [block]);
    }

    #[test]
    fn what_does_not_lie_a_kerf_apart_stays_apart() {
        let apart = vec![piece(0, 0, 0), piece(0, 0, 24), piece(1, 0, 47), piece(0, 43, 0)];
        assert_eq!(joined(apart.clone(), 3), apart);
    }
}
