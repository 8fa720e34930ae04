//! How much memory a value may take, by the bytes that it came in: a map of one entry is 3 bytes on the wire and 600 in
//! memory. Pure.

use super::super::value::{Number, Value};
use super::error::WireError;

/// What every value may take.
const FREE: usize = 16 << 20;
/// What a value may take beyond that for each byte that came: a list of nulls needs 32.
const FACTOR: usize = 28;

/// The first entry of a map allocates a node for eleven; nodes in a tree are half full at worst.
const FIRST_ENTRY: usize = 11 * (size_of::<String>() + size_of::<Value>()) + 16;
const LATER_ENTRY: usize = FIRST_ENTRY / 5;

/// What is left.
pub(super) struct Budget(usize);

impl Budget {
    /// For a value that came in so many bytes.
    pub fn of(bytes: usize) -> Self {
        Self(bytes.saturating_mul(FACTOR).saturating_add(FREE))
    }

    /// So many items of a list or set.
    pub fn items(&mut self, count: usize) -> Result<(), WireError> {
        self.take(count.saturating_mul(size_of::<Value>()))
    }

    /// An entry of a map or object that has so many already.
    pub fn entry(&mut self, before: usize, key: &str) -> Result<(), WireError> {
        let node = if before == 0 { FIRST_ENTRY } else { LATER_ENTRY };
        self.take(node.saturating_add(key.len()))
    }

    /// A number.
    pub fn number(&mut self, number: &Number) -> Result<(), WireError> {
        self.take(number.memory())
    }

    fn take(&mut self, bytes: usize) -> Result<(), WireError> {
        self.0 = self.0.checked_sub(bytes).ok_or_else(|| {
            WireError::new(format!("more than the {} MiB that a value may take, and {FACTOR} times its bytes", FREE >> 20))
        })?;
        Ok(())
    }
}
