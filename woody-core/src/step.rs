//! Named steps on an order's way, at which the fault suite ends the process or has
//! it panic. Without the feature `failpoints` there is nothing there at all.

/// What the steps are made of.
#[cfg(feature = "failpoints")]
pub use fail;

/// Marks a step: `step!("worker.saved")`.
#[cfg(feature = "failpoints")]
#[macro_export]
#[doc(hidden)]
macro_rules! step {
    ($name:literal) => {
        $crate::step::fail::fail_point!($name)
    };
}

/// Marks a step: `step!("worker.saved")`.
#[cfg(not(feature = "failpoints"))]
#[macro_export]
#[doc(hidden)]
macro_rules! step {
    ($name:literal) => {};
}
