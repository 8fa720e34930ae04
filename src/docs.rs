//! Schemas -> the reference pages in `docs/`, laid out as the registries of OpenTofu and Terraform read them. [`pages`] is
//! pure; [`write`] reads the examples and writes the files. No network.

use crate::plugin::model::{Object, doc};
use crate::plugin::resource::{Limits, Provider};
use crate::plugin::schema::{Attribute, Kind, Replace, Rules, Schema};
use crate::plugin::value::Value;
use crate::provider::Kafkastack;
use crate::resources::as_json;
use std::collections::BTreeMap;
use std::path::Path;

/// Every page: its path below `docs/`, and its text. `example` gives the content of a file below `examples/`, if there is one.
pub fn pages<P: Provider>(provider: &P, example: impl Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
    let schema = Schema { version: 0, doc: doc(P::Model::DOC), attributes: P::Model::attributes() };
    let usage = example("provider/provider.tf").map_or_else(String::new, |text| fenced("Example Usage", "terraform", &text));
    let index = format!("{}{usage}{}", head(&format!("{} Provider", P::NAME), &schema.doc), reference(&schema, None));
    let mut pages = BTreeMap::from([("index.md".to_owned(), index)]);
    for resource in provider.resources() {
        let (name, schema) = (resource.name(), resource.schema());
        let full = format!("{}_{name}", P::NAME);
        let of = |file: &str| example(&format!("resources/{full}/{file}"));
        let mut page = head(&format!("{full} Resource"), &schema.doc);
        page += &of("resource.tf").map_or_else(String::new, |text| fenced("Example Usage", "terraform", &text));
        page += &reference(&schema, Some(resource.limits()));
        page += &of("import.sh").map_or_else(String::new, |text| fenced("Import", "shell", &text));
        pages.insert(format!("resources/{name}.md"), page);
    }
    pages
}

/// Writes every page below `to`, with the examples of the project in whose folder this runs.
///
/// # Errors
/// When a file or folder cannot be written, or this is not the project's folder.
pub fn write(to: &Path) -> std::io::Result<()> {
    let examples = Path::new("examples");
    examples.read_dir()?;
    for (path, text) in pages(&Kafkastack, |file| std::fs::read_to_string(examples.join(file)).ok()) {
        let path = to.join(path);
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::write(path, text)?;
    }
    Ok(())
}

/// What registries read, and the title. The description is the first paragraph.
fn head(title: &str, text: &str) -> String {
    let first = one_line(text.split("\n\n").next().unwrap_or_default());
    let heading = title.strip_suffix(" Resource").map_or_else(|| title.to_owned(), |name| format!("{name} (Resource)"));
    format!(
        "---\npage_title: \"{title}\"\nsubcategory: \"\"\ndescription: |-\n  {first}\n---\n\n\
         <!-- Written by `make docs` from the schemas in src/: change it there. -->\n\n# {heading}\n\n{}\n",
        text.trim()
    )
}

