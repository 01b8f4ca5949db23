//! What the gate looks at in a request: bounded, and read once.

pub mod path;
pub mod pattern;

pub use pattern::RoutePattern;
