//! Owns what an e-mail looks like on the wire.

use std::path::Path;

use drumbeat::channels::email::{House, Mail, Unsendable, compose};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::gateway::{FileGateway, Gateway};
use drumbeat::domain::message::{Message, Rendered, RenderedEmail, RenderedSms};

use super::{config, email, mail_to, message, with_setup};

fn house() -> House {
    let folder = FileGateway {
        folder: String::new(),
    };
    let config = config(Channel::Email, Gateway::File(folder));
    with_setup(&config, Path::new("/"), |setup| House::open(setup).unwrap())
}

fn composed(message: &Message) -> Result<Mail, Unsendable> {
    compose(message, &house())
}

fn with(email: RenderedEmail) -> Message {
    message(1, "ana@example.test", Rendered::Email(email))
}

fn wire(email: RenderedEmail) -> String {
    String::from_utf8(composed(&with(email)).unwrap().bytes).unwrap()
}

#[test]
fn an_e_mail_carries_its_headers_and_both_bodies() {
    let text = wire(RenderedEmail {
        from: Some("Café Lakeside <news@bücher.test>".to_owned()),
        reply_to: Some("help@lakeside.test".to_owned()),
        subject: "¡Bienvenida, Ana! Your new account at Lakeside Credit Union is ready to use"
            .to_owned(),
        html: Some("<p>Hello Ana, è pronto</p>\n".to_owned()),
        text: Some("Hello Ana\rand more\n\nbye".to_owned()),
        unsubscribe_url: Some(format!("https://lakeside.test/u/{}", "x".repeat(90))),
        list_id: Some("new members".to_owned()),
    });
    insta::assert_snapshot!(text.replace("\r\n", "\n"));
    let lone = text.replace("\r\n", "");
    assert!(!lone.contains(['\r', '\n']), "a lone line end in {text:?}");
}

#[test]
fn a_plain_e_mail_has_one_part_and_the_channels_sender() {
    let text = wire(email());
    insta::assert_snapshot!(text.replace("\r\n", "\n"));
    assert!(text.is_ascii());
}

#[test]
fn an_e_mail_is_the_same_to_the_byte_on_every_try() {
    let both = RenderedEmail {
        html: Some("<p>Hello</p>".to_owned()),
        ..email()
    };
    let first = composed(&with(both.clone())).unwrap();
    let mut again = with(both);
    again.attempt = 7;
    assert_eq!(first, composed(&again).unwrap());
}

#[test]
fn nobody_writes_headers_through_a_field() {
    for (what, broken) in [
        (
            "subject",
            RenderedEmail {
                subject: "Hi\r\nBcc: all@example.test".to_owned(),
                ..email()
            },
        ),
        (
            "from",
            RenderedEmail {
                from: Some("A\nBcc: x <a@b.test>".to_owned()),
                ..email()
            },
        ),
        (
            "reply-to",
            RenderedEmail {
                reply_to: Some("a@b.test\r\nX: y".to_owned()),
                ..email()
            },
        ),
    ] {
        let error = composed(&with(broken)).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("`{what}` holds the control character U+000")),
            "{error}"
        );
    }
    let to = composed(&mail_to("ana@example.test\r\nRCPT TO:<x@y.test>")).unwrap_err();
    assert!(
        to.to_string()
            .starts_with("`to` holds the control character U+000D"),
        "{to}"
    );
    let link = RenderedEmail {
        unsubscribe_url: Some("https://a.test/>\r\nX: y".to_owned()),
        ..email()
    };
    assert!(matches!(composed(&with(link)), Err(Unsendable::Link(_))));
    let list = RenderedEmail {
        list_id: Some("a>\r\nX: y".to_owned()),
        ..email()
    };
    assert!(wire(list).contains("\r\nList-ID: <a---X--y.lakeside.test>\r\n"));
}

#[test]
fn what_cannot_be_an_e_mail_says_why() {
    let error = |message: &Message| composed(message).unwrap_err().to_string();
    let empty = RenderedEmail {
        text: None,
        ..email()
    };
    assert_eq!(
        error(&with(empty)),
        "the message has neither a text nor an html body"
    );
    let nobody = compose(&mail_to("ana@example.test"), &House::default()).unwrap_err();
    assert!(
        nobody.to_string().starts_with("nobody is the sender"),
        "{nobody}"
    );
    let sms = Rendered::Sms(RenderedSms {
        text: "Hi".to_owned(),
    });
    assert!(
        error(&message(1, "ana@example.test", sms)).starts_with("the message is not an e-mail")
    );
    for to in [
        "",
        "ana",
        "ana@",
        "ana@example.test, ben@example.test",
        "añá@example.test",
    ] {
        let expected = "`to` is not an e-mail address that this channel can use";
        assert!(error(&mail_to(to)).starts_with(expected), "{to}");
    }
}
