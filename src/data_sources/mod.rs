//! The data sources, one folder each: schema, look (network), judge (pure).

pub mod drift;
pub mod health;
