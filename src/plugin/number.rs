//! Numbers of the configuration language. Pure.

use bigdecimal::{BigDecimal, ToPrimitive};
use std::str::FromStr;

/// An exact decimal number; core computes with 512 bits, so neither `i64` nor `f64` is enough. It is boxed so that every
/// other [`Value`](super::value::Value) is small.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Number(Box<BigDecimal>);

impl Number {
    /// The exact value of a float; none for NaN and the infinities.
    pub fn from_f64(value: f64) -> Option<Self> {
        BigDecimal::try_from(value).ok().map(|n| Self::of(&n))
    }

    fn of(number: &BigDecimal) -> Self {
        Self(Box::new(number.normalized()))
    }

    /// The value of decimal text such as `12345678901234567890123.5` or `1e3`.
    pub fn parse(text: &str) -> Option<Self> {
        // Core's 512 bits are at most 155 digits and as many leading zeros as the exponent has; parsing takes time
        // that grows with the square of the length.
        if text.len() > 20_100 {
            return None;
        }
        // An exponent of a billion is a few bytes on the wire and a gigabyte in decimal.
        let near = |number: &BigDecimal, most: u64| number.fractional_digit_count().unsigned_abs() <= most;
        let number = BigDecimal::from_str(text).ok().filter(|number| near(number, 40_000))?;
        // What is read now has to be read again from its own text, where zeros at the end have become exponent: at most
        // 19,868 digits, a sign, a point and an exponent.
        let number = Self::of(&number);
        let digits = number.0.as_bigint_and_scale().0.bits();
        (digits <= 66_000 && near(&number.0, 10_000)).then_some(number)
    }

    /// The value, if it is whole and fits.
    pub fn as_i64(&self) -> Option<i64> {
        // Nothing is computed with the thousands of digits that a far exponent stands for.
        (-18..=0).contains(&self.0.fractional_digit_count()).then(|| self.0.to_i64()).flatten()
    }

    /// The nearest float, if there is one that is exactly this number.
    pub fn as_exact_f64(&self) -> Option<f64> {
        // Floats have at most 309 digits before the point and 1074 behind it, and a fraction of so many digits that is one
        // is divisible by as many fives. What is left is little, and its text is rounded correctly.
        let (digits, scale) = self.0.as_bigint_and_scale();
        let bits = i64::try_from(digits.bits()).ok()?;
        if !(-309..=1_074).contains(&scale) || !(2 * scale..4_000).contains(&bits) {
            return None;
        }
        let float = format!("{digits}e{}", -scale).parse::<f64>().ok()?;
        (BigDecimal::try_from(float).ok()? == *self.0).then_some(float)
    }

    /// The bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        let bits = self.0.as_bigint_and_scale().0.bits();
        usize::try_from(bits / 8).unwrap_or(usize::MAX).saturating_add(size_of::<BigDecimal>())
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self::of(&BigDecimal::from(value))
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self::of(&BigDecimal::from(value))
    }
}

impl std::fmt::Display for Number {
    /// Plain decimal text; with an exponent beyond 100 digits, where a few bytes would become thousands.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.fractional_digit_count().unsigned_abs() {
            0..=100 => f.write_str(&self.0.to_plain_string()),
            _ => f.write_str(&self.0.to_scientific_notation()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_beyond_floats() {
        let n = Number::parse("12345678901234567890123.5").unwrap();
        assert_eq!(n.to_string(), "12345678901234567890123.5");
        assert_eq!(n.as_exact_f64(), None);
        assert_eq!(n.as_i64(), None);
        assert_eq!(Number::from_f64(0.1).unwrap().as_exact_f64(), Some(0.1));
        assert_eq!(Number::parse("3.0").unwrap(), Number::from(3i64));
        assert_eq!(Number::parse("1e999999999"), None);
        assert_eq!(Number::parse(&format!("4{}", "0".repeat(10_808))), None);
        let long = Number::parse(&format!("-{}e-300", "7".repeat(19_860))).unwrap();
        assert_eq!(Number::parse(&long.to_string()), Some(long));
        assert_eq!(Number::from_f64(f64::NAN), None);
        assert_eq!(Number::from_f64(f64::MAX).unwrap().as_exact_f64(), Some(f64::MAX));
        assert_eq!(Number::from_f64(f64::from_bits(1)).unwrap().as_exact_f64(), Some(f64::from_bits(1)));
        assert_eq!(Number::parse("0").unwrap().as_exact_f64(), Some(0.0));
        assert_eq!(Number::parse("1e-999").unwrap().as_exact_f64(), None);
        assert_eq!(Number::from(i64::MIN).as_i64(), Some(i64::MIN));
        assert_eq!(Number::parse("9e18").unwrap().as_i64(), Some(9_000_000_000_000_000_000));
        assert_eq!(Number::parse("1e19").unwrap().as_i64(), None);
        assert_eq!(Number::parse("25e-3000").unwrap().to_string(), "2.5e-2999");
        assert_eq!(Number::parse("2.5e-2999"), Number::parse("25e-3000"));
    }
}
