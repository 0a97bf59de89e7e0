//! The words of an enum: one table from which both directions are made, so that they cannot differ.

/// Gives an enum without fields `ALL`, `as_str` and `from_word`.
///
/// A variant that the table leaves out does not compile.
macro_rules! words {
    ($type:ident: $about:literal, $($variant:ident = $word:literal),+ $(,)?) => {
        impl $type {
            /// Every variant, in the order of the documentation.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            #[doc = $about]
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The variant that [`as_str`](Self::as_str) writes as `word`; `None` for any other text.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|variant| variant.as_str() == word)
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use crate::query::Across;
    use crate::rule::{Comparison, NoData, Severity};
    use crate::sample::Kind;

    #[track_caller]
    fn check<T: Copy + PartialEq + Debug, const N: usize>(
        all: [T; N],
        as_str: impl Fn(T) -> &'static str,
        from_word: impl Fn(&str) -> Option<T>,
        words: [&str; N],
    ) {
        assert_eq!(all.map(&as_str), words);
        assert_eq!(words.map(&from_word), all.map(Some));
        for stray in ["", "Gauge", "gauge ", "none"] {
            assert_eq!(from_word(stray), None, "{stray:?}");
        }
    }

    #[test]
    fn words_read_back() {
        check(Kind::ALL, Kind::as_str, Kind::from_word, ["observation", "counter", "gauge", "event"]);
        check(Across::ALL, Across::as_str, Across::from_word, ["merge", "sum", "avg", "min", "max"]);
        check(Comparison::ALL, Comparison::as_str, Comparison::from_word, [">", ">=", "<", "<="]);
        check(Severity::ALL, Severity::as_str, Severity::from_word, ["page", "ticket", "info"]);
        check(NoData::ALL, NoData::as_str, NoData::from_word, ["keep", "resolve", "fire"]);
    }

    #[test]
    fn numbers_of_kinds_read_back() {
        assert_eq!(Kind::ALL.map(Kind::number), [0, 1, 2, 3]);
        assert_eq!([0, 1, 2, 3].map(Kind::from_number), Kind::ALL.map(Some));
        assert_eq!((4..=u8::MAX).find_map(Kind::from_number), None);
    }
}
