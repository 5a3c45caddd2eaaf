//! Owns the tests of when: windows, times of day, quiet hours, zones, holidays, lateness.

use super::rig::Rig;
use super::written::{LYON, email, flow, policy, sms};

const NIGHT: &str = "quiet-hours: { sms: \"21:00-08:00\" }";

async fn rig_at(start: &str, rules: &str, more: &str, step: &str) -> Rig {
    let text = flow("f", LYON, more, &[step.to_owned()]);
    let rules = policy(rules);
    let files = [
        ("flows/policy.yaml", rules.as_str()),
        ("flows/f.yaml", &text),
    ];
    Rig::start_at(start, &files).await
}

async fn sent(start: &str, rules: &str, more: &str, step: &str, zone: &str) -> Vec<String> {
    let mut rig = rig_at(start, rules, more, step).await;
    rig.customer("ana", &format!("city=Lyon, timezone={zone}"))
        .await;
    rig.advance("30d").await;
    rig.sent()
}

#[tokio::test]
async fn a_window_holds_a_message_until_it_opens() {
    let window = "window: { days: mon-fri, hours: \"09:00-18:00\" }";
    let step = email("hello", "after: 5d");
    let sent = sent("2026-01-05T10:00:00Z", "", window, &step, "UTC").await;
    assert_eq!(sent, ["01-12 09:00 ana email hello"]);
}

#[tokio::test]
async fn a_windows_weekday_is_the_customers() {
    let window = "window: { days: mon-fri, hours: \"00:00-24:00\" }";
    // Friday evening in London is Saturday morning in Sydney.
    let step = email("hello", "after: 4d 4h");
    let sydney = sent(
        "2026-01-05T10:00:00Z",
        "",
        window,
        &step,
        "Australia/Sydney",
    )
    .await;
    assert_eq!(sydney, ["01-11 13:00 ana email hello"]);
    let london = sent("2026-01-05T10:00:00Z", "", window, &step, "Europe/London").await;
    assert_eq!(london, ["01-09 14:00 ana email hello"]);
}

#[tokio::test]
async fn a_steps_own_window_narrows_the_flows() {
    let window = "window: { days: mon-fri, hours: \"09:00-18:00\" }";
    let step = email("hello", "window: { hours: \"16:00-23:00\" }");
    let sent = sent("2026-01-05T10:00:00Z", "", window, &step, "UTC").await;
    assert_eq!(sent, ["01-05 16:00 ana email hello"]);
}

#[tokio::test]
async fn a_time_of_day_is_the_next_one_at_or_after_the_delay() {
    let step = email("hello", "after: 1d, at: \"08:30\"");
    let sent = sent("2026-01-05T10:00:00Z", "", "", &step, "UTC").await;
    assert_eq!(sent, ["01-07 08:30 ana email hello"]);
}

#[tokio::test]
async fn quiet_hours_hold_a_text_overnight_in_sydney() {
    // 10:00 UTC is 21:00 in Sydney's summer, and 08:00 there is 21:00 UTC of the same day.
    let step = sms("text", "");
    let sent = sent("2026-01-05T10:00:00Z", NIGHT, "", &step, "Australia/Sydney").await;
    assert_eq!(sent, ["01-05 21:00 ana sms text"]);
}

#[tokio::test]
async fn quiet_hours_end_by_the_clock_in_the_night_it_changes_in_new_york() {
    // 21:00 in New York's winter time; eight in the morning is summer time.
    let step = sms("text", "");
    let sent = sent("2026-03-08T02:00:00Z", NIGHT, "", &step, "America/New_York").await;
    assert_eq!(sent, ["03-08 12:00 ana sms text"]);
}

