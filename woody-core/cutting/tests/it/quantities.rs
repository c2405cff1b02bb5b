//! Many of the same: patterns with counts.

use proptest::prelude::*;
use woody_cutting::{Effort, Part, Plan, Problem, Saw, Stages, Stock, check};

use crate::problems::any_problem;

#[test]
fn sizes_of_sheet_are_mixed_by_what_their_wood_costs() {
    // Two sides of a shelf take a long sheet, its boards a short one, without waste.
    let parts = vec![Part::new(200, 100).times(600), Part::new(70, 70).times(900)];
    let stock = vec![Stock::new(200, 200).priced(40), Stock::new(210, 210).priced(44)];
    let saw = Saw { kerf_mm: 0, ..Saw::default() };
    let problem = Problem::new(parts, stock, saw).unwrap();
    let plan = problem.plan(&Effort::BALANCED).unwrap();
    assert_eq!(check::verify(&problem, &plan), Ok(()));
    assert_eq!(plan.cost, 300 * 40 + 100 * 44);
}

/// The problem so many times over, from as many times the sheets at hand.
fn times(problem: &Problem, times: u32) -> Problem {
    let parts = problem.parts().iter().map(|part| part.times(part.count * times)).collect();
    let at_hand = |stock: &Stock| stock.at_hand.map(|at_hand| at_hand * times);
    let stock = problem.stock().iter().map(|stock| Stock { at_hand: at_hand(stock), ..*stock });
    Problem::new(parts, stock.collect(), problem.saw()).unwrap()
}

fn planned(problem: &Problem, effort: &Effort) -> Plan {
    let plan = problem.plan(effort).unwrap();
    assert_eq!(check::verify(problem, &plan), Ok(()));
    plan
}

/// Two parts, six and seven to a toy, of which a thousand were once planned worse than twenty fifties.
fn toy() -> Problem {
    let parts = vec![Part::new(594, 91).times(6), Part::new(444, 107).times(7).with_grain()];
    let stock = vec![Stock::new(1_574, 650).priced(1)];
    Problem::new(parts, stock, Saw::default()).unwrap()
}

#[test]
fn a_thousand_toys_cost_no_more_than_twenty_times_fifty() {
    let effort = Effort::steps(1_000_000);
    let thousand = planned(&times(&toy(), 1_000), &effort).cost;
    for size in [1, 2, 4, 5, 8, 10, 50] {
        let batch = planned(&times(&toy(), size), &effort).cost;
        let batches = u64::from(1_000 / size) * batch;
        assert!(thousand <= batches, "{thousand} > {batches} in batches of {size}");
    }
}

#[test]
fn batches_for_a_router_are_laid_out_freely_too() {
    let wanted = [(102, 315, 4), (372, 265, 4), (1, 1, 1), (578, 365, 3)];
    let part = |(width, height, count)| Part::new(width, height).with_grain().times(count);
    let sheet = |width, height, price| Stock::new(width, height).priced(price);
    let stock = vec![sheet(700, 650, 300), sheet(1_177, 368, 71), sheet(598, 385, 901)];
    let saw = Saw { kerf_mm: 0, trim_mm: 10, stages: Stages::Free, ..Saw::default() };
    let toy = Problem::new(wanted.map(part).to_vec(), stock, saw).unwrap();
    let effort = Effort::steps(2_000).with_seed(1_506_727_108_114);
    let (six, two) = (planned(&times(&toy, 6), &effort), planned(&times(&toy, 2), &effort));
    assert!(six.cost <= 3 * two.cost, "{} > 3 x {}", six.cost, two.cost);
}

/// The divisions of a problem into equal batches for which it is promised to cost no more.
fn promised(problem: &Problem) -> Vec<u32> {
    let into = |n: &u32| problem.parts().iter().all(|part| part.count % n == 0);
    let all: Vec<u32> = (2..=problem.parts()[0].count).filter(into).collect();
    let at_most = |n: u32, most: u64| problem.pieces() / u64::from(n) <= most;
    let large = all.iter().copied().find(|n| at_most(*n, 1_000) && problem.pieces() > 1_000);
    let small = all.iter().copied().filter(|n| at_most(*n, 150));
    small.chain(large).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn equal_batches_together_cost_no_more_than_each_alone(
        batch in any_problem(),
        number in prop::sample::select(vec![2, 3, 6, 10, 12, 24, 50, 60, 100, 360]),
        steps in prop::sample::select(vec![0, 2_000, 20_000, 100_000]),
        seed: u64,
    ) {
        let effort = Effort::steps(steps).with_seed(seed);
        let all = times(&batch, number);
        let plan = planned(&all, &effort);
        for batches in promised(&all) {
            let parts = all.parts().iter().map(|part| part.times(part.count / batches)).collect();
            let at_hand = |stock: &Stock| stock.at_hand.map(|at_hand| at_hand / batches);
            let stock = all.stock().iter().map(|one| Stock { at_hand: at_hand(one), ..*one });
            let one = Problem::new(parts, stock.collect(), all.saw()).unwrap();
            let one = planned(&one, &effort);
            let batches = u64::from(batches);
            prop_assert!(
                (plan.cost, plan.sheet_count())
                    <= (batches * one.cost, batches * one.sheet_count()),
                "{} > {batches} x {}", plan.cost, one.cost
            );
        }
    }

    #[test]
    fn batches_keep_to_the_sheets_at_hand(
        problem in any_problem(),
        (number, at_hand) in (2..30_u32, 0..40_u32),
    ) {
        // The first takes any part; of the last there may be too few for each batch to have one.
        let mut stock = problem.stock().to_vec();
        stock.push(Stock::new(650, 640).priced(1).limited(at_hand));
        let parts = times(&problem, number).parts().to_vec();
        planned(&Problem::new(parts, stock, problem.saw()).unwrap(), &Effort::steps(20_000));
    }
}
