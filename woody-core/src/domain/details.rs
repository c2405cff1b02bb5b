use std::{fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::value::RawValue;

use super::{Invalid, Label, fields};

/// What an order asks for: the embedder's own type.
///
/// It is written as one JSON object, whose fields stand beside the order's own on
/// the wire and in answers; those names are [`Details::RESERVED`].
///
/// # What changes may do
/// A newer version of the type reads orders that an older one has written as long as
/// every field that was added has a default (`#[serde(default)]`) and none has changed
/// its meaning. Fields that a version does not know stay where they are: in the message
/// and in the store.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use woody_core::domain::{Invalid, OrderDetails};
///
/// #[derive(Debug, Clone, Serialize, Deserialize)]
/// struct Pizza {
///     toppings: Vec<String>,
///     #[serde(default)]
///     note: Option<String>,
/// }
///
/// impl OrderDetails for Pizza {
///     const NAME: &'static str = "pizza";
///
///     fn check(&self) -> Result<(), Invalid> {
///         match self.toppings.len() {
///             1..=8 => Ok(()),
///             n => Err(Invalid::new("toppings", format!("must be 1 to 8, not {n}"))),
///         }
///     }
/// }
/// ```
pub trait OrderDetails:
    Serialize + DeserializeOwned + Clone + fmt::Debug + Send + Sync + 'static
{
    /// What one such order is called, in messages and in documentation: `pizza`.
    const NAME: &'static str;

    /// Checks what serde cannot. Called when an order comes in, and again when it is
    /// read from a message: one that does not pass is refused, or poison.
    ///
    /// # Errors
    /// [`Invalid`] names the field.
    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }

    /// Returns all that is wrong, so that who placed the order is told at once; nothing where all is in order.
    ///
    /// By default the one thing that [`check`](Self::check) finds. This is what is called: a type that finds several
    /// writes it in place of `check`.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// use woody_core::domain::{Invalid, OrderDetails};
    ///
    /// # #[derive(Debug, Clone, Serialize, Deserialize)]
    /// # struct Pizza { toppings: Vec<String>, email: String }
    /// impl OrderDetails for Pizza {
    ///     const NAME: &'static str = "pizza";
    ///
    ///     fn check_all(&self) -> Vec<Invalid> {
    ///         let mut wrong = Vec::new();
    ///         if self.toppings.is_empty() {
    ///             wrong.push(Invalid::new("toppings", "must not be empty"));
    ///         }
    ///         if !self.email.contains('@') {
    ///             wrong.push(Invalid::new("email", "must be an address"));
    ///         }
    ///         wrong
    ///     }
    /// }
    /// ```
    fn check_all(&self) -> Vec<Invalid> {
        self.check().err().into_iter().collect()
    }

    /// Returns what operators find an order by beside its id: a customer's number, an address, a cart. By default
    /// nothing.
    ///
    /// It is kept in an index of its own, along which all orders with this very text are listed, so it costs each order that has
    /// one an entry. Choose what few orders share; where letters may be large or small, return it in small ones. An
    /// order is found by what its type returned when it was accepted: a type that begins to return something finds no
    /// older orders by it.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// use woody_core::domain::{Label, OrderDetails};
    ///
    /// # #[derive(Debug, Clone, Serialize, Deserialize)]
    /// # struct Pizza { toppings: Vec<String>, email: String }
    /// impl OrderDetails for Pizza {
    ///     const NAME: &'static str = "pizza";
    ///
    ///     fn found_by(&self) -> Option<Label> {
    ///         Some(Label::new(self.email.to_lowercase()))
    ///     }
    /// }
    /// ```
    fn found_by(&self) -> Option<Label> {
        None
    }
}

/// An order's details as ports, stores and brokers carry them: the text of one JSON
/// object, bounded in size.
///
/// It is cheap to clone, and is kept as it was written: two texts are equal when every
/// byte is.
///
/// ```
/// use woody_core::domain::{Details, ToyOrder};
///
/// let details = Details::of(&ToyOrder::parse("Train", 2)?, Details::MAX_BYTES)?;
/// assert_eq!(details.decode::<ToyOrder>()?.product.as_str(), "Train");
/// assert!(Details::parse(r#"{"order_id": 7}"#).is_err()); // Every order has one itself.
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Details(Arc<str>);

/// Details that cannot be an order's.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DetailsError {
    /// The text is larger than it may be.
    #[error("the order's details are {bytes} bytes of JSON, more than {at_most}")]
    TooLarge {
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        at_most: usize,
    },
    /// They are no JSON object.
    #[error("an order's details must be a JSON object: {0}")]
    NoObject(String),
    /// A field has the name of one that every order has.
    #[error("the field {0} of the order's details has a name that every order uses itself")]
    Reserved(&'static str),
    /// The type does not read them.
    #[error("{path}: {problem}")]
    Unreadable {
        /// Where, as `toppings[2].name`; `.` is the whole.
        path: String,
        /// What is wrong there.
        problem: String,
    },
    /// They are read, and are not in order.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// They are read, and several things are not in order.
    #[error("{}", sentences(.0))]
    SeveralInvalid(Vec<Invalid>),
}

