//! What it alone says.

use crate::kafka::ConfigEntry;
use crate::plugin::diagnostic::Diagnostic;
use crate::plugin::path::Path;
use crate::resources::inside::Thing;

/// Somebody set it.
pub fn set_already(thing: Thing<'_>, there: &ConfigEntry) -> Diagnostic {
    let value = there.value.as_deref().unwrap_or_default();
    Diagnostic::error("The setting is set already", format!("{thing} is {value:?}; it is not taken over."))
        .kind("topic_setting.set_already")
        .hint(format!("import it: tofu import kafkastack_topic_setting.NAME {}", thing.id))
        .at(Path::of("key"))
}
