use serde::{Deserialize, Serialize};

use super::glyphs;
use crate::domain::{Parts, ProductName};

/// One rectangle that a toy needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutPart {
    /// What it is called: the part's name, or the letter.
    pub name: Box<str>,
    /// Width in millimetres.
    pub width_mm: u32,
    /// Height in millimetres.
    pub height_mm: u32,
    /// How many of it one toy needs.
    pub per_toy: u32,
    /// Whether its grain shows, so that it is never turned.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub grain: bool,
}

/// What one toy is cut from: at least one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CuttingList(Vec<CutPart>);

impl CuttingList {
    /// Makes the cutting list of the toy `name`: its own parts, or, when it has none,
    /// the letters of its name.
    pub fn of(name: &ProductName, parts: &Parts) -> Self {
        if parts.is_empty() {
            return Self::letters(name);
        }
        let part = |part: &crate::domain::Part| CutPart {
            name: part.name.as_str().into(),
            width_mm: part.width_mm,
            height_mm: part.height_mm,
            per_toy: part.count,
            grain: part.grain,
        };
        Self(parts.as_slice().iter().map(part).collect())
    }

    /// Makes the letters of `name`, each cut from its tile, whose grain does not matter;
    /// spaces need no wood.
    ///
    /// ```
    /// use woody_core::{domain::ProductName, workshop::CuttingList};
    ///
    /// let list = CuttingList::letters(&ProductName::parse("a tot").unwrap());
    /// let needed: Vec<_> = list.parts().iter().map(|part| (&*part.name, part.per_toy)).collect();
    /// assert_eq!(needed, [("a", 1), ("t", 2), ("o", 1)]);
    /// ```
    pub fn letters(name: &ProductName) -> Self {
        let mut parts: Vec<CutPart> = Vec::new();
        let mut tile = [0; 4];
        for c in name.as_str().chars() {
            let Some((width_mm, height_mm)) = glyphs::tile(c) else { continue };
            let text = &*c.encode_utf8(&mut tile);
            if let Some(part) = parts.iter_mut().find(|part| &*part.name == text) {
                part.per_toy += 1;
            } else {
                let name = text.into();
                parts.push(CutPart { name, width_mm, height_mm, per_toy: 1, grain: false });
            }
        }
        Self(parts)
    }

    /// The parts of several toys as those of one.
    pub(super) fn of_parts(parts: Vec<CutPart>) -> Self {
        Self(parts)
    }

    /// Returns the parts, in the order they were given or first appear in the name.
    pub fn parts(&self) -> &[CutPart] {
        &self.0
    }
}
