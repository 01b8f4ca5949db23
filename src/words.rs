//! Enums whose variants have a stable word each, in configuration, JSON, logs and stored rows.
//!
//! [`words!`] declares such an enum with its words, each written once; the list of all variants,
//! the way from and to the word, and the encodings are derived from that one declaration.

/// Declares an enum and the word of each variant:
/// `words! { pub enum Name: Serialize, Wire { Variant = "word", … } }`.
///
/// `Serialize` writes the word; `Wire` is the enum's form between isolates, objects and releases:
/// the word too. Both are optional. A word that this release doesn't know is refused, and so is the
/// message that has it; `Wire or Variant` reads it as that variant, which has to be safe.
macro_rules! words {
    (
        $(#[$meta:meta])*
        pub enum $name:ident $(: $($form:ident $(or $safe:ident)?),+)? { $($body:tt)+ }
    ) => {
        $crate::words::words!(@enum [$(#[$meta])*] $name { $($body)+ });
        $($($crate::words::words!(@form $form $($safe)?, $name);)+)?
    };
    (@enum [$(#[$meta:meta])*] $name:ident {
        $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)?
    }) => {
        $(#[$meta])*
        pub enum $name {
            $($(#[$variant_meta])* $variant),+
        }

        impl $name {
            /// Every variant, in the order of their declaration.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// Every word with its variant, in the same order.
            pub const WORDS: [(&'static str, Self); [$($word),+].len()] =
                [$(($word, Self::$variant)),+];

            /// The stable word.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// The variant that `word` names.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|one| one.word() == word)
            }
        }
    };
    (@form Serialize, $name:ident) => {
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }
    };
    (@form Wire $($safe:ident)?, $name:ident) => {
        impl $crate::wire::Wire for $name {
            fn write(&self, number: u32, out: &mut Vec<u8>) {
                $crate::wire::write_text(number, self.word(), out);
            }

            fn read(content: $crate::wire::Content<'_>) -> Result<Self, $crate::wire::Unreadable> {
                let known = Self::from_word(content.text()?)$(.or(Some(Self::$safe)))?;
                known.ok_or($crate::wire::Unreadable::Unknown(stringify!($name)))
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
#[expect(unreachable_pub, reason = "words are those of public enums")]
mod tests {
    use crate::wire::{self, Unreadable};

    words! {
        /// A sample.
        #[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
        pub enum Sample: Serialize, Wire {
            /// One.
            First = "first",
            /// Another.
            #[default]
            SecondOne = "second_one",
        }
    }

    words! {
        /// The sample in another release.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum Other: Wire or First {
            /// One.
            First = "first",
            /// A third.
            Third = "third",
        }
    }

    #[test]
    fn each_word_is_written_once() {
        assert_eq!(Sample::ALL, [Sample::First, Sample::SecondOne]);
        for (word, sample) in Sample::WORDS {
            assert_eq!((sample.word(), Sample::from_word(word)), (word, Some(sample)));
            assert_eq!(serde_json::to_value(sample).unwrap(), word);
            assert_eq!(wire::decode(&wire::encode(&sample)), Ok(sample));
        }
        assert_eq!((Sample::from_word("First"), Sample::default()), (None, Sample::SecondOne));
        assert_eq!(wire::encode(&Sample::First), wire::encode(&"first".to_owned()));
    }

    #[test]
    fn a_word_of_another_release_is_refused_or_read_as_a_safe_one() {
        let refused = wire::decode::<Sample>(&wire::encode(&Other::Third));
        assert_eq!(refused, Err(Unreadable::Unknown("Sample")));
        assert_eq!(wire::decode(&wire::encode(&Sample::SecondOne)), Ok(Other::First));
        assert_eq!(wire::decode::<Other>(&wire::encode(&7_u64)), Err(Unreadable::Broken));
        assert_eq!(Other::WORDS.map(|(word, _)| word), ["first", "third"]);
    }
}
