//! What a query is given.

use sqlx::{Arguments, Database as Driver, Encode, Type, postgres::PgArguments, sqlite::SqliteArguments};

/// A value of a query; nothing else is stored.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Numbers, times in milliseconds, and truth as 0 or 1.
    Int(Option<i64>),
    /// Text.
    Text(Option<String>),
    /// Ids, keys, documents.
    Bytes(Option<Vec<u8>>),
}

impl Value {
    fn add<'q, A>(self, to: &mut A) -> sqlx::Result<()>
    where
        A: Arguments,
        Option<i64>: Encode<'q, A::Database> + Type<A::Database>,
        Option<String>: Encode<'q, A::Database> + Type<A::Database>,
        Option<Vec<u8>>: Encode<'q, A::Database> + Type<A::Database>,
        A::Database: Driver,
    {
        match self {
            Self::Int(value) => to.add(value),
            Self::Text(value) => to.add(value),
            Self::Bytes(value) => to.add(value),
        }
        .map_err(sqlx::Error::Encode)
    }
}

pub(super) fn sqlite(values: Vec<Value>) -> sqlx::Result<SqliteArguments> {
    let mut arguments = SqliteArguments::default();
    values.into_iter().try_for_each(|value| value.add(&mut arguments))?;
    Ok(arguments)
}

pub(super) fn postgres(values: Vec<Value>) -> sqlx::Result<PgArguments> {
    let mut arguments = PgArguments::default();
    values.into_iter().try_for_each(|value| value.add(&mut arguments))?;
    Ok(arguments)
}

macro_rules! from {
    ($($from:ty => $kind:ident, $value:ident, $to:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                Self::$kind(Some($to))
            }
        }

        impl From<Option<$from>> for Value {
            fn from(value: Option<$from>) -> Self {
                Self::$kind(value.map(|$value| $to))
            }
        }
    )*};
}

from! {
    i64 => Int, value, value;
    i32 => Int, value, value.into();
    u32 => Int, value, value.into();
    u16 => Int, value, value.into();
    u8 => Int, value, value.into();
    bool => Int, value, value.into();
    String => Text, value, value;
    &str => Text, value, value.to_owned();
    &String => Text, value, value.clone();
    Vec<u8> => Bytes, value, value;
    &i64 => Int, value, *value;
    &u32 => Int, value, (*value).into();
    &bool => Int, value, (*value).into();
    &[u8] => Bytes, value, value.to_vec();
    &Vec<u8> => Bytes, value, value.clone();
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(value: &[u8; N]) -> Self {
        Self::Bytes(Some(value.to_vec()))
    }
}

impl<const N: usize> From<Option<&[u8; N]>> for Value {
    fn from(value: Option<&[u8; N]>) -> Self {
        Self::Bytes(value.map(|value| value.to_vec()))
    }
}

impl From<&Option<String>> for Value {
    fn from(value: &Option<String>) -> Self {
        Self::Text(value.clone())
    }
}
