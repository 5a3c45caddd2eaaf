//! STOP and START, from the phone through a real message centre to the step that is not sent, and back.

use std::fs;

use serde_json::json;

use super::process::{Place, Running};
use super::returned::{dispatches, until};
use crate::rig::kannel::Kannel;
use crate::rig::smsc::Smsc;

const SECRET: &str = "a-secret-of-some-length";
const KEYS: &str =
    "country: UY\nreplies: { stop: { en: No more texts., es: No más. }, start: You are back. }\n";

fn flow(city: &str) -> String {
    format!(
        "flow: {city}\nname: {city}\ncategory: onboarding\ngroup: retail\n\
         segment: {{ where: {{ field: city, is: {city} }} }}\n\
         steps: [ {{ id: hello, sms: {{ text: Hello {city} }} }} ]\n"
    )
}

/// Who comes to a city is written to. Ana and Bo share a phone, and write it in two ways; Cy has another.
async fn place() -> Place {
    let place = Place::new().await;
    fs::remove_file(place.path().join("flows/welcome.yaml")).unwrap();
    for city in ["lyon", "nice", "oslo"] {
        place.write(&format!("flows/{city}.yaml"), &flow(city));
    }
    place
}

async fn move_to(place: &Place, city: &str) {
    let people = [
        ("ana", "+59899100001"),
        ("bo", "099 100 001"),
        ("cy", "+59899100002"),
    ];
    let lines = people.map(|(id, phone)| format!("{id},{phone},{city},es\n"));
    let file = format!("{city}.csv");
    place.write(
        &file,
        &format!("id,phone,city,language\n{}", lines.concat()),
    );
    place.said(&["import", &file]).await;
}

async fn all_until(daemon: &Running, place: &Place, flow: &str, [ana, bo, cy]: [&str; 3]) {
    for (customer, state) in [("ana", ana), ("bo", bo), ("cy", cy)] {
        until(daemon, place, flow, customer, state).await;
    }
}

/// Once, whoever of the two it counts for.
async fn is_answered(daemon: &Running, place: &Place, word: &str) {
    let flow = format!("reply:sms/{word}");
    let look = async |_: &_| {
        let answers = dispatches(place, &flow).await;
        (answers.len() == 1 && answers[0]["state"] == "delivered").then_some(())
    };
    daemon.until(&format!("an answer to {word}"), look).await;
}

/// What the phone of Ana and Bo got.
async fn texts(smsc: &Smsc) -> Vec<String> {
    let submits = smsc.so_far("submit").await.into_iter();
    let own = submits.filter(|submit| submit["to"] == "59899100001");
    own.map(|submit| submit["text"].as_str().unwrap().to_owned())
        .collect()
}

/// The story: all are written to; the phone stops; two of them are spared; it starts again.
async fn walk(place: &Place, smsc: &Smsc, mut write: impl FnMut(&str)) {
    let delivered = ["delivered"; 3];
    move_to(place, "lyon").await;
    let daemon = place.run().await;
    all_until(&daemon, place, "lyon", delivered).await;

    write("Baja!");
    is_answered(&daemon, place, "stop").await;
    move_to(place, "nice").await;
    let withheld = "withheld no_consent";
    all_until(&daemon, place, "nice", [withheld, withheld, "delivered"]).await;

    write("START");
    is_answered(&daemon, place, "start").await;
    move_to(place, "oslo").await;
    all_until(&daemon, place, "oslo", delivered).await;
    assert_eq!(daemon.stop().await, Some(0));

    let mut expected = vec!["Hello lyon", "Hello lyon", "No más."];
    expected.extend(["You are back.", "Hello oslo", "Hello oslo"]);
    assert_eq!(texts(smsc).await, expected);
}

#[tokio::test]
async fn a_phone_stops_and_starts_again_over_smpp() {
    let smsc = Smsc::start(&json!({ "receipts": "tlv" })).await;
    let place = place().await;
    let channel = format!(
        "channel: sms\ngateway:\n  smpp: {{ host: 127.0.0.1, port: {}, system-id: drum, password: s3cret }}\nfrom: Lakeside\n{KEYS}",
        smsc.port
    );
    place.write("sms.yaml", &channel);
    let write = |text: &str| {
        smsc.ask(&json!({ "deliver": {
            "source_addr_ton": 1, "source_addr": "59899100001", "destination_addr": "777",
            "short_message": text,
        }}));
    };
    walk(&place, &smsc, write).await;
}

#[tokio::test]
async fn a_phone_stops_and_starts_again_through_kannel() {
    let smsc = Smsc::start(&json!({ "receipts": "text" })).await;
    let place = place().await;
    let hooks = format!("http://127.0.0.1:{}/", place.port);
    let inbound = format!("{hooks}hooks/sms/inbound/{SECRET}");
    let mut kannel = Kannel::start_passing_on(smsc.port, &inbound).await;
    smsc.said("bind", 1).await;
    let documented = "examples/kannel/channels/sms-kannel.yaml";
    let documented = fs::read_to_string(documented).unwrap();
    let sendsms = format!("http://127.0.0.1:{}/cgi-bin/sendsms", kannel.sendsms);
    let channel = documented
        .replace("${KANNEL_SENDSMS}", &sendsms)
        .replace("${KANNEL_USER}", "drumbeat")
        .replace("${KANNEL_PASSWORD}", "secret")
        .replace("${KANNEL_CALLBACKS}", SECRET);
    place.write("sms.yaml", &format!("{channel}{KEYS}"));
    let settings = format!(
        "workspace: test\nlisten: \"127.0.0.1:{}\"\npublic-url: {hooks}\n",
        place.port
    );
    place.write("drumbeat.yaml", &settings);
    walk(&place, &smsc, |text| {
        kannel.is_written_to("+59899100001", text);
    })
    .await;
}
