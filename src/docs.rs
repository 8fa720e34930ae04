//! Schemas and examples -> the reference pages in `docs/`, laid out as registries want them. Pure but for [`write()`].

use crate::plugin::identity::Identity;
use crate::plugin::model::{Object, doc};
use crate::plugin::operations::Limits;
use crate::plugin::provider::Provider;
use crate::plugin::schema::{Attribute, Kind, Replace, Schema};
use crate::plugin::timeouts::Timeouts;
use crate::plugin::value::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Where the examples are: the pages are written in a checkout.
const EXAMPLES: &str = "examples";

/// An example by its path; empty where there is none.
fn example(path: &str) -> String {
    std::fs::read_to_string(Path::new(EXAMPLES).join(path)).unwrap_or_default()
}

/// The example of what is no resource, by the folder of its page and its whole name.
fn offer_example(folder: &str, name: &str) -> String {
    let file = match folder {
        "actions" => "action.tf",
        "data-sources" => "data-source.tf",
        "ephemeral-resources" => "ephemeral-resource.tf",
        _ => "list-resource.tfquery.hcl",
    };
    example(&format!("{folder}/{name}/{file}"))
}

/// What a provider offers beside resources.
struct Offer {
    /// The folder of its page.
    folder: &'static str,
    /// What it is.
    title: &'static str,
    name: &'static str,
    schema: Schema,
    limits: Limits,
}

fn offers<P: Provider>(provider: &P) -> Vec<Offer> {
    let read = |limit| Limits { read: limit, ..Limits::default() };
    let offer = |folder, title, name, schema, limits| Offer { folder, title, name, schema, limits };
    let offers = provider.offers();
    let sources = offers.data_sources.iter().map(|o| offer("data-sources", "Data Source", o.name(), o.schema(), read(o.limit())));
    let ephemerals = offers
        .ephemerals
        .iter()
        .map(|o| offer("ephemeral-resources", "Ephemeral Resource", o.name(), o.schema(), read(o.limit())));
    let actions = offers.actions.iter().map(|o| offer("actions", "Action", o.name(), o.schema(), Limits::default()));
    let lists = offers.lists.iter().map(|o| offer("list-resources", "List Resource", o.name(), o.schema(), read(o.limit())));
    sources.chain(ephemerals).chain(actions).chain(lists).collect()
}

/// Every page: its path below `docs/`, and its text.
pub fn pages<P: Provider>(provider: &P) -> BTreeMap<String, String> {
    let resources = provider.offers().resources;
    let mut pages: BTreeMap<String, String> = resources
        .iter()
        .map(|resource| {
            let (name, schema) = (resource.name(), resource.schema());
            let page = resource_page(P::NAME, name, &schema.doc, &schema.attributes, &resource.limits());
            (format!("resources/{name}.md"), page)
        })
        .collect();
    pages.extend(offers(provider).iter().map(|offer| {
        let path = format!("{}/{}.md", offer.folder, offer.name);
        (path, offer_page(P::NAME, offer))
    }));
    pages.insert("index.md".to_owned(), provider_page::<P>());
    pages
}

/// Writes every page below the folder `to`, and makes the folders.
///
/// # Errors
/// When the examples are not there, or a folder or file cannot be written.
pub fn write<P: Provider>(provider: &P, to: &Path) -> std::io::Result<()> {
    std::fs::read_dir(EXAMPLES)?;
    for (path, text) in pages(provider) {
        let file = to.join(path);
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(file, text)?;
    }
    Ok(())
}

fn provider_page<P: Provider>() -> String {
    let about = doc(P::Model::DOC);
    let mut page = head(&format!("{} Provider", P::NAME), &about);
    let _ = write!(page, "# {} Provider\n\n{about}\n\n", P::NAME);
    code(&mut page, "Example", "terraform", &example("provider/provider.tf"));
    reference(&mut page, &P::Model::attributes(), None);
    page.trim_end().to_owned() + "\n"
}

fn resource_page(provider: &str, name: &str, about: &str, attributes: &[Attribute], limits: &Limits) -> String {
    let mut page = head(&format!("{provider}_{name} Resource - {provider}"), about);
    let _ = write!(page, "# {provider}_{name} (Resource)\n\n{about}\n\n");
    let of = |file: &str| example(&format!("resources/{provider}_{name}/{file}"));
    code(&mut page, "Example", "terraform", &of("resource.tf"));
    reference(&mut page, attributes, Some(limits));
    // What is an event has nothing to import.
    let import = of("import.sh");
    if !import.is_empty() {
        code(&mut page, "Import", "shell", &import);
        identity(&mut page, attributes, &of("import-by-identity.tf"));
    }
    page.trim_end().to_owned() + "\n"
}

fn offer_page(provider: &str, offer: &Offer) -> String {
    let Offer { folder, title, name, schema, limits } = offer;
    let mut page = head(&format!("{provider}_{name} {title} - {provider}"), &schema.doc);
    let _ = write!(page, "# {provider}_{name} ({title})\n\n{}\n\n", schema.doc);
    code(&mut page, "Example", "terraform", &offer_example(folder, &format!("{provider}_{name}")));
    reference(&mut page, &schema.attributes, Some(limits));
    page.trim_end().to_owned() + "\n"
}

