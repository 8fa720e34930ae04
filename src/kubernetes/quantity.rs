//! Kubernetes quantities (`500m`, `2Gi`): parsing, comparing, the server's canonical spelling. Pure.
//!
//! Rules: `k8s.io/apimachinery/pkg/api/resource`, type `Quantity`.

use bigdecimal::{BigDecimal, RoundingMode, Zero};
use std::{cmp::Ordering, fmt, str::FromStr};

/// An amount of something, with the family of suffixes that it was written in.
#[derive(Clone, Debug)]
pub struct Quantity {
    amount: BigDecimal,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Binary,
    Decimal,
    Exponent,
}

/// A text that is not a quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a quantity: a number and one of Ki Mi Gi Ti Pi Ei, n u m k M G T P E, or an exponent as in 1e3")]
pub struct QuantityError(String);

const BINARY: [(&str, u32); 6] = [("Ei", 60), ("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)];
const DECIMAL: [(&str, i64); 10] =
    [("E", 18), ("P", 15), ("T", 12), ("G", 9), ("M", 6), ("k", 3), ("", 0), ("m", -3), ("u", -6), ("n", -9)];

/// The smallest step that the server keeps: 1n.
const SCALE: i64 = 9;

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let wrong = || QuantityError(text.to_owned());
        let end = text.find(|c: char| !c.is_ascii_digit() && !"+-.".contains(c)).unwrap_or(text.len());
        let (number, suffix) = text.split_at(end);
        let digits = number.strip_prefix(['+', '-']).unwrap_or(number);
        let plain = digits.chars().all(|c| c.is_ascii_digit() || c == '.') && digits.contains(|c: char| c.is_ascii_digit());
        if !plain || digits.matches('.').count() > 1 || digits.len() > 60 {
            return Err(wrong());
        }
        let number = BigDecimal::from_str(number).map_err(|_| wrong())?;
        let (factor, form) = factor(suffix).ok_or_else(wrong)?;
        // Rounded away from zero: something asked for never becomes nothing.
        Ok(Self { amount: (number * factor).with_scale_round(SCALE, RoundingMode::Up).normalized(), form })
    }
}

fn factor(suffix: &str) -> Option<(BigDecimal, Form)> {
    if let Some((_, power)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        return Some((BigDecimal::from(1_u64 << power), Form::Binary));
    }
    if let Some((_, power)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Some((ten_to(*power), Form::Decimal));
    }
    let power: i64 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    (power.abs() <= 18).then(|| (ten_to(power), Form::Exponent))
}

fn ten_to(power: i64) -> BigDecimal {
    BigDecimal::new(1.into(), -power)
}

impl fmt::Display for Quantity {
    /// The canonical spelling: the largest suffix that leaves a whole number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = &self.amount;
        if amount.is_zero() {
            return f.write_str("0");
        }
        if self.form == Form::Binary && amount.is_integer() {
            for (suffix, power) in BINARY {
                let count = amount / BigDecimal::from(1_u64 << power);
                if count.is_integer() {
                    return write!(f, "{}{suffix}", count.with_scale(0));
                }
            }
            return write!(f, "{}", amount.with_scale(0));
        }
        for (suffix, power) in DECIMAL {
            let count = amount * ten_to(-power);
            if count.is_integer() {
                let count = count.with_scale(0);
                return match (self.form, power) {
                    (Form::Exponent, power) if power != 0 => write!(f, "{count}e{power}"),
                    _ => write!(f, "{count}{suffix}"),
                };
            }
        }
        write!(f, "{}", amount.to_plain_string())
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.amount == other.amount
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.amount.cmp(&other.amount)
    }
}

/// The canonical spelling, as the server answers it: `2048Mi` is `2Gi`, `0.5` is `500m`.
pub fn canonical(text: &str) -> Result<String, QuantityError> {
    Ok(text.parse::<Quantity>()?.to_string())
}

/// Whether both are quantities and the same amount.
pub fn same(one: &str, other: &str) -> bool {
    matches!((one.parse::<Quantity>(), other.parse::<Quantity>()), (Ok(one), Ok(other)) if one == other)
}

/// Which of the two is more.
pub fn compare(one: &str, other: &str) -> Result<Ordering, QuantityError> {
    Ok(one.parse::<Quantity>()?.cmp(&other.parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn canonical_spellings_are_those_of_the_server() {
        for (written, answered) in [
            ("2048Mi", "2Gi"),
            ("1.5Gi", "1536Mi"),
            ("0.5", "500m"),
            ("0.5Gi", "512Mi"),
            ("1000m", "1"),
            ("1000", "1k"),
            ("536Mi", "536Mi"),
            ("1024", "1024"),
            ("1e3", "1e3"),
            ("100e3", "100e3"),
            ("0.1Ki", "102400m"),
            ("0", "0"),
            ("0Gi", "0"),
            ("+1", "1"),
            ("-1.5", "-1500m"),
            ("1.", "1"),
            (".5", "500m"),
            ("0.0000000001", "1n"),
            ("1E", "1E"),
        ] {
            assert_eq!(canonical(written).as_deref(), Ok(answered), "{written}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", "Gi", "1 Gi", "1gi", "1K", "1.2.3", "1e", "1e99", "--1", "+", ".", "1-2", "0x10", "١"] {
            assert_eq!(canonical(text), Err(QuantityError(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn amounts_compare_whatever_their_suffix() {
        assert!(same("2048Mi", "2Gi") && same("0.5", "500m") && !same("1G", "1Gi") && !same("x", "x"));
        assert_eq!(compare("1Gi", "1G"), Ok(Ordering::Greater));
    }

    proptest! {
        #[test]
        fn a_canonical_spelling_is_the_same_amount_and_its_own_canonical_spelling(
            number in -1_000_000_i64..1_000_000, fraction in 0_u32..1000, suffix in "(Ki|Mi|Gi|Ti|m|k|M|G|e3|)"
        ) {
            let written = format!("{number}.{fraction:03}{suffix}");
            let answered = canonical(&written).unwrap();
            prop_assert!(same(&written, &answered), "{} {}", written, answered);
            prop_assert_eq!(canonical(&answered).unwrap(), answered);
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = canonical(&text);
        }
    }
}
