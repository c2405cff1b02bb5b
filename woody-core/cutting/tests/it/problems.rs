//! Problems at random.

use proptest::prelude::*;
use woody_cutting::{Part, Problem, Saw, Stages, Stock};

pub(crate) fn any_part() -> impl Strategy<Value = Part> {
    (1..600_u32, 1..600_u32, 1..9_u32, any::<bool>()).prop_map(
        |(width_mm, height_mm, count, may_turn)| Part { width_mm, height_mm, count, may_turn },
    )
}

fn any_stock() -> impl Strategy<Value = Vec<Stock>> {
    let sheet = (100..1_500_u32, 100..1_500_u32, 1..1_000_u64, prop::option::of(1..4_u32));
    // The first takes any part, in any number.
    prop::collection::vec(sheet, 0..3).prop_map(|more| {
        let more = more.into_iter().map(|(width_mm, height_mm, price, at_hand)| Stock {
            width_mm,
            height_mm,
            price,
            at_hand,
        });
        std::iter::once(Stock::new(700, 650).priced(300)).chain(more).collect()
    })
}

pub(crate) fn any_saw() -> impl Strategy<Value = Saw> {
    let stages = prop::sample::select(vec![Stages::Two, Stages::Three, Stages::Any, Stages::Free]);
    (0..8_u32, prop::sample::select(vec![0, 0, 1, 10, 20]), stages)
        .prop_map(|(kerf_mm, trim_mm, stages)| Saw { kerf_mm, trim_mm, stages, ..Saw::default() })
}

pub(crate) fn any_problem() -> impl Strategy<Value = Problem> {
    (prop::collection::vec(any_part(), 1..15), any_stock(), any_saw())
        .prop_map(|(parts, stock, saw)| Problem::new(parts, stock, saw).unwrap())
}
