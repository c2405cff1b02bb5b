//! What can be wrong, and what would do.

use crate::limits;

/// A problem that cannot be posed.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProblemError {
    /// No part, or too many different ones.
    #[error("there must be 1 to {} different parts, not {given}", limits::MAX_PARTS)]
    Parts {
        /// How many there are.
        given: usize,
    },
    /// Too many pieces.
    #[error("{given} pieces are wanted; at most {} can be planned together", limits::MAX_PIECES)]
    Pieces {
        /// How many there are.
        given: u64,
    },
    /// Nothing in stock, or too many sizes.
    #[error("there must be 1 to {} sizes in stock, not {given}", limits::MAX_STOCK)]
    Stock {
        /// How many there are.
        given: usize,
    },
    /// A part without area, or beyond reason.
    #[error(
        "part [{index}] is {width_mm} x {height_mm} mm; each side must be 1 to {} mm",
        limits::MAX_SIDE_MM
    )]
    PartSize {
        /// Index of the part.
        index: usize,
        /// Its width in millimetres.
        width_mm: u32,
        /// Its height in millimetres.
        height_mm: u32,
    },
    /// A part of which none is wanted.
    #[error("part [{index}] has count 0; leave it out or give it a count of 1 or more")]
    NoneWanted {
        /// Index of the part.
        index: usize,
    },
    /// A sheet without area, or beyond reason.
    #[error(
        "sheet [{index}] is {width_mm} x {height_mm} mm; each side must be 1 to {} mm",
        limits::MAX_SIDE_MM
    )]
    SheetSize {
        /// Index of the sheet.
        index: usize,
        /// Its width in millimetres.
        width_mm: u32,
        /// Its height in millimetres.
        height_mm: u32,
    },
    /// A price beyond reason.
    #[error("sheet [{index}] costs {price}; the most is {}", limits::MAX_PRICE)]
    Price {
        /// Index of the sheet.
        index: usize,
        /// Its price.
        price: u64,
    },
    /// The saw leaves nothing of a sheet.
    #[error("a kerf of {kerf_mm} mm and a trim of {trim_mm} mm leave nothing of sheet [{index}]")]
    SawEatsSheet {
        /// Index of the sheet.
        index: usize,
        /// The kerf in millimetres.
        kerf_mm: u32,
        /// The trim in millimetres.
        trim_mm: u32,
    },
    /// No sheet is large enough for a part.
    #[error(
        "part [{index}] of {width_mm} x {height_mm} mm fits no sheet; the largest has room for {room_width_mm} x {room_height_mm} mm{}",
        if *.turned_would_fit { ", and the part would fit if its grain let it be turned" } else { "" }
    )]
    PartTooLarge {
        /// Index of the part.
        index: usize,
        /// Its width in millimetres.
        width_mm: u32,
        /// Its height in millimetres.
        height_mm: u32,
        /// Width of the largest sheet between its trimmed edges.
        room_width_mm: u32,
        /// Height of the largest sheet between its trimmed edges.
        room_height_mm: u32,
        /// Whether it would fit a sheet if it might be turned.
        turned_would_fit: bool,
    },
}

/// No plan was found for a problem that makes sense.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unplanned {
    /// The sheets at hand are used up.
    #[error(
        "the sheets at hand do not take all pieces: {missing} are left over, part [{first}] among them; add sheets or look longer"
    )]
    OutOfStock {
        /// Pieces that found no place.
        missing: u64,
        /// Index of a part that is among them.
        first: usize,
    },
}
