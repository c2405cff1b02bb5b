//! Rectangles on a sheet.

/// A direction on a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Axis {
    /// Along the width.
    Width,
    /// Along the height.
    Height,
}

/// A rectangle on a sheet; its corner is that next to the sheet's origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rect {
    /// From the sheet's left edge, in millimetres.
    pub x_mm: u32,
    /// From the sheet's top edge, in millimetres.
    pub y_mm: u32,
    /// Width in millimetres.
    pub width_mm: u32,
    /// Height in millimetres.
    pub height_mm: u32,
}

impl Rect {
    /// Its area in square millimetres.
    pub fn area_mm2(&self) -> u64 {
        u64::from(self.width_mm) * u64::from(self.height_mm)
    }

    /// Its extent along `axis`.
    pub fn along_mm(&self, axis: Axis) -> u32 {
        match axis {
            Axis::Width => self.width_mm,
            Axis::Height => self.height_mm,
        }
    }

    /// Its extent across `axis`.
    pub fn across_mm(&self, axis: Axis) -> u32 {
        match axis {
            Axis::Width => self.height_mm,
            Axis::Height => self.width_mm,
        }
    }

    /// Where it begins along `axis`.
    pub fn start_mm(&self, axis: Axis) -> u32 {
        match axis {
            Axis::Width => self.x_mm,
            Axis::Height => self.y_mm,
        }
    }

    /// Where it ends along `axis`.
    pub fn end_mm(&self, axis: Axis) -> u32 {
        self.start_mm(axis) + self.along_mm(axis)
    }
}
