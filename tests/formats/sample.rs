//! A sample of a value: its name, its bytes, and the way to read bytes as it again.

use std::fmt::Debug;

use tollgate::identity::AccountName;
use tollgate::time::Timestamp;
use tollgate::wire::{self, Field};

/// Reads bytes as a sample; an error says how the value differs.
type Compare = dyn Fn(&[u8]) -> Result<(), String>;

/// A sample of a message, a reply or a stored value.
pub(crate) struct Sample {
    /// The name of its line in the golden files.
    pub(crate) name: String,
    /// It in today's bytes.
    pub(crate) bytes: Vec<u8>,
    /// Reads bytes, and says how the value differs from the sample.
    pub(crate) compare: Box<Compare>,
}

impl Sample {
    /// A sample of this name.
    pub(crate) fn new<T: Field + Debug + PartialEq + 'static>(name: &str, value: T) -> Self {
        let bytes = wire::encode(&value);
        let compare = move |bytes: &[u8]| match wire::decode::<T>(bytes) {
            Ok(read) if read == value => Ok(()),
            Ok(read) => Err(format!("is read as {read:#?} in the place of {value:#?}")),
            Err(error) => Err(format!("can't be read: {error}")),
        };
        Self { name: name.to_owned(), bytes, compare: Box::new(compare) }
    }
}

/// Samples of an enum, named by variant. A variant that isn't listed doesn't compile, and one that
/// is listed without a sample fails.
macro_rules! variants {
    ($name:ident { $($variant:ident),+ $(,)? }, $values:expr) => {{
        let samples: Vec<$crate::sample::Sample> = $values
            .into_iter()
            .map(|value| {
                let variant = match &value {
                    $($name::$variant { .. } => stringify!($variant)),+
                };
                $crate::sample::Sample::new(&format!("{}.{variant}", stringify!($name)), value)
            })
            .collect();
        for variant in [$(stringify!($variant)),+] {
            let name = format!("{}.{variant}", stringify!($name));
            assert!(samples.iter().any(|sample| sample.name == name), "{name} has no sample");
        }
        samples
    }};
}

pub(crate) use variants;

/// A time in milliseconds.
pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(1_795_000_000_000 + ms)
}

/// An optional text that is there.
#[expect(clippy::unnecessary_wraps, reason = "every optional field is there")]
pub(crate) fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Texts.
pub(crate) fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// The account of the samples, in its tenant.
pub(crate) fn account() -> AccountName {
    AccountName::parse("acme/alice%2Fsmith").unwrap()
}
