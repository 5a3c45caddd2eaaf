//! Owns the values that a statement is given, typed as databases want them.

use std::borrow::Cow;
use std::sync::Arc;

use super::bind::Bind;

/// A value for a placeholder. Which type a missing one has matters to PostgreSQL.
#[derive(Debug, Clone)]
pub(super) enum Arg<'q> {
    Int(Option<i64>),
    Real(Option<f64>),
    Text(Option<Cow<'q, str>>),
    Shared(Arc<str>),
    Bytes(Cow<'q, [u8]>),
    /// Whole columns, which only a server takes.
    Ints(Vec<Option<i64>>),
    Reals(Vec<Option<f64>>),
    Texts(Vec<Option<String>>),
}

impl Arg<'_> {
    /// The same, for as long as it is wanted.
    pub(super) fn kept(&self) -> Arg<'static> {
        match self {
            Self::Int(number) => Arg::Int(*number),
            Self::Real(number) => Arg::Real(*number),
            Self::Text(text) => Arg::Text(text.as_deref().map(|text| Cow::Owned(text.to_owned()))),
            Self::Shared(text) => Arg::Shared(Arc::clone(text)),
            Self::Bytes(bytes) => Arg::Bytes(Cow::Owned(bytes.clone().into_owned())),
            Self::Ints(column) => Arg::Ints(column.clone()),
            Self::Reals(column) => Arg::Reals(column.clone()),
            Self::Texts(column) => Arg::Texts(column.clone()),
        }
    }
}

macro_rules! whole_args {
    ($($kind:ty)+) => {$(
        impl From<$kind> for Arg<'_> {
            fn from(number: $kind) -> Self {
                Self::Int(Some(i64::from(number)))
            }
        }

        impl From<Option<$kind>> for Arg<'_> {
            fn from(number: Option<$kind>) -> Self {
                Self::Int(number.map(i64::from))
            }
        }
    )+};
}

whole_args!(i64 i32 u32 u16);

impl From<f64> for Arg<'_> {
    fn from(number: f64) -> Self {
        Self::Real(Some(number))
    }
}

impl<'q> From<&'q str> for Arg<'q> {
    fn from(text: &'q str) -> Self {
        Self::Text(Some(Cow::Borrowed(text)))
    }
}

impl<'q> From<Option<&'q str>> for Arg<'q> {
    fn from(text: Option<&'q str>) -> Self {
        Self::Text(text.map(Cow::Borrowed))
    }
}

impl From<String> for Arg<'_> {
    fn from(text: String) -> Self {
        Self::Text(Some(Cow::Owned(text)))
    }
}

impl<'q> From<&'q String> for Arg<'q> {
    fn from(text: &'q String) -> Self {
        Self::Text(Some(Cow::Borrowed(text)))
    }
}

impl<'q> From<&'q Option<String>> for Arg<'q> {
    fn from(text: &'q Option<String>) -> Self {
        Self::Text(text.as_deref().map(Cow::Borrowed))
    }
}

impl<'q> From<&'q [u8]> for Arg<'q> {
    fn from(bytes: &'q [u8]) -> Self {
        Self::Bytes(Cow::Borrowed(bytes))
    }
}

impl From<Bind> for Arg<'_> {
    fn from(bind: Bind) -> Self {
        match bind {
            Bind::Text(text) => text.into(),
            Bind::Int(number) => number.into(),
            Bind::Real(number) => number.into(),
        }
    }
}