/// The front matter. The description is the first paragraph of `about`.
fn head(title: &str, about: &str) -> String {
    let first: Vec<&str> = about.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect();
    format!("---\npage_title: \"{title}\"\nsubcategory: \"\"\ndescription: |-\n  {}\n---\n\n", first.join(" "))
}

fn code(page: &mut String, title: &str, language: &str, text: &str) {
    let _ = write!(page, "## {title}\n\n```{language}\n{}\n```\n\n", text.trim_end());
}

/// An import block by identity, and what an identity is made of.
fn identity(page: &mut String, attributes: &[Attribute], example: &str) {
    let Some(identity) = Identity::of(attributes) else { return };
    page.push_str("An `import` block can name it by its identity (OpenTofu 1.12, Terraform 1.12, or later):\n\n");
    let _ = write!(page, "```terraform\n{}\n```\n\n", example.trim_end());
    for part in identity.attributes() {
        let may = if part.rules.required { "required" } else { "optional" };
        let _ = write!(page, "- `{}` ({}, {may}) {}", part.name, kind(&part.kind), part.doc.replace('\n', " "));
        if let Some(default) = part.rules.default.as_ref().map(literal) {
            let _ = write!(page, " Default: `{default}`.");
        }
        page.push('\n');
    }
    page.push('\n');
}

/// A nested object: its path, its attributes.
struct Nested<'a>(String, &'a [Attribute]);

fn reference(page: &mut String, attributes: &[Attribute], limits: Option<&Limits>) {
    page.push_str("## Schema\n\n");
    let mut later = Vec::new();
    groups(page, "", attributes, limits, &mut later);
    // Breadth first: a section follows all those of the level above it.
    let mut next = 0;
    while let Some(Nested(path, inner)) = later.get(next) {
        let (path, inner) = (path.clone(), *inner);
        let _ = write!(page, "<a id=\"{}\"></a>\n\n### `{path}`\n\n", anchor(&path));
        groups(page, &path, inner, limits, &mut later);
        next += 1;
    }
}

fn groups<'a>(page: &mut String, at: &str, all: &'a [Attribute], limits: Option<&Limits>, later: &mut Vec<Nested<'a>>) {
    type Belongs = fn(&Attribute) -> bool;
    let groups: [(&str, Belongs); 3] = [
        ("Required", |a| a.rules.required),
        ("Optional", |a| a.rules.optional),
        ("Read-only", |a| !a.rules.required && !a.rules.optional),
    ];
    for (title, belongs) in groups {
        let group: Vec<&Attribute> = all.iter().filter(|a| belongs(a)).collect();
        if group.is_empty() {
            continue;
        }
        let _ = write!(page, "{} {title}\n\n", if at.is_empty() { "###" } else { "####" });
        for attribute in group {
            let path = if at.is_empty() { attribute.name.to_owned() } else { format!("{at}.{}", attribute.name) };
            let limit = limits.and_then(|limits| limit(&path, limits));
            line(page, attribute, &path, limit);
            if let Some(inner) = object(&attribute.kind) {
                later.push(Nested(path, inner));
            }
        }
        page.push('\n');
    }
}

/// One attribute: `` - `name` (type, marks) documentation, default, where its own attributes are ``.
fn line(page: &mut String, attribute: &Attribute, path: &str, limit: Option<String>) {
    let rules = &attribute.rules;
    let marks = [(rules.sensitive, ", sensitive"), (rules.write_only, ", write-only")];
    let marks: String = marks.iter().filter_map(|(is, mark)| is.then_some(*mark)).collect();
    let _ = write!(page, "- `{}` ({}{marks}) {}", attribute.name, kind(&attribute.kind), attribute.doc.replace('\n', " "));
    if let Some(instead) = rules.deprecated {
        let _ = write!(page, " **Deprecated**: {instead}");
    }
    if let Some(default) = limit.or_else(|| rules.default.as_ref().map(literal)) {
        let _ = write!(page, " Default: `{default}`.");
    }
    match rules.replace {
        Replace::Never => {}
        Replace::Always => page.push_str(" **Changing it replaces the resource.**"),
        Replace::IfConfigured => page.push_str(" **Changing it in the configuration replaces the resource.**"),
    }
    if object(&attribute.kind).is_some() {
        let _ = write!(page, " See [`{path}`](#{}).", anchor(path));
    }
    page.push('\n');
}

fn anchor(path: &str) -> String {
    format!("nested--{}", path.replace('.', "--"))
}

/// The attributes of an object, or of the objects in a collection.
fn object(kind: &Kind) -> Option<&[Attribute]> {
    match kind {
        Kind::Object(attributes) => Some(attributes),
        Kind::List(inner) | Kind::Set(inner) | Kind::Map(inner) => object(inner),
        _ => None,
    }
}

