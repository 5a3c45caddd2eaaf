//! Owns the counterparts of a daemon that speaks on every channel: a mail server, an SMS and a push gateway.

use serde_json::Value;

use super::process::Place;
use crate::rig::http_script::HttpScript;
use crate::rig::port;
use crate::rig::smtp_sink::SmtpSink;

const PEOPLE: &str = "\
id,email,phone,city
ana,ana@example.com,+59899100001,Lyon
ben,ben@example.com,+59899100002,Lyon
eva,eva@example.com,+59899100003,Lyon
";

pub(super) struct Gateways {
    mail: SmtpSink,
    sms: HttpScript,
    push: HttpScript,
}

impl Gateways {
    /// Counterparts that take everything, and a place whose channels lead to them; its links lead
    /// to the place's own daemon. Ana, Ben and Eva qualify.
    pub(super) async fn beside(place: &Place, flows: &[(&str, &str)]) -> Self {
        let gateways = Self {
            mail: SmtpSink::start_keeping(&[]).await,
            sms: HttpScript::start(|_| (200, vec![], r#"{"id":"S1"}"#)).await,
            push: HttpScript::start(|_| (200, vec![], r#"{"id":"P1"}"#)).await,
        };
        let port = place.port;
        let settings = format!(
            "workspace: test\nlisten: \"127.0.0.1:{port}\"\npublic-url: http://127.0.0.1:{port}\n"
        );
        place.write("drumbeat.yaml", &settings);
        place.write("email.yaml", &gateways.channels());
        std::fs::remove_file(place.path().join("flows/welcome.yaml")).unwrap();
        for (name, text) in flows {
            place.write(name, text);
        }
        place.write("customers.csv", PEOPLE);
        place.said(&["import", "customers.csv"]).await;
        gateways
    }

    fn channels(&self) -> String {
        let (mail, sms, push) = (self.mail.port, self.sms.url(), self.push.url());
        format!(
            r#"channel: email
gateway: {{ smtp: {{ host: 127.0.0.1, port: "{mail}", security: none }} }}
from: "Lakeside <hello@lakeside.example>"
---
channel: sms
gateway: {{ http: {{ url: "{sms}", json: {{ to: "{{{{ message.to }}}}", text: "{{{{ message.text }}}}" }} }} }}
---
channel: push
gateway: {{ http: {{ url: "{push}", json: {{ to: "{{{{ message.to }}}}", title: "{{{{ message.title }}}}", link: "{{{{ message.link }}}}" }} }} }}
"#
        )
    }

    /// Every mail that the mail server took, readable: folds and soft line ends undone.
    pub(super) fn mails(&self) -> Vec<String> {
        let mails = self.mail.mails().into_iter();
        mails.map(|mail| readable(&mail)).collect()
    }

    pub(super) fn texts(&self) -> Vec<Value> {
        bodies(&self.sms)
    }

    pub(super) fn pushes(&self) -> Vec<Value> {
        bodies(&self.push)
    }

    /// Waits for so many mails and texts.
    pub(super) async fn take(&self, mails: usize, texts: usize) {
        let all = || (self.mails().len() >= mails && self.texts().len() >= texts).then_some(());
        port::eventually("the messages", all).await;
    }
}

fn bodies(script: &HttpScript) -> Vec<Value> {
    let heard = script.heard().into_iter();
    heard
        .map(|request| serde_json::from_str(&request.body).unwrap())
        .collect()
}

fn readable(mail: &str) -> String {
    let plain = mail.replace('\r', "").replace("=\n", "");
    plain.replace("\n ", "").replace("=3D", "=")
}

/// The first link in the text that begins like this.
pub(super) fn link(text: &str, beginning: &str) -> String {
    let at = text
        .find(beginning)
        .unwrap_or_else(|| panic!("no {beginning} in {text}"));
    let rest = &text[at..];
    let end = rest.find([' ', '>', '\n', '"']).unwrap_or(rest.len());
    rest[..end].to_owned()
}

/// The head and the body of the mail to somebody.
pub(super) fn parts_of<'a>(mails: &'a [String], id: &str) -> (&'a str, &'a str) {
    let to = format!("To: {id}@example.com");
    let mail = mails.iter().find(|mail| mail.contains(&to)).unwrap();
    mail.split_once("\n\n").unwrap()
}
