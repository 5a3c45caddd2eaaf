//! Owns what is found about e-mails by their contents alone, before they are rendered for anybody.

use super::Remark;
use crate::domain::communication::{Content, EmailContent, Localized};
use crate::domain::flow::FlowStatus;
use crate::domain::plain_text::{attribute, find_tag, tag_end};
use crate::domain::revision::Revision;

/// Gmail shows no more of a message's HTML, and hides what follows: the link to unsubscribe, too.
const CLIPPED: usize = 102 * 1024;
/// Telephones show about so many characters of a subject.
const LONGEST_SUBJECT: usize = 70;

/// What is found about the e-mails of flows that run or are to run.
pub fn remarks(revision: &Revision) -> Vec<Remark> {
    let mut remarks: Vec<Remark> = one_click(revision).into_iter().collect();
    let flows = revision.flows.values();
    for flow in flows.filter(|flow| flow.status != FlowStatus::Stopped || flow.is_draining()) {
        for step in &flow.steps {
            let ways = step.actions.iter().flat_map(|action| action.content.ways());
            for (variant, content) in ways {
                let Content::Email(email) = content else {
                    continue;
                };
                let variant = variant.map_or_else(String::new, |variant| format!(":{variant}"));
                let about = format!("{}/{}{variant}", flow.id, step.id);
                remarks.extend(of_email(&about, email));
            }
        }
    }
    remarks
}

/// One-click unsubscription is `https` (RFC 8058 §3.1).
fn one_click(revision: &Revision) -> Option<Remark> {
    let url = revision.public_url.as_deref().unwrap_or_default();
    let fits = url.starts_with("https://") || url.starts_with("${");
    let why =
        "without a `public-url` that begins with `https://` nobody unsubscribes with one click";
    let help = "set `public-url` to where customers reach this daemon by TLS";
    (!fits).then(|| Remark::error("drumbeat.yaml", why, help))
}

fn of_email(about: &str, email: &EmailContent) -> Vec<Remark> {
    let mut remarks = Vec::new();
    remarks.extend(subject(about, &email.subject));
    if email.html.is_some() && email.text.is_none() {
        remarks.push(Remark::warning(
            about,
            "has no text part of its own: it is made from the HTML",
            "write `text:`, so that what reads no HTML (watches, screen readers, filters) gets good words",
        ));
    }
    if email.preheader.is_none() && email.html.is_some() {
        remarks.push(Remark::warning(
            about,
            "has no preheader: mailboxes show the first words of the HTML beside the subject",
            "write `preheader:`, a sentence that goes on where the subject ends",
        ));
    }
    let html = email.html.iter().flat_map(Localized::texts);
    for (language, html) in html {
        let about = match language {
            Some(language) => format!("{about} ({language})"),
            None => about.to_owned(),
        };
        remarks.extend(size(&about, html));
        remarks.extend(images(&about, html));
    }
    remarks
}

fn subject(about: &str, subject: &Localized) -> Option<Remark> {
    let plain = |text: &str| !text.contains("{{") && !text.contains("{%");
    let mut texts = subject.texts().filter(|(_, text)| plain(text));
    let (_, long) = texts.find(|(_, text)| text.chars().count() > LONGEST_SUBJECT)?;
    let count = long.chars().count();
    Some(Remark::warning(
        about,
        format!("has a subject of {count} characters: telephones cut it off"),
        format!("say it in {LONGEST_SUBJECT}, the important words first"),
    ))
}

fn size(about: &str, html: &str) -> Option<Remark> {
    (html.len() > CLIPPED).then(|| {
        let kilobytes = html.len() / 1024;
        Remark::error(
            about,
            format!("has {kilobytes} KB of HTML: Gmail clips it at 102 KB, with the link to unsubscribe"),
            "take out styles and comments that are not used, and lead to pictures instead of embedding them",
        )
    })
}

fn images(about: &str, html: &str) -> Option<Remark> {
    let mut rest = html;
    let mut without = 0;
    while let Some(at) = find_tag(rest, "<", "img") {
        let tag = &rest[at..];
        let end = tag_end(tag);
        without += usize::from(attribute(&tag[..end], "alt").is_none());
        rest = &tag[end..];
    }
    (without > 0).then(|| {
        Remark::warning(
            about,
            format!(
                "has pictures without `alt` ({without}): who sees none does not know what they miss"
            ),
            "give each a text, or `alt=\"\"` where it only decorates",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(html: &str) -> EmailContent {
        EmailContent {
            subject: Localized::plain("Welcome"),
            preheader: Some(Localized::plain("Good to have you")),
            from: None,
            reply_to: None,
            html: Some(Localized::plain(html)),
            text: Some(Localized::plain("Hello")),
        }
    }

    fn said(email: &EmailContent) -> Vec<String> {
        let remarks = of_email("f/hello", email);
        remarks.into_iter().map(|remark| remark.message).collect()
    }

    #[test]
    fn a_good_email_is_not_spoken_of() {
        let html = "<p>Hello <img src='a.png' alt=\"\"><IMG alt='A card' src=b.png></p>";
        assert_eq!(said(&email(html)), [""; 0]);
    }

    #[test]
    fn pictures_without_words_are_counted() {
        let html = "<img src=a.png><img alt='x > y' src=b><img src='alt=1'>";
        let said = said(&email(html));
        assert_eq!(said.len(), 1);
        assert!(
            said[0].starts_with("has pictures without `alt` (2)"),
            "{said:?}"
        );
    }

    #[test]
    fn html_that_gmail_clips_is_an_error() {
        let fits = "x".repeat(CLIPPED);
        assert_eq!(said(&email(&fits)), [""; 0]);
        let remarks = of_email("f/hello", &email(&format!("{fits}x")));
        assert_eq!(remarks[0].severity, super::super::Severity::Error);
        assert!(remarks[0].message.starts_with("has 102 KB of HTML"));
    }

    #[test]
    fn what_is_missing_and_what_is_long_is_said() {
        let email = EmailContent {
            subject: Localized::plain("x".repeat(71)),
            preheader: None,
            text: None,
            ..email("<p>Hello</p>")
        };
        let said = said(&email);
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said[0].starts_with("has a subject of 71 characters"));
        assert!(said[1].starts_with("has no text part"));
        assert!(said[2].starts_with("has no preheader"));
    }

    #[test]
    fn one_click_needs_tls() {
        let mut revision = Revision::default();
        assert_eq!(remarks(&revision).len(), 1);
        revision.public_url = Some("http://bank.example".to_owned());
        assert_eq!(remarks(&revision).len(), 1);
        revision.public_url = Some("https://bank.example".to_owned());
        assert_eq!(remarks(&revision), []);
    }
}
