//! A schema to the protocol's messages, and diagnostics and paths too. No network.

use super::super::diagnostic::{Diagnostic, Diagnostics, Severity};
use super::super::identity::Identity;
use super::super::path::{Path, Step};
use super::super::proto::tfplugin6 as proto;
use super::super::schema::{Attribute, Kind, Replace, Schema};
pub use super::types::type_json;
use proto::attribute_path::step::Selector;
use proto::schema::object::NestingMode;

/// A schema.
pub fn schema(schema: &Schema) -> proto::Schema {
    proto::Schema {
        version: schema.version,
        block: Some(proto::schema::Block {
            version: schema.version,
            attributes: attributes(&schema.attributes),
            description: schema.doc.clone(),
            description_kind: proto::StringKind::Markdown.into(),
            ..Default::default()
        }),
    }
}

/// The schema of an identity. Its version never changes: a part more or less is null or dropped.
pub fn identity(identity: &Identity) -> proto::ResourceIdentitySchema {
    let part = |a: &Attribute| proto::resource_identity_schema::IdentityAttribute {
        name: a.name.to_owned(),
        r#type: type_json(&a.kind).into_bytes(),
        required_for_import: a.rules.required,
        optional_for_import: !a.rules.required,
        description: a.doc.clone(),
    };
    proto::ResourceIdentitySchema { version: 0, identity_attributes: identity.attributes().iter().map(part).collect() }
}

fn attributes(attributes: &[Attribute]) -> Vec<proto::schema::Attribute> {
    attributes.iter().map(attribute).collect()
}

/// An object, or a collection of objects, is a nested attribute: `type` then has to be empty, or core refuses the
/// provider. A collection of collections of objects cannot be nested; its objects have no rules of their own.
fn attribute(attribute: &Attribute) -> proto::schema::Attribute {
    let nested = nesting(&attribute.kind);
    let rules = &attribute.rules;
    proto::schema::Attribute {
        name: attribute.name.to_owned(),
        r#type: if nested.is_some() { Vec::new() } else { type_json(&attribute.kind).into_bytes() },
        nested_type: nested.map(|(nesting, inner)| proto::schema::Object {
            attributes: attributes(inner),
            nesting: nesting.into(),
            ..Default::default()
        }),
        description: attribute.doc.clone(),
        description_kind: proto::StringKind::Markdown.into(),
        required: rules.required,
        optional: rules.optional,
        computed: rules.computed,
        sensitive: rules.sensitive,
        write_only: rules.write_only,
        deprecated: rules.deprecated.is_some(),
        deprecation_message: rules.deprecated.unwrap_or_default().to_owned(),
    }
}

fn nesting(kind: &Kind) -> Option<(NestingMode, &[Attribute])> {
    let (mode, inner) = match kind {
        Kind::Object(attributes) => return Some((NestingMode::Single, attributes)),
        Kind::List(inner) => (NestingMode::List, inner),
        Kind::Set(inner) => (NestingMode::Set, inner),
        Kind::Map(inner) => (NestingMode::Map, inner),
        _ => return None,
    };
    match &**inner {
        Kind::Object(attributes) => Some((mode, attributes)),
        _ => None,
    }
}

/// A path.
pub fn path(path: &Path) -> proto::AttributePath {
    let selector = |step: &Step| match step {
        Step::Attribute(name) => Selector::AttributeName(name.clone()),
        Step::Key(key) => Selector::ElementKeyString(key.clone()),
        Step::Index(index) => Selector::ElementKeyInt(i64::try_from(*index).unwrap_or(i64::MAX)),
    };
    let step = |step| proto::attribute_path::Step { selector: Some(selector(step)) };
    proto::AttributePath { steps: path.steps().iter().map(step).collect() }
}

/// Everything that there is to say.
pub fn diagnostics(diagnostics: Diagnostics) -> Vec<proto::Diagnostic> {
    diagnostics.into_iter().map(diagnostic).collect()
}

fn diagnostic(diagnostic: Diagnostic) -> proto::Diagnostic {
    let severity = match diagnostic.severity {
        Severity::Error => proto::diagnostic::Severity::Error,
        Severity::Warning => proto::diagnostic::Severity::Warning,
    };
    proto::Diagnostic {
        severity: severity.into(),
        detail: diagnostic.text(),
        summary: diagnostic.summary,
        attribute: diagnostic.path.filter(|p| !p.steps().is_empty()).map(|p| path(&p)),
    }
}

/// What core would refuse about a resource's schema, all of it: a test of every provider asks for none.
pub fn faults(attributes: &[Attribute]) -> Vec<String> {
    faults_inside(attributes, false)
}

