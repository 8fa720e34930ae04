//! Where in a configuration a value stands: `storage.local_volumes[0].path`.

use std::fmt;

/// One step from a value to a value inside it (`AttributePath.Step` in tfplugin6).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// An attribute of an object.
    Attribute(String),
    /// An element of a map.
    Key(String),
    /// An element of a list.
    Index(usize),
}

/// The way from a resource's root to one of its values. Sets cannot be indexed: a path ends at the set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(Vec<Step>);

impl Path {
    /// The resource itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// The path of a top-level attribute.
    pub fn of(attribute: &str) -> Self {
        Self::root().attribute(attribute)
    }

    /// This path, then an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Self {
        self.step(Step::Attribute(name.to_owned()))
    }

    /// This path, then a key of a map.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.step(Step::Key(key.to_owned()))
    }

    /// This path, then an index of a list.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.step(Step::Index(index))
    }

    /// The path of these steps, from the root inwards.
    pub fn from_steps(steps: Vec<Step>) -> Self {
        Self(steps)
    }

    /// The steps, from the root inwards.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The same path, where the root is a value inside another one.
    #[must_use]
    pub fn inside(mut self, step: Step) -> Self {
        self.0.insert(0, step);
        self
    }

    fn step(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Attribute(name) if i == 0 => write!(f, "{name}")?,
                Step::Attribute(name) => write!(f, ".{name}")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_it_is_written_in_configuration() {
        let path = Path::of("storage").attribute("volumes").index(0).key("a.b");
        assert_eq!(path.to_string(), r#"storage.volumes[0]["a.b"]"#);
    }
}