/// What is wrong, one sentence after the other; the first ones where there are many.
fn sentences(all: &[Invalid]) -> String {
    let told: Vec<_> = all.iter().take(8).map(ToString::to_string).collect();
    let more = if all.len() > told.len() { "; and more" } else { "" };
    told.join("; ") + more
}

impl Details {
    /// How large the text may be unless the intake is told otherwise, in bytes.
    pub const MAX_BYTES: usize = 32 * 1024;
    /// How large an intake may let it become, in bytes.
    pub const LARGEST: usize = 256 * 1024;
    /// The names of the fields that every order has.
    pub const RESERVED: [&'static str; 5] = fields::RESERVED;

    /// Writes `details` as text.
    ///
    /// # Errors
    /// [`DetailsError`] when the text is larger than `at_most` bytes, no object, has a
    /// field with a reserved name, or would not be read back.
    pub fn of<D: OrderDetails>(details: &D, at_most: usize) -> Result<Self, DetailsError> {
        let text =
            serde_json::to_string(details).map_err(|e| DetailsError::NoObject(e.to_string()))?;
        Self::check_size(&text, at_most)?;
        if !text.starts_with('{') {
            return Err(DetailsError::NoObject(format!("a {} is written as {text}", D::NAME)));
        }
        // Nearly always none is named at all.
        if Self::RESERVED.iter().any(|name| text.contains(name)) {
            Self::check_names(&text)?;
        }
        let written = Self(text.into());
        // What is accepted now must be readable in the worker.
        written.decode::<D>()?;
        Ok(written)
    }

    /// Takes the text of a JSON object as details.
    ///
    /// # Errors
    /// [`DetailsError`] when it is larger than [`LARGEST`](Self::LARGEST), no object, or
    /// has a field with a reserved name.
    pub fn parse(text: &str) -> Result<Self, DetailsError> {
        Self::check_size(text, Self::LARGEST)?;
        Self::check_names(text)?;
        Ok(Self(text.trim_ascii().into()))
    }

    /// The text that is left of an order's details once it was archived. No order asks for it: its
    /// field has the name of one that every order has itself.
    pub const ARCHIVED: &str = r#"{"status":"archived"}"#;

    /// Returns what is left of an order's details once it was archived.
    pub fn archived() -> Self {
        Self(Self::ARCHIVED.into())
    }

    /// Whether the order was archived: what it asked for is no longer here.
    pub fn are_archived(&self) -> bool {
        &*self.0 == Self::ARCHIVED
    }

    /// Takes what a store or a message holds: an object without reserved names.
    pub(super) fn trusted(text: String) -> Result<Self, DetailsError> {
        Self::check_size(&text, Self::LARGEST)?;
        Ok(Self(text.into()))
    }

    /// Takes the text of details that were taken before.
    pub(crate) fn again(text: &str) -> Self {
        Self(text.into())
    }

    fn check_size(text: &str, at_most: usize) -> Result<(), DetailsError> {
        let bytes = text.len();
        if bytes > at_most { Err(DetailsError::TooLarge { bytes, at_most }) } else { Ok(()) }
    }

    fn check_names(text: &str) -> Result<(), DetailsError> {
        match fields::reserved_name(text) {
            Ok(None) => Ok(()),
            Ok(Some(name)) => Err(DetailsError::Reserved(name)),
            Err(error) => Err(DetailsError::NoObject(error.to_string())),
        }
    }

    /// Reads the details as a `D`, and checks them.
    ///
    /// # Errors
    /// [`DetailsError::Unreadable`] with the path to what is wrong,
    /// [`DetailsError::Invalid`] or [`DetailsError::SeveralInvalid`].
    pub fn decode<D: OrderDetails>(&self) -> Result<D, DetailsError> {
        let details: D = serde_json::from_str(&self.0).or_else(|_| self.decode_with_path())?;
        let mut wrong = details.check_all();
        match wrong.len() {
            0 => Ok(details),
            1 => Err(wrong.remove(0).into()),
            _ => Err(DetailsError::SeveralInvalid(wrong)),
        }
    }

    /// Reads again, slower, to tell where it failed.
    fn decode_with_path<D: DeserializeOwned>(&self) -> Result<D, DetailsError> {
        let json = &mut serde_json::Deserializer::from_str(&self.0);
        serde_path_to_error::deserialize(json).map_err(|error| DetailsError::Unreadable {
            path: error.path().to_string(),
            problem: error.inner().to_string(),
        })
    }

    /// Returns the text: one JSON object.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both are the same for a `D`, whatever order their fields have and
    /// whichever version of it wrote them.
    pub fn mean_the_same<D: OrderDetails>(&self, other: &Self) -> bool {
        let value = |details: &Self| {
            details.decode::<D>().ok().and_then(|details| serde_json::to_value(details).ok())
        };
        self == other || value(self).is_some_and(|this| Some(this) == value(other))
    }
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Details {
    type Err = DetailsError;

    fn from_str(text: &str) -> Result<Self, DetailsError> {
        Self::parse(text)
    }
}

/// Written as the object that they are.
impl Serialize for Details {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Details {
    fn deserialize<De: Deserializer<'de>>(deserializer: De) -> Result<Self, De::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).map_err(De::Error::custom)
    }
}

/// Details of any type, for programs that carry orders and do not look into them.
impl OrderDetails for Details {
    const NAME: &'static str = "order";
}

#[cfg(test)]
mod tests;