#[tokio::test]
async fn quiet_hours_are_for_their_channel_only_and_cannot_be_overridden() {
    let window = "window: { hours: \"21:00-23:00\" }";
    let step = email("mail", "");
    let mail = sent("2026-01-05T22:00:00Z", NIGHT, window, &step, "UTC").await;
    assert_eq!(mail, ["01-05 22:00 ana email mail"]);
    let step = sms("text", "");
    let mut rig = rig_at("2026-01-05T22:00:00Z", NIGHT, window, &step).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("10d").await;
    assert_eq!(rig.sent(), [""; 0]);
    let ledger = ["text withheld window_expired", "f completed"];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn days_keep_the_wall_clock_when_the_clocks_change() {
    // 10:00 in New York's winter time, and 10:00 in its summer time.
    let step = email("hello", "after: 4d");
    let sent = sent("2026-03-05T15:00:00Z", "", "", &step, "America/New_York").await;
    assert_eq!(sent, ["03-09 14:00 ana email hello"]);
}

#[tokio::test]
async fn hours_are_elapsed_time_when_the_clocks_change() {
    let step = email("hello", "after: 96h");
    let sent = sent("2026-03-05T15:00:00Z", "", "", &step, "America/New_York").await;
    assert_eq!(sent, ["03-09 15:00 ana email hello"]);
}

#[tokio::test]
async fn business_days_leave_out_weekends_and_holidays() {
    let window = "window: { days: business, hours: \"09:00-18:00\" }";
    let rules = "holidays: [ 2026-01-09, 2026-01-12 ]";
    let step = email("hello", "after: 4d");
    let sent = sent("2026-01-05T10:00:00Z", rules, window, &step, "UTC").await;
    assert_eq!(sent, ["01-13 09:00 ana email hello"]);
}

#[tokio::test]
async fn named_days_do_not_know_holidays() {
    let window = "window: { days: mon-fri, hours: \"09:00-18:00\" }";
    let rules = "holidays: [ 2026-01-09 ]";
    let step = email("hello", "after: 4d");
    let sent = sent("2026-01-05T10:00:00Z", rules, window, &step, "UTC").await;
    assert_eq!(sent, ["01-09 10:00 ana email hello"]);
}

#[tokio::test]
async fn waiting_for_a_window_is_not_being_late() {
    let more = "max-lateness: 1h\nwindow: { days: [sun], hours: \"09:00-18:00\" }";
    let step = email("hello", "");
    let sent = sent("2026-01-05T10:00:00Z", "", more, &step, "UTC").await;
    assert_eq!(sent, ["01-11 09:00 ana email hello"]);
}

#[tokio::test]
async fn after_a_long_outage_nothing_bursts() {
    let steps = ["a", "b", "c"].map(|id| email(id, "after: 1d"));
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    for customer in ["ana", "bob", "cam"] {
        rig.customer(customer, "city=Lyon").await;
    }
    rig.settle().await;
    rig.sleep("20d");
    rig.settle().await;
    assert_eq!(rig.sent(), [""; 0]);
    rig.advance("10d").await;
    let ledger = ["a withheld late", "b sent", "c sent", "f completed"];
    assert_eq!(rig.ledger("ana").await, ledger);
    assert_eq!(rig.sent().len(), 6);
}

#[tokio::test]
async fn after_a_short_outage_what_was_due_goes_out_once_and_the_rest_keeps_its_distance() {
    let steps = ["a", "b", "c"].map(|id| email(id, "after: 1d"));
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    rig.sleep("3d");
    rig.settle().await;
    assert_eq!(rig.sent(), ["01-08 10:00 ana email a"]);
    rig.advance("10d").await;
    assert_eq!(
        rig.sent(),
        ["01-09 10:00 ana email b", "01-10 10:00 ana email c"]
    );
}

#[tokio::test]
async fn lateness_is_measured_by_the_flows_own_bound() {
    let text = flow("f", LYON, "max-lateness: 2h", &[email("a", "after: 1h")]);
    let mut rig = Rig::with(&text).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    rig.customer("bob", "city=Lyon").await;
    rig.sleep("3h");
    rig.settle().await;
    assert_eq!(rig.ledger("ana").await, ["a sent", "f completed"]);
    rig.customer("cam", "city=Lyon").await;
    rig.settle().await;
    rig.sleep("3h 1s");
    rig.settle().await;
    assert_eq!(rig.ledger("cam").await, ["a withheld late", "f completed"]);
}
