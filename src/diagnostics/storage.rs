//! Words about storage.
