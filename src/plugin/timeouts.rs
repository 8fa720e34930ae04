//! How long an operation may take: the conventional `timeouts` attribute, and its durations. No network.

use super::diagnostic::Diagnostic;
use super::operations::Limits;
use super::path::Path;
use super::schema::optional;
use super::value::Value;
use std::time::Duration;

crate::model! {
    /// How long operations may take: durations such as `"30m"`, `"1h30m"` or `"45s"`.
    pub struct Timeouts {
        /// For a create.
        create: String = optional().check(is_duration).same_if(same_duration),
        /// For a read, and for the questions that a plan asks.
        read: String = optional().check(is_duration).same_if(same_duration),
        /// For an update.
        update: String = optional().check(is_duration).same_if(same_duration),
        /// For a delete.
        delete: String = optional().check(is_duration).same_if(same_duration),
    }
}

crate::model! {
    /// How long a read may take: a duration such as `"30s"` or `"2m"`.
    pub struct ReadTimeouts {
        /// For a read.
        read: String = optional().check(is_duration).same_if(same_duration),
    }
}

/// The longest that may be asked for.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not numbers with units.
    #[error("{0:?} is not a duration such as \"30m\", \"1h30m\" or \"45s\"")]
    Malformed(String),
    /// No time at all, or more than a month.
    #[error("{0:?} is not between 1 millisecond and 30 days (\"720h\")")]
    OutOfRange(String),
}

/// Whether two durations are as long: `"90m"` is `"1h30m"`. For [`same_if`](super::schema::Declared::same_if).
pub fn same_duration(a: &str, b: &str) -> bool {
    let length = |text| parse_duration(text).ok();
    a == b || length(a).is_some_and(|length_of_a| length(b) == Some(length_of_a))
}

/// Reads a duration: decimal numbers, each with its unit `h`, `m`, `s` or `ms`.
///
/// # Errors
/// When the text is something else, or the time is zero or longer than 30 days.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let malformed = || DurationError::Malformed(text.chars().take(64).collect());
    let (mut rest, mut seconds) = (text, 0.0_f64);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(malformed)?;
        let (number, tail) = rest.split_at_checked(digits).ok_or_else(malformed)?;
        let letters = tail.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(letters).ok_or_else(malformed)?;
        let unit = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return Err(malformed()),
        };
        seconds += number.parse::<f64>().map_err(|_| malformed())? * unit;
        rest = tail;
    }
    if text.is_empty() {
        return Err(malformed());
    }
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if duration >= Duration::from_millis(1) && duration <= LONGEST => Ok(duration),
        _ => Err(DurationError::OutOfRange(text.chars().take(64).collect())),
    }
}

/// A duration.
///
/// # Errors
/// What it should look like.
pub fn is_duration(text: &str) -> Result<(), String> {
    parse_duration(text).map(drop).map_err(|e| e.to_string())
}

/// What an operation is called in `timeouts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `create`.
    Create,
    /// `read`: a read, an import, a plan.
    Read,
    /// `update`.
    Update,
    /// `delete`.
    Delete,
}

impl Operation {
    /// Its attribute's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    /// How long it may take: what `value` (configuration, plan or state) says in its `timeouts`, or `limits`.
    ///
    /// # Errors
    /// When the text there is no duration.
    pub fn limit(self, value: &Value, limits: &Limits) -> Result<Duration, Diagnostic> {
        match value.get("timeouts").get(self.name()).as_str() {
            Some(text) => parse_duration(text).map_err(|error| {
                let path = Path::of("timeouts").attribute(self.name());
                Diagnostic::error("Invalid value", format!("`{path}`: {error}")).at(path)
            }),
            None => Ok(match self {
                Self::Create => limits.create,
                Self::Read => limits.read,
                Self::Update => limits.update,
                Self::Delete => limits.delete,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::model::Typed;

    #[test]
    fn durations_are_numbers_with_units() {
        let seconds = |text: &str| parse_duration(text).unwrap().as_secs_f64();
        assert_eq!(seconds("30m"), 1800.0);
        assert_eq!(seconds("1h30m"), 5400.0);
        assert_eq!(seconds("1.5s250ms"), 1.75);
        for bad in ["", "30", "m", "1d", "1h 30m", "-5m", "1..5s", "é", "5é", "5m5"] {
            assert!(matches!(parse_duration(bad), Err(DurationError::Malformed(_))), "{bad}");
        }
        for bad in ["0s", "721h", "99999999999999999999999999h"] {
            assert!(matches!(parse_duration(bad), Err(DurationError::OutOfRange(_))), "{bad}");
        }
    }

    #[test]
    fn durations_are_the_same_when_they_are_as_long() {
        assert!(same_duration("90m", "1h30m") && same_duration("1s", "1000ms") && same_duration("soon", "soon"));
        assert!(!same_duration("1m", "1s") && !same_duration("soon", "later"));
    }

    #[test]
    fn the_configuration_wins_over_the_resource() {
        let timeouts = Timeouts { update: Some("45s".to_owned()).into(), ..Timeouts::default() };
        let value = Value::Map([("timeouts".to_owned(), timeouts.encode())].into());
        let limits = Limits::default();
        assert_eq!(Operation::Update.limit(&value, &limits).unwrap(), Duration::from_secs(45));
        assert_eq!(Operation::Create.limit(&value, &limits).unwrap(), limits.create);
    }
}
