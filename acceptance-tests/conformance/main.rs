//! A provider whose resource is a file in a directory: every kind of attribute and every rule, so that the protocol
//! layer meets real OpenTofu and real Terraform. It touches files, never the network; `test.rs` drives it.
//!
//! What the world does to a resource is played through its files: `<name>.json` is the object, and files named
//! `<name>.fail-create` or `<name>.slow-create` make its creation fail half way or last until it is told to stop.

mod kinds;
mod list;

use kafkastack::model;
use kafkastack::plugin::context::Context;
use kafkastack::plugin::diagnostic::{Diagnostic, Diagnostics};
use kafkastack::plugin::model::{Attr, SetOf, Typed};
use kafkastack::plugin::operations::{Create, Delete, Done, Failed, Plan, Private, Update};
use kafkastack::plugin::path::Path;
use kafkastack::plugin::provider::{Offers, Provider};
use kafkastack::plugin::resource::Resource;
use kafkastack::plugin::schema::{Declared, computed, optional, required};
use kafkastack::plugin::stored::Stored;
use kafkastack::plugin::timeouts::Timeouts;
use kafkastack::plugin::value::{Dynamic, Number, Value};
use kafkastack::plugin::{self, wire};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

fn size_in_bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(char::is_alphabetic);
    let unit = match text.get(digits.len()..)? {
        "" => 1,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

fn same_size(a: &str, b: &str) -> bool {
    size_in_bytes(a).is_some() && size_in_bytes(a) == size_in_bytes(b)
}

fn is_size(text: &str) -> Result<(), String> {
    size_in_bytes(text).map(drop).ok_or_else(|| "a size such as `1Gi` is needed".to_owned())
}

fn size() -> Declared<String> {
    optional().same_if(same_size).check(is_size)
}

model! {
    /// Where the objects are.
    pub struct Settings {
        /// The directory.
        directory: String = required(),
    }
}

model! {
    /// One part of an object.
    pub struct Part {
        /// Its key.
        key: String = required(),
        /// How many.
        count: i64 = optional().defaults_to(1),
        /// How large.
        size: String = size(),
        /// Where it is; chosen once.
        place: String = computed().stable(),
    }
}

model! {
    /// An object in a file.
    pub struct Object {
        /// Its name.
        name: String = required().replaces().identifies(),
        /// Chosen at creation.
        id: String = computed().stable(),
        /// Grows with every change.
        revision: i64 = computed(),
        /// Chosen here if not by the user.
        zone: String = optional().or_computed().stable().replaces_if_configured(),
        /// A bool.
        enabled: bool = optional().defaults_to(true),
        /// An exact number.
        ratio: Number = optional(),
        /// How large.
        size: String = size(),
        /// Hidden.
        secret: String = optional().sensitive(),
        /// A list.
        tags: Vec<String> = optional(),
        /// A set.
        zones: BTreeSet<String> = optional(),
        /// A map.
        labels: BTreeMap<String, String> = optional(),
        /// One part.
        main: Part = optional(),
        /// Parts in order.
        parts: Vec<Part> = optional(),
        /// Parts by name.
        named: BTreeMap<String, Part> = optional(),
        /// Parts in no order.
        spare: SetOf<Part> = optional(),
        /// Anything.
        extra: Dynamic = optional(),
        /// Hidden, and stored nowhere.
        password: String = optional().sensitive().write_only(),
        /// Another one sets the password anew.
        password_version: i64 = optional(),
        /// How long the password is that was set last.
        password_length: i64 = computed(),
        /// How long operations may take.
        timeouts: Timeouts = optional(),
    }
}

model! {
    /// What core's own `terraform_data` stores.
    pub struct TerraformData {
        /// Anything.
        input: Dynamic = optional(),
    }
}

/// The files.
struct Directory(PathBuf);

fn io(error: &std::io::Error) -> Diagnostic {
    Diagnostic::error("The file cannot be used", error.to_string())
}

impl Directory {
    fn file(&self, name: &str, extension: &str) -> PathBuf {
        self.0.join(format!("{name}.{extension}"))
    }

    fn write(&self, object: &Object) -> Result<(), Diagnostic> {
        let json = json(&object.encode()).to_string();
        std::fs::write(self.file(object.name.text(), "json"), json).map_err(|e| io(&e))
    }

    fn read(&self, name: &str) -> Result<Option<Object>, Diagnostic> {
        let bytes = match std::fs::read(self.file(name, "json")) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(&error)),
        };
        let broken = |error: String| Diagnostic::error("The file is no object", error);
        let value = wire::json::decode(&Object::kind(), &bytes).map_err(|e| broken(e.to_string()))?;
        Object::decode(&value).map(Some).map_err(|e| broken(e.to_string()))
    }
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Unknown | Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Dynamic(dynamic) => {
            let kind: serde_json::Value = serde_json::from_str(&wire::types::type_json(&dynamic.kind)).unwrap_or_default();
            serde_json::json!({"value": json(&dynamic.value), "type": kind})
        }
        // Text keeps every digit.
        Value::Number(number) => number.to_string().into(),
        Value::String(text) => text.clone().into(),
        Value::List(items) | Value::Set(items) => items.iter().map(json).collect(),
        Value::Map(entries) => entries.iter().map(|(key, item)| (key.clone(), json(item))).collect(),
    }
}

