//! What an author of provider functions sees: typed arguments in, a typed result out. Pure and offline, as core demands:
//! the same arguments give the same result, and no provider has to be configured.

use super::model::{Object, Typed, doc};
use super::path::Step;
use super::types::{Attribute, Kind, Rules};
use super::value::Value;

/// Why a function has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// What is wrong, and what is allowed.
    pub text: String,
    /// Which argument is wrong, counted from 0.
    pub argument: Option<usize>,
}

impl FunctionError {
    /// No argument alone is to blame.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), argument: None }
    }

    /// The argument at this place, counted from 0, is to blame.
    pub fn argument(argument: usize, text: impl Into<String>) -> Self {
        Self { text: text.into(), argument: Some(argument) }
    }
}

/// A function. Its parameters are the fields of a model, in order: a `required()` one may not be null, an `optional()`
/// one may. Core does not call it while an argument is unknown.
pub trait Function: Send + Sync + Sized + 'static {
    /// Its name: `provider::kafkastack::<name>(...)`.
    const NAME: &'static str;
    /// The parameters. What the function does is the model's own documentation.
    type Arguments: Object;
    /// The result.
    type Output: Typed;
    /// Whether the last parameter, a list, takes all further arguments, each an element. None of them may be null.
    const VARIADIC: bool = false;

    /// Its result.
    ///
    /// # Errors
    /// When there is none for these arguments.
    fn call(&self, arguments: Self::Arguments) -> Result<Self::Output, FunctionError>;
}

/// What a function takes and gives.
#[derive(Clone, Debug)]
pub struct Signature {
    /// What it does, in Markdown.
    pub doc: String,
    /// The parameters.
    pub parameters: Vec<Attribute>,
    /// What takes all further arguments: each is one of this kind.
    pub variadic: Option<Attribute>,
    /// The kind of the result.
    pub output: Kind,
}

/// A [`Function`] without its types, as the server holds it.
pub trait AnyFunction: Send + Sync {
    /// See [`Function::NAME`].
    fn name(&self) -> &'static str;
    /// What it takes and gives.
    fn signature(&self) -> Signature;
    /// Its result for these arguments, which are of the signature's kinds.
    ///
    /// # Errors
    /// See [`Function::call`].
    fn call(&self, arguments: Vec<Value>) -> Result<Value, FunctionError>;
}

impl<F: Function> AnyFunction for F {
    fn name(&self) -> &'static str {
        F::NAME
    }

    fn signature(&self) -> Signature {
        let mut parameters = F::Arguments::attributes();
        let variadic = if F::VARIADIC { parameters.pop() } else { None };
        let variadic = variadic.map(|last| match last.kind {
            // No model can hold a null element: core then refuses one itself, and says which.
            Kind::List(element) => Attribute { kind: *element, rules: Rules { required: true, ..Rules::default() }, ..last },
            _ => last,
        });
        Signature { doc: doc(F::Arguments::DOC), parameters, variadic, output: F::Output::kind() }
    }

    fn call(&self, arguments: Vec<Value>) -> Result<Value, FunctionError> {
        let fields = F::Arguments::attributes();
        let fixed = fields.len() - usize::from(F::VARIADIC);
        let mut arguments = arguments.into_iter();
        let mut values: Vec<Value> = arguments.by_ref().take(fixed).collect();
        if values.len() < fixed || (!F::VARIADIC && arguments.len() > 0) {
            return Err(FunctionError::new(format!("`{}` takes {fixed} argument(s)", F::NAME)));
        }
        if F::VARIADIC {
            values.push(Value::List(arguments.collect()));
        }
        let named = fields.iter().zip(values).map(|(field, value)| (field.name.to_owned(), value));
        let arguments = F::Arguments::decode(&Value::Map(named.collect())).map_err(|error| {
            let argument = match error.at.steps() {
                [Step::Attribute(name), inside @ ..] => {
                    let field = fields.iter().position(|field| field.name == name);
                    // Each further argument is an element of the last field.
                    match (field, inside.first()) {
                        (Some(last), Some(Step::Index(element))) if last == fixed => Some(last + element),
                        (field, _) => field,
                    }
                }
                _ => None,
            };
            FunctionError { text: error.to_string(), argument }
        })?;
        Function::call(self, arguments).map(|output| output.encode())
    }
}
