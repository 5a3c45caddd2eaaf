//! Owns the table of what a message centre can do to a session and a message, and what it comes to.

use std::time::Duration;

use drumbeat::domain::duration::Delay;
use drumbeat::domain::gateway::SmppGateway;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::smpp::{centre, open, open_within, quick, send};
use crate::rig::smsc::{Smsc, answering};

/// What the centre does with the message, the outcome, and whether it was marked as about to be handed over.
const SUBMITS: [(&str, &str); 20] = [
    ("ok", "accepted | submit_sm: ESME_ROK, id m-1"),
    ("bare", "accepted | submit_sm: ESME_ROK, no id"),
    (
        "0x58",
        "deferred Throttled | submit_sm: ESME_RTHROTTLED (0x00000058)",
    ),
    (
        "0x14",
        "deferred Throttled | submit_sm: ESME_RMSGQFUL (0x00000014)",
    ),
    (
        "0x0B",
        "refused Address | submit_sm: ESME_RINVDSTADR (0x0000000B)",
    ),
    (
        "0x08",
        "deferred Gateway | submit_sm: ESME_RSYSERR (0x00000008)",
    ),
    (
        "0x04",
        "deferred Gateway | submit_sm: ESME_RINVBNDSTS (0x00000004)",
    ),
    (
        "0x0A",
        "deferred Gateway | submit_sm: ESME_RINVSRCADR (0x0000000A)",
    ),
    (
        "0x0E",
        "deferred Gateway | submit_sm: ESME_RINVPASWD (0x0000000E)",
    ),
    (
        "0x64",
        "deferred Message | submit_sm: ESME_RX_T_APPN (0x00000064)",
    ),
    ("0x410", "deferred Message | submit_sm: status 0x00000410"),
    (
        "0x65",
        "refused Message | submit_sm: ESME_RX_P_APPN (0x00000065)",
    ),
    (
        "0x66",
        "refused Message | submit_sm: ESME_RX_R_APPN (0x00000066)",
    ),
    (
        "0x45",
        "refused Message | submit_sm: ESME_RSUBMITFAIL (0x00000045)",
    ),
    (
        "nack",
        "deferred Gateway | submit_sm: generic_nack ESME_RINVCMDID (0x00000003)",
    ),
    ("hang", "uncertain | submit_sm: no answer within 1 s"),
    (
        "drop",
        "uncertain | submit_sm: the centre closed the connection",
    ),
    (
        "garbage",
        "uncertain | submit_sm: this is no SMPP: a PDU of ",
    ),
    (
        "oversize",
        "uncertain | submit_sm: this is no SMPP: a PDU of ",
    ),
    ("wrong", "uncertain | submit_sm: no answer within 1 s"),
];

const BINDS: [(&str, &str); 8] = [
    (
        "0x0D",
        "deferred Gateway | bind_transceiver: ESME_RBINDFAIL (0x0000000D)",
    ),
    (
        "0x0E",
        "deferred Gateway | bind_transceiver: ESME_RINVPASWD (0x0000000E)",
    ),
    (
        "0x0F",
        "deferred Gateway | bind_transceiver: ESME_RINVSYSID (0x0000000F)",
    ),
    (
        "0x58",
        "deferred Gateway | bind_transceiver: ESME_RTHROTTLED (0x00000058)",
    ),
    (
        "nack",
        "deferred Gateway | bind_transceiver: generic_nack ESME_RINVCMDID",
    ),
    (
        "hang",
        "deferred Gateway | bind_transceiver: no answer within 1 s",
    ),
    ("close", "deferred Gateway | bind_transceiver: "),
    (
        "garbage",
        "deferred Gateway | bind_transceiver: this is no SMPP: a PDU of ",
    ),
];

async fn check(wanted: Value, expected: &str, marked: bool) {
    let smsc = Smsc::start(&wanted).await;
    let mut gateway = centre(smsc.port);
    let mut timeouts = quick();
    // Only where nothing comes is the wait short: a busy machine answers late.
    if expected.ends_with("no answer within 1 s") {
        gateway.response_timeout = Delay::seconds(1);
        timeouts.bind = Duration::from_secs(1);
    }
    let gateway = open_within(&gateway, "777", 1, timeouts);
    let (outcome, marks) = send(&gateway, "Hi").await;
    assert!(outcome.starts_with(expected), "{wanted}: {outcome}");
    assert_eq!(marks, usize::from(marked), "{wanted}");
}

#[tokio::test]
async fn each_answer_to_a_message_has_its_outcome() {
    let rows = SUBMITS.iter();
    join_all(rows.map(|(act, expected)| check(answering(&[*act]), expected, true))).await;
}

#[tokio::test]
async fn whoever_is_not_let_in_hands_nothing_over() {
    let rows = BINDS.iter();
    join_all(rows.map(|(act, expected)| check(json!({ "bind": act }), expected, false))).await;
}

#[tokio::test]
async fn a_centre_that_is_not_there_is_the_gateways_fault() {
    let gateway = open(&centre(crate::rig::port::free()));
    let sends = join_all((0..20).map(|_| send(&gateway, "Hi"))).await;
    for (outcome, marks) in sends {
        assert!(
            outcome.starts_with("deferred Gateway | connect: 127.0.0.1:"),
            "{outcome}"
        );
        assert_eq!(marks, 0);
    }
}

