/// Writes a setter for each of these fields, so that settings to which fields are added later can be written in one go.
#[doc(hidden)]
#[macro_export]
macro_rules! __setters {
    ($($field:ident: $type:ty),+ $(,)?) => {$(
        #[doc = concat!("Sets [`", stringify!($field), "`](field@Self::", stringify!($field), ").")]
        #[must_use]
        pub fn $field(mut self, $field: $type) -> Self {
            self.$field = $field;
            self
        }
    )+};
}
