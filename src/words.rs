//! Enums whose variants have a stable word each, in configuration, JSON, logs and stored rows.
//!
//! [`words!`] declares such an enum with its words, each written once; the list of all variants,
//! the way from and to the word, and the encodings are derived from that one declaration.

/// Declares an enum and the word of each variant:
/// `words! { pub enum Name: Serialize, Wire { Variant = "word", … } }`.
///
/// `Serialize` writes the word; `Wire` is the enum's form between isolates, objects and releases,
/// which goes by the variants' names. Both are optional.
macro_rules! words {
    (
        $(#[$meta:meta])*
        pub enum $name:ident $(: $($form:ident),+)? { $($body:tt)+ }
    ) => {
        $crate::words::words!(@enum [$(#[$meta])*] $name { $($body)+ });
        $crate::words::words!(@forms [$($($form)+)?] $name { $($body)+ });
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
    (@forms [] $name:ident $body:tt) => {};
    (@forms [Serialize $($form:ident)*] $name:ident $body:tt) => {
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }
        $crate::words::words!(@forms [$($form)*] $name $body);
    };
    (@forms [Wire $($form:ident)*] $name:ident {
        $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)?
    }) => {
        $crate::wire::wire! { enum $name { $($variant),+ } }
        $crate::words::words!(@forms [$($form)*] $name { $($variant = $word),+ });
    };
}

pub(crate) use words;

#[cfg(test)]
#[expect(unreachable_pub, reason = "words are those of public enums")]
mod tests {
    use crate::wire;

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

    #[test]
    fn each_word_is_written_once() {
        assert_eq!(Sample::ALL, [Sample::First, Sample::SecondOne]);
        for (word, sample) in Sample::WORDS {
            assert_eq!((sample.word(), Sample::from_word(word)), (word, Some(sample)));
            assert_eq!(serde_json::to_value(sample).unwrap(), word);
            assert_eq!(wire::decode(&wire::encode(&sample)), Ok(sample));
        }
        assert_eq!((Sample::from_word("First"), Sample::default()), (None, Sample::SecondOne));
        assert_eq!(wire::encode(&Sample::First), format!("{} 5 First", wire::FORMAT));
    }
}
