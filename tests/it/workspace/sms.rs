//! Owns what is asked of text messages and of the channel that sends them, before anything is sent.

use drumbeat::domain::channel::Channel;
use drumbeat::domain::gateway::{Gateway, SmsRules, TwilioGateway};
use drumbeat::domain::reply_word::ReplyWord;

use super::folder::{self, Folder};
use super::table::{CAMPAIGN, CHANNELS, gives};

const OFFER: &str = "\"An offer\"";
/// A line of the channel `sms` in the good workspace.
const SENDER: &str = "channel: sms\n";

fn with_text(text: &str) -> Folder {
    Folder::good().changed(CAMPAIGN, OFFER, text)
}

fn with_keys(keys: &str) -> Folder {
    Folder::good().changed(CHANNELS, SENDER, &format!("{SENDER}{keys}"))
}

#[test]
fn a_text_of_more_parts_than_the_channel_sends_is_refused() {
    let long = format!("\"{}\"", "a".repeat(1531));
    gives(CAMPAIGN, OFFER, &long, "sms-too-long");
    let fits = format!("\"{}\"", "a".repeat(1530));
    assert_eq!(with_text(&fits).findings(), Vec::<String>::new());
    let two = format!("\"{}\"", "a".repeat(161));
    let folder = with_text(&two);
    assert_eq!(folder.findings(), Vec::<String>::new());
    let folder = folder.changed(CHANNELS, SENDER, &format!("{SENDER}max-parts: 1\n"));
    assert_eq!(folder.codes(), ["sms-too-long"]);
    let text = folder.findings().join("\n");
    let told = "this text takes about 2 parts (161 characters in GSM-7): the channel `sms` sends at most 1";
    assert!(text.contains(told), "{text}");
}

#[test]
fn a_value_counts_with_its_usual_length_and_the_longest_branch_with_it() {
    let nearly = "a".repeat(150);
    let text = format!("\"{nearly}{{{{ customer.first_name }}}}\"");
    let one = with_text(&text).changed(CHANNELS, SENDER, &format!("{SENDER}max-parts: 1\n"));
    assert_eq!(one.codes(), ["sms-too-long"]);
    let branch = format!("\"{{% if customer.city %}}{nearly}{{% else %}}{nearly}{{% endif %}}\"");
    let one = with_text(&branch).changed(CHANNELS, SENDER, &format!("{SENDER}max-parts: 1\n"));
    assert_eq!(one.findings(), Vec::<String>::new());
}

#[test]
fn a_stray_character_is_pointed_at_unless_it_has_a_look_alike() {
    let folder = with_text("\"It’s an offer\"");
    assert_eq!(folder.codes(), ["sms-alphabet"]);
    let text = folder.findings().join("\n");
    assert!(text.contains("`’` (U+2019) is not in GSM-7"), "{text}");
    let line = "  offer-text: { sms: { text: \"It";
    let column = line.chars().count() + 1;
    assert!(text.contains(&format!(":{column} ")), "{column}: {text}");
    let transliterated =
        folder.changed(CHANNELS, SENDER, &format!("{SENDER}transliterate: true\n"));
    assert_eq!(transliterated.findings(), Vec::<String>::new());
    let emoji = with_text("\"An offer 😀\"");
    let emoji = emoji.changed(CHANNELS, SENDER, &format!("{SENDER}transliterate: true\n"));
    assert_eq!(emoji.codes(), ["sms-alphabet"]);
    let cyrillic = with_text("\"Предложение\"");
    assert_eq!(cyrillic.findings(), Vec::<String>::new());
}

#[test]
fn what_the_channel_says_of_texts_is_read() {
    let folder = with_keys(
        "max-parts: 3\ntransliterate: true\ncountry: uruguay\nwords: { stop: [Chau], help: [\"¿Quién?\"] }\nreplies: { stop: \"No more.\" }\n",
    );
    assert_eq!(folder.findings(), Vec::<String>::new());
    let revision = folder.check().revision.unwrap();
    let config = &revision.channels[&Channel::Sms];
    let expected = SmsRules {
        max_parts: 3,
        transliterate: true,
        country: Some("UY".to_owned()),
    };
    assert_eq!(config.sms, expected);
    assert_eq!(config.replies.read("CHAU!"), Some(ReplyWord::Stop));
    assert_eq!(config.replies.read("quien"), Some(ReplyWord::Help));
    let answer = config.replies.answer(ReplyWord::Stop, None);
    assert_eq!(answer, Some("No more."));
}

#[test]
fn keys_of_texts_are_checked() {
    for keys in [
        "country: Nowhere\n",
        "max-parts: 0\n",
        "words: { stop: [\"no more\"] }\n",
        "words: { stop: [chau], start: [CHAU] }\n",
    ] {
        let folder = with_keys(keys);
        assert_eq!(folder.codes(), ["bad-value"], "{keys}");
    }
    let mail = "channel: email\n";
    let folder = Folder::good().changed(CHANNELS, mail, &format!("{mail}country: UY\n"));
    assert_eq!(folder.codes(), ["bad-value"]);
}

const TWILIO: &str = "channel: sms\nfrom: LAKESIDE\ngateway:\n  twilio:\n    account-sid: ${SID}\n    auth-token: ${credential:twilio}\n    validity-period: 2h\n";

/// The good workspace with another channel for its text messages.
fn with_channel(channel: &str) -> Folder {
    let parts: Vec<&str> = folder::CHANNELS.split("---\n").collect();
    let [email, _, push] = parts[..] else {
        panic!("three channels");
    };
    Folder::good().with(CHANNELS, [email, channel, push].join("---\n"))
}

#[test]
fn twilio_is_read_and_checked() {
    let folder = with_channel(TWILIO);
    assert_eq!(folder.findings(), Vec::<String>::new());
    let revision = folder.check().revision.unwrap();
    let Gateway::Twilio(twilio) = &revision.channels[&Channel::Sms].gateway else {
        panic!("sms goes by twilio");
    };
    assert_eq!(twilio.base_url.0, TwilioGateway::BASE_URL);
    assert_eq!(twilio.auth_token.0, "${credential:twilio}");
    for (from, to) in [
        ("from: LAKESIDE\n", ""),
        ("validity-period: 2h", "validity-period: 11h"),
        ("validity-period: 2h", "base-url: api.twilio.com"),
    ] {
        let folder = with_channel(&TWILIO.replace(from, to));
        assert_eq!(
            folder.codes(),
            ["bad-value"],
            "{to}: {:?}",
            folder.findings()
        );
    }
    let push = TWILIO.replace("channel: sms", "channel: push");
    let folder = Folder::good().changed(
        CHANNELS,
        "channel: push\ngateway: { file: { folder: var/outbox } }\n",
        &push,
    );
    assert_eq!(folder.codes(), ["bad-value"]);
}
