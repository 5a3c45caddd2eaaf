//! Owns what the file gateway leaves in its folder.

use std::fs;
use std::path::Path;

use drumbeat::channels::SharedGateway;
use drumbeat::channels::registry;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::gateway::{FileGateway, Gateway};
use drumbeat::domain::message::{Message, Rendered, RenderedPush, RenderedSms};
use tempfile::TempDir;

use super::{Marks, config, dispatch, mail_to, message, said, with_setup};

fn files(workspace: &Path, channel: Channel) -> SharedGateway {
    let gateway = Gateway::File(FileGateway {
        folder: "outbox".to_owned(),
    });
    let config = config(channel, gateway);
    with_setup(&config, workspace, |setup| registry::open(setup).unwrap())
}

/// What is in the day's folder: names and contents.
fn outbox(workspace: &Path) -> Vec<(String, String)> {
    let day = workspace.join("outbox/2026-01-09");
    let mut files: Vec<_> = fs::read_dir(day)
        .unwrap()
        .map(|file| file.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

async fn written(channel: Channel, message: &Message) -> (String, String) {
    let workspace = TempDir::new().unwrap();
    let marks = Marks::default();
    let outcome = files(workspace.path(), channel).send(message, &marks).await;
    assert!(said(&outcome).starts_with("accepted | "), "{outcome:?}");
    assert_eq!(marks.count(), 1);
    let mut files = outbox(workspace.path());
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

#[tokio::test]
async fn an_e_mail_becomes_the_very_bytes_of_its_mail() {
    let (name, content) = written(Channel::Email, &mail_to("ana@example.test")).await;
    assert_eq!(name, format!("20260109-103005-{}.eml", dispatch(1)));
    assert!(
        content.starts_with("Date: Fri, 09 Jan 2026 10:30:05 +0000\r\n"),
        "{content}"
    );
    assert!(
        content.contains("\r\n.a line that begins with a dot\r\n"),
        "{content}"
    );
}

#[tokio::test]
async fn an_sms_and_a_push_become_json() {
    let sms = Rendered::Sms(RenderedSms {
        text: "Hi Ana".to_owned(),
    });
    let (name, content) = written(Channel::Sms, &message(2, "+15550100", sms)).await;
    assert_eq!(name, format!("20260109-103005-{}.json", dispatch(2)));
    insta::assert_snapshot!("sms_file", content);
    let push = Rendered::Push(RenderedPush {
        title: "Hi".to_owned(),
        body: "Your card is ready".to_owned(),
        link: Some("lakeside://card".to_owned()),
    });
    let (_, content) = written(Channel::Push, &message(3, "device-1", push)).await;
    insta::assert_snapshot!("push_file", content);
}

#[tokio::test]
async fn the_same_message_twice_is_one_file() {
    let workspace = TempDir::new().unwrap();
    let gateway = files(workspace.path(), Channel::Email);
    for attempt in 1..3 {
        let mut message = mail_to("ana@example.test");
        message.attempt = attempt;
        let outcome = gateway.send(&message, &Marks::default()).await;
        assert!(said(&outcome).starts_with("accepted | "), "{outcome:?}");
    }
    assert_eq!(outbox(workspace.path()).len(), 1);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_the_gateways_fault() {
    let workspace = TempDir::new().unwrap();
    fs::write(workspace.path().join("outbox"), "a file, not a folder").unwrap();
    let marks = Marks::default();
    let gateway = files(workspace.path(), Channel::Email);
    let outcome = said(&gateway.send(&mail_to("ana@example.test"), &marks).await);
    assert!(outcome.starts_with("deferred Gateway | "), "{outcome}");
    assert_eq!(marks.count(), 0);
}
