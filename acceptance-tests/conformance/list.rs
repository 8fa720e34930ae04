//! `list "conformance_object"`: the files of the directory.

use super::{Directory, Object, Objects};
use kafkastack::model;
use kafkastack::plugin::context::Context;
use kafkastack::plugin::diagnostic::{Diagnostic, Diagnostics};
use kafkastack::plugin::list::{List, Listed, Listing, Wanted};
use kafkastack::plugin::model::Attr;
use kafkastack::plugin::path::Path;
use kafkastack::plugin::schema::optional;

model! {
    /// Which objects.
    pub struct Search {
        /// What their names begin with.
        prefix: String = optional(),
    }
}

/// The files.
pub(super) struct Files;

impl Directory {
    /// The names of the objects, in their order.
    fn names(&self) -> Result<Vec<String>, Diagnostic> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.0).map_err(|e| super::io(&e))? {
            let file = entry.map_err(|e| super::io(&e))?.file_name();
            names.extend(file.to_string_lossy().strip_suffix(".json").map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }
}

impl List for Files {
    type Resource = Objects;
    type Model = Search;

    fn validate(&self, config: &Search, diagnostics: &mut Diagnostics) {
        if config.prefix.text() == "forbidden" {
            diagnostics.error_at(Path::of("prefix"), "Forbidden prefix", "`forbidden` is not looked for.");
        }
    }

    async fn list(&self, cx: &Context<'_, Directory>, config: Search, wanted: Wanted) -> Result<Listing<Object>, Diagnostics> {
        let directory = cx.client()?;
        let names = directory.names()?;
        let mut listing = Listing::of(Vec::new());
        for name in names.into_iter().filter(|name| name.starts_with(config.prefix.text())).take(wanted.limit) {
            let object = match wanted.whole {
                true => directory.read(&name),
                false => Ok(Some(Object { name: Attr::Known(name.clone()), ..Object::default() })),
            };
            match object {
                Ok(Some(object)) => listing.objects.push(Listed { display_name: format!("the object {name}"), object }),
                Ok(None) => {}
                Err(why) => {
                    let skipped = format!("`{name}` is left out.\n{}", why.detail);
                    listing = listing.and(Diagnostic::warning("Not an object", skipped));
                }
            }
        }
        Ok(listing)
    }
}