/// What apply alone knows becomes known.
fn complete(object: &mut Object, config: &Object, revision: i64) {
    let name = object.name.text().to_owned();
    let choose = |attr: &mut Attr<String>, choice: String| {
        if attr.is_unknown() {
            *attr = Attr::Known(choice);
        }
    };
    choose(&mut object.id, format!("id-{name}"));
    choose(&mut object.zone, "zone-1".to_owned());
    if object.revision.is_unknown() {
        object.revision = Attr::Known(revision);
    }
    if object.password_length.is_unknown() {
        object.password_length = Attr::Known(i64::try_from(config.password.text().len()).unwrap_or_default());
    }
    let main = object.main.known_mut().map(|part| ("main".to_owned(), part));
    let listed = object.parts.known_mut().into_iter().flatten().enumerate().map(|(i, part)| (i.to_string(), part));
    let parts: Vec<_> = main.into_iter().chain(listed).collect();
    for (place, part) in parts {
        choose(&mut part.place, format!("{name}/{place}"));
    }
    for part in object.spare.known_mut().into_iter().flat_map(|parts| &mut parts.0) {
        let key = part.key.text().to_owned();
        choose(&mut part.place, format!("{name}/spare/{key}"));
    }
    for (key, part) in object.named.known_mut().into_iter().flatten() {
        choose(&mut part.place, format!("{name}/{key}"));
    }
}

struct Objects;

impl Resource for Objects {
    type Client = Directory;
    type Model = Object;
    const NAME: &'static str = "object";

    #[allow(clippy::panic, reason = "a panic is what is played here")]
    async fn plan(&self, _cx: &Context<'_, Directory>, plan: &mut Plan<Object>) -> Result<(), Diagnostics> {
        if plan.config.name.text() == "panic" {
            panic!("on purpose");
        }
        if plan.planned.name.text() == "forbidden" {
            plan.diagnostics.error_at(Path::of("name"), "Forbidden name", "`forbidden` is not allowed.");
        }
        Ok(())
    }

    async fn plan_delete(&self, _cx: &Context<'_, Directory>, going: &Delete<Object>) -> Result<Diagnostics, Diagnostics> {
        let prior = &going.prior;
        match prior.labels.known().and_then(|labels| labels.get("keep")) {
            Some(_) => Err(Diagnostic::error("The object is kept", "Its label `keep` is set.").into()),
            None => Ok(Diagnostics::new()),
        }
    }

    async fn create(&self, cx: &Context<'_, Directory>, create: Create<Object>) -> Result<Done<Object>, Failed<Object>> {
        let directory = cx.client()?;
        let mut object = create.planned;
        complete(&mut object, &create.config, 1);
        let name = object.name.text().to_owned();
        directory.write(&object)?;
        if directory.file(&name, "fail-create").exists() {
            let why = Diagnostic::error("Half way", "The object exists, but is not ready.");
            return Err(Failed::from(why).leaving(object, Private::new()));
        }
        if directory.file(&name, "slow-create").exists() {
            let why = Diagnostic::error("Not ready", format!("The wait ended: {}.", cx.halted().await));
            return Err(Failed::from(why).leaving(object, Private::new()));
        }
        Ok(Done::new(object).keep(made()))
    }

    async fn read(
        &self,
        cx: &Context<'_, Directory>,
        state: Object,
        private: Private,
    ) -> Result<Option<Done<Object>>, Diagnostics> {
        let found = cx.client()?.read(state.name.text())?;
        Ok(found.map(|object| Done::new(Object { timeouts: state.timeouts, ..object }).keep(private)))
    }

    async fn update(&self, cx: &Context<'_, Directory>, update: Update<Object>) -> Result<Done<Object>, Failed<Object>> {
        if update.private.get("made").map(String::as_str) != Some("here") {
            return Err(Diagnostic::error("Private state is lost", "What create kept did not come back.").into());
        }
        let mut object = update.planned;
        complete(&mut object, &update.config, update.prior.revision.unwrap_or(0) + 1);
        cx.client()?.write(&object)?;
        Ok(Done::new(object).keep(update.private))
    }

    async fn delete(&self, cx: &Context<'_, Directory>, delete: Delete<Object>) -> Result<Diagnostics, Failed<Object>> {
        match std::fs::remove_file(cx.client()?.file(delete.prior.name.text(), "json")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(&error).into()),
            _ => Ok(Diagnostics::new()),
        }
    }

    async fn import(&self, cx: &Context<'_, Directory>, named: Object) -> Result<Option<Done<Object>>, Diagnostics> {
        let found = cx.client()?.read(named.name.text())?;
        Ok(found.map(|object| Done::new(object).keep(made())))
    }

    /// A `terraform_data` whose input is the name of an object becomes that object.
    fn take_over(&self, stored: &Stored<'_>) -> Result<Option<Done<Object>>, Diagnostics> {
        if stored.type_name != "terraform_data" {
            return Ok(None);
        }
        let data = stored.decode::<TerraformData>()?;
        let name = match data.input.known().map(|input| &input.value) {
            Some(Value::String(name)) => Attr::Known(name.clone()),
            _ => Attr::Null,
        };
        Ok(Some(Done::new(Object { name, ..Object::default() }).keep(made())))
    }
}

/// What a create leaves for the updates that follow.
fn made() -> Private {
    [("made".to_owned(), "here".to_owned())].into()
}

struct Conformance;

impl Provider for Conformance {
    type Model = Settings;
    type Client = Directory;
    const NAME: &'static str = "conformance";

    async fn configure(&self, config: Settings) -> Result<Option<Directory>, Diagnostics> {
        Ok(config.directory.known().map(|directory| Directory(directory.into())))
    }

    fn offers(&self) -> Offers<Directory> {
        Offers::new()
            .resource(Objects)
            .data_source(kinds::Finder)
            .ephemeral(kinds::Tokens)
            .action(kinds::Notes)
            .function(kinds::Join)
            .list(list::Files)
    }
}

fn main() -> ExitCode {
    let debug = std::env::args().nth(1).as_deref() == Some("--debug");
    plugin::serve(Conformance, "test/conformance", debug)
}