fn fenced(title: &str, language: &str, text: &str) -> String {
    format!("\n## {title}\n\n```{language}\n{}\n```\n", text.trim())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn reference(schema: &Schema, limits: Option<Limits>) -> String {
    let mut page = "\n## Schema\n".to_owned();
    groups(&schema.attributes, "", &mut page, &|title| format!("### {title}"), limits);
    nested(&schema.attributes, "", &mut page, limits);
    page
}

/// Whether the group takes an attribute with these rules.
type Belongs = fn(&Rules) -> bool;

/// The attributes, apart by who sets them.
fn groups(attributes: &[Attribute], at: &str, page: &mut String, title: &dyn Fn(&str) -> String, limits: Option<Limits>) {
    let kinds: [(&str, Belongs); 3] = [
        ("Required", |rules| rules.required),
        ("Optional", |rules| rules.optional && !rules.required),
        ("Read-Only", |rules| !rules.required && !rules.optional),
    ];
    for (name, belongs) in kinds {
        let lines: Vec<String> = attributes
            .iter()
            .filter(|attribute| belongs(&attribute.rules))
            .map(|attribute| line(attribute, at, limits))
            .collect();
        if !lines.is_empty() {
            *page += &format!("\n{}\n\n{}\n", title(name), lines.join("\n"));
        }
    }
}

fn line(attribute: &Attribute, at: &str, limits: Option<Limits>) -> String {
    let rules = &attribute.rules;
    let mut parts = vec![one_line(&attribute.doc)];
    match (&rules.default, limits.and_then(|limits| limit(at, attribute.name, &limits))) {
        (Some(default), _) => parts.push(format!("Default: `{}`.", literal(default))),
        (None, Some(limit)) => parts.push(format!("Default: `\"{limit}\"`.")),
        (None, None) => {}
    }
    match rules.replace {
        Replace::Always => parts.push("Changing it replaces the resource.".to_owned()),
        Replace::IfConfigured => parts.push("Changing it replaces the resource where the configuration sets it.".to_owned()),
        Replace::Never => {}
    }
    if inside(&attribute.kind).is_some() {
        parts.push(format!("See [`{0}`](#{1}) below.", join(at, attribute.name), anchor(&join(at, attribute.name))));
    }
    let sensitive = if rules.sensitive { ", Sensitive" } else { "" };
    format!("- `{}` ({}{sensitive}) {}", attribute.name, type_name(&attribute.kind), parts.join(" "))
}

/// The time limit that an attribute of `timeouts` has where the configuration gives none.
fn limit(at: &str, name: &str, limits: &Limits) -> Option<String> {
    let time = match (at, name) {
        ("timeouts", "create") => limits.create,
        ("timeouts", "read") => limits.read,
        ("timeouts", "update") => limits.update,
        ("timeouts", "delete") => limits.delete,
        _ => return None,
    };
    let seconds = time.as_secs();
    Some(if seconds % 60 == 0 { format!("{}m", seconds / 60) } else { format!("{seconds}s") })
}

/// A section for each attribute that holds objects, in the order in which they are named.
fn nested(attributes: &[Attribute], at: &str, page: &mut String, limits: Option<Limits>) {
    for attribute in attributes {
        let Some(inner) = inside(&attribute.kind) else { continue };
        let path = join(at, attribute.name);
        *page += &format!("\n<a id=\"{}\"></a>\n### Nested Schema for `{path}`\n", anchor(&path));
        groups(inner, &path, page, &|title| format!("{title}:"), limits);
        nested(inner, &path, page, limits);
    }
}

fn inside(kind: &Kind) -> Option<&[Attribute]> {
    match kind {
        Kind::Object(attributes) => Some(attributes),
        Kind::List(inner) | Kind::Set(inner) | Kind::Map(inner) => inside(inner),
        Kind::Bool | Kind::Number | Kind::String => None,
    }
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

fn anchor(path: &str) -> String {
    format!("nestedatt--{}", path.replace('.', "--"))
}

fn type_name(kind: &Kind) -> String {
    let of = |collection: &str, inner: &Kind| match inner {
        Kind::Object(_) => format!("Attributes {collection}"),
        inner => format!("{collection} of {}", type_name(inner)),
    };
    match kind {
        Kind::Bool => "Boolean".to_owned(),
        Kind::Number => "Number".to_owned(),
        Kind::String => "String".to_owned(),
        Kind::List(inner) => of("List", inner),
        Kind::Set(inner) => of("Set", inner),
        Kind::Map(inner) => of("Map", inner),
        Kind::Object(_) => "Attributes".to_owned(),
    }
}

fn literal(value: &Value) -> String {
    as_json(value).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn committed(path: &str) -> Option<String> {
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).ok()
    }

    #[test]
    fn the_reference_pages_say_what_the_schemas_say() {
        let pages = pages(&Kafkastack, |file| committed(&format!("examples/{file}")));
        for (path, text) in &pages {
            assert_eq!(committed(&format!("docs/{path}")).as_ref(), Some(text), "docs/{path} is out of date: run `make docs`");
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/resources");
        let there: BTreeSet<String> =
            folder.read_dir().unwrap().map(|file| format!("resources/{}", file.unwrap().file_name().display())).collect();
        let written: BTreeSet<String> = pages.into_keys().filter(|path| path.starts_with("resources/")).collect();
        assert_eq!(there, written);
    }

    #[test]
    fn every_attribute_of_every_resource_is_documented_and_has_an_example() {
        fn undocumented(attributes: &[Attribute], at: &str, found: &mut Vec<String>) {
            for attribute in attributes {
                let path = join(at, attribute.name);
                if !attribute.doc.ends_with(['.', '`']) {
                    found.push(path.clone());
                }
                undocumented(inside(&attribute.kind).unwrap_or_default(), &path, found);
            }
        }
        for resource in Kafkastack.resources() {
            let mut found = Vec::new();
            undocumented(&resource.schema().attributes, resource.name(), &mut found);
            assert_eq!(found, Vec::<String>::new());
            for file in ["resource.tf", "import.sh"] {
                let path = format!("examples/resources/kafkastack_{}/{file}", resource.name());
                assert!(committed(&path).is_some(), "{path}");
            }
        }
    }

    /// Every file below `folder` whose name ends so, by its path from the project's folder.
    fn files(folder: &str, ends: &str, found: &mut Vec<String>) {
        for entry in Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).read_dir().unwrap().map(Result::unwrap) {
            let path = format!("{folder}/{}", entry.file_name().display());
            match entry.file_type().unwrap().is_dir() {
                true => files(&path, ends, found),
                false if path.ends_with(ends) => found.push(path),
                false => {}
            }
        }
    }

    #[test]
    fn links_and_names_of_tests_in_the_documents_lead_somewhere() {
        let (mut documents, mut sources) = (Vec::new(), Vec::new());
        files("docs", ".md", &mut documents);
        files("src", ".rs", &mut sources);
        files("acceptance-tests", ".rs", &mut sources);
        let code: String = sources.iter().filter_map(|path| committed(path)).collect();
        for path in &documents {
            let (text, folder) = (committed(path).unwrap(), Path::new(path).parent().unwrap());
            for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let there = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(link).exists();
                assert!(there || link.starts_with('#') || link.starts_with("https:"), "{path}: {link}");
            }
        }
        let architecture = committed("docs/architecture.md").unwrap();
        let names = architecture.split('`').skip(1).step_by(2).filter(|name| name.matches('_').count() >= 2);
        let names: Vec<&str> = names.filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')).collect();
        assert!(names.len() > 30);
        for name in names {
            assert!(code.contains(&format!("{name}(")) || code.contains(&format!("{name}: ")), "no test is called {name}");
        }
    }

    #[test]
    fn a_page_says_type_default_replacement_and_secrecy() {
        use crate::plugin::schema::{optional, required};
        let attribute = |name, kind, rules| Attribute { name, doc: "What\nit is.".to_owned(), kind, rules };
        let inner = vec![attribute("key", Kind::String, optional().sensitive())];
        let schema = Schema {
            version: 0,
            doc: String::new(),
            attributes: vec![
                attribute("name", Kind::String, required().replaces()),
                attribute("size", Kind::Number, optional().defaults_to(3i64)),
                attribute("parts", Kind::List(Box::new(Kind::Object(inner))), optional()),
            ],
        };
        let page = reference(&schema, None);
        for line in [
            "### Required\n\n- `name` (String) What it is. Changing it replaces the resource.\n",
            "- `size` (Number) What it is. Default: `3`.\n",
            "- `parts` (Attributes List) What it is. See [`parts`](#nestedatt--parts) below.\n",
            "<a id=\"nestedatt--parts\"></a>\n### Nested Schema for `parts`\n\nOptional:\n\n- `key` (String, Sensitive) What it is.\n",
        ] {
            assert!(page.contains(line), "{line}\nis not in\n{page}");
        }
    }
}
