//! How a value is captured is chosen by its type, where the attribute stands: `Serialize`, else `Debug`, else its name.
//!
//! The choice is method resolution: `(&&&Probe(&value)).capture(slot)` finds the trait that is implemented for the most
//! references. So no argument and no output needs a bound, also inside of generic functions, where the bounds that are
//! written decide.

use std::{convert::Infallible, fmt};

use serde::Serialize;

use crate::tape;

/// A place on the tape for one value.
#[derive(Debug)]
pub struct Slot<'a> {
    buf: &'a mut Vec<u8>,
}

impl<'a> Slot<'a> {
    pub(crate) fn new(buf: &'a mut Vec<u8>) -> Self {
        Self { buf }
    }
}

/// A place on the tape for an error's text.
#[derive(Debug)]
pub struct Text<'a> {
    /// `None` where an earlier error stands already.
    buf: Option<&'a mut Vec<u8>>,
}

impl<'a> Text<'a> {
    pub(crate) fn new(buf: Option<&'a mut Vec<u8>>) -> Self {
        Self { buf }
    }

    fn write(self, format: impl FnOnce(&mut dyn fmt::Write) -> fmt::Result) {
        if let Some(buf) = self.buf {
            tape::write_error_text(buf, format);
        }
    }
}

/// A value to be captured.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(pub &'a T);

/// Captures by `Serialize`.
pub trait ViaSerialize {
    /// Writes the value.
    fn capture(&self, slot: Slot<'_>);
}

impl<T: Serialize + ?Sized> ViaSerialize for &&Probe<'_, T> {
    fn capture(&self, slot: Slot<'_>) {
        tape::write_serialize(slot.buf, self.0);
    }
}

/// Captures by `Debug`.
pub trait ViaDebug {
    /// Writes the value.
    fn capture(&self, slot: Slot<'_>);
}

impl<T: fmt::Debug + ?Sized> ViaDebug for &Probe<'_, T> {
    fn capture(&self, slot: Slot<'_>) {
        tape::write_debug(slot.buf, self.0);
    }
}

/// Captures the name of the type.
pub trait ViaName {
    /// Writes the name.
    fn capture(&self, slot: Slot<'_>);
}

impl<T: ?Sized> ViaName for Probe<'_, T> {
    fn capture(&self, slot: Slot<'_>) {
        tape::write_type_name::<T>(slot.buf);
    }
}

/// Describes an error by `Display`, in its alternate form, which many error types use for the whole chain.
pub trait DescribeDisplay {
    /// Writes the text.
    fn describe(&self, text: Text<'_>);
}

impl<T: fmt::Display + ?Sized> DescribeDisplay for &&Probe<'_, T> {
    fn describe(&self, text: Text<'_>) {
        text.write(|out| write!(out, "{:#}", self.0));
    }
}

/// Describes an error by `Debug`.
pub trait DescribeDebug {
    /// Writes the text.
    fn describe(&self, text: Text<'_>);
}

impl<T: fmt::Debug + ?Sized> DescribeDebug for &Probe<'_, T> {
    fn describe(&self, text: Text<'_>) {
        text.write(|out| write!(out, "{:?}", self.0));
    }
}

/// Describes an error by the name of its type.
pub trait DescribeName {
    /// Writes the name.
    fn describe(&self, text: Text<'_>);
}

impl<T: ?Sized> DescribeName for Probe<'_, T> {
    fn describe(&self, text: Text<'_>) {
        text.write(|out| out.write_str(std::any::type_name::<T>()));
    }
}

/// A returned value, which may be a `Result`.
#[derive(Debug)]
pub struct Split<'a, R>(pub &'a R);

/// The error of what is no `Result`.
pub type Never = Infallible;

/// Splits a `Result`, whatever alias it is written as.
pub trait SplitResult<'a> {
    /// What the function returns.
    type Value;
    /// What it fails with.
    type Error;
    /// The one or the other.
    ///
    /// # Errors
    ///
    /// The error of the function.
    fn split(&self) -> Result<&'a Self::Value, &'a Self::Error>;
}

impl<'a, T, E> SplitResult<'a> for &Split<'a, Result<T, E>> {
    type Value = T;
    type Error = E;

    fn split(&self) -> Result<&'a T, &'a E> {
        self.0.as_ref()
    }
}

/// Passes on what is no `Result`.
pub trait SplitValue<'a> {
    /// What the function returns.
    type Value;
    /// The value.
    ///
    /// # Errors
    ///
    /// None.
    fn split(&self) -> Result<&'a Self::Value, &'a Never>;
}

impl<'a, R> SplitValue<'a> for Split<'a, R> {
    type Value = R;

    fn split(&self) -> Result<&'a R, &'a Never> {
        Ok(self.0)
    }
}
