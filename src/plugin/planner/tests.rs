//! The rules of a plan, for random schemas, configurations and histories.

use super::super::path::Path;
use super::super::schema::{self, Declared, each_write_only, without_write_only};
use super::super::value::Dynamic;
use super::super::wire::arbitrary;
use super::*;
use proptest::prelude::*;

/// Rules of attributes of any kind: only their defaults and checks know the type.
type Of = Declared<String>;

fn optional() -> Of {
    schema::optional()
}

fn computed() -> Of {
    schema::computed()
}

fn required() -> Of {
    schema::required()
}

fn ignore_case(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

fn rules(kind: &Kind, choice: u8) -> Rules {
    let default = match kind {
        Kind::Bool => Some(Value::Bool(true)),
        Kind::String => Some(Value::from("Default")),
        Kind::List(_) => Some(Value::List(Vec::new())),
        _ => None,
    };
    match (choice % 8, default) {
        (7, _) => optional().write_only().rules(),
        (0, _) => optional().rules(),
        (1, _) => optional().or_computed().rules(),
        (2, _) => optional().or_computed().stable().rules(),
        (3, _) => computed().rules(),
        (4, _) if matches!(kind, Kind::String) => optional().same_if(ignore_case).rules(),
        (5, Some(default)) if matches!(kind, Kind::String) => {
            Rules { default: Some(default), ..optional().or_computed().same_if(ignore_case).rules() }
        }
        (_, Some(default)) => Rules { default: Some(default), computed: true, ..optional().rules() },
        _ => optional().replaces().rules(),
    }
}

/// The kinds of a random schema with random rules at every depth. Objects of sets have no computed values without a
/// default: equal ones could not be told apart.
fn ruled(kind: Kind, seed: &mut u64, in_set: bool) -> Kind {
    match kind {
        Kind::List(inner) | Kind::Set(inner) | Kind::Map(inner)
            if matches!(*inner, Kind::List(_) | Kind::Set(_) | Kind::Map(_)) =>
        {
            Kind::Map(Box::new(without_objects(*inner)))
        }
        Kind::List(inner) => Kind::List(Box::new(ruled(*inner, seed, in_set))),
        Kind::Set(inner) => Kind::Set(Box::new(ruled(*inner, seed, true))),
        Kind::Map(inner) => Kind::Map(Box::new(ruled(*inner, seed, in_set))),
        Kind::Object(attributes) => Kind::Object(
            attributes
                .into_iter()
                .map(|a| {
                    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let kind = ruled(a.kind, seed, in_set);
                    let rules = if in_set { optional().rules() } else { rules(&kind, (*seed >> 40) as u8) };
                    Attribute { rules, kind, ..a }
                })
                .collect(),
        ),
        kind => kind,
    }
}

/// Collections of collections hold no objects (`wire::schema::faults`).
fn without_objects(kind: Kind) -> Kind {
    match kind {
        Kind::List(inner) => Kind::List(Box::new(without_objects(*inner))),
        Kind::Set(inner) => Kind::Set(Box::new(without_objects(*inner))),
        Kind::Map(inner) => Kind::Map(Box::new(without_objects(*inner))),
        Kind::Object(_) => Kind::String,
        kind => kind,
    }
}

/// Ten thousand cases, or as many as `PROPTEST_CASES` says.
fn many() -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(10_000),
    }
}

/// What core would let a user write: nothing where only the provider may.
fn configured(attributes: &[Attribute], value: &Value) -> Value {
    let one = |a: &Attribute| {
        let value = value.get(a.name);
        let value = if a.rules.optional { configured_inside(&a.kind, value) } else { Value::Null };
        (a.name.to_owned(), value)
    };
    Value::Map(attributes.iter().map(one).collect())
}

fn configured_inside(kind: &Kind, value: &Value) -> Value {
    let Some(attributes) = nested(kind) else { return value.clone() };
    let inner = |value: &Value| match value {
        Value::Map(_) => configured(attributes, value),
        value => value.clone(),
    };
    match (kind, value) {
        (Kind::Object(_), value) => inner(value),
        (_, Value::List(items)) => Value::List(items.iter().map(inner).collect()),
        (_, Value::Set(items)) => Value::Set(items.iter().map(inner).collect()),
        (_, Value::Map(entries)) => Value::Map(entries.iter().map(|(k, v)| (k.clone(), inner(v))).collect()),
        _ => value.clone(),
    }
}

