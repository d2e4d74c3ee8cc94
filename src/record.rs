//! What can be recorded as a value: whatever serde can write. Without the feature `enable` there is no serde, and any value
//! will do, so that what takes values is written once for both.

/// A value that can be recorded: whatever implements `serde::Serialize`.
#[cfg(feature = "enable")]
pub trait Record: traceable_core::__private::Serialize {}

#[cfg(feature = "enable")]
impl<T: traceable_core::__private::Serialize + ?Sized> Record for T {}

/// A value that could be recorded: any.
#[cfg(not(feature = "enable"))]
pub trait Record {}

#[cfg(not(feature = "enable"))]
impl<T: ?Sized> Record for T {}
