//! What a query answers.

use sqlx::{
    ColumnIndex, Decode, Row as _, Type, TypeInfo, ValueRef, error::BoxDynError, postgres::PgRow, sqlite::SqliteRow,
};

/// One row.
#[derive(Debug)]
pub enum Row {
    /// Of SQLite.
    Sqlite(SqliteRow),
    /// Of PostgreSQL.
    Postgres(PgRow),
}

impl Row {
    /// A column's value, by its name or place.
    ///
    /// # Panics
    /// If there is no such column, or it holds something else: queries and tables are ours, so that is a defect.
    #[track_caller]
    pub fn get<'r, T: Column<'r>>(&'r self, index: impl Index) -> T {
        match self.try_get(index) {
            Ok(value) => value,
            Err(error) => panic!("a column can't be read: {error}"),
        }
    }

    /// The same, answering what is wrong.
    ///
    /// # Errors
    /// If there is no such column, or it holds something else.
    pub fn try_get<'r, T: Column<'r>>(&'r self, index: impl Index) -> sqlx::Result<T> {
        T::read(self, index)
    }
}

/// The name or place of a column.
pub trait Index: Copy + ColumnIndex<SqliteRow> + ColumnIndex<PgRow> {}
impl<T: Copy + ColumnIndex<SqliteRow> + ColumnIndex<PgRow>> Index for T {}

/// What a column may hold.
pub trait Column<'r>: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// If there is no such column, or it holds something else.
    fn read(row: &'r Row, index: impl Index) -> sqlx::Result<Self>;
}

fn plain<'r, T>(row: &'r Row, index: impl Index) -> sqlx::Result<T>
where
    T: Decode<'r, sqlx::Sqlite> + Type<sqlx::Sqlite>,
    T: Decode<'r, sqlx::Postgres> + Type<sqlx::Postgres>,
{
    match row {
        Row::Sqlite(row) => row.try_get(index),
        Row::Postgres(row) => row.try_get(index),
    }
}

/// A number, however wide PostgreSQL has it: `1` and `a > b` are narrower than a column.
fn number(row: &Row, index: impl Index) -> sqlx::Result<Option<i64>> {
    let row = match row {
        Row::Sqlite(row) => return row.try_get(index),
        Row::Postgres(row) => row,
    };
    let value = row.try_get_raw(index)?;
    let narrow = match (value.is_null(), value.type_info().name()) {
        (true, _) => return Ok(None),
        (false, "INT8") => return row.try_get(index),
        (false, "BOOL") => row.try_get::<bool, _>(index)?.into(),
        (false, "INT4") => row.try_get::<i32, _>(index)?.into(),
        (false, name) => return Err(sqlx::Error::Decode(format!("{name} is not a whole number of 64 bits").into())),
    };
    Ok(Some(narrow))
}

fn missing() -> BoxDynError {
    "NULL where there must be a value".into()
}

impl Column<'_> for i64 {
    fn read(row: &Row, index: impl Index) -> sqlx::Result<Self> {
        number(row, index)?.ok_or_else(|| sqlx::Error::Decode(missing()))
    }
}

impl Column<'_> for Option<i64> {
    fn read(row: &Row, index: impl Index) -> sqlx::Result<Self> {
        number(row, index)
    }
}

macro_rules! narrow {
    ($($type:ty: $from:expr;)*) => {$(
        impl Column<'_> for $type {
            fn read(row: &Row, index: impl Index) -> sqlx::Result<Self> {
                $from(i64::read(row, index)?).map_err(|_| sqlx::Error::Decode("a number is too large".into()))
            }
        }

        impl Column<'_> for Option<$type> {
            fn read(row: &Row, index: impl Index) -> sqlx::Result<Self> {
                let value = number(row, index)?.map($from).transpose();
                value.map_err(|_| sqlx::Error::Decode("a number is too large".into()))
            }
        }
    )*};
}

narrow! {
    i32: i32::try_from;
    u32: u32::try_from;
    u16: u16::try_from;
    u8: u8::try_from;
    bool: |value| Ok::<_, std::num::TryFromIntError>(value != 0);
}

macro_rules! plain {
    ($($type:ty),*) => {$(
        impl<'r> Column<'r> for $type {
            fn read(row: &'r Row, index: impl Index) -> sqlx::Result<Self> {
                plain(row, index)
            }
        }
    )*};
}

plain!(String, Option<String>, &'r str, Option<&'r str>, Vec<u8>, Option<Vec<u8>>, &'r [u8], Option<&'r [u8]>);
