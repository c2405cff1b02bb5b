/// Declares the row that a statement returns: groups of columns that other rows have,
/// too, then columns by their names.
///
/// sqlx's derive does the same, but has both drivers built a second time.
macro_rules! row {
    (
        $(#[$about:meta])*
        $vis:vis struct $name:ident of each database {
            $(..$group:ident: $group_type:ty,)*
            $($column:ident: $column_type:ty,)*
        }
    ) => {
        $(#[$about])*
        $vis struct $name {
            $($group: $group_type,)*
            $($column: $column_type,)*
        }

        #[cfg(feature = "sqlite")]
        row!(from sqlx::sqlite::SqliteRow, $name { $($group,)* } { $($column,)* });
        #[cfg(feature = "postgres")]
        row!(from sqlx::postgres::PgRow, $name { $($group,)* } { $($column,)* });
    };
    (
        $(#[$about:meta])*
        $vis:vis struct $name:ident of $row:ty {
            $(..$group:ident: $group_type:ty,)*
            $($column:ident: $column_type:ty,)*
        }
    ) => {
        $(#[$about])*
        $vis struct $name {
            $($group: $group_type,)*
            $($column: $column_type,)*
        }

        row!(from $row, $name { $($group,)* } { $($column,)* });
    };
    (from $row:ty, $name:ident { $($group:ident,)* } { $($column:ident,)* }) => {
        impl sqlx::FromRow<'_, $row> for $name {
            fn from_row(row: &$row) -> sqlx::Result<Self> {
                Ok(Self {
                    $($group: sqlx::FromRow::from_row(row)?,)*
                    $($column: sqlx::Row::try_get(row, stringify!($column))?,)*
                })
            }
        }
    };
}

pub(crate) use row;
