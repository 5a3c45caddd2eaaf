//! Owns the tests of steps that are timed by a date: a field, an anniversary, a day of the week or of the month.

use super::rig::Rig;
use super::written::{LYON, any, email, flow};

/// Joined on the day is what the base workspace has for a date.
async fn rig(steps: &[String]) -> Rig {
    Rig::with(&flow("f", LYON, "", steps)).await
}

#[tokio::test]
async fn steps_before_a_date_come_at_their_days() {
    let steps = [
        email(
            "month",
            "due: { field: joined_on, before: 30d }, at: \"10:00\"",
        ),
        email(
            "week",
            "due: { field: joined_on, before: 7d }, at: \"10:00\"",
        ),
        email(
            "day",
            "due: { field: joined_on, before: 1d }, at: \"10:00\"",
        ),
    ];
    let mut rig = rig(&steps).await;
    // A month before is over: it is skipped, and the run goes on.
    rig.customer("ana", "city=Lyon, joined_on=2026-01-20").await;
    rig.customer(
        "bob",
        "city=Lyon, joined_on=2026-03-10, timezone=Asia/Tokyo",
    )
    .await;
    rig.advance("80d").await;
    let sent = [
        "01-13 10:00 ana email week",
        "01-19 10:00 ana email day",
        "02-08 01:00 bob email month",
        "03-03 01:00 bob email week",
        "03-09 01:00 bob email day",
    ];
    assert_eq!(rig.sent(), sent);
    let ledger = [
        "month withheld late",
        "week sent",
        "day sent",
        "f completed",
    ];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn a_date_that_is_not_there_is_told_and_the_run_goes_on() {
    let steps = [
        email("due", "due: { field: joined_on, before: 1d }"),
        email("then", "after: 1d"),
    ];
    let mut rig = rig(&steps).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("10d").await;
    assert_eq!(rig.sent(), ["01-06 10:00 ana email then"]);
    let ledger = ["due withheld date_missing", "then sent", "f completed"];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn a_date_that_moves_takes_those_with_it_who_wait_for_it() {
    for edit in ["recompute", "freeze"] {
        let step = email("due", "due: { field: joined_on }, at: \"10:00\"");
        let mut rig = Rig::with(&flow("f", LYON, &format!("on-edit: {edit}"), &[step])).await;
        rig.customer("ana", "city=Lyon, joined_on=2026-03-01").await;
        rig.customer("bob", "city=Lyon, joined_on=2026-03-01").await;
        rig.advance("5d").await;
        rig.set("ana", "joined_on=2026-02-01").await;
        rig.set("bob", "joined_on=2026-04-01").await;
        rig.advance("100d").await;
        let sent = ["02-01 10:00 ana email due", "04-01 10:00 bob email due"];
        assert_eq!(rig.sent(), sent, "{edit}");
    }
}

#[tokio::test]
async fn an_anniversary_is_the_next_and_the_29th_of_february_is_the_28th() {
    let step = email(
        "birthday",
        "due: { anniversary-of: born_on }, at: \"09:00\"",
    );
    let mut rig = rig(&[step]).await;
    rig.customer("ana", "city=Lyon, born_on=1980-02-29").await;
    rig.customer("bob", "city=Lyon, born_on=1990-01-02").await;
    rig.advance("370d").await;
    let sent = [
        "01-02 09:00 bob email birthday",
        "02-28 09:00 ana email birthday",
    ];
    assert_eq!(rig.sent(), sent);
}

#[tokio::test]
async fn days_of_the_week_and_business_days_are_the_next_ones() {
    let steps = [
        email("tuesday", "due: { weekday: tue }, at: \"09:00\""),
        any("pause", "after: 1d"),
        email("month", "due: { business-day: 1 }, at: \"09:00\""),
    ];
    let mut rig = rig(&steps).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("60d").await;
    // 1 February 2026 is a Sunday.
    let sent = [
        "01-06 09:00 ana email tuesday",
        "02-02 09:00 ana email month",
    ];
    assert_eq!(rig.sent(), sent);
}

#[tokio::test]
async fn an_edited_date_moves_those_who_wait_unless_they_keep_their_time() {
    for (edit, expected) in [("recompute", "02-22 10:00"), ("freeze", "02-28 10:00")] {
        let text = |before: &str| {
            let step = format!("due: {{ field: joined_on, before: {before} }}, at: \"10:00\"");
            flow(
                "f",
                LYON,
                &format!("on-edit: {edit}"),
                &[email("due", &step)],
            )
        };
        let mut rig = Rig::with(&text("1d")).await;
        rig.customer("ana", "city=Lyon, joined_on=2026-03-01").await;
        rig.advance("5d").await;
        rig.edit("flows/f.yaml", &text("7d")).await;
        rig.advance("100d").await;
        assert_eq!(rig.sent(), [format!("{expected} ana email due")], "{edit}");
    }
}
