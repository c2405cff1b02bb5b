use std::sync::OnceLock;

use bytes::Bytes;
use serde::Serialize;
use time::OffsetDateTime;

use crate::domain::{ProductName, Quantity, now, python_stamp};
use crate::workshop::{CannotMake, Plan};

/// What [`HeavyComputation`](super::HeavyComputation) found, and when.
///
/// Its bodies are written when they are first asked for, and kept with it.
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

    /// What it takes of memory at most, all bodies written.
    pub(super) fn weight_bytes(&self) -> usize {
        /// One placement in the plan, in JSON and in the drawing.
        const PER_PLACEMENT: usize = 44 + 130 + 210;
        /// One offcut in the plan, in JSON and in the drawing.
        const PER_OFFCUT: usize = 16 + 70 + 90;
        /// One entry of the cut sequence in the plan and in JSON.
        const PER_CUT: usize = 56 + 210;
        /// One part, besides its name.
        const PER_PART: usize = 300;
        /// One sheet, besides what is cut from it.
        const PER_LAYOUT: usize = 700;
        let Ok(plan) = &self.plan else { return 4 * 1024 };
        let placements: usize = plan.layouts.iter().map(|layout| layout.placements.len()).sum();
        let offcuts: usize = plan.layouts.iter().map(|layout| layout.offcuts.len()).sum();
        let cuts: usize = plan.layouts.iter().map(|layout| layout.cut_sequence.len()).sum();
        let names: usize = plan.parts.iter().map(|part| part.name.len()).sum();
        2 * 1024
            + 20 * self.name.as_str().len()
            + placements * PER_PLACEMENT
            + offcuts * PER_OFFCUT
            + cuts * PER_CUT
            + plan.parts.len() * PER_PART
            + 40 * names
            + plan.layouts.len() * PER_LAYOUT
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