/// What an apply makes of a plan: everything known.
fn applied(kind: &Kind, planned: &Value) -> Value {
    match (kind, planned) {
        (Kind::Bool, Value::Unknown) => Value::Bool(true),
        (Kind::Number, Value::Unknown) => Value::from(7),
        (Kind::String, Value::Unknown) => Value::from("chosen"),
        (Kind::List(inner), Value::Unknown) => Value::List(vec![applied(inner, &Value::Unknown)]),
        (Kind::Set(inner), Value::Unknown) => Value::Set(vec![applied(inner, &Value::Unknown)]),
        (Kind::Map(_), Value::Unknown) => Value::Map(BTreeMap::new()),
        (Kind::Dynamic, Value::Unknown) => Value::Dynamic(Box::new(Dynamic { kind: Kind::Number, value: 7.into() })),
        (Kind::Dynamic, Value::Dynamic(d)) => {
            Value::Dynamic(Box::new(Dynamic { kind: d.kind.clone(), value: applied(&d.kind, &d.value) }))
        }
        (Kind::Tuple(kinds), Value::Unknown) => Value::List(kinds.iter().map(|kind| applied(kind, &Value::Unknown)).collect()),
        (Kind::Tuple(kinds), Value::List(items)) => {
            Value::List(kinds.iter().zip(items).map(|(kind, item)| applied(kind, item)).collect())
        }
        (Kind::Record(kinds), Value::Map(_) | Value::Unknown) => {
            Value::Map(kinds.iter().map(|(name, kind)| (name.clone(), applied(kind, planned.get(name)))).collect())
        }
        (Kind::Object(attributes), Value::Map(_) | Value::Unknown) => {
            let one = |a: &Attribute| if a.rules.write_only { Value::Null } else { applied(&a.kind, planned.get(a.name)) };
            Value::Map(attributes.iter().map(|a| (a.name.to_owned(), one(a))).collect())
        }
        (Kind::List(inner), Value::List(items)) => Value::List(items.iter().map(|item| applied(inner, item)).collect()),
        (Kind::Set(inner), Value::Set(items)) => Value::Set(items.iter().map(|item| applied(inner, item)).collect()),
        (Kind::Map(inner), Value::Map(entries)) => {
            Value::Map(entries.iter().map(|(key, item)| (key.clone(), applied(inner, item))).collect())
        }
        (_, value) => value.clone(),
    }
}

