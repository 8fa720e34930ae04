//! In-process stand-ins for what the provider talks to: for faults and speed. They prove nothing alone; what they imitate
//! was seen on the real thing.

pub mod fake_kafka;
