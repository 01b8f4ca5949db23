//! What the gate looks at in a request: bounded, and read once.

pub mod path;
pub mod pattern;

pub use path::{PathError, Reach, Readings, readings};
pub use pattern::{RouteMatch, RoutePattern, match_route};