fn faults_inside(attributes: &[Attribute], in_set: bool) -> Vec<String> {
    let mut faults = Vec::new();
    for Attribute { name, kind, rules, .. } in attributes {
        if in_set && (rules.write_only || *kind == Kind::Dynamic) {
            faults.push(format!("`{name}` is write-only or dynamic, and inside a set"));
        }
        if rules.write_only && (rules.computed || rules.identity || rules.replace != Replace::Never || rules.same.is_some()) {
            faults.push(format!("`{name}` is write-only, and has a rule that needs its prior value"));
        }
        if !is_an_attributes(kind) {
            faults.push(format!("`{name}` is of a kind that no attribute has: {}", type_json(kind)));
        }
        let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || !name.chars().all(lower) {
            faults.push(format!("`{name}` is not lower-case with underscores"));
        }
        match (rules.required, rules.optional, rules.computed) {
            (false, false, false) => faults.push(format!("`{name}` is neither required, optional nor computed")),
            (true, true, _) | (true, _, true) => faults.push(format!("`{name}` is required and something else")),
            _ => {}
        }
        if rules.identity && !matches!(kind, Kind::Bool | Kind::Number | Kind::String) {
            faults.push(format!("`{name}` is part of the identity, and neither text, number nor bool"));
        }
        if rules.identity && rules.replace != Replace::Always && (rules.required || rules.optional) {
            faults.push(format!("`{name}` is part of the identity, and can be changed in place"));
        }
        if let Some((_, inner)) = nesting(kind) {
            let parts = inner.iter().filter(|a| a.rules.identity);
            faults.extend(parts.map(|a| format!("in `{name}`: `{}` is part of the identity, and nested", a.name)));
            let in_set = in_set || matches!(kind, Kind::Set(_));
            faults.extend(faults_inside(inner, in_set).into_iter().map(|fault| format!("in `{name}`: {fault}")));
        }
    }
    faults
}

/// Collections hold no dynamic values, and tuples and plain objects occur in functions alone. Objects are in no collection of
/// collections, because the protocol nests attributes one level deep: their rules would hold nowhere.
fn is_an_attributes(kind: &Kind) -> bool {
    match kind {
        Kind::List(inner) | Kind::Set(inner) | Kind::Map(inner) => match &**inner {
            Kind::List(item) | Kind::Set(item) | Kind::Map(item) => !matches!(**item, Kind::Object(_)) && is_an_attributes(inner),
            inner => *inner != Kind::Dynamic && is_an_attributes(inner),
        },
        Kind::Tuple(_) | Kind::Record(_) => false,
        Kind::Bool | Kind::Number | Kind::String | Kind::Object(_) | Kind::Dynamic => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::schema::{computed, optional, required};
    use crate::plugin::wire::arbitrary::object;

    #[test]
    fn an_object_is_a_nested_attribute_without_a_type() {
        let inner = object(vec![(Kind::Number, required())]);
        let Kind::Object(attributes) =
            object(vec![(Kind::List(Box::new(inner)), optional()), (Kind::Set(Box::new(Kind::String)), computed())])
        else {
            unreachable!()
        };
        let sent = super::attributes(&attributes);
        assert!(sent[0].r#type.is_empty());
        assert_eq!(sent[0].nested_type.as_ref().unwrap().nesting(), NestingMode::List);
        assert_eq!(sent[1].r#type, br#"["set","string"]"#);
        assert!(sent[1].nested_type.is_none());
    }

    #[test]
    fn what_core_would_refuse_is_found_first() {
        let Kind::Object(attributes) = object(vec![(Kind::Bool, Default::default()), (Kind::Bool, required().or_computed())])
        else {
            unreachable!()
        };
        assert_eq!(faults(&attributes).len(), 2);
        let inside_a_set = object(vec![(Kind::Dynamic, optional()), (Kind::String, optional().write_only())]);
        let Kind::Object(attributes) = object(vec![
            (Kind::Set(Box::new(inside_a_set)), optional()),
            (Kind::List(Box::new(Kind::Dynamic)), optional()),
            (Kind::String, optional().identifies()),
            (Kind::String, optional().write_only().replaces()),
        ]) else {
            unreachable!()
        };
        assert_eq!(faults(&attributes).len(), 5);
        let deep = Kind::List(Box::new(Kind::Map(Box::new(object(vec![(Kind::Bool, optional())])))));
        let Kind::Object(attributes) = object(vec![(deep, optional())]) else { unreachable!() };
        assert_eq!(faults(&attributes).len(), 1);
    }
}