/// Attributes and two configurations of them, the first one wholly known.
fn history() -> impl Strategy<Value = (Vec<Attribute>, Value, Value)> {
    let object = prop::collection::vec(arbitrary::kind(), 1..=4)
        .prop_map(|kinds| arbitrary::object(kinds.into_iter().map(|kind| (kind, optional())).collect()));
    (object, any::<u64>()).prop_flat_map(|(kind, mut seed)| {
        let kind = ruled(kind, &mut seed, false);
        let values = (arbitrary::value(&kind, false), arbitrary::value(&kind, true));
        let Kind::Object(attributes) = kind else { unreachable!() };
        (Just(attributes), values).prop_map(|(attributes, (first, second))| {
            let (first, second) = (configured(&attributes, &first), configured(&attributes, &second));
            (attributes, first, second)
        })
    })
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn every_plan_is_one_that_core_accepts((attributes, first, second) in history()) {
        let kind = Kind::Object(attributes.clone());
        let planned = draft(&attributes, &first, &Value::Null);
        prop_assert_eq!(check::plan(&attributes, &first, &Value::Null, &planned, &Path::root()), None);
        let state = applied(&kind, &planned);
        prop_assert_eq!(check::outcome(&kind, &planned, &state, &Path::root()), None);
        prop_assert_eq!(check::unknown(&kind, &state, &Path::root()), None);
        let planned = draft(&attributes, &second, &state);
        prop_assert_eq!(check::plan(&attributes, &second, &state, &planned, &Path::root()), None);
        prop_assert!(super::super::wire::encode(&kind, &planned).is_ok());
    }

    #[test]
    fn what_was_applied_plans_as_it_is((attributes, first, second) in history()) {
        let kind = Kind::Object(attributes.clone());
        let state = applied(&kind, &draft(&attributes, &first, &Value::Null));
        prop_assert_eq!(&draft(&attributes, &first, &state), &state);
        prop_assert!(replace::paths(&attributes, &first, &state, &state).is_empty());
        let known = check::unknown_as_null(second);
        let updated = applied(&kind, &draft(&attributes, &known, &state));
        prop_assert_eq!(&draft(&attributes, &known, &updated), &updated);
    }

    #[test]
    fn nothing_write_only_is_planned((attributes, first, second) in history()) {
        let kind = Kind::Object(attributes.clone());
        let planned = draft(&attributes, &first, &Value::Null);
        let state = applied(&kind, &planned);
        for value in [&planned, &draft(&attributes, &second, &state)] {
            each_write_only(&kind, value, &Path::root(), &mut |at| panic!("{at}"));
        }
        let mut found = 0;
        each_write_only(&kind, &without_write_only(&kind, first), &Path::root(), &mut |_| found += 1);
        prop_assert_eq!(found, 0);
    }

    #[test]
    fn a_plan_that_is_made_twice_is_the_same((attributes, first, second) in history()) {
        let state = applied(&Kind::Object(attributes.clone()), &draft(&attributes, &first, &Value::Null));
        prop_assert_eq!(draft(&attributes, &second, &state), draft(&attributes, &second, &state));
    }

    #[test]
    fn a_known_planned_value_stays_when_unknown_configuration_becomes_known((attributes, first, second) in history()) {
        let kind = Kind::Object(attributes.clone());
        let state = applied(&kind, &draft(&attributes, &first, &Value::Null));
        let early = draft(&attributes, &second, &state);
        let late = draft(&attributes, &applied_config(&attributes, &second), &state);
        // Where the configuration turns out to change nothing, what was unknown may be what it was.
        prop_assert_eq!(check::outcome(&kind, &early, &late, &Path::root()), None);
    }

    #[test]
    fn what_is_read_as_it_is_stored_stays((attributes, first, _) in history()) {
        let state = applied(&Kind::Object(attributes.clone()), &draft(&attributes, &first, &Value::Null));
        prop_assert_eq!(&settle(&attributes, &state, state.clone()), &state);
    }
}

/// The configuration at apply: what was unknown is known.
fn applied_config(attributes: &[Attribute], config: &Value) -> Value {
    configured(attributes, &applied(&Kind::Object(attributes.to_vec()), config))
}

