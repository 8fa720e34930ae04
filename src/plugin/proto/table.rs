//! `docs/protocol.md` lists every message, field, value and call of `proto/`: neither has what the other lacks.

use protox::prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
use protox::prost_reflect::prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto};
use std::collections::BTreeSet;

const DOCUMENT: &str = include_str!("../../../docs/protocol.md");

/// The lines of the document's tables between the two marks, without their heads.
fn documented() -> BTreeSet<String> {
    let (_, rest) = DOCUMENT.split_once("<!-- the wire -->").unwrap();
    let (tables, _) = rest.split_once("<!-- end of the wire -->").unwrap();
    let head = |line: &str| line.contains("---") || line.starts_with("| message |") || line.starts_with("| service |");
    tables.lines().filter(|line| line.starts_with('|') && !head(line)).map(str::to_owned).collect()
}

fn row(cells: [&str; 5]) -> String {
    cells.iter().fold("|".to_owned(), |row, cell| if cell.is_empty() { row + " |" } else { format!("{row} {cell} |") })
}

/// The rows of one file.
struct Rows<'a> {
    package: &'a str,
    rows: BTreeSet<String>,
}

impl Rows<'_> {
    fn of(file: &FileDescriptorProto) -> BTreeSet<String> {
        let mut rows = Rows { package: file.package(), rows: BTreeSet::new() };
        file.message_type.iter().for_each(|message| rows.message("", message));
        file.enum_type.iter().for_each(|values| rows.values("", values));
        for service in &file.service {
            for call in &service.method {
                let stream = |is: bool, name: &str| format!("{}{}", if is { "stream " } else { "" }, rows.short(name));
                let asked = stream(call.client_streaming(), call.input_type());
                let answered = stream(call.server_streaming(), call.output_type());
                rows.rows.insert(row([service.name(), "", call.name(), &asked, &answered]));
            }
        }
        rows.rows
    }

    /// A type's name within its package.
    fn short<'n>(&self, name: &'n str) -> &'n str {
        name.strip_prefix('.').and_then(|name| name.strip_prefix(self.package)?.strip_prefix('.')).unwrap_or(name)
    }

    fn message(&mut self, outer: &str, message: &DescriptorProto) {
        let name = format!("{outer}{}", message.name());
        if message.field.is_empty() {
            self.rows.insert(row([&name, "", "", "", ""]));
        }
        for field in &message.field {
            let (label, kind) = self.label_and_type(&name, message, field);
            self.rows.insert(row([&name, &field.number().to_string(), field.name(), &label, &kind]));
        }
        let inner = format!("{name}.");
        let entry = |message: &&DescriptorProto| message.options.as_ref().is_some_and(|options| options.map_entry());
        message.nested_type.iter().filter(|message| !entry(message)).for_each(|message| self.message(&inner, message));
        message.enum_type.iter().for_each(|values| self.values(&inner, values));
    }

    fn values(&mut self, outer: &str, values: &EnumDescriptorProto) {
        let name = format!("{outer}{}", values.name());
        for value in &values.value {
            self.rows.insert(row([&name, &value.number().to_string(), value.name(), "value", ""]));
        }
    }

    fn label_and_type(&self, name: &str, message: &DescriptorProto, field: &FieldDescriptorProto) -> (String, String) {
        let kind = match field.r#type() {
            Type::Message | Type::Enum => self.short(field.type_name()).to_owned(),
            scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
        };
        if field.label() == Label::Repeated {
            let entry = message.nested_type.iter().find(|entry| {
                entry.options.as_ref().is_some_and(|options| options.map_entry()) && kind == format!("{name}.{}", entry.name())
            });
            let Some(entry) = entry else { return ("repeated".to_owned(), kind) };
            assert_eq!(entry.field[0].r#type(), Type::String);
            return ("map".to_owned(), self.label_and_type(name, entry, &entry.field[1]).1);
        }
        match (field.proto3_optional(), field.oneof_index) {
            (true, _) => ("optional".to_owned(), kind),
            (false, Some(of)) => (format!("oneof {}", message.oneof_decl[usize::try_from(of).unwrap()].name()), kind),
            (false, None) => (String::new(), kind),
        }
    }
}

#[test]
fn the_document_lists_the_wire_and_nothing_else() {
    let files = protox::compile(["proto/tfplugin6.proto", "proto/go_plugin.proto"], ["proto"]).unwrap();
    let compiled: BTreeSet<String> = files.file.iter().flat_map(Rows::of).collect();
    assert!(compiled.len() > 300, "{} rows", compiled.len());
    let documented = documented();
    let lines = |rows: Vec<&String>| rows.into_iter().map(|row| format!("\n{row}")).collect::<String>();
    let (lacking, too_many) = (compiled.difference(&documented).collect(), documented.difference(&compiled).collect());
    let (lacking, too_many) = (lines(lacking), lines(too_many));
    assert!(lacking.is_empty() && too_many.is_empty(), "docs/protocol.md lacks:{lacking}\nand has too much:{too_many}");
}

#[test]
fn a_field_of_a_later_version_is_skipped() {
    use super::tfplugin6::plan_resource_change::Request;
    use prost::Message;
    let request = Request { type_name: "a".to_owned(), ..Default::default() };
    // `planned_private`, 9, of 6.11.
    let sent = [request.encode_to_vec(), b"\x4a\x03abc".to_vec()].concat();
    assert_eq!(Request::decode(sent.as_slice()), Ok(request));
}
