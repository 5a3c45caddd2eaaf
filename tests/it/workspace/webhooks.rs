//! Owns the tests of how places of others are written that are told what happens.

use drumbeat::domain::webhook::Event;

use super::folder::Folder;

const GOOD: &str = "webhooks:
  crm:
    url: https://crm.example/hooks
    secret: \"${credential:crm}\"
    former-secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
    events: [interaction.unsubscribed, dispatch.accepted, dispatch.accepted]
  here:
    url: http://10.1.2.3/events
    secret: a text of 24 characters.
    events: [channel.paused]
    allow-networks: [10.1.0.0/16, \"fd00::/8\"]
";

fn with(webhooks: &str) -> Folder {
    let folder = Folder::good();
    let settings = std::fs::read_to_string(folder.path().join("drumbeat.yaml")).unwrap();
    folder.with("drumbeat.yaml", format!("{settings}{webhooks}"))
}

#[test]
fn webhooks_are_read_with_each_event_once() {
    let checked = with(GOOD).check();
    assert!(checked.revision.is_some(), "{:?}", checked.diagnostics);
    let [crm, here] = checked.settings.webhooks.as_slice() else {
        panic!("{:?}", checked.settings.webhooks);
    };
    assert_eq!((crm.name.as_str(), here.name.as_str()), ("crm", "here"));
    let events = ["dispatch.accepted", "interaction.unsubscribed"];
    let events = events.map(|name| Event::parse(name).unwrap());
    assert_eq!(crm.events, events);
    assert!(crm.former_secret.is_some() && here.former_secret.is_none());
    let networks: Vec<String> = here
        .allow_networks
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(networks, ["10.1.0.0/16", "fd00::/8"]);
}

#[test]
fn what_is_wrong_with_a_webhook_is_said_at_its_place() {
    for (from, to, expected) in [
        ("crm:\n", "CRM:\n", "small letters"),
        ("https://crm", "ftp://crm", "must begin with `https://`"),
        ("https://crm", "http://crm", "`allow-networks`"),
        ("whsec_Mf", "whsec_!", "base64"),
        ("a text of 24 characters.", "short", "at least 24 bytes"),
        (
            "[channel.paused]",
            "[channel.pause]",
            "an event cannot be `channel.pause`",
        ),
        ("10.1.0.0/16", "10.1.0.1/16", "a network is written"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let checked = with(&GOOD.replacen(from, to, 1)).check();
        let [only] = checked.diagnostics.as_slice() else {
            panic!("{to}: {:?}", checked.diagnostics);
        };
        assert!(only.message.contains(expected), "{to}: {}", only.message);
        assert_eq!(
            (only.code, only.file.as_str()),
            ("bad-value", "drumbeat.yaml")
        );
    }
}
