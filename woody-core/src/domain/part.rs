use serde::{Deserialize, Serialize};

use super::{Invalid, ProductName};

/// The longest side a part may have, in millimetres.
pub const MAX_SIDE_MM: u32 = 10_000;
/// The most different parts a product may have.
pub const MAX_PARTS: usize = 200;
/// The most pieces one product may be made of, over all its parts.
const MAX_PIECES: u32 = 1_000;

/// One rectangle that a toy is made of, and how many of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its name in the workshop.
    pub name: ProductName,
    /// Width in millimetres.
    pub width_mm: u32,
    /// Height in millimetres.
    pub height_mm: u32,
    /// How many of it one toy needs.
    pub count: u32,
    /// Whether its grain shows: then its width lies along the sheet's width, and it is
    /// never turned. Written only where it is true.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub grain: bool,
}

/// The cutting list of one toy; empty for a toy that is its own name in
/// cut-out letters.
///
/// At most [`MAX_PARTS`] different parts and 1,000 pieces in all, each side
/// 1 to [`MAX_SIDE_MM`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Part>", into = "Vec<Part>")]
pub struct Parts(Vec<Part>);

impl Parts {
    /// Checks a cutting list.
    ///
    /// # Errors
    /// [`Invalid`] that names the first part that is out of bounds.
    pub fn new(parts: Vec<Part>) -> Result<Self, Invalid> {
        let invalid = |problem: String| Err(Invalid::new("parts", problem));
        if parts.len() > MAX_PARTS {
            return invalid(format!("may have {MAX_PARTS} entries, not {}", parts.len()));
        }
        for (i, part) in parts.iter().enumerate() {
            for (side, mm) in [("width_mm", part.width_mm), ("height_mm", part.height_mm)] {
                if !(1..=MAX_SIDE_MM).contains(&mm) {
                    return invalid(format!("[{i}].{side} must be 1 to {MAX_SIDE_MM}, not {mm}"));
                }
            }
            if !(1..=MAX_PIECES).contains(&part.count) {
                return invalid(format!(
                    "[{i}].count must be 1 to {MAX_PIECES}, not {}",
                    part.count
                ));
            }
        }
        let pieces: u32 = parts.iter().map(|part| part.count).sum();
        if pieces > MAX_PIECES {
            return invalid(format!("may add up to {MAX_PIECES} pieces, not {pieces}"));
        }
        Ok(Self(parts))
    }

    /// Whether the toy has no cutting list of its own.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the parts in the order they were given.
    pub fn as_slice(&self) -> &[Part] {
        &self.0
    }
}

impl TryFrom<Vec<Part>> for Parts {
    type Error = Invalid;

    fn try_from(parts: Vec<Part>) -> Result<Self, Invalid> {
        Self::new(parts)
    }
}

impl From<Parts> for Vec<Part> {
    fn from(parts: Parts) -> Self {
        parts.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(width_mm: u32, count: u32) -> Part {
        let name = ProductName::parse("wheel").unwrap();
        Part { name, width_mm, height_mm: 10, count, grain: false }
    }

    #[test]
    fn a_part_without_grain_is_written_and_read_as_before_there_was_any() {
        let before = r#"{"name":"wheel","width_mm":20,"height_mm":10,"count":4}"#;
        let wheel = part(20, 4);
        assert_eq!(serde_json::to_string(&wheel).unwrap(), before);
        assert_eq!(serde_json::from_str::<Part>(before).unwrap(), wheel);
        let board = Part { grain: true, ..wheel };
        let with_grain = before.replace('}', r#","grain":true}"#);
        assert_eq!(serde_json::to_string(&board).unwrap(), with_grain);
        assert_eq!(serde_json::from_str::<Part>(&with_grain).unwrap(), board);
    }

    #[test]
    fn the_bad_part_is_named() {
        let refused = Parts::new(vec![part(10, 1), part(0, 1)]).unwrap_err();
        assert_eq!(refused.to_string(), "parts [1].width_mm must be 1 to 10000, not 0");
    }

    #[test]
    fn the_pieces_are_bounded_in_sum() {
        assert!(Parts::new(vec![part(10, 600), part(10, 400)]).is_ok());
        assert!(Parts::new(vec![part(10, 600), part(10, 401)]).is_err());
        assert!(Parts::new(vec![part(10, 1); MAX_PARTS + 1]).is_err());
    }
}
