//! What each effort takes and yields by the number of parts, and problems made to be hard.

use std::time::Duration;

use woody_cutting::{Effort, Part, Problem, Saw, Stock, check};

use crate::classes::Dice;
use crate::cpu_time;

const EFFORTS: [(&str, Effort); 3] =
    [("fast", Effort::FAST), ("balanced", Effort::BALANCED), ("thorough", Effort::THOROUGH)];
const PARTS: [u32; 6] = [5, 20, 40, 100, 400, 1_000];
/// Problems of each number of parts.
const OF_EACH: u64 = 5;

/// Processor time and use of the wood in percent; nothing for problems that cannot be posed or planned.
fn measure(problem: &Problem, effort: &Effort) -> Option<(Duration, f64)> {
    let start = cpu_time();
    let plan = problem.plan(effort).ok();
    let taken = cpu_time().saturating_sub(start);
    let plan = plan?;
    assert_eq!(check::verify(problem, &plan), Ok(()), "{problem:?}");
    #[expect(clippy::cast_precision_loss, reason = "percent for people")]
    let sum = |each: u64| each as f64;
    let wood = |index: usize| problem.stock()[index].area_mm2();
    let cut: u64 = plan.sheets.iter().map(|sheet| sheet.repeat * wood(sheet.stock)).sum();
    let used: u64 = plan.sheets.iter().map(|sheet| sheet.repeat * sheet.used_mm2()).sum();
    Some((taken, 100.0 * sum(used) / sum(cut)))
}

/// A table of parts for furniture from boards, a row for each number of parts.
pub(crate) fn table() -> String {
    let head = |(name, _)| format!(" {name}: mean ms | longest ms | use of the wood |");
    let head: String = EFFORTS.map(head).concat();
    let mut rows = vec![
        format!("| parts |{head}"),
        format!("| ---: |{}", " ---: |".repeat(3 * EFFORTS.len())),
    ];
    rows.extend(PARTS.map(|parts| {
        let cells = EFFORTS.map(|(_, effort)| cells(parts, &effort)).concat();
        format!("| {parts} |{cells}")
    }));
    rows.join("\n")
}

/// How long lists of so many parts take, and what they use.
fn cells(parts: u32, effort: &Effort) -> String {
    let (mut times, mut uses, mut longest, mut planned) = (0.0, 0.0, 0.0_f64, 0.0);
    for number in 0..OF_EACH {
        let mut dice = Dice(u64::from(parts) * 1_000 + number);
        let part = |_| Part::new(dice.between(60, 900), dice.between(60, 500));
        let list = (0..parts).map(part).collect();
        let problem = Problem::new(list, vec![Stock::new(2_440, 1_220)], Saw::default());
        if let Some((time, used)) = problem.ok().and_then(|problem| measure(&problem, effort)) {
            let ms = 1_000.0 * time.as_secs_f64();
            (times, uses, planned) = (times + ms, uses + used, planned + 1.0);
            longest = longest.max(ms);
        }
    }
    format!(" {:.1} | {longest:.1} | {:.1} % |", times / planned, uses / planned)
}

/// Plans problems at `balanced` that are made to be hard; every plan is checked.
pub(crate) fn adversarial(problems: u64) -> String {
    let mut times: Vec<(Duration, u64)> = Vec::new();
    for seed in 0..problems {
        if let Ok(problem) = hard(&mut Dice(seed)) {
            let start = cpu_time();
            let plan = problem.plan(&Effort::BALANCED);
            times.push((cpu_time().saturating_sub(start), seed));
            if let Ok(plan) = plan {
                assert_eq!(check::verify(&problem, &plan), Ok(()), "seed {seed}");
            }
        }
    }
    times.sort_unstable();
    let at = |share: usize| times.get(times.len().saturating_sub(1) * share / 1_000);
    let says = |found: Option<&(Duration, u64)>| {
        found.map_or_else(String::new, |(time, seed)| {
            format!("{:.3} s (seed {seed})", time.as_secs_f64())
        })
    };
    format!(
        "{} of {problems} adversarial problems at balanced: median {}, p99 {}, longest {}; every plan was checked",
        times.len(),
        says(at(500)),
        says(at(990)),
        says(at(1_000)),
    )
}

/// Thin strips, primes, huge counts, many sizes, sheets just large enough.
fn hard(dice: &mut Dice) -> Result<Problem, woody_cutting::ProblemError> {
    const PRIMES: [u32; 8] = [2, 13, 61, 127, 251, 509, 1_021, 2_039];
    let kinds = [1, 2, 7, 40, 200, 1_000][dice.between(0, 5) as usize];
    let most = [1, 3, 50, 900, 20_000][dice.between(0, 4) as usize];
    let shape = dice.between(0, 4);
    let mut part = || {
        let [w, h] = match shape {
            0 => [dice.between(1, 4), dice.between(900, 2_000)],
            1 => [PRIMES[dice.between(0, 7) as usize], PRIMES[dice.between(0, 7) as usize]],
            2 => [dice.between(1, 30), dice.between(1, 30)],
            3 => [dice.between(600, 1_219), dice.between(600, 1_219)],
            _ => [dice.between(1, 2_440), dice.between(1, 1_220)],
        };
        Part { may_turn: dice.between(0, 3) > 0, ..Part::new(w, h).times(dice.between(1, most)) }
    };
    let parts: Vec<Part> = (0..kinds).map(|_| part()).collect();
    let largest = |side: fn(&Part) -> u32| parts.iter().map(side).max().unwrap_or(1);
    let just =
        Stock::new(largest(|part| part.width_mm).max(10), largest(|part| part.height_mm).max(10));
    let mut stock = vec![if dice.between(0, 1) == 0 { just } else { Stock::new(2_440, 2_440) }];
    for _ in 0..[0, 2, 12, 63][dice.between(0, 3) as usize] {
        let sheet = Stock::new(dice.between(50, 3_000), dice.between(50, 3_000));
        stock.push(if dice.between(0, 1) == 0 { sheet } else { sheet.limited(dice.between(1, 9)) });
    }
    let saw = Saw { kerf_mm: dice.between(0, 5), ..Saw::default() };
    Problem::new(parts, stock, saw)
}
