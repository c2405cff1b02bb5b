//! What may stand where in a stack file.

/// What may stand somewhere: nothing, a scalar, a list or a map.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) scalar: Option<Form>,
    pub(super) list: Option<&'static Self>,
    pub(super) map: Option<Keys>,
    pub(super) may_be_empty: bool,
}

/// What a scalar must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Anything,
    Text,
    TextOrNumber,
    Duration,
    Whole,
    /// Of these Docker makes what is asked for when variables were filled in.
    FilledWhole,
    FilledNumber,
    Boolean,
    FilledBoolean,
    Port,
    Order,
}

/// The keys of a map.
#[derive(Debug, Clone, Copy)]
pub(super) enum Keys {
    /// These, and others only if `is_open`.
    Known { keys: &'static [Key], is_open: bool },
    /// Names of the author's own choice.
    Named(&'static Shape),
}

/// A key, and the minor version of the format that brought it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) since: u32,
    pub(super) shape: Shape,
}