fn attributes<const N: usize>(list: [(&'static str, Kind, Of); N]) -> Vec<Attribute> {
    list.into_iter().map(|(name, kind, rules)| Attribute { name, doc: String::new(), kind, rules: rules.rules() }).collect()
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
}

#[test]
fn only_a_change_makes_computed_values_unknown_and_stable_ones_stay() {
    let schema = attributes([
        ("name", Kind::String, required()),
        ("id", Kind::String, computed().stable()),
        ("revision", Kind::Number, computed()),
    ]);
    let config = |name: &str| map([("name", name.into()), ("id", Value::Null), ("revision", Value::Null)]);
    let state = map([("name", "a".into()), ("id", "1".into()), ("revision", 1.into())]);
    assert_eq!(draft(&schema, &config("a"), &state), state);
    let changed = draft(&schema, &config("b"), &state);
    assert_eq!(changed, map([("name", "b".into()), ("id", "1".into()), ("revision", Value::Unknown)]));
    let new = draft(&schema, &config("b"), &Value::Null);
    assert_eq!(new.get("id"), &Value::Unknown);
}

#[test]
fn another_spelling_inside_an_object_is_no_change() {
    let inner = attributes([("size", Kind::String, optional().same_if(ignore_case)), ("at", Kind::String, computed())]);
    let schema = attributes([("part", Kind::Object(inner), optional())]);
    let value = |size: &str, at: Value| map([("part", map([("size", size.into()), ("at", at)]))]);
    let state = value("BIG", "x".into());
    assert_eq!(draft(&schema, &value("big", Value::Null), &state), state);
    assert_eq!(settle(&schema, &state, value("Big", "y".into())), value("BIG", "y".into()));
    assert_eq!(draft(&schema, &value("small", Value::Null), &state), value("small", Value::Unknown));
}

#[test]
fn objects_of_a_set_keep_their_computed_values_in_any_order() {
    let inner = attributes([("key", Kind::String, required()), ("at", Kind::String, computed().stable())]);
    let schema = attributes([("parts", Kind::Set(Box::new(Kind::Object(inner))), optional())]);
    let part = |key: &str, at: Value| map([("key", key.into()), ("at", at)]);
    let set = |parts: Vec<Value>| map([("parts", Value::Set(parts))]);
    let state = set(vec![part("a", "1".into()), part("b", "2".into())]);
    assert_eq!(draft(&schema, &set(vec![part("b", Value::Null), part("a", Value::Null)]), &state), state);
    let planned = draft(&schema, &set(vec![part("c", Value::Null), part("b", Value::Null)]), &state);
    assert_eq!(planned, set(vec![part("c", Value::Unknown), part("b", "2".into())]));
}

#[test]
fn objects_of_a_set_that_a_default_makes_alike_stay_two() {
    let inner = attributes([("key", Kind::String, optional().defaults_to("d")), ("at", Kind::String, computed())]);
    let schema = attributes([("parts", Kind::Set(Box::new(Kind::Object(inner))), optional())]);
    let part = |key: Value, at: Value| map([("key", key), ("at", at)]);
    let set = |parts: Vec<Value>| map([("parts", Value::Set(parts))]);
    let state = set(vec![part("d".into(), "1".into()), part("d".into(), "2".into())]);
    let config = set(vec![part("d".into(), Value::Null), part(Value::Null, Value::Null)]);
    assert_eq!(draft(&schema, &config, &state), state);
}

#[test]
fn a_replacement_is_asked_for_where_its_rule_says() {
    let inner = attributes([("key", Kind::String, required().replaces())]);
    let schema = attributes([
        ("name", Kind::String, required().replaces()),
        ("zone", Kind::String, optional().or_computed().replaces_if_configured()),
        ("list", Kind::List(Box::new(Kind::Object(inner.clone()))), optional()),
        ("set", Kind::Set(Box::new(Kind::Object(inner))), optional()),
    ]);
    let part = |key: &str| map([("key", key.into())]);
    let value = |name: &str, zone: Value, list: Value, set: Value| {
        map([("name", name.into()), ("zone", zone), ("list", list), ("set", set)])
    };
    let state = value("a", "z".into(), Value::List(vec![part("x")]), Value::Set(vec![part("x")]));
    let paths = |planned: &Value, config: &Value| -> Vec<String> {
        replace::paths(&schema, config, &state, planned).iter().map(Path::to_string).collect()
    };
    assert!(paths(&state, &state).is_empty());
    let changed = value("b", "y".into(), Value::List(vec![part("x"), part("y")]), Value::Set(vec![part("y")]));
    assert_eq!(paths(&changed, &changed), ["name", "zone", "list[1].key", "set"]);
    let unset = value("a", Value::Null, Value::List(vec![part("x")]), Value::Set(vec![part("x")]));
    let planned = value("a", Value::Unknown, Value::List(vec![part("x")]), Value::Set(vec![part("x")]));
    assert!(paths(&planned, &unset).is_empty());
    assert!(replace::paths(&schema, &changed, &Value::Null, &changed).is_empty());
}

#[test]
fn a_plan_against_the_configuration_is_named() {
    let schema = attributes([("name", Kind::String, optional()), ("id", Kind::String, computed())]);
    let config = map([("name", "a".into()), ("id", Value::Null)]);
    let planned = map([("name", "b".into()), ("id", "1".into())]);
    let at = check::plan(&schema, &config, &Value::Null, &planned, &Path::root());
    assert_eq!(at, Some(Path::of("name")));
    assert_eq!(check::plan(&schema, &config, &planned, &planned, &Path::root()), None);
}
