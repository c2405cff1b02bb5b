//! Many orders cut from the same sheets.

use serde::{Deserialize, Serialize};

use super::{CannotMake, CutPart, CuttingList, Plan, Workshop};
use crate::domain::{ProductName, Quantity};

/// An order that is to be cut together with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToCut {
    /// What the order is called: its id, or a line of a list.
    pub order: String,
    /// The toy.
    pub toy: ProductName,
    /// What one toy is cut from.
    pub list: CuttingList,
    /// How many toys.
    pub quantity: Quantity,
}

/// One plan for several orders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SharedPlan {
    /// The plan of all of them, as of one toy: its quantity is 1, and each part is named
    /// after its order's place in the list, `3: wheel`.
    pub plan: Plan,
    /// The orders, as they were given.
    pub orders: Vec<OrderShare>,
}

/// What one order has of a [`SharedPlan`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderShare {
    /// What the order is called.
    pub order: String,
    /// The toy.
    pub toy: ProductName,
    /// How many toys.
    pub quantity: Quantity,
    /// Index of its first part in [`Plan::parts`].
    pub first_part: usize,
    /// How many parts it has there.
    pub parts: usize,
    /// Pieces that are its own.
    pub pieces: u64,
    /// Their area, in square millimetres.
    pub used_mm2: u64,
    /// Its share of the sheets' area, in square millimetres; the shares add up to all of it.
    pub wood_mm2: u64,
    /// Its share of what the sheets cost, if they have prices; the shares add up to the cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<u64>,
}

impl SharedPlan {
    /// Returns which order the part belongs to.
    pub fn order_of(&self, part: usize) -> Option<&OrderShare> {
        let after = self.orders.partition_point(|order| order.first_part <= part);
        self.orders.get(after.checked_sub(1)?)
    }
}

impl Workshop {
    /// Plans how several orders are cut from the same sheets. Together they may take as many
    /// sheets as each of them could alone.
    ///
    /// Wood and cost are shared by the area of an order's pieces, offcuts and sawdust included:
    /// on which sheet a piece lies is the planner's choice, and no order pays for it.
    ///
    /// ```
    /// use woody_core::domain::{ProductName, Quantity};
    /// use woody_core::workshop::{CuttingList, ToCut, Workshop};
    ///
    /// let order = |(n, name): (usize, &str)| {
    ///     let toy = ProductName::parse(name).unwrap();
    ///     let list = CuttingList::letters(&toy);
    ///     ToCut { order: format!("order {n}"), toy, list, quantity: Quantity::ONE }
    /// };
    /// let orders: Vec<_> = ["Train", "Lion"].into_iter().enumerate().map(order).collect();
    /// let shared = Workshop::default().plan_together(&orders).unwrap();
    /// assert_eq!(shared.plan.figures.sheets, 1);
    /// assert_eq!(shared.order_of(5).unwrap().order, "order 1");
    /// ```
    ///
    /// # Errors
    /// [`CannotMake`] is the verdict that they cannot be made together; a part that it
    /// names has its order's place in the list before its name.
    pub fn plan_together(&self, orders: &[ToCut]) -> Result<SharedPlan, CannotMake> {
        let mut parts = Vec::new();
        let mut shares = Vec::with_capacity(orders.len());
        for (i, order) in orders.iter().enumerate() {
            let first_part = parts.len();
            let (mut pieces, mut used_mm2) = (0, 0);
            for part in order.list.parts() {
                let count = part.per_toy.saturating_mul(u32::from(order.quantity.get()));
                let area = u64::from(part.width_mm) * u64::from(part.height_mm);
                pieces += u64::from(count);
                used_mm2 += u64::from(count) * area;
                let name = format!("{}: {}", i + 1, part.name).into();
                parts.push(CutPart { name, per_toy: count, ..part.clone() });
            }
            shares.push(OrderShare {
                order: order.order.clone(),
                toy: order.toy.clone(),
                quantity: order.quantity,
                first_part,
                parts: parts.len() - first_part,
                pieces,
                used_mm2,
                wood_mm2: 0,
                cost: None,
            });
        }
        let max_sheets = self.max_sheets.saturating_mul(orders.len() as u64);
        let workshop = Self { max_sheets, ..self.clone() };
        let plan = workshop.plan(&CuttingList::of_parts(parts), Quantity::ONE)?;
        let areas: Vec<u64> = shares.iter().map(|share| share.used_mm2).collect();
        let wood = shared(plan.figures.used_mm2 + plan.figures.waste_mm2, &areas);
        let cost = plan.figures.cost.map(|cost| shared(cost, &areas));
        for (i, share) in shares.iter_mut().enumerate() {
            share.wood_mm2 = wood[i];
            share.cost = cost.as_ref().map(|cost| cost[i]);
        }
        Ok(SharedPlan { plan, orders: shares })
    }
}

