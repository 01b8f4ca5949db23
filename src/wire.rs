//! The messages between isolates and objects, as text: the fields of a value one after another, in
//! their order and without names. A ledger keeps its holders in the same form.
//!
//! Both ends are the same build, except while another is being deployed. So the text begins with
//! the number of its format, and a text of another format is refused as a whole. JSON, with the
//! names of all fields, was a tenth of the module.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{self, Write as _};

use crate::time::Timestamp;

/// The number of the format. To be raised with every change of a type that is [`Wire`].
pub const FORMAT: u64 = 3;

/// `value` as text.
pub fn encode(value: &impl Wire) -> String {
    let mut text = String::with_capacity(256);
    FORMAT.put(&mut text);
    value.put(&mut text);
    text
}

/// Reads [`encode`].
///
/// # Errors
///
/// The text is no such value: it was written by another build, or is damaged.
pub fn decode<T: Wire>(mut text: &str) -> Result<T, Unreadable> {
    let rest = &mut text;
    let is_ours = u64::take(rest) == Some(FORMAT);
    let value = is_ours.then(|| T::take(rest)).flatten();
    value.filter(|_| rest.is_empty()).ok_or(Unreadable)
}

/// A type with a form in such text. For types of our own, [`wire!`] lists the fields.
pub trait Wire: Sized {
    /// Writes the value behind `text`.
    fn put(&self, text: &mut String);

    /// Takes a value off the beginning of `rest`, if there is one.
    fn take(rest: &mut &str) -> Option<Self>;
}

/// A text that can't be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("it was written by another version, or is damaged")
    }
}

impl Error for Unreadable {}

/// Makes a type [`Wire`]. The compiler sees to it that no field and no variant is left out:
/// `wire!(Name { field, … })`, or
/// `wire! { enum Name { Unit, Struct { field, … }, Tuple(field) } }`.
macro_rules! wire {
    (enum $name:ident {
        $($variant:ident $({ $($field:ident),* })? $(($inner:ident))?),* $(,)?
    }) => {
        impl $crate::wire::Wire for $name {
            fn put(&self, text: &mut String) {
                match self {
                    $(Self::$variant $({ $($field),* })? $(($inner))? => {
                        $crate::wire::put_text(stringify!($variant), text);
                        $($($field.put(text);)*)?
                        $($inner.put(text);)?
                    })*
                }
            }

            fn take(rest: &mut &str) -> Option<Self> {
                let variant = $crate::wire::take_text(rest)?;
                $(if variant == stringify!($variant) {
                    $($(let $field = $crate::wire::Wire::take(rest)?;)*)?
                    $(let $inner = $crate::wire::Wire::take(rest)?;)?
                    return Some(Self::$variant $({ $($field),* })? $(($inner))?);
                })*
                None
            }
        }
    };
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::wire::Wire for $name {
            fn put(&self, text: &mut String) {
                let Self { $($field),* } = self;
                $($field.put(text);)*
            }

            fn take(rest: &mut &str) -> Option<Self> {
                $(let $field = $crate::wire::Wire::take(rest)?;)*
                Some(Self { $($field),* })
            }
        }
    };
}

pub(crate) use wire;

/// Writes a text as its length in bytes and itself.
pub(crate) fn put_text(value: &str, text: &mut String) {
    value.len().put(text);
    text.push_str(value);
}

/// Takes such a text off the beginning of `rest`.
pub(crate) fn take_text<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let bytes = usize::take(rest)?;
    let (value, after) = rest.split_at_checked(bytes)?;
    *rest = after;
    Some(value)
}

impl Wire for i64 {
    fn put(&self, text: &mut String) {
        // Writing to a string can't fail.
        let _ = write!(text, "{self} ");
    }

    fn take(rest: &mut &str) -> Option<Self> {
        let (digits, after) = rest.split_once(' ')?;
        *rest = after;
        digits.parse().ok()
    }
}

impl Wire for u64 {
    fn put(&self, text: &mut String) {
        let _ = write!(text, "{self} ");
    }

    fn take(rest: &mut &str) -> Option<Self> {
        let (digits, after) = rest.split_once(' ')?;
        *rest = after;
        digits.parse().ok()
    }
}

impl Wire for u32 {
    fn put(&self, text: &mut String) {
        u64::from(*self).put(text);
    }

    fn take(rest: &mut &str) -> Option<Self> {
        u64::take(rest)?.try_into().ok()
    }
}

impl Wire for u16 {
    fn put(&self, text: &mut String) {
        u64::from(*self).put(text);
    }

    fn take(rest: &mut &str) -> Option<Self> {
        u64::take(rest)?.try_into().ok()
    }
}

impl Wire for usize {
    fn put(&self, text: &mut String) {
        u64::try_from(*self).unwrap_or(u64::MAX).put(text);
    }

    fn take(rest: &mut &str) -> Option<Self> {
        u64::take(rest)?.try_into().ok()
    }
}

impl Wire for bool {
    fn put(&self, text: &mut String) {
        u64::from(*self).put(text);
    }

