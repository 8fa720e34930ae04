//! Figures as people read them. Pure.

use super::recording::StepRun;

/// `0 ms`, `940 ms`, `1.2 s`, `3 min 12 s`.
pub fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        // Never less than it was: a bound that is passed must not look kept.
        1_000..60_000 => {
            let tenths = ms.div_ceil(100);
            format!("{}.{} s", tenths / 10, tenths % 10)
        }
        _ => {
            let seconds = ms.div_ceil(1_000);
            format!("{} min {} s", seconds / 60, seconds % 60)
        }
    }
}

/// `41,230`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 record`, `41,230 records`.
pub fn records(count: u64) -> String {
    format!("{} {}", thousands(count), plural(count, "record"))
}

/// `record`, `records`.
pub fn plural(count: u64, one: &str) -> String {
    format!("{one}{}", if count == 1 { "" } else { "s" })
}

/// A moment as the axis of time has it: `1:10`.
pub fn moment(ms: u64) -> String {
    format!("{}:{:02}", ms / 60_000, ms / 1_000 % 60)
}

/// `step 2 (kill_broker kafka-1)`; steps are counted from 1.
pub fn step(index: usize, run: &StepRun) -> String {
    let target = if run.target.is_empty() { String::new() } else { format!(" {}", run.target) };
    format!("step {} ({}{target})", index + 1, run.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_minutes_and_seconds() {
        assert_eq!([0, 9_999, 70_000, 3_600_000].map(moment), ["0:00", "0:09", "1:10", "60:00"]);
    }

    #[test]
    fn figures_are_readable() {
        let durations = [0, 999, 1_000, 1_101, 1_200, 59_950, 60_000, 192_000].map(duration);
        assert_eq!(durations, ["0 ms", "999 ms", "1.0 s", "1.2 s", "1.2 s", "60.0 s", "1 min 0 s", "3 min 12 s"]);
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!((records(1), records(2_000)), ("1 record".to_owned(), "2,000 records".to_owned()));
    }
}
