//! The variable `JURISDICTION`.

use super::fields::ConfigReader;
use crate::words::words;

words! {
    /// The part of the world in which Durable Objects run and keep their data. It is part of each
    /// object's id: with another one every object is a new and empty one.
    #[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
    pub enum Jurisdiction {
        /// The European Union.
        Eu = "eu",
        /// The United States.
        Us = "us",
        /// Wherever the platform puts them.
        #[default]
        None = "none",
    }
}

pub(super) fn read(reader: &ConfigReader) -> Jurisdiction {
    reader.choice("JURISDICTION", &Jurisdiction::WORDS, "\"eu\"").unwrap_or_default()
}
