//! Events to the JSON lines on standard error that core takes for log messages. No network.

use serde_json::{Map, Value as Json};
use std::fmt::Debug;
use std::io::Write;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Core reads lines of at most 64 KiB; a longer text is cut.
const LONGEST_TEXT: usize = 8 * 1024;

/// Starts logging at the level of `TF_LOG_PROVIDER`, or else of `TF_LOG`. Until then, and without either, nothing but
/// warnings is written.
pub fn install(variable: impl Fn(&str) -> Option<String>) {
    let level = level(variable("TF_LOG_PROVIDER").or_else(|| variable("TF_LOG")).as_deref());
    // A second server in one process (a test) logs through the first one's.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Hclog { level }));
}

fn level(name: Option<&str>) -> LevelFilter {
    match name.map(str::to_ascii_lowercase).as_deref() {
        // Core's `json` means trace, in another format.
        Some("trace" | "json") => LevelFilter::TRACE,
        Some("debug") => LevelFilter::DEBUG,
        Some("info") => LevelFilter::INFO,
        Some("error") => LevelFilter::ERROR,
        Some("off") => LevelFilter::OFF,
        _ => LevelFilter::WARN,
    }
}

/// The layer that writes.
struct Hclog {
    level: LevelFilter,
}

impl<S: Subscriber> Layer<S> for Hclog {
    /// Libraries speak at warnings only: their lower levels print whole requests, and with them secrets.
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let ours = metadata.target().split("::").next() == module_path!().split("::").next();
        *metadata.level() <= self.level && (ours || *metadata.level() <= Level::WARN)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = line(event, &jiff::Timestamp::now()).to_string();
        line.push('\n');
        // Where standard error is gone there is nobody to tell.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}

fn line(event: &Event<'_>, now: &jiff::Timestamp) -> Json {
    let mut fields = Fields(Map::new());
    event.record(&mut fields);
    let Fields(mut line) = fields;
    let message = line.remove("message").unwrap_or_else(|| Json::from(""));
    // Core takes all four for granted, as strings, and the time with exactly six digits.
    line.insert("@message".to_owned(), message);
    line.insert("@level".to_owned(), event.metadata().level().as_str().to_ascii_lowercase().into());
    line.insert("@module".to_owned(), event.metadata().target().replace("::", ".").into());
    line.insert("@timestamp".to_owned(), now.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string().into());
    Json::Object(line)
}

struct Fields(Map<String, Json>);

impl Fields {
    fn put(&mut self, field: &Field, mut text: String) {
        if text.len() > LONGEST_TEXT {
            text = text.chars().take(LONGEST_TEXT / 4).collect::<String>() + "...";
        }
        self.0.insert(field.name().to_owned(), text.into());
    }
}

impl Visit for Fields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.to_owned());
    }
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    struct Keep(Arc<Mutex<Vec<Json>>>);
    impl<S: Subscriber> Layer<S> for Keep {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.0.lock().unwrap().push(line(event, &"2026-01-02T03:04:05.6Z".parse().unwrap()));
        }
    }

    #[test]
    fn a_line_has_what_core_takes_for_granted() {
        let kept = Arc::new(Mutex::new(Vec::new()));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(Keep(kept.clone())), || {
            tracing::warn!(pods = 3, name = %"x", "slow");
        });
        let line = kept.lock().unwrap().remove(0);
        assert_eq!(line["@message"], "slow");
        assert_eq!(line["@level"], "warn");
        assert_eq!(line["@timestamp"], "2026-01-02T03:04:05.600000Z");
        assert_eq!((&line["pods"], &line["name"]), (&Json::from(3), &Json::from("x")));
    }

    #[test]
    fn the_level_is_cores() {
        assert_eq!(level(Some("TRACE")), LevelFilter::TRACE);
        assert_eq!(level(None), LevelFilter::WARN);
    }
}
