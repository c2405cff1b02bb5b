use std::sync::OnceLock;

use bytes::Bytes;
use serde::Serialize;
use time::OffsetDateTime;

use crate::domain::{ProductName, Quantity, now, python_stamp};
use crate::workshop::{CannotMake, Layout, Plan};

/// What [`HeavyComputation`](super::HeavyComputation) found, and when.
///
/// Its text, JSON and drawing are written when they are first asked for, and kept with it.
#[derive(Debug)]
pub struct HeavyAnswer {
    /// The toy.
    pub name: ProductName,
    /// How many of it.
    pub quantity: Quantity,
    /// When it was computed, UTC.
    pub computed_at: OffsetDateTime,
    /// How they are cut, or why they cannot be.
    pub plan: Result<Plan, CannotMake>,
    text: OnceLock<Bytes>,
    json: OnceLock<Bytes>,
    svg: OnceLock<Bytes>,
}

impl HeavyAnswer {
    /// Makes an answer with the present time.
    pub fn new(name: ProductName, quantity: Quantity, plan: Result<Plan, CannotMake>) -> Self {
        Self {
            name,
            quantity,
            computed_at: now(),
            plan,
            text: OnceLock::new(),
            json: OnceLock::new(),
            svg: OnceLock::new(),
        }
    }

    /// Returns the answer as the original system wrote it:
    /// `2026-11-23 19:12:00.123456: Woody -Train- Woody`.
    pub fn text(&self) -> Bytes {
        let write = || format!("{}: Woody -{}- Woody", python_stamp(self.computed_at), self.name);
        self.text.get_or_init(|| write().into()).clone()
    }

    /// Returns the answer as JSON: `name`, `quantity`, `computed_at`, and either
    /// `summary` and `plan`, or `cannot_make` with the reason.
    pub fn json(&self) -> Bytes {
        let write = || {
            let plan = self.plan.as_ref();
            let body = Body {
                name: self.name.as_str(),
                quantity: self.quantity,
                computed_at: self.computed_at,
                summary: plan.ok().map(|plan| plan.summary().to_string()),
                plan: plan.ok(),
                cannot_make: plan.err().map(ToString::to_string),
            };
            // Strings and numbers under fixed keys: serialising them cannot fail.
            serde_json::to_vec(&body).unwrap_or_default()
        };
        self.json.get_or_init(|| write().into()).clone()
    }

    /// Returns the answer as a drawing; one that cannot be made says why.
    pub fn svg(&self) -> Bytes {
        let write = || match &self.plan {
            Ok(plan) => plan.to_svg(self.name.as_str()),
            Err(cannot) => cannot.to_svg(self.name.as_str()),
        };
        self.svg.get_or_init(|| write().into()).clone()
    }

    /// Returns the cut list as CSV; an answer that cannot be made says why. It is not kept.
    pub fn csv(&self) -> Bytes {
        match &self.plan {
            Ok(plan) => plan.to_csv(self.name.as_str()),
            Err(cannot) => cannot.to_csv(),
        }
        .into()
    }

    /// Returns the answer as DXF, for routers; one that cannot be made says why. It is not kept.
    ///
    /// # Errors
    /// How many pieces would have to be drawn, if they are more than a drawing has.
    pub fn dxf(&self) -> Result<Bytes, u64> {
        match &self.plan {
            Ok(plan) => plan.to_dxf().map(Bytes::from),
            Err(cannot) => Ok(cannot.to_dxf().into()),
        }
    }

    /// What it takes of memory at most, all bodies written.
    pub(super) fn weight_bytes(&self) -> usize {
        /// One placement in the plan and in JSON.
        const PER_PLACEMENT: usize = 44 + 130;
        /// One offcut in the plan and in JSON.
        const PER_OFFCUT: usize = 16 + 70;
        /// One entry of the cut sequence in the plan, in JSON and in the drawing's list.
        const PER_CUT: usize = 56 + 210 + 270;
        /// One part in the plan and in JSON, besides its name.
        const PER_PART: usize = 200;
        /// One sheet, besides what is cut from it, and its page of the drawing.
        const PER_LAYOUT: usize = 3_400;
        /// A piece, an offcut or the number of a cut in the drawing, and how many it has.
        const PER_SHAPE: usize = 400;
        const SHAPES: usize = 2_000;
        /// The line of a cut in the drawing, and how many it has.
        const PER_LINE: usize = 28;
        const LINES: usize = 7_200;
        /// A line of the drawing's lists of parts, and how many they have.
        const PER_ROW: usize = 600;
        const ROWS: usize = 700;
        let Ok(plan) = &self.plan else { return 4 * 1024 };
        let sum = |each: fn(&Layout) -> usize| plan.layouts.iter().map(each).sum::<usize>();
        let placements = sum(|layout| layout.placements.len());
        let offcuts = sum(|layout| layout.offcuts.len());
        let sequence = sum(|layout| layout.cut_sequence.len());
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let cuts = plan.layouts.iter().map(|layout| count(layout.cuts)).sum::<usize>();
        let pieces = plan.layouts.iter().flat_map(|layout| &layout.placements);
        let pieces = pieces.map(|placement| count(placement.pieces())).sum::<usize>();
        let names: usize = plan.parts.iter().map(|part| part.name.len()).sum();
        4 * 1024
            + 80 * self.name.as_str().len()
            + placements * PER_PLACEMENT
            + offcuts * PER_OFFCUT
            + sequence * PER_CUT
            + plan.parts.len() * PER_PART
            + 40 * names
            + plan.layouts.len() * PER_LAYOUT
            + (pieces + offcuts + cuts).min(SHAPES) * PER_SHAPE
            + cuts.min(LINES) * PER_LINE
            + placements.min(ROWS) * PER_ROW
    }
}

#[derive(Serialize)]
struct Body<'a> {
    name: &'a str,
    quantity: Quantity,
    #[serde(with = "time::serde::rfc3339")]
    computed_at: OffsetDateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<&'a Plan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cannot_make: Option<String>,
}
