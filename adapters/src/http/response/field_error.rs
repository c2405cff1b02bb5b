use std::borrow::Cow;

use serde::Serialize;
use woody_core::domain::Invalid;

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// The field, such as `quantity` or `parts[1].width_mm`.
    #[schema(value_type = String, example = "quantity")]
    field: Cow<'static, str>,
    /// What is wrong with it.
    #[schema(example = "quantity must be a whole number from 1 to 1,000, not 0")]
    detail: String,
}

/// Of a name, and of what is wrong with it, as much is told; both may be what a client sent. In characters.
const MOST_CHARS: usize = 200;

impl FieldError {
    /// `problem` continues a sentence that begins with the field.
    pub(in crate::http) fn new(field: impl Into<Cow<'static, str>>, problem: &str) -> Self {
        let field = match field.into() {
            Cow::Borrowed(field) => Cow::Borrowed(field),
            Cow::Owned(field) => Cow::Owned(short(field)),
        };
        let detail = format!("{field} {}", short(problem.to_owned()));
        Self { field, detail }
    }

    /// `detail` is a whole sentence.
    pub(in crate::http) fn told(field: Cow<'static, str>, detail: String) -> Self {
        Self { field, detail }
    }

    pub(in crate::http) fn field(&self) -> &Cow<'static, str> {
        &self.field
    }

    pub(in crate::http) fn detail(&self) -> &str {
        &self.detail
    }
}

fn short(text: String) -> String {
    match text.char_indices().nth(MOST_CHARS) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

impl From<&Invalid> for FieldError {
    fn from(invalid: &Invalid) -> Self {
        // `parts` with the problem `[1].width_mm must be …` is about `parts[1].width_mm`.
        match invalid.problem.split_once(' ') {
            Some((index, problem)) if index.starts_with('[') => {
                Self::new(format!("{}{index}", invalid.field), problem)
            }
            _ => Self::new(invalid.field.clone(), &invalid.problem),
        }
    }
}
