//! How a path is read.
