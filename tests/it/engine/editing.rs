//! Owns the tests of edits while people are in a flow.

use drumbeat::domain::subscription::Scope;

use super::rig::Rig;
use super::written::{LYON, any, email, flow, push, sms};

async fn rig(more: &str, steps: &[String]) -> Rig {
    let mut rig = Rig::with(&flow("f", LYON, more, steps)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("2d").await;
    rig
}

async fn edited(rig: &mut Rig, more: &str, steps: &[String]) -> Vec<String> {
    rig.edit("flows/f.yaml", &flow("f", LYON, more, steps))
        .await;
    rig.advance("60d").await;
    rig.sent()
}

#[tokio::test]
async fn a_longer_delay_is_waited_by_those_who_wait() {
    let mut rig = rig("", &[email("hello", "after: 4d")]).await;
    let sent = edited(&mut rig, "", &[email("hello", "after: 10d")]).await;
    assert_eq!(sent, ["01-15 10:00 ana email hello"]);
}

#[tokio::test]
async fn a_shorter_delay_is_waited_by_those_who_wait() {
    let mut rig = rig("", &[email("hello", "after: 10d")]).await;
    let sent = edited(&mut rig, "", &[email("hello", "after: 4d")]).await;
    assert_eq!(sent, ["01-09 10:00 ana email hello"]);
}

#[tokio::test]
async fn a_delay_that_is_over_by_now_ends_now() {
    let mut rig = rig("", &[email("hello", "after: 10d")]).await;
    let sent = edited(&mut rig, "", &[email("hello", "after: 1d")]).await;
    assert_eq!(sent, ["01-07 10:00 ana email hello"]);
}

#[tokio::test]
async fn a_frozen_wait_keeps_the_time_it_has() {
    let more = "on-edit: freeze";
    let mut rig = rig(more, &[email("hello", "after: 4d")]).await;
    rig.edit(
        "flows/f.yaml",
        &flow("f", LYON, more, &[email("hello", "after: 10d")]),
    )
    .await;
    rig.customer("bob", "city=Lyon").await;
    rig.advance("60d").await;
    assert_eq!(
        rig.sent(),
        ["01-09 10:00 ana email hello", "01-17 10:00 bob email hello"]
    );
}

#[tokio::test]
async fn the_people_of_a_removed_step_go_on_with_the_next() {
    let steps = [
        email("a", "after: 1d"),
        sms("b", "after: 3d"),
        push("c", "after: 2d"),
    ];
    let mut rig = rig("", &steps).await;
    let without = [steps[0].clone(), steps[2].clone()];
    edited(&mut rig, "", &without).await;
    let ledger = ["a sent", "b withheld step_removed", "c sent", "f completed"];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn the_people_of_a_removed_last_step_are_done() {
    let steps = [email("a", "after: 1d"), sms("b", "after: 3d")];
    let mut rig = rig("", &steps).await;
    edited(&mut rig, "", &steps[..1]).await;
    let ledger = ["a sent", "b withheld step_removed", "f completed"];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn a_removed_step_that_returns_has_its_people_back() {
    let steps = [
        email("a", "after: 1d"),
        sms("b", "after: 3d"),
        push("c", "after: 2d"),
    ];
    let mut rig = rig("", &steps).await;
    let without = [steps[0].clone(), steps[2].clone()];
    rig.edit("flows/f.yaml", &flow("f", LYON, "", &without))
        .await;
    rig.advance("1d").await;
    edited(&mut rig, "", &steps).await;
    let ledger = ["a sent", "b sent", "c sent", "f completed"];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn an_inserted_step_is_walked_by_those_who_have_not_passed_it() {
    let steps = [email("a", "after: 1d"), push("c", "after: 3d")];
    let mut rig = rig("", &steps).await;
    rig.customer("bob", "city=Lyon").await;
    rig.settle().await;
    let with = [steps[0].clone(), sms("b", "after: 1d"), steps[1].clone()];
    edited(&mut rig, "", &with).await;
    assert_eq!(rig.ledger("ana").await, ["a sent", "c sent", "f completed"]);
    let bob = ["a sent", "b sent", "c sent", "f completed"];
    assert_eq!(rig.ledger("bob").await, bob);
}

#[tokio::test]
async fn an_appended_step_reaches_those_who_still_wait_in_the_last_place() {
    let steps = [email("a", "after: 1d"), any("rest", "after: 30d")];
    let mut rig = rig("", &steps).await;
    let with = [steps[0].clone(), steps[1].clone(), sms("z", "after: 1d")];
    let sent = edited(&mut rig, "", &with).await;
    assert_eq!(sent, ["01-06 10:00 ana email a", "02-06 10:00 ana sms z"]);
}

#[tokio::test]
async fn a_step_that_changes_its_channel_speaks_on_the_new_one() {
    let mut rig = rig("", &[email("hello", "after: 4d")]).await;
    let sent = edited(&mut rig, "", &[sms("hello", "after: 4d")]).await;
    assert_eq!(sent, ["01-09 10:00 ana sms hello"]);
}

#[tokio::test]
async fn a_changed_text_is_what_those_who_wait_will_read() {
    let mut rig = rig("", &[any("hello", "after: 4d, sms: { text: Before }")]).await;
    let after = [any("hello", "after: 4d, sms: { text: After }")];
    rig.edit("flows/f.yaml", &flow("f", LYON, "", &after)).await;
    rig.advance("10d").await;
    let tries = rig.outbox.take();
    let text = format!("{:?}", tries[0].message.frozen.rendered);
    assert!(text.contains("After"), "{text}");
}

#[tokio::test]
async fn a_changed_segment_enrolls_who_matches_it_now() {
    let steps = [sms("hello", "")];
    let mut rig = rig("", &steps).await;
    rig.customer("bob", "city=Rome").await;
    rig.settle().await;
    let rome = "{ field: city, in: [Lyon, Rome] }";
    rig.edit("flows/f.yaml", &flow("f", rome, "", &steps)).await;
    assert_eq!(rig.entered("bob").await, ["01-07 10:00 f"]);
    assert_eq!(rig.entered("ana").await, ["01-05 10:00 f"]);
}

#[tokio::test]
async fn steps_in_another_order_are_walked_in_that_order_from_where_one_is() {
    let steps = [
        email("a", "after: 1d"),
        sms("b", "after: 3d"),
        push("c", "after: 1d"),
    ];
    let mut rig = rig("", &steps).await;
    let swapped = [steps[2].clone(), steps[1].clone(), steps[0].clone()];
    let sent = edited(&mut rig, "", &swapped).await;
    let expected = ["01-06 10:00 ana email a", "01-09 10:00 ana sms b"];
    assert_eq!(sent, expected, "nobody reads a step twice");
    assert_eq!(rig.ledger("ana").await, ["a sent", "b sent", "f completed"]);
}

#[tokio::test]
async fn what_was_sent_stays_sent_where_it_comes_again_and_would_not_be() {
    let steps = [email("a", "after: 1d"), sms("b", "after: 3d")];
    let mut rig = rig("", &steps).await;
    rig.unsubscribe("ana", &Scope::EVERYTHING).await;
    let swapped = [steps[1].clone(), steps[0].clone()];
    edited(&mut rig, "", &swapped).await;
    let withheld = "b withheld unsubscribed_everything";
    assert_eq!(rig.ledger("ana").await, ["a sent", withheld, "f completed"]);
}

#[tokio::test]
async fn the_people_of_a_removed_step_go_where_the_file_says() {
    let steps = [
        email("hello", "after: 4d"),
        sms("then", "after: 1d"),
        push("last", "after: 1d"),
    ];
    let mut rig = rig("", &steps).await;
    let sent = edited(&mut rig, "moved-to: { hello: last }", &steps[1..]).await;
    assert_eq!(sent, ["01-10 10:00 ana push last"]);
}