/// Shares `whole` in proportion to `weights`: what rounding leaves goes to the largest
/// remainders, the first of equal ones, so that the shares add up.
fn shared(whole: u64, weights: &[u64]) -> Vec<u64> {
    let sum = weights.iter().map(|weight| u128::from(*weight)).sum::<u128>().max(1);
    let exact = |weight: &u64| u128::from(whole) * u128::from(*weight);
    let mut shares: Vec<u64> =
        weights.iter().map(|weight| u64::try_from(exact(weight) / sum).unwrap_or(whole)).collect();
    let left = whole.saturating_sub(shares.iter().sum());
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|i| std::cmp::Reverse(exact(&weights[*i]) % sum));
    for i in by_remainder.into_iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
        shares[i] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::workshop::{Effort, Saw, Sheet};

    fn order(i: usize, name: &str, quantity: i64) -> ToCut {
        let toy = ProductName::parse(name).unwrap();
        let list = CuttingList::letters(&toy);
        ToCut { order: format!("no {i}"), toy, list, quantity: Quantity::new(quantity).unwrap() }
    }

    proptest! {
        #[test]
        fn shares_add_up_exactly(whole in any::<u64>(), weights in prop::collection::vec(1..u64::MAX / 64, 1..40)) {
            let shares = shared(whole, &weights);
            prop_assert_eq!(shares.iter().map(|share| u128::from(*share)).sum::<u128>(), u128::from(whole));
            for (a, b) in shares.iter().zip(&weights).zip(shares.iter().zip(&weights).skip(1)).filter(|(a, b)| a.1 > b.1) {
                prop_assert!(a <= b || a.0 >= b.0, "more area, no smaller share");
            }
        }

        #[test]
        fn every_piece_has_its_order_and_all_is_shared(
            toys in prop::collection::vec(("[a-zA-Z ]{0,8}[a-z]", 1..30_i64), 1..12),
            price in prop::option::of(1..9_999_u64),
        ) {
            let orders: Vec<_> = toys.iter().enumerate().map(|(i, (name, n))| order(i, name, *n)).collect();
            let sheet = Sheet { price, ..Sheet::new("panel", 1_220, 610) };
            let workshop = Workshop::new(vec![sheet], Saw::default(), 100).unwrap();
            let shared = workshop.with_effort(Effort::steps(5_000)).plan_together(&orders).unwrap();
            let figures = shared.plan.figures;
            let mut pieces = vec![0; orders.len()];
            for layout in &shared.plan.layouts {
                for placement in &layout.placements {
                    let share = shared.order_of(placement.part).unwrap();
                    let i = shared.orders.iter().position(|other| other == share).unwrap();
                    pieces[i] += placement.pieces() * layout.repeat;
                }
            }
            let own: Vec<_> = shared.orders.iter().map(|share| share.pieces).collect();
            prop_assert_eq!(pieces, own);
            let wood: u64 = shared.orders.iter().map(|share| share.wood_mm2).sum();
            prop_assert_eq!(wood, figures.used_mm2 + figures.waste_mm2);
            let cost: Option<u64> = shared.orders.iter().map(|share| share.cost).sum();
            prop_assert_eq!(cost, figures.cost);
        }
    }

    #[test]
    fn twelve_orders_of_five_small_toys_share_two_panels() {
        let names = [
            "Train", "Lion", "Woody", "Kite", "Robot", "Tiger", "Truck", "Whale", "Horse", "Plane",
            "Snake", "Zebra",
        ];
        let orders: Vec<_> = names.iter().enumerate().map(|(i, name)| order(i, name, 5)).collect();
        let workshop = Workshop::default();
        let apart: u64 = orders
            .iter()
            .map(|order| workshop.plan(&order.list, order.quantity).unwrap().figures.sheets)
            .sum();
        let shared = workshop.plan_together(&orders).unwrap();
        assert_eq!(apart, 12);
        assert!(shared.plan.figures.sheets <= 2, "{}", shared.plan.summary());
    }

    #[test]
    fn what_cannot_be_made_is_named_with_its_order() {
        let mut orders = vec![order(0, "Train", 1), order(1, "Lion", 1)];
        let (width_mm, height_mm, per_toy, grain) = (9_000, 9_000, 1, false);
        let wall = CutPart { name: "wall".into(), width_mm, height_mm, per_toy, grain };
        orders[1].list = CuttingList::of_parts(vec![wall]);
        let cannot = Workshop::default().plan_together(&orders).unwrap_err();
        assert!(cannot.to_string().starts_with("part 2: wall (9000 x 9000 mm)"), "{cannot}");
    }
}
