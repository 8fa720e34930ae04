//! Random numbers of the system, without a library: the keys of a hasher are random (decision 18).

use std::hash::{BuildHasher, RandomState};

/// 64 bits, different each time.
pub fn bits() -> u64 {
    RandomState::new().hash_one(0)
}
