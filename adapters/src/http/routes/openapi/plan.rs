//! The schema of a heavy answer. The types are core's; these only describe
//! them, and a test reads real responses with them.

use serde::Deserialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// How a batch of a toy is cut, or why it cannot be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeavyView {
    /// The toy.
    #[schema(example = "lion")]
    pub name: String,
    /// How many of it.
    #[schema(minimum = 1, maximum = 1_000, example = 20)]
    pub quantity: u16,
    /// When this was computed.
    #[serde(with = "time::serde::rfc3339")]
    pub computed_at: OffsetDateTime,
    /// The plan in a line.
    #[schema(example = "1 sheet, 80 pieces, 56 % used")]
    pub summary: Option<String>,
    /// The plan, if it can be made.
    pub plan: Option<PlanView>,
    /// Why it cannot be made.
    pub cannot_make: Option<String>,
}

/// How the toys are cut from sheets.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanView {
    /// How many toys it makes.
    pub quantity: u16,
    /// What the saw, or a router's bit, takes between two pieces, in millimetres.
    pub kerf_mm: u32,
    /// The plan in numbers.
    pub figures: FiguresView,
    /// The parts; placements refer to them by index.
    pub parts: Vec<CutPartView>,
    /// The sheets, equal ones once.
    pub layouts: Vec<LayoutView>,
}

/// A plan in numbers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FiguresView {
    /// Sheets that are cut.
    pub sheets: u64,
    /// Pieces that come out.
    pub pieces: u64,
    /// How much of the sheets the pieces are, in percent with one decimal.
    pub used_percent: f64,
    /// Area of the pieces, in square millimetres.
    pub used_mm2: u64,
    /// What is left of the sheets, in square millimetres.
    pub waste_mm2: u64,
    /// What the sheets cost; left out if they have no prices.
    pub cost: Option<u64>,
    /// Cuts that the saw makes, over all sheets.
    pub cuts: u64,
    /// How long they are together, in millimetres.
    pub cut_length_mm: u64,
}

/// One rectangle that a toy needs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CutPartView {
    /// What it is called.
    pub name: String,
    /// Width in millimetres.
    pub width_mm: u32,
    /// Height in millimetres.
    pub height_mm: u32,
    /// How many of it one toy needs.
    pub per_toy: u32,
    /// Whether its grain shows, so that it is never turned; left out if not.
    #[serde(default)]
    #[schema(default = false)]
    pub grain: bool,
}

/// One sheet and what is cut from it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LayoutView {
    /// The sheet.
    pub sheet: SheetView,
    /// How many sheets are cut this way.
    pub repeat: u64,
    /// What is cut from each, in the order of the sawing.
    pub placements: Vec<PlacementView>,
    /// What is left of each and large enough to be kept, the largest first.
    pub offcuts: Vec<RectView>,
    /// Cuts that free the pieces of one sheet.
    pub cuts: u64,
    /// How long they are together, in millimetres.
    pub cut_length_mm: u64,
    /// The cuts in the order of the sawing: the raw edges, then the strips of the whole, then
    /// each strip's. After the first 2,000 entries of a plan cuts are counted in `cuts` alone.
    pub cut_sequence: Vec<CutView>,
    /// Whether pieces lie as a saw need not be able to cut them, for a router; left out if not.
    /// No cuts are told then.
    #[serde(default)]
    #[schema(default = false)]
    pub free: bool,
}

/// A cut from edge to edge of the wood that lies on the saw, or several that follow each
/// other with the same setting of the fence.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CutView {
    /// Which cut of the sheet it is, the first of several: 1 for the sheet's first.
    pub number: u64,
    /// Along the sheet's longer side, or across it.
    pub direction: DirectionView,
    /// How wide a strip comes off: what the fence is set to. Where a raw edge is trimmed,
    /// what is cut away.
    pub fence_mm: u32,
    /// Where the blade enters, from the sheet's left edge or its top edge.
    pub at_mm: u32,
    /// How long the cut is.
    pub length_mm: u32,
    /// The wood that is parted, before the first of several.
    pub wood: RectView,
    /// How many such cuts follow each other, each a strip and a kerf further; one when it is
    /// left out.
    #[serde(default = "one_cut")]
    #[schema(default = 1)]
    pub times: u64,
}

/// Which way a cut runs on its sheet.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DirectionView {
    /// Along the sheet's longer side.
    Rip,
    /// Across the sheet's longer side.
    Cross,
}

/// A rectangle on a sheet.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the unit is part of the names on the wire")]
pub struct RectView {
    /// From the sheet's left edge, in millimetres.
    pub x_mm: u32,
    /// From the sheet's top edge, in millimetres.
    pub y_mm: u32,
    /// Width in millimetres.
    pub width_mm: u32,
    /// Height in millimetres.
    pub height_mm: u32,
}

/// A size of wooden sheet.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SheetView {
    /// What the stock calls it.
    #[schema(example = "half board")]
    pub name: String,
    /// Width in millimetres.
    pub width_mm: u32,
    /// Height in millimetres.
    pub height_mm: u32,
    /// Price of one sheet; left out if sheets have no prices.
    pub price: Option<u64>,
    /// How many of it one plan may use; left out for any number.
    pub at_hand: Option<u32>,
}

/// A piece on a sheet, or a block of equal pieces with the kerf between them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacementView {
    /// Index into the plan's parts.
    pub part: usize,
    /// From the sheet's left edge, in millimetres.
    pub x_mm: u32,
    /// From the sheet's top edge, in millimetres.
    pub y_mm: u32,
    /// Width of one piece as it lies there.
    pub width_mm: u32,
    /// Height of one piece as it lies there.
    pub height_mm: u32,
    /// Whether it lies turned by a quarter.
    pub rotated: bool,
    /// Pieces side by side; one when it is left out.
    #[serde(default = "one")]
    #[schema(default = 1)]
    pub columns: u32,
    /// Pieces below each other; one when it is left out.
    #[serde(default = "one")]
    #[schema(default = 1)]
    pub rows: u32,
}

const fn one() -> u32 {
    1
}

const fn one_cut() -> u64 {
    1
}
