//! What a plan makes of the objects. Pure.

use crate::kubernetes::object::Object;

/// The objects of a plan, which everything that a plan says looks at.
pub struct Change {
    /// As they were applied last; none before a create.
    pub before: Vec<Object>,
    /// As they are wanted.
    pub wanted: Vec<Object>,
}
