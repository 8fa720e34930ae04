//! Provider functions: told to core, and called.

use super::super::function::{FunctionError, Signature};
use super::super::guard;
use super::super::proto::tfplugin6::{self as proto, DynamicValue, call_function as call, function};
use super::super::provider::Provider;
use super::super::schema::Attribute;
use super::super::value::Value;
use super::super::wire;
use super::super::wire::schema::type_json;
use super::Server;
use std::collections::HashMap;

fn parameter(of: &Attribute) -> function::Parameter {
    function::Parameter {
        name: of.name.to_owned(),
        r#type: type_json(&of.kind).into_bytes(),
        allow_null_value: !of.rules.required,
        allow_unknown_values: false,
        description: of.doc.clone(),
        description_kind: proto::StringKind::Markdown.into(),
    }
}

fn message(signature: &Signature) -> proto::Function {
    proto::Function {
        parameters: signature.parameters.iter().map(parameter).collect(),
        variadic_parameter: signature.variadic.as_ref().map(parameter),
        r#return: Some(function::Return { r#type: type_json(&signature.output).into_bytes() }),
        summary: signature.doc.lines().next().unwrap_or_default().to_owned(),
        description: signature.doc.clone(),
        description_kind: proto::StringKind::Markdown.into(),
        deprecation_message: String::new(),
    }
}

impl<P: Provider> Server<P> {
    /// Every function's signature.
    pub(super) fn signatures(&self) -> HashMap<String, proto::Function> {
        self.functions.iter().map(|(name, function)| (name.clone(), message(&function.signature()))).collect()
    }

    /// One call. Functions do not wait for anything, so nothing cuts them off but their panic.
    pub(super) async fn call(&self, request: call::Request) -> call::Response {
        let outcome = guard::caught(async { self.try_call(&request) }).await;
        let outcome = outcome.unwrap_or_else(|cut| Err(FunctionError::new(cut.diagnostic("function").text())));
        match outcome {
            Ok(result) => call::Response { result: Some(result), error: None },
            Err(FunctionError { text, argument }) => {
                let function_argument = argument.and_then(|index| i64::try_from(index).ok());
                call::Response { result: None, error: Some(proto::FunctionError { text, function_argument }) }
            }
        }
    }

    fn try_call(&self, request: &call::Request) -> Result<DynamicValue, FunctionError> {
        let missing = || FunctionError::new(format!("This provider has no function `{}`.", request.name));
        let function = self.functions.get(&request.name).ok_or_else(missing)?;
        let Signature { parameters, variadic, output, .. } = function.signature();
        let kinds = parameters.iter().chain(variadic.iter().cycle()).map(|parameter| &parameter.kind);
        let one = |(index, (kind, value)): (usize, (_, &DynamicValue))| {
            wire::decode(kind, Some(value)).map_err(|error| FunctionError::argument(index, error.to_string()))
        };
        let arguments: Vec<Value> = kinds.zip(&request.arguments).enumerate().map(one).collect::<Result<_, _>>()?;
        if arguments.len() < request.arguments.len() {
            return Err(FunctionError::new(format!("`{}` takes {} argument(s)", request.name, parameters.len())));
        }
        let result = function.call(arguments)?;
        wire::encode(&output, &result).map_err(|error| FunctionError::new(format!("The result does not fit: {error}.")))
    }
}
