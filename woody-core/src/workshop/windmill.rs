//! A toy for tests whose search for a better plan never ends.

use super::{Effort, Saw, Sheet, Workshop};
use crate::domain::{Part, Parts, Product, ProductId, ProductName, now};

/// Four sails around a hub: by area, and with cuts of any kind, they fill one sheet of
/// [`workshop`]; no saw can cut them from it, so that the bound is never reached.
pub(crate) fn product() -> Product {
    let name = |text| ProductName::parse(text).unwrap();
    let part = |part, width_mm, height_mm, count| Part {
        name: name(part),
        width_mm,
        height_mm,
        count,
        grain: false,
    };
    let parts = Parts::new(vec![part("sail", 600, 400, 4), part("hub", 200, 200, 1)]).unwrap();
    Product { id: ProductId::fresh(), name: name("Windmill"), parts, created_at: now() }
}

/// Squares, so many at hand, and all the time in the world.
pub(crate) fn workshop(at_hand: u32) -> Workshop {
    let sheets = vec![Sheet::new("square", 1_000, 1_000).limited(at_hand)];
    let saw = Saw { kerf_mm: 0, ..Saw::default() };
    Workshop::new(sheets, saw, 250).unwrap().with_effort(Effort::steps(u64::MAX))
}
