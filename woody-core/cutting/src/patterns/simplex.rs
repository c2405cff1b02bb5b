//! The linear programme of a cutting stock: how often each pattern is cut, in fractions,
//! at the least cost. Revised simplex on a dense inverse; a row for each kind of piece.

/// How much less than nothing counts as less.
const EPSILON: f64 = 1e-7;

pub(crate) struct Column {
    pub(crate) cost: f64,
    /// Pieces of each kind.
    pub(crate) counts: Vec<f64>,
}

/// What a basis is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Name {
    Column(usize),
    /// Pieces of a kind that are thrown away.
    Surplus(usize),
}

pub(crate) struct Simplex {
    inverse: Vec<Vec<f64>>,
    /// How often the column of each row is cut.
    pub(crate) times: Vec<f64>,
    /// Which column each row has.
    pub(crate) basis: Vec<Name>,
    costs: Vec<f64>,
}

impl Simplex {
    /// Column `k` has pieces of kind `k` alone.
    pub(crate) fn new(columns: &[Column], wanted: &[f64]) -> Self {
        let rows = wanted.len();
        let mut inverse = vec![vec![0.0; rows]; rows];
        for (row, column) in columns.iter().enumerate().take(rows) {
            inverse[row][row] = 1.0 / column.counts[row];
        }
        let each = columns.iter().zip(wanted).enumerate();
        Self {
            times: each.map(|(row, (column, wanted))| wanted / column.counts[row]).collect(),
            inverse,
            basis: (0..rows).map(Name::Column).collect(),
            costs: columns.iter().take(rows).map(|column| column.cost).collect(),
        }
    }

    /// Computes the inverse anew from the columns, before errors of rounding add up.
    pub(crate) fn refresh(&mut self, columns: &[Column], wanted: &[f64]) -> Option<()> {
        let rows = wanted.len();
        // Column `k` of the basis beside the unit matrix.
        let mut left = vec![vec![0.0; rows]; rows];
        for (k, name) in self.basis.iter().enumerate() {
            match name {
                Name::Column(index) => {
                    for (row, n) in left.iter_mut().zip(&columns[*index].counts) {
                        row[k] = *n;
                    }
                }
                Name::Surplus(kind) => left[*kind][k] = -1.0,
            }
        }
        let mut right = vec![vec![0.0; rows]; rows];
        for (k, row) in right.iter_mut().enumerate() {
            row[k] = 1.0;
        }
        for k in 0..rows {
            let largest =
                (k..rows).max_by(|a, b| left[*a][k].abs().total_cmp(&left[*b][k].abs()))?;
            left.swap(k, largest);
            right.swap(k, largest);
            let pivot = left[k][k];
            if pivot.abs() < EPSILON {
                return None;
            }
            for value in left[k].iter_mut().chain(&mut right[k]) {
                *value /= pivot;
            }
            let (from_left, from_right) = (left[k].clone(), right[k].clone());
            for row in (0..rows).filter(|row| *row != k) {
                let factor = left[row][k];
                if factor != 0.0 {
                    for (value, from) in left[row].iter_mut().zip(&from_left) {
                        *value -= factor * from;
                    }
                    for (value, from) in right[row].iter_mut().zip(&from_right) {
                        *value -= factor * from;
                    }
                }
            }
        }
        let times = |row: &Vec<f64>| row.iter().zip(wanted).map(|(a, b)| a * b).sum::<f64>();
        self.times = right.iter().map(|row| times(row).max(0.0)).collect();
        self.inverse = right;
        Some(())
    }

    /// What one more piece of each kind would cost.
    pub(crate) fn values(&self) -> Vec<f64> {
        let mut values = vec![0.0; self.costs.len()];
        for (cost, row) in self.costs.iter().zip(&self.inverse) {
            if *cost > 0.0 {
                for (value, inverse) in values.iter_mut().zip(row) {
                    *value += cost * inverse;
                }
            }
        }
        values
    }

    /// Whether a column would make the whole cheaper, and how much of its cost it saves.
    pub(crate) fn gain(column: &Column, values: &[f64]) -> Option<f64> {
        let worth: f64 = column.counts.iter().zip(values).map(|(n, value)| n * value).sum();
        let gain = (worth - column.cost) / column.cost.max(1.0);
        (gain > EPSILON).then_some(gain)
    }

    /// Brings a column in.
    pub(crate) fn enter(&mut self, name: Name, cost: f64, counts: &[f64]) -> Option<()> {
        let share = |row: &Vec<f64>| row.iter().zip(counts).map(|(a, b)| a * b).sum::<f64>();
        let shares: Vec<f64> = self.inverse.iter().map(share).collect();
        // Of rows that run out together, that with the largest share: a small one is a
        // rounding error blown up.
        let each =
            || shares.iter().zip(&self.times).enumerate().filter(|(_, (s, _))| **s > EPSILON);
        let least =
            each().map(|(_, (share, times))| (times + EPSILON) / share).min_by(f64::total_cmp)?;
        let together = each().filter(|(_, (share, times))| *times / *share <= least);
        let (leaving, (share, times)) = together.max_by(|a, b| a.1.0.total_cmp(b.1.0))?;
        let ratio = times / share;
        let pivot: Vec<f64> =
            self.inverse[leaving].iter().map(|inverse| inverse / shares[leaving]).collect();
        for (row, share) in shares.iter().enumerate() {
            if row == leaving {
                continue;
            }
            self.times[row] = (self.times[row] - share * ratio).max(0.0);
            if *share != 0.0 {
                for (inverse, pivot) in self.inverse[row].iter_mut().zip(&pivot) {
                    *inverse -= share * pivot;
                }
            }
        }
        self.inverse[leaving] = pivot;
        self.times[leaving] = ratio;
        (self.basis[leaving], self.costs[leaving]) = (name, cost);
        Some(())
    }
}