#[tokio::test]
async fn parts_that_were_taken_are_never_sent_again_with_the_rest() {
    let long = "a".repeat(400);
    for (acts, expected, submits) in [
        (
            &["ok", "0x65"][..],
            "uncertain | 1 of 3 parts were taken, then submit_sm: ESME_RX_P_APPN",
            2,
        ),
        (
            &["ok", "ok", "drop"][..],
            "uncertain | 2 of 3 parts were taken, then submit_sm: the centre closed",
            3,
        ),
        // What was certainly not taken is submitted again, part by part.
        (
            &["ok", "0x58", "0x64", "ok"][..],
            "accepted | submit_sm: ESME_ROK, 3 parts, ids m-1 m-4 m-5",
            5,
        ),
        // Before the first is taken nothing is.
        (
            &["0x58"],
            "deferred Throttled | submit_sm: ESME_RTHROTTLED",
            1,
        ),
        (
            &["0x0B"][..],
            "refused Address | submit_sm: ESME_RINVDSTADR",
            1,
        ),
    ] {
        let smsc = Smsc::start(&answering(acts)).await;
        let (outcome, marks) = send(&open(&centre(smsc.port)), &long).await;
        assert!(outcome.starts_with(expected), "{acts:?}: {outcome}");
        assert_eq!(
            (marks, smsc.so_far("submit").await.len()),
            (1, submits),
            "{acts:?}"
        );
    }
}

#[tokio::test]
async fn a_session_that_ended_in_between_costs_no_message() {
    for how in ["close", "unbind"] {
        let smsc = Smsc::start(&json!({})).await;
        let gateway = open(&centre(smsc.port));
        send(&gateway, "one").await;
        smsc.ask(&json!({ how: true }));
        smsc.said("closed", 1).await;
        if how == "unbind" {
            smsc.said("unbound", 1).await;
        }
        let mut outcomes = Vec::new();
        // The end is seen in its own time; what is sent before is never lost without a word.
        while smsc.so_far("bind").await.len() < 2 {
            assert!(outcomes.len() < 100, "{how}: {outcomes:?}");
            outcomes.push(send(&gateway, "two").await.0);
        }
        let last = outcomes.last().unwrap();
        assert!(last.starts_with("accepted"), "{how}: {outcomes:?}");
    }
}

#[tokio::test]
async fn a_session_slows_down_when_the_centre_says_so() {
    let smsc = Smsc::start(&answering(&["0x58", "slow"])).await;
    let narrow = SmppGateway {
        window: 4,
        ..centre(smsc.port)
    };
    let gateway = open_within(&narrow, "777", 1, quick());
    let (first, _) = send(&gateway, "one").await;
    assert!(first.starts_with("deferred Throttled"), "{first}");
    let rest = join_all((0..4).map(|_| send(&gateway, "more"))).await;
    assert!(
        rest.iter()
            .all(|(outcome, _)| outcome.starts_with("accepted")),
        "{rest:?}"
    );
    let submits = smsc.so_far("submit").await;
    // Half of four at once: the third of them waits until one was answered.
    assert!(submits[3]["answered"].as_u64().unwrap() > 1, "{submits:#?}");
    assert_eq!(submits.len(), 5);
}

#[tokio::test]
async fn each_side_asks_whether_the_other_is_there() {
    let smsc = Smsc::start(&json!({})).await;
    let brief = SmppGateway {
        enquire_link: Delay::seconds(1),
        ..centre(smsc.port)
    };
    let gateway = open(&brief);
    send(&gateway, "Hi").await;
    smsc.ask(&json!({ "enquire": true }));
    smsc.said("alive", 1).await;
    smsc.said("enquire", 2).await;
    assert_eq!(
        (
            smsc.so_far("bind").await.len(),
            smsc.so_far("closed").await.len()
        ),
        (1, 0)
    );

    let deaf = Smsc::start(&json!({ "enquire": "silent" })).await;
    let gateway = open(&SmppGateway {
        port: super::secretive(&deaf.port.to_string()),
        response_timeout: Delay::seconds(2),
        ..brief
    });
    send(&gateway, "Hi").await;
    deaf.said("closed", 1).await;
    let (outcome, _) = send(&gateway, "Hi").await;
    assert!(outcome.starts_with("accepted"), "{outcome}");
    assert_eq!(deaf.so_far("bind").await.len(), 2);
}

#[tokio::test]
async fn what_cannot_be_understood_is_said_so_and_the_session_goes_on() {
    let smsc = Smsc::start(&json!({})).await;
    let gateway = open(&centre(smsc.port));
    send(&gateway, "one").await;
    // query_sm with an empty body, which nobody asks a sender of messages.
    smsc.ask(&json!({ "raw": "00000010000000030000000000000007" }));
    assert_eq!(smsc.said("nacked", 1).await[0]["status"], 3);
    let (outcome, _) = send(&gateway, "two").await;
    assert!(outcome.starts_with("accepted"), "{outcome}");
    assert_eq!(smsc.so_far("bind").await.len(), 1);
}