fn kind(of: &Kind) -> String {
    match of {
        Kind::Bool => "bool".to_owned(),
        Kind::Number => "number".to_owned(),
        Kind::String => "string".to_owned(),
        Kind::List(inner) => format!("list of {}", kind(inner)),
        Kind::Set(inner) => format!("set of {}", kind(inner)),
        Kind::Map(inner) => format!("map of {}", kind(inner)),
        Kind::Object(_) | Kind::Record(_) => "object".to_owned(),
        Kind::Tuple(_) => "tuple".to_owned(),
        Kind::Dynamic => "any type".to_owned(),
    }
}

/// A default, as a configuration would have it.
fn literal(value: &Value) -> String {
    crate::plugin::wire::json::as_json(value).to_string()
}

/// The default of an attribute of `timeouts`, which depends on the resource.
fn limit(path: &str, limits: &Limits) -> Option<String> {
    let limit = match path {
        "timeouts.create" => limits.create,
        "timeouts.read" => limits.read,
        "timeouts.update" => limits.update,
        "timeouts.delete" => limits.delete,
        _ => return None,
    };
    debug_assert!(Timeouts::attributes().iter().any(|a| path.ends_with(a.name)), "{path}");
    let seconds = limit.as_secs();
    Some(if seconds % 60 == 0 { format!("\"{}m\"", seconds / 60) } else { format!("\"{seconds}s\"") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::wire;
    use crate::provider::Kafkastack;

    #[test]
    fn core_accepts_every_schema() {
        let none: Vec<String> = Vec::new();
        assert_eq!(wire::schema::faults(&<Kafkastack as Provider>::Model::attributes()), none);
        for resource in Kafkastack.offers().resources {
            assert_eq!(wire::schema::faults(&resource.schema().attributes), none, "{}", resource.name());
        }
        for offer in offers(&Kafkastack) {
            assert_eq!(wire::schema::faults(&offer.schema.attributes), none, "{}", offer.name);
        }
    }

    #[test]
    fn every_resource_has_an_example_and_every_attribute_words() {
        fn documented(attributes: &[Attribute], at: &str) {
            for attribute in attributes {
                assert!(attribute.doc.trim_end().ends_with(['.', '`']), "{at}.{}: {:?}", attribute.name, attribute.doc);
                let untold = attribute.rules.words.iter().find(|word| !attribute.doc.contains(&format!("`{word}`")));
                assert_eq!(untold, None, "{at}.{}: {:?}", attribute.name, attribute.doc);
                documented(object(&attribute.kind).unwrap_or_default(), attribute.name);
            }
        }
        for resource in Kafkastack.offers().resources {
            assert_ne!(example(&format!("resources/kafkastack_{}/resource.tf", resource.name())), "", "{}", resource.name());
            documented(&resource.schema().attributes, resource.name());
        }
        for offer in offers(&Kafkastack) {
            assert_ne!(offer_example(offer.folder, &format!("kafkastack_{}", offer.name)), "", "{} {}", offer.folder, offer.name);
            documented(&offer.schema.attributes, offer.name);
        }
    }

    #[test]
    fn the_reference_pages_say_what_the_schemas_say() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        let pages = pages(&Kafkastack);
        for (path, page) in &pages {
            let committed = std::fs::read_to_string(docs.join(path)).unwrap_or_default();
            assert!(committed == *page, "docs/{path} is out of date: run `make docs`");
        }
        for folder in ["resources", "data-sources", "ephemeral-resources", "actions", "list-resources"] {
            for file in std::fs::read_dir(docs.join(folder)).into_iter().flatten() {
                let path = format!("{folder}/{}", file.unwrap().file_name().into_string().unwrap());
                assert!(pages.contains_key(&path), "docs/{path} is of nothing that there is");
            }
        }
    }

    #[test]
    fn every_path_of_the_architecture_is_there() {
        let text = read("docs/architecture.md") + &read("src/lib.rs") + &read("docs/adding-a-resource.md");
        let paths = text.split(['`', '(', ')']).filter(|part| part.starts_with("src/") && !part.contains(['<', ' ', '*']));
        let mut found = 0;
        for path in paths.filter(|path| !path.contains("topic_setting") || path.contains("testing")) {
            found += 1;
            assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists(), "{path}");
        }
        assert!(found > 15, "{found}");
    }

    fn read(path: &str) -> String {
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
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
        let code: String = sources.iter().map(|path| read(path)).collect();
        for path in &documents {
            let (text, folder) = (read(path), Path::new(path).parent().unwrap());
            for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let there = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(link).exists();
                assert!(there || link.starts_with('#') || link.starts_with("https:"), "{path}: {link}");
            }
        }
        let architecture = read("docs/architecture.md");
        let names = architecture.split('`').skip(1).step_by(2).filter(|name| name.matches('_').count() >= 2);
        let names: Vec<&str> = names.filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')).collect();
        assert!(names.len() > 30);
        for name in names {
            assert!(code.contains(&format!("{name}(")) || code.contains(&format!("{name}: ")), "no test is called {name}");
        }
    }
}
