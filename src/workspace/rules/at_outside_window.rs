//! Owns the rule `at-outside-window`: a time of day at which the window is closed.
//!
//! **What it does.** Refuses a step's `at` that is not within the hours of its window.
//!
//! **Why.** The message would always be held until the window opens, and never go out at that time.
//!
//! **Example.**
//! ```yaml
//! window: { hours: "09:00-18:00" }
//! at: "20:00"
//! ```
//! **Use instead.** A time within the hours, or a window on the step that is open at that time.

use jiff::civil::Time;

use crate::domain::calendar::Window;
use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn check(at: Time, span: Span, window: &Window) -> Result<(), Finding> {
    if is_open(window, at) {
        return Ok(());
    }
    let clock = |time: Time| time.strftime("%H:%M").to_string();
    Err(Finding::error(
        "at-outside-window",
        span,
        format!(
            "`at` is {}, but the window is open from {} to {}",
            clock(at),
            clock(window.from),
            clock(window.until)
        ),
    )
    .help("choose a time within the hours, or give the step a window of its own"))
}

fn is_open(window: &Window, at: Time) -> bool {
    let (from, until) = (window.from, window.until);
    match from.cmp(&until) {
        std::cmp::Ordering::Equal => true,
        std::cmp::Ordering::Less => from <= at && at < until,
        std::cmp::Ordering::Greater => at >= from || at < until,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::{Days, WindowZone};
    use jiff::civil::time;

    #[test]
    fn a_window_over_midnight_is_open_on_both_sides() {
        let window = Window {
            days: Days::EVERY,
            from: time(21, 0, 0, 0),
            until: time(8, 0, 0, 0),
            zone: WindowZone::Customer,
        };
        assert!(is_open(&window, time(23, 0, 0, 0)) && is_open(&window, time(7, 59, 0, 0)));
        assert!(!is_open(&window, time(8, 0, 0, 0)));
    }
}
