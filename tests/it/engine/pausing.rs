//! Owns the tests of pauses: of a flow, of a channel, by a person, by a file that is gone.

use std::process::Command;

use drumbeat::domain::channel::Channel;
use rstest::rstest;

use super::outbox::deferred;
use super::rig::Rig;
use super::written::{LYON, email, flow, sms};

fn text(more: &str) -> String {
    let steps = [email("hello", "after: 4d"), sms("text", "after: 1d")];
    flow("f", LYON, more, &steps)
}

/// Paused after one day, resumed after eleven.
async fn paused_for_ten_days(more: &str) -> Rig {
    let mut rig = Rig::with(&text(more)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("1d").await;
    rig.pause_flow("f").await;
    rig.advance("5d").await;
    rig.customer("bob", "city=Lyon").await;
    rig.advance("5d").await;
    assert_eq!(rig.sent(), [""; 0], "nothing goes out of a paused flow");
    assert_eq!(rig.entered("bob").await, [""; 0]);
    rig.resume_flow("f").await;
    rig.advance("30d").await;
    rig
}

#[tokio::test]
async fn after_a_pause_everybody_waits_as_long_as_they_had_to() {
    let rig = paused_for_ten_days("").await;
    let sent = [
        "01-19 10:00 ana email hello",
        "01-20 10:00 ana sms text",
        "01-20 10:00 bob email hello",
        "01-21 10:00 bob sms text",
    ];
    assert_eq!(rig.sent(), sent);
    assert_eq!(rig.entered("bob").await, ["01-16 10:00 f"]);
}

#[tokio::test]
async fn catching_up_sends_what_was_missed_at_once() {
    let rig = paused_for_ten_days("on-resume: catch-up\nmax-lateness: 30d").await;
    assert_eq!(
        rig.sent()[..2],
        ["01-16 10:00 ana email hello", "01-17 10:00 ana sms text"]
    );
}

#[tokio::test]
async fn catching_up_does_not_send_what_is_too_late() {
    let rig = paused_for_ten_days("on-resume: catch-up").await;
    assert_eq!(
        rig.ledger("ana").await,
        ["hello withheld late", "text sent", "f completed"]
    );
}

#[tokio::test]
async fn skipping_late_steps_goes_on_with_the_next() {
    let rig = paused_for_ten_days("on-resume: skip-late\nmax-lateness: 30d").await;
    assert_eq!(
        rig.ledger("ana").await,
        ["hello withheld late", "text sent", "f completed"]
    );
    assert_eq!(
        rig.ledger("bob").await,
        ["hello sent", "text sent", "f completed"]
    );
}

#[tokio::test]
async fn a_message_being_retried_waits_for_the_pause_to_end() {
    let mut rig = Rig::with(&flow("f", LYON, "", &[email("hello", "")])).await;
    rig.outbox.answers(Channel::Email, [deferred(Some(600))]);
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    rig.sent();
    rig.pause_flow("f").await;
    rig.advance("3h").await;
    assert_eq!(rig.sent(), [""; 0]);
    rig.resume_flow("f").await;
    rig.advance("1h").await;
    assert_eq!(rig.ledger("ana").await, ["hello sent", "f completed"]);
}

#[tokio::test]
async fn whose_message_is_out_when_a_pause_begins_waits_as_long_as_the_others() {
    let steps = [email("hello", ""), sms("text", "after: 1d")];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.park().await;
    while rig.enroll().await {}
    rig.take_out().await;
    let (flow, pause) = (rig.flow("f"), rig.pause());
    rig.store.pause_flow(flow, &pause).await.unwrap();
    while rig.park().await {}
    rig.bring_back().await;
    rig.sleep("10d");
    rig.settle().await;
    assert_eq!(rig.sent(), ["01-05 10:00 ana email hello"]);
    rig.resume_flow("f").await;
    rig.advance("10d").await;
    assert_eq!(rig.sent(), ["01-16 10:00 ana sms text"]);
}

#[tokio::test]
async fn a_paused_channel_holds_its_messages_and_others_go_on() {
    let steps = [email("hello", "after: 1h")];
    let others = [sms("text", "after: 1h")];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.edit("flows/g.yaml", &flow("g", LYON, "", &others))
        .await;
    rig.customer("ana", "city=Lyon").await;
    let paused = rig.store.pause_channel(Channel::Email, &rig.pause()).await;
    assert!(paused.unwrap());
    rig.advance("5h").await;
    assert_eq!(rig.sent(), ["01-05 11:00 ana sms text"]);
    assert!(
        rig.store
            .resume_channel(Channel::Email, rig.now())
            .await
            .unwrap()
    );
    rig.settle().await;
    assert_eq!(rig.sent(), ["01-05 15:00 ana email hello"]);
}

#[rstest]
#[case("status: paused")]
#[case("status: draft")]
#[tokio::test]
async fn a_pause_in_the_file_keeps_everybodys_place(#[case] status: &str) {
    let mut rig = Rig::with(&text("")).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("1d").await;
    rig.edit("flows/f.yaml", &text(status)).await;
    rig.advance("10d").await;
    assert_eq!(rig.sent(), [""; 0]);
    rig.edit("flows/f.yaml", &text("")).await;
    rig.advance("30d").await;
    assert_eq!(
        rig.sent(),
        ["01-19 10:00 ana email hello", "01-20 10:00 ana sms text"]
    );
}

#[tokio::test]
async fn a_file_that_disappears_pauses_its_flow_and_its_return_loses_nobodys_place() {
    let mut rig = Rig::with(&text("")).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("1d").await;
    rig.remove("flows/f.yaml").await;
    rig.advance("10d").await;
    assert_eq!(rig.sent(), [""; 0]);
    rig.edit("flows/f.yaml", &text("")).await;
    rig.advance("30d").await;
    assert_eq!(
        rig.sent(),
        ["01-19 10:00 ana email hello", "01-20 10:00 ana sms text"]
    );
    assert_eq!(rig.entered("ana").await.len(), 1);
}

#[tokio::test]
async fn a_persons_pause_outlives_an_edit() {
    let mut rig = Rig::with(&text("")).await;
    rig.customer("ana", "city=Lyon").await;
    rig.pause_flow("f").await;
    rig.edit("flows/f.yaml", &text("max-lateness: 24h")).await;
    rig.advance("10d").await;
    assert_eq!(rig.sent(), [""; 0]);
    rig.resume_flow("f").await;
    rig.advance("10d").await;
    assert_eq!(rig.sent().len(), 2);
}

#[tokio::test]
async fn a_second_pause_works_like_the_first() {
    let mut rig = Rig::with(&text("")).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    for _ in 0..2 {
        rig.pause_flow("f").await;
        rig.advance("10d").await;
        rig.resume_flow("f").await;
        rig.advance("1d").await;
    }
    rig.advance("10d").await;
    assert_eq!(
        rig.sent(),
        ["01-29 10:00 ana email hello", "01-30 10:00 ana sms text"]
    );
}

/// Runs the program beside the daemon, at the daemon's time.
async fn command(rig: &Rig, words: &str) {
    let kept = rig.store.save_clock(rig.now(), rig.now(), 1.0, false);
    kept.await.unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_drumbeat"))
        .args(["--database", &rig.home.url])
        .args(words.split(' '))
        .current_dir(rig.folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}: {said}");
}

const TEXTS: [&str; 2] = ["01-05 11:00 ana sms text", "01-05 13:00 bob sms text"];

#[rstest]
#[case("f", &TEXTS, &["01-05 16:00 ana email hello", "01-05 16:00 bob email hello"])]
#[case("--channel email", &TEXTS, &["01-05 15:00 ana email hello", "01-05 15:00 bob email hello"])]
#[case("--all", &[], &[
    "01-05 16:00 ana email hello",
    "01-05 16:00 ana sms text",
    "01-05 16:00 bob email hello",
    "01-05 16:00 bob sms text",
])]
#[tokio::test]
async fn what_a_person_pauses_sends_nothing_until_they_resume_it(
    #[case] what: &str,
    #[case] meanwhile: &[&str],
    #[case] afterwards: &[&str],
) {
    let mut rig = Rig::with(&flow("f", LYON, "", &[email("hello", "after: 1h")])).await;
    let texts = flow("g", LYON, "", &[sms("text", "after: 1h")]);
    rig.edit("flows/g.yaml", &texts).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    command(&rig, &format!("pause {what} --reason prices")).await;
    rig.advance("2h").await;
    rig.customer("bob", "city=Lyon").await;
    rig.publish().await;
    rig.advance("3h").await;
    assert_eq!(rig.sent(), meanwhile);
    command(&rig, &format!("resume {what}")).await;
    rig.advance("1d").await;
    assert_eq!(rig.sent(), afterwards);
}

#[tokio::test]
async fn a_flow_that_is_published_while_everything_is_paused_sends_nothing_until_it_is_resumed() {
    let mut rig = Rig::with(&flow("f", LYON, "", &[email("hello", "after: 1h")])).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    command(&rig, "pause --all").await;
    let newer = flow("g", LYON, "", &[sms("text", "")]);
    rig.edit("flows/g.yaml", &newer).await;
    rig.advance("5h").await;
    assert_eq!(rig.sent(), [""; 0]);
    command(&rig, "resume --all").await;
    rig.advance("1d").await;
    let sent = ["01-05 15:00 ana sms text", "01-05 16:00 ana email hello"];
    assert_eq!(rig.sent(), sent);
}