    fn take(rest: &mut &str) -> Option<Self> {
        match u64::take(rest)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Wire for String {
    fn put(&self, text: &mut String) {
        put_text(self, text);
    }

    fn take(rest: &mut &str) -> Option<Self> {
        take_text(rest).map(str::to_owned)
    }
}

impl Wire for Timestamp {
    fn put(&self, text: &mut String) {
        self.as_millis().put(text);
    }

    fn take(rest: &mut &str) -> Option<Self> {
        i64::take(rest).map(Self::from_millis)
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, text: &mut String) {
        self.is_some().put(text);
        if let Some(value) = self {
            value.put(text);
        }
    }

    fn take(rest: &mut &str) -> Option<Self> {
        if bool::take(rest)? { T::take(rest).map(Some) } else { Some(None) }
    }
}

impl<T: Wire> Wire for Box<T> {
    fn put(&self, text: &mut String) {
        T::put(self, text);
    }

    fn take(rest: &mut &str) -> Option<Self> {
        T::take(rest).map(Self::new)
    }
}

impl<Left: Wire, Right: Wire> Wire for (Left, Right) {
    fn put(&self, text: &mut String) {
        self.0.put(text);
        self.1.put(text);
    }

    fn take(rest: &mut &str) -> Option<Self> {
        Some((Left::take(rest)?, Right::take(rest)?))
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, text: &mut String) {
        self.len().put(text);
        for item in self {
            item.put(text);
        }
    }

    fn take(rest: &mut &str) -> Option<Self> {
        let mut items = Self::new();
        // No room is made ahead: the number may be anything.
        for _ in 0..usize::take(rest)? {
            items.push(T::take(rest)?);
        }
        Some(items)
    }
}

impl Wire for BTreeMap<String, u64> {
    fn put(&self, text: &mut String) {
        self.len().put(text);
        for (name, value) in self {
            name.put(text);
            value.put(text);
        }
    }

    fn take(rest: &mut &str) -> Option<Self> {
        let mut map = Self::new();
        for _ in 0..usize::take(rest)? {
            map.insert(String::take(rest)?, u64::take(rest)?);
        }
        Some(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Sample {
        name: String,
        at: Timestamp,
        count: u32,
        more: Vec<Kind>,
        flag: bool,
        map: BTreeMap<String, u64>,
        boxed: Option<Box<Kind>>,
    }

    #[derive(Clone, Debug, PartialEq)]
    enum Kind {
        Unit,
        Pair { left: u64, right: Option<String> },
        Tuple(usize),
    }

    wire!(Sample { name, at, count, more, flag, map, boxed });
    wire! { enum Kind { Unit, Pair { left, right }, Tuple(number) } }

    fn kind() -> impl Strategy<Value = Kind> {
        prop_oneof![
            Just(Kind::Unit),
            any::<(u64, Option<String>)>().prop_map(|(left, right)| Kind::Pair { left, right }),
            any::<usize>().prop_map(Kind::Tuple),
        ]
    }

    fn sample() -> impl Strategy<Value = Sample> {
        let simple = any::<(String, i64, u32, bool)>();
        let kinds = (prop::collection::vec(kind(), 0..4), prop::option::of(kind()));
        let map = prop::collection::btree_map(".{0,4}", any::<u64>(), 0..3);
        (simple, kinds, map).prop_map(|((name, ms, count, flag), (more, boxed), map)| {
            let (at, boxed) = (Timestamp::from_millis(ms), boxed.map(Box::new));
            Sample { name, at, count, more, flag, map, boxed }
        })
    }

    #[test]
    fn text_is_compact_and_says_its_format() {
        let kind = Kind::Pair { left: 7, right: Some("ü 1".to_owned()) };
        assert_eq!(encode(&kind), format!("{FORMAT} 4 Pair7 1 4 ü 1"));
        assert_eq!(encode(&vec![true, false]), format!("{FORMAT} 2 1 0 "));
    }

    #[test]
    fn what_is_no_such_text_is_refused_as_a_whole() {
        let other = FORMAT + 1;
        let huge = format!("{FORMAT} {} Unit", u64::MAX);
        for text in ["", "{}", "4 Unit", "1", " ", &huge, &format!("{other} 4 Unit")] {
            assert_eq!(decode::<Kind>(text), Err(Unreadable), "{text}");
        }
        for rest in ["4 Unit ", "4 unit", "5 Unit", "4 Pair1 ", "5 Tuple-1 ", "5 Tuple1"] {
            assert_eq!(decode::<Kind>(&format!("{FORMAT} {rest}")), Err(Unreadable), "{rest}");
        }
        assert_eq!(decode::<bool>(&format!("{FORMAT} 2 ")), Err(Unreadable));
        // The first two bytes of a letter of three.
        assert_eq!(decode::<String>(&format!("{FORMAT} 2 €")), Err(Unreadable));
        assert!(Unreadable.to_string().contains("another version"));
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None, ..ProptestConfig::default()
        })]

        #[test]
        fn everything_is_read_as_it_was_written(sample in sample()) {
            prop_assert_eq!(decode(&encode(&sample)), Ok(sample));
        }

        #[test]
        fn what_is_cut_short_or_goes_on_is_refused(
            sample in sample(),
            at in any::<prop::sample::Index>(),
        ) {
            let text = encode(&sample);
            let cuts: Vec<_> = text.char_indices().map(|(at, _)| at).collect();
            let cut = text.get(..cuts[at.index(cuts.len())]).unwrap_or_default();
            prop_assert_eq!(decode::<Sample>(cut), Err(Unreadable));
            prop_assert_eq!(decode::<Sample>(&(text + " ")), Err(Unreadable));
        }

        #[test]
        fn no_text_panics(text in "(1 )?[0-9 a-zA-Z€-]{0,60}") {
            let _ = (decode::<Sample>(&text), decode::<Vec<Sample>>(&text));
        }
    }
}
