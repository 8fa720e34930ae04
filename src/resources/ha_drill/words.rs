//! Words about drills.

use crate::drill::limits::Halt;
use crate::drill::verdict::{Range, Verdict};
use crate::plugin::diagnostic::Diagnostic;
use crate::plugin::path::Path;
use std::io;

fn list(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n- {line}")).collect()
}

/// Settings that prove nothing, or cannot end well.
pub fn contradiction(why: &str) -> Diagnostic {
    Diagnostic::error("The drill could not end well, or would prove nothing", format!("{why}.")).kind("drill.contradiction")
}

/// An attribute of another kind of step.
pub fn misplaced(attribute: &str, kind: &str) -> Diagnostic {
    Diagnostic::error("Not an attribute of this step", format!("`{attribute}` means nothing for a step of kind {kind:?}."))
        .kind("drill.misplaced")
        .hint("remove it, or choose the kind that it belongs to")
}

/// A drill is not something that is there.
pub fn not_importable() -> Diagnostic {
    Diagnostic::error("A drill cannot be imported", "It is an event, and leaves nothing behind to import.")
        .kind("drill.not_importable")
        .hint("apply the resource: it runs a drill")
}

/// What speaks against it, whatever the stack does.
pub fn objections(cluster: &str, why: &[String]) -> Diagnostic {
    Diagnostic::error("The drill is refused", format!("No pod of {cluster} was taken away, for:{}", list(why)))
        .kind("drill.objections")
        .hint("see each line")
}

/// The stack is not whole.
pub fn unwell(cluster: &str, why: &[String]) -> Diagnostic {
    Diagnostic::error(
        "The drill is refused: the cluster is not whole",
        format!("No pod of {cluster} was taken away, for one more could be too many:{}", list(why)),
    )
    .kind("drill.unwell")
    .hint("wait until the cluster is whole, and apply again")
}

/// Another drill runs.
pub fn busy(cluster: &str, topic: &str) -> Diagnostic {
    Diagnostic::error(
        "Another drill runs",
        format!("{cluster} is being drilled by another run, {topic}: two at once could take two pods away."),
    )
    .kind("drill.busy")
    .hint("wait for its end, and apply again")
}

/// What an earlier drill left cannot be removed.
pub fn leftovers(what: &[String]) -> Diagnostic {
    Diagnostic::error(
        "What an earlier drill left could not be removed",
        format!("A drill was killed, and these are still there:{}", list(what)),
    )
    .kind("drill.leftovers")
    .hint("apply again when the cluster is whole; the ConfigMap `<cluster>-kafkastack-drill` remembers them")
}

/// Topic, znode or load could not be had.
pub fn unprepared(cluster: &str, why: &str) -> Diagnostic {
    Diagnostic::error("The drill could not begin", format!("No pod of {cluster} was taken away: {why}."))
        .kind("drill.unprepared")
        .hint("see that topics can be made and written through the provider")
}

/// It ended early, and nothing of it is left.
pub fn cut_off(halt: &Halt) -> Diagnostic {
    Diagnostic::error(
        "The drill was cut off",
        format!("It ended before its last step: {halt}. A pod that was taken away comes back by itself."),
    )
    .kind("drill.cut_off")
    .hint("apply again; `timeouts.create` holds its time")
}

/// An earlier drill was killed.
pub fn cleaned(topic: &str) -> Diagnostic {
    Diagnostic::warning(
        "An earlier drill was killed, and was cleaned up after",
        format!("The topic {topic} and its znode, which that drill had left, were removed before this one began."),
    )
    .kind("drill.cleaned")
}

/// Topics of others that went with their broker.
pub fn exposed(topics: &[String]) -> Diagnostic {
    let some = topics.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
    let more = if topics.len() > 10 { format!(" and {} more", topics.len() - 10) } else { String::new() };
    Diagnostic::warning(
        "Topics with one replica were out of reach for a while",
        format!("While its broker was away, nobody could read or write: {some}{more}."),
    )
    .kind("drill.exposed")
    .hint("give them `replication_factor = 3`")
}

/// What could not be removed.
pub fn left(what: &[String]) -> Diagnostic {
    Diagnostic::warning("The drill left something behind", format!("These could not be removed:{}", list(what)))
        .kind("drill.left")
        .hint("the next drill removes them")
}

/// The report is not written.
pub fn no_report(path: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::warning("The report could not be written", format!("{path:?}: {error}. The figures are in state all the same."))
        .kind("drill.no_report")
        .at(Path::of("report_path"))
}

/// It did not pass.
pub fn failed(verdict: &Verdict, unread: Option<&str>) -> Diagnostic {
    let unread = unread.map(|why| format!("what is in the topic is not known: {why}"));
    let reasons: Vec<String> = verdict.reasons.iter().cloned().chain(unread).collect();
    let mut text = list(&reasons).trim_start().to_owned() + "\n";
    if verdict.lost.count > 0 {
        let some: Vec<String> = verdict.lost.ranges.iter().take(20).map(range).collect();
        let more = if verdict.lost.ranges.len() > some.len() { ", and more" } else { "" };
        text += &format!("Lost, by partition and offset: {}{more}.\n", some.join(", "));
    }
    Diagnostic::error("The drill did not pass", format!("{text}What was measured is in state."))
        .kind("drill.failed")
        .hint("the report (`report_path`, `report_json`) shows when it happened; the next apply drills again")
}

/// `2: 100-110`, by the offsets with which records were acknowledged.
fn range(range: &Range) -> String {
    match (range.first_offset, range.last_offset) {
        (Some(first), Some(last)) if first != last => format!("{}: {first}-{last}", range.partition),
        (Some(offset), _) | (None, Some(offset)) => format!("{}: {offset}", range.partition),
        (None, None) => format!("{}: number {}", range.partition, range.first_sequence),
    }
}
