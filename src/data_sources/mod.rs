//! The data sources, one folder each: schema, look (network), judge (pure).

pub mod health;
