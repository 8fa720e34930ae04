//! What the conformance provider offers beside its resource: a data source, an ephemeral resource, a function, an action.

use super::{Directory, Object};
use kafkastack::model;
use kafkastack::plugin::action::Action;
use kafkastack::plugin::context::Context;
use kafkastack::plugin::data_source::DataSource;
use kafkastack::plugin::diagnostic::{Diagnostic, Diagnostics};
use kafkastack::plugin::ephemeral::{Ephemeral, Opened};
use kafkastack::plugin::function::{Function, FunctionError};
use kafkastack::plugin::model::Attr;
use kafkastack::plugin::operations::{Done, Private};
use kafkastack::plugin::schema::{computed, optional, required};
use std::io::Write as _;

model! {
    /// Looks an object up.
    pub struct Lookup {
        /// Its name.
        name: String = required(),
        /// What stands in for the name where there is no such object; otherwise that is an error.
        fallback: String = optional(),
        /// A unit, by default.
        unit: String = optional().defaults_to("piece"),
        /// Its id.
        id: String = computed(),
        /// Its tags.
        tags: Vec<String> = computed(),
    }
}

/// `data "conformance_object"`.
pub(super) struct Finder;

impl DataSource for Finder {
    type Client = Directory;
    type Model = Lookup;
    const NAME: &'static str = "object";

    fn validate(&self, config: &Lookup, diagnostics: &mut Diagnostics) {
        if config.name.text() == "forbidden" {
            diagnostics.push(Diagnostic::error("Forbidden name", "`forbidden` is not looked up."));
        }
    }

    async fn read(&self, cx: &Context<'_, Directory>, config: Lookup) -> Result<Done<Lookup>, Diagnostics> {
        match cx.client()?.read(config.name.text())? {
            Some(Object { id, tags, .. }) => Ok(Done::new(Lookup { id, tags, ..config })),
            None if !config.fallback.is_null() => {
                let warning = Diagnostic::warning("Not found", "The fallback is taken.");
                Ok(Done::new(Lookup { id: config.fallback.clone(), ..config }).and(warning))
            }
            None => Err(Diagnostic::error("Not found", format!("No object is called {}.", config.name.text())).into()),
        }
    }
}

model! {
    /// A token that lasts as long as the run.
    pub struct Token {
        /// Its name.
        name: String = required(),
        /// The directory, which the provider's settings may take from here.
        directory: String = computed(),
        /// The token.
        token: String = computed().sensitive(),
    }
}

/// `ephemeral "conformance_token"`: `<name>.log` tells when it is opened and closed.
pub(super) struct Tokens;

fn log(cx: &Context<'_, Directory>, name: &str, line: &str) -> Result<String, Diagnostic> {
    let directory = cx.client()?;
    let file = std::fs::OpenOptions::new().create(true).append(true).open(directory.file(name, "log"));
    file.and_then(|mut file| writeln!(file, "{line}")).map_err(|e| super::io(&e))?;
    Ok(directory.0.to_string_lossy().into_owned())
}

impl Ephemeral for Tokens {
    type Client = Directory;
    type Model = Token;
    const NAME: &'static str = "token";

    async fn open(&self, cx: &Context<'_, Directory>, config: Token) -> Result<Opened<Token>, Diagnostics> {
        let name = config.name.text().to_owned();
        let directory = Attr::Known(log(cx, &name, "open")?);
        let result = Token { directory, token: Attr::Known("t0ken".to_owned()), ..config };
        Ok(Opened { result, private: [("name".to_owned(), name)].into(), renew_at: None, diagnostics: Diagnostics::new() })
    }

    async fn close(&self, cx: &Context<'_, Directory>, private: Private) -> Diagnostics {
        let name = private.get("name").cloned().unwrap_or_default();
        log(cx, &name, "close").err().map_or_else(Diagnostics::new, Diagnostics::from)
    }
}

model! {
    /// Joins words.
    pub struct Words {
        /// What stands between two words.
        separator: String = required(),
        /// The words.
        words: Vec<String> = optional(),
    }
}

/// `provider::conformance::join("-", "a", "b")`.
pub(super) struct Join;

impl Function for Join {
    type Arguments = Words;
    type Output = String;
    const NAME: &'static str = "join";
    const VARIADIC: bool = true;

    fn call(&self, arguments: Words) -> Result<String, FunctionError> {
        let words = arguments.words.unwrap_or_default();
        match words.iter().position(|word| word.contains(arguments.separator.text())) {
            Some(at) => Err(FunctionError::argument(at + 1, "a word must not hold the separator")),
            None => Ok(words.join(arguments.separator.text())),
        }
    }
}

model! {
    /// Writes a note.
    pub struct Note {
        /// The file's name.
        name: String = required(),
        /// What is written.
        text: String = optional().defaults_to("noted"),
    }
}

/// `action "conformance_note"`.
pub(super) struct Notes;

impl Action for Notes {
    type Client = Directory;
    type Model = Note;
    const NAME: &'static str = "note";

    async fn plan(&self, _cx: &Context<'_, Directory>, config: &Note) -> Result<Diagnostics, Diagnostics> {
        match config.name.text() {
            "forbidden" => Err(Diagnostic::error("Forbidden name", "`forbidden` is not noted.").into()),
            _ => Ok(Diagnostics::new()),
        }
    }

    async fn invoke(&self, cx: &Context<'_, Directory>, config: Note) -> Result<Diagnostics, Diagnostics> {
        cx.say("taking the pen");
        log(cx, config.name.text(), config.text.text())?;
        Ok(Diagnostics::new())
    }
}
