//! What is written on a piece: as much as has room, never more.

use std::fmt;

use super::text::{Line, width_em};

/// Heights of letters, in millimetres of paper.
const SIZES: [f64; 4] = [3.4, 2.9, 2.4, 2.0];
/// Room that is left around: for the numbers of cuts beside it where there is room.
const AROUND: [f64; 2] = [2.4, 0.5];
const LINE: f64 = 1.2;

/// A rectangle on the paper, in millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Area {
    pub(super) fn middle(&self) -> (f64, f64) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }
}

/// Lines of text that fit into an area.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Label {
    /// Which of the choices has room.
    pub(super) choice: usize,
    lines: Vec<String>,
    size: f64,
    turned: bool,
    area: Area,
}

impl Label {
    /// Returns the first of `choices` that has room, in large letters rather than in small
    /// ones, turned if need be.
    pub(super) fn fitting(choices: &[Vec<String>], area: Area) -> Option<Self> {
        for (choice, lines) in choices.iter().enumerate() {
            let widest = lines.iter().map(|line| width_em(line)).fold(0.0, f64::max);
            let tall = f64::from(u32::try_from(lines.len()).unwrap_or(u32::MAX)) * LINE;
            for around in AROUND {
                for turned in [false, true] {
                    for size in SIZES {
                        let (width, height) = if turned {
                            (area.height, area.width)
                        } else {
                            (area.width, area.height)
                        };
                        let has_room = |text: f64, room: f64| text * size + 2.0 * around <= room;
                        if has_room(widest, width) && has_room(tall, height) {
                            let lines = lines.clone();
                            return Some(Self { choice, lines, size, turned, area });
                        }
                    }
                }
            }
        }
        None
    }

    /// What of the area it covers.
    pub(super) fn covers(&self) -> Area {
        let widest = self.lines.iter().map(|line| width_em(line)).fold(0.0, f64::max);
        let width = widest * self.size;
        let height =
            f64::from(u32::try_from(self.lines.len()).unwrap_or(u32::MAX)) * LINE * self.size;
        let (width, height) = if self.turned { (height, width) } else { (width, height) };
        let (x, y) = self.area.middle();
        Area { x: x - width / 2.0, y: y - height / 2.0, width, height }
    }

    pub(super) fn write(&self, out: &mut String) -> fmt::Result {
        let (x, y) = self.area.middle();
        let step = self.size * LINE;
        let count = u32::try_from(self.lines.len()).unwrap_or(1);
        let mut at = -step * f64::from(count.saturating_sub(1)) / 2.0;
        for (i, line) in self.lines.iter().enumerate() {
            let (x, y) = if self.turned { (x + at, y) } else { (x, y + at) };
            let line = Line::new(x, y, self.size, line).middle().turned(self.turned);
            if i == 0 && count > 1 { line.bold() } else { line }.write(out)?;
            at += step;
        }
        Ok(())
    }
}

/// Which parts of the paper are taken, in cells of half a millimetre.
pub(super) struct Taken {
    columns: usize,
    cells: Vec<bool>,
}

const CELLS_PER_MM: f64 = 2.0;

impl Taken {
    pub(super) fn none(width: f64, height: f64) -> Self {
        let columns = cell(width) + 1;
        Self { columns, cells: vec![false; columns * (cell(height) + 1)] }
    }

    fn cells(&self, area: Area) -> impl Iterator<Item = usize> + use<> {
        let (left, right) = (cell(area.x), cell(area.x + area.width));
        let (top, bottom) = (cell(area.y), cell(area.y + area.height));
        let columns = self.columns;
        (top..=bottom).flat_map(move |row| (left..=right).map(move |column| row * columns + column))
    }

    pub(super) fn take(&mut self, area: Area) {
        for cell in self.cells(area) {
            if let Some(cell) = self.cells.get_mut(cell) {
                *cell = true;
            }
        }
    }

    pub(super) fn is_free(&self, area: Area) -> bool {
        self.cells(area).all(|cell| !self.cells.get(cell).copied().unwrap_or(true))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the paper")]
fn cell(mm: f64) -> usize {
    (mm.max(0.0) * CELLS_PER_MM) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(width: f64, height: f64) -> Area {
        Area { x: 10.0, y: 10.0, width, height }
    }

    fn choices() -> Vec<Vec<String>> {
        vec![vec!["wheel".into(), "300 × 200".into()], vec!["wheel".into()], vec!["7".into()]]
    }

    #[test]
    fn as_much_is_written_as_has_room() {
        let chosen = |w, h| Label::fitting(&choices(), area(w, h)).map(|label| label.choice);
        assert_eq!(chosen(40.0, 30.0), Some(0));
        assert_eq!(chosen(12.0, 4.0), Some(1));
        assert_eq!(chosen(4.0, 12.0), Some(1), "turned");
        assert_eq!(chosen(3.0, 4.0), Some(2));
        assert_eq!(chosen(1.0, 40.0), None);
    }

    #[test]
    fn a_label_stays_within_its_piece() {
        for (width, height) in [(40.0, 30.0), (12.0, 4.0), (4.0, 12.0), (3.0, 4.0)] {
            let covers = Label::fitting(&choices(), area(width, height)).unwrap().covers();
            assert!(covers.x >= 10.0 && covers.x + covers.width <= 10.0 + width, "{covers:?}");
            assert!(covers.y >= 10.0 && covers.y + covers.height <= 10.0 + height, "{covers:?}");
        }
    }

    #[test]
    fn what_is_taken_is_not_free_and_outside_of_the_paper_nothing_is() {
        let mut taken = Taken::none(100.0, 50.0);
        taken.take(area(5.0, 5.0));
        assert!(!taken.is_free(Area { x: 14.0, ..area(3.0, 3.0) }));
        assert!(taken.is_free(Area { x: 20.0, ..area(3.0, 3.0) }));
        assert!(!taken.is_free(Area { y: 200.0, ..area(3.0, 3.0) }));
    }
}
