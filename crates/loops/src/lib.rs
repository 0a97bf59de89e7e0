//! The loops over columns of samples that the engine spends its time in.
//!
//! They know numbers and slices of them: no series, no time buckets, no figures. What they mean is for `bellwether-core`
//! to say, which is the only one that uses them. They are a crate of their own so that they alone are compiled for speed
//! where all else is compiled to be small: a level of optimisation belongs to a crate, and a generic function to the crate
//! that uses it, so that there is none here.
//!
//! Each loop calls nothing: what is not plain ends it, is done by its caller, and it begins anew behind it.

#![forbid(unsafe_code)]

pub mod apart;
mod bounds;
pub mod extent;
pub mod extremes;
mod lanes;
pub mod listing;
pub mod mapping;
pub mod moments;
pub mod packed;
pub mod places;
pub mod slim;
