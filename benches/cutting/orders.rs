//! How long the validation of an order takes: by its number of pieces, and for orders that are made to be hard.

use std::time::Duration;

use woody_core::domain::{Part, Parts, ProductName, Quantity};
use woody_core::workshop::{CuttingList, Saw, Sheet, Stages, Workshop};

use crate::classes::Dice;
use crate::cpu_time;

const PIECES: [u32; 9] = [1, 3, 10, 30, 100, 200, 400, 700, 1_000];
/// Orders of each number of pieces.
const OF_EACH: u64 = 300;
/// Quantities with many divisors, so with many equal batches, and some with few.
const QUANTITIES: [u32; 10] = [1, 2, 7, 12, 60, 240, 360, 720, 840, 1_000];

/// A part of a toy.
struct Size {
    width_mm: u32,
    height_mm: u32,
    count: u32,
    grain: bool,
}

/// Processor times, and the seeds that they were measured with.
#[derive(Default)]
struct Times(Vec<(Duration, u64)>);

impl Times {
    /// Plans the order as the validation does; what cannot be made is a verdict too.
    fn measure(&mut self, seed: u64, workshop: &Workshop, sizes: &[Size], quantity: u32) {
        let Ok(name) = ProductName::parse("measured") else { return };
        let part = |size: &Size| Part {
            name: name.clone(),
            width_mm: size.width_mm,
            height_mm: size.height_mm,
            count: size.count,
            grain: size.grain,
        };
        let parts = sizes.iter().map(part).collect();
        let (Ok(parts), Ok(quantity)) = (Parts::new(parts), Quantity::new(i64::from(quantity)))
        else {
            return;
        };
        let list = CuttingList::of(&name, &parts);
        let start = cpu_time();
        let plan = workshop.plan(&list, quantity);
        self.0.push((cpu_time().saturating_sub(start), seed));
        drop(plan);
    }

    /// The time that so many thousandths of the orders keep.
    fn at(&mut self, share: usize) -> (Duration, u64) {
        self.0.sort_unstable();
        let index = self.0.len().saturating_sub(1) * share / 1_000;
        self.0.get(index).copied().unwrap_or_default()
    }

    fn ms(&mut self, share: usize) -> f64 {
        1_000.0 * self.at(share).0.as_secs_f64()
    }
}

/// A table of orders by their number of pieces: toys of one to twelve different parts, as many of
/// them as come to it.
pub(crate) fn table() -> String {
    let mut rows = vec![
        "| pieces | p50 ms | p99 ms | longest ms |".to_owned(),
        "| ---: | ---: | ---: | ---: |".to_owned(),
    ];
    let mut all = Times::default();
    for pieces in PIECES {
        let mut times = Times::default();
        for number in 0..OF_EACH {
            let seed = u64::from(pieces) * 1_000 + number;
            let mut dice = Dice(seed);
            let quantity = divisor(pieces, &mut dice);
            let parts = toy(pieces / quantity, &mut dice);
            times.measure(seed, &Workshop::default(), &parts, quantity);
        }
        let (p50, p99, longest) = (times.ms(500), times.ms(990), times.ms(1_000));
        rows.push(format!("| {pieces} | {p50:.1} | {p99:.1} | {longest:.1} |"));
        all.0.append(&mut times.0);
    }
    let (p50, p99, longest) = (all.ms(500), all.ms(990), all.ms(1_000));
    rows.push(format!("| all | {p50:.1} | {p99:.1} | {longest:.1} |"));
    rows.join("\n")
}

/// One of the numbers by which `pieces` can be divided.
fn divisor(pieces: u32, dice: &mut Dice) -> u32 {
    let all: Vec<u32> = (1..=pieces).filter(|n| pieces.is_multiple_of(*n)).collect();
    all[dice.index(all.len())]
}

/// So many pieces of one to twelve sizes.
fn toy(pieces: u32, dice: &mut Dice) -> Vec<Size> {
    let kinds = dice.between(1, pieces.min(12));
    let spare = pieces - kinds;
    let size = |_| Size {
        width_mm: dice.between(30, 900),
        height_mm: dice.between(30, 500),
        count: 1,
        grain: false,
    };
    let mut parts: Vec<Size> = (0..kinds).map(size).collect();
    for _ in 0..spare {
        let index = dice.index(parts.len());
        parts[index].count += 1;
    }
    parts
}

/// Validates orders at `balanced` that are made to be hard, in workshops that are.
pub(crate) fn adversarial(orders: u64) -> String {
    let mut times = Times::default();
    for seed in 0..orders {
        let mut dice = Dice(seed);
        let parts = hard(&mut dice);
        let quantity = QUANTITIES[dice.index(QUANTITIES.len())];
        if let Some(workshop) = workshop(&mut dice) {
            times.measure(seed, &workshop, &parts, quantity);
        }
    }
    let planned = times.0.len();
    let mut says = |share| {
        let (time, seed) = times.at(share);
        format!("{:.3} s (seed {seed})", time.as_secs_f64())
    };
    format!(
        "{planned} of {orders} adversarial orders at balanced: median {}, p99 {}, longest {}",
        says(500),
        says(990),
        says(1_000),
    )
}

/// Thin strips, primes, small squares, pieces of more than half a board, anything; as many as a
/// product may have.
fn hard(dice: &mut Dice) -> Vec<Size> {
    const PRIMES: [u32; 8] = [2, 13, 61, 127, 251, 509, 1_021, 2_039];
    let kinds = [1, 2, 5, 13, 50, 200][dice.index(6)];
    let most = 1_000 / kinds;
    let count = [1, most.min(3), most][dice.index(3)];
    let shape = dice.index(5);
    let sizes = |dice: &mut Dice| match shape {
        0 => [dice.between(1, 4), dice.between(900, 2_000)],
        1 => [PRIMES[dice.index(8)], PRIMES[dice.index(8)]],
        2 => [dice.between(1, 30), dice.between(1, 30)],
        3 => [dice.between(600, 1_219), dice.between(600, 1_219)],
        _ => [dice.between(1, 2_440), dice.between(1, 1_220)],
    };
    let mut parts = Vec::new();
    for _ in 0..kinds {
        let [width_mm, height_mm] = sizes(dice);
        let (count, grain) = (dice.between(1, count), dice.between(0, 3) == 0);
        parts.push(Size { width_mm, height_mm, count, grain });
    }
    parts
}

/// Up to 32 sizes of sheet, of some of which there are few, any saw.
fn workshop(dice: &mut Dice) -> Option<Workshop> {
    let mut sheets = vec![Sheet::new("board", 2_440, 2_440).priced(5_000)];
    for number in 0..[0, 2, 12, 31][dice.index(4)] {
        let (width, height) = (dice.between(50, 3_000), dice.between(50, 3_000));
        let price = u64::from(width) * u64::from(height) / 1_000 + u64::from(dice.between(0, 500));
        let sheet = Sheet::new(number.to_string(), width, height).priced(price);
        sheets.push(if dice.between(0, 1) == 0 {
            sheet
        } else {
            sheet.limited(dice.between(1, 9))
        });
    }
    let stages = [Stages::Two, Stages::Three, Stages::Any, Stages::Free][dice.index(4)];
    let saw = Saw { kerf_mm: dice.between(0, 5), stages, ..Saw::default() };
    Workshop::new(sheets, saw, Workshop::MOST_SHEETS).ok()
}
