//! Attributes whose value is one of a few words: [`choice!`](crate::choice) makes the type, its check and its words out of one
//! declaration.

/// Declares an attribute's type whose values are words. A configuration with another word is refused at plan.
///
/// ```
/// use kafkastack::plugin::schema::{optional, required};
/// use kafkastack::{choice, model};
///
/// choice! {
///     /// Which acknowledgement a write waits for.
///     pub enum Acks {
///         /// From every in-sync replica.
///         All = "all",
///         /// From the leader alone.
///         Leader = "1",
///     }
/// }
///
/// model! {
///     /// A load.
///     pub struct Load {
///         /// `all` (the default) or `1`.
///         acks: Acks = optional().defaults_to(Acks::All),
///     }
/// }
/// # use kafkastack::plugin::model::Object;
/// assert_eq!(Load::attributes()[0].rules.words, ["all", "1"]);
/// assert_eq!((Acks::Leader.word(), Acks::ALL.len()), ("1", 2));
/// ```
#[macro_export]
macro_rules! choice {
    (
        $(#[doc = $doc:literal])*
        $vis:vis enum $name:ident {
            $($(#[doc = $choice_doc:literal])* $choice:ident = $word:literal),+ $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name {
            $(
                #[doc = concat!("`", $word, "`.")]
                $(#[doc = $choice_doc])*
                $choice,
            )+
        }

        impl $name {
            /// Every choice.
            pub const ALL: &'static [Self] = &[$(Self::$choice),+];

            /// As configurations spell it.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$choice => $word),+
                }
            }

            /// The choice of this word, if there is one.
            pub fn named(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|choice| choice.word() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl $crate::plugin::model::Typed for $name {
            fn kind() -> $crate::plugin::types::Kind {
                $crate::plugin::types::Kind::String
            }
            fn decode(value: &$crate::plugin::value::Value) -> Result<Self, $crate::plugin::model::Mismatch> {
                let expected = concat!("one of", $(" `", $word, "`"),+);
                value.as_str().and_then(Self::named).ok_or_else(|| $crate::plugin::model::Mismatch::here(expected))
            }
            fn encode(&self) -> $crate::plugin::value::Value {
                self.word().into()
            }
            fn words() -> &'static [&'static str] {
                &[$($word),+]
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::plugin::diagnostic::Diagnostics;
    use crate::plugin::model::{Attr, Object, Typed};
    use crate::plugin::path::Path;
    use crate::plugin::schema::{optional, validate};
    use crate::plugin::value::Value;

    crate::choice! {
        /// How a volume is used.
        pub enum Mode {
            /// By one.
            Once = "once",
            /// By many.
            Many = "many",
        }
    }

    crate::model! {
        /// A volume.
        pub struct Volume {
            /// `once` or `many`.
            mode: Mode = optional().defaults_to(Mode::Once),
            /// All that it allows.
            modes: Vec<Mode> = optional(),
        }
    }

    fn said(name: &str, value: Value) -> Vec<String> {
        let mut said = Diagnostics::new();
        let config = Value::Map([(name.to_owned(), value)].into());
        validate(&Volume::attributes(), &config, &Path::root(), &mut said);
        said.into_iter().map(|one| one.detail).collect()
    }

    #[test]
    fn another_word_is_refused_wherever_it_stands() {
        assert_eq!(said("mode", "many".into()), [""; 0]);
        assert_eq!(said("mode", "twice".into()), ["`mode`: \"twice\" is not one of once, many."]);
        assert_eq!(said("modes", Value::List(vec!["once".into(), "x".into()])), ["`modes`: \"x\" is not one of once, many."]);
        let beside_an_unknown = Value::List(vec![Value::Unknown, "x".into()]);
        assert_eq!(said("modes", beside_an_unknown), ["`modes`: \"x\" is not one of once, many."]);
    }

    #[test]
    fn a_choice_is_read_as_it_is_written() {
        for mode in Mode::ALL {
            assert_eq!(Mode::decode(&mode.encode()), Ok(*mode));
        }
        let wrong = Value::Map([("mode".to_owned(), "twice".into())].into());
        let why = Volume::decode(&wrong).unwrap_err();
        assert_eq!(why.to_string(), "`mode` is not one of `once` `many`");
        let volume = Volume { mode: Attr::Known(Mode::Many), ..Volume::default() };
        assert_eq!(volume.encode().get("mode"), &Value::from("many"));
        assert_eq!(Volume::attributes().remove(0).rules.default, Some(Value::from("once")));
    }
}
