//! E-mails in MJML and HTML with styles: laid out when the files are checked, mistakes told where they are.

use drumbeat::domain::communication::Content;

use super::folder::Folder;

const FILE: &str = "flows/templates/offer.mjml";

fn mail(inner: &str) -> String {
    format!(
        "<mjml>\n  <mj-body>\n    <mj-section><mj-column>\n{inner}\n    </mj-column></mj-section>\n    \
         <mj-include path=\"parts/footer.mjml\" />\n  </mj-body>\n</mjml>\n"
    )
}

const FOOTER: &str = "<mj-section><mj-column><mj-text>{{ organization.postal_address }} \
     <a href=\"{{ unsubscribe_url }}\">Stop</a></mj-text></mj-column></mj-section>";

fn folder(inner: &str) -> Folder {
    Folder::good()
        .changed("flows/campaigns/gold-card.yaml", "offer.html", "offer.mjml")
        .with(FILE, mail(inner))
        .with("flows/templates/parts/footer.mjml", FOOTER)
}

#[test]
fn an_e_mail_in_mjml_is_laid_out_with_what_it_includes() {
    let folder = folder("<mj-text>Dear {{ customer.first_name }}</mj-text>");
    assert_eq!(folder.findings(), Vec::<String>::new());
    let revision = folder.check().revision.unwrap();
    let Content::Email(mail) = &revision.campaigns["gold-card"].communications["offer"].content
    else {
        panic!("an e-mail");
    };
    let html = &mail.html.as_ref().unwrap().default;
    for part in [
        "<table",
        "Dear {{ customer.first_name }}",
        "{{ organization.postal_address }}",
        "href=\"{{ unsubscribe_url }}\"",
    ] {
        assert!(html.contains(part), "`{part}` is not in\n{html}");
    }
}

#[test]
fn the_same_may_stand_in_the_yaml_file() {
    let inline = "mjml: \"<mjml><mj-body><mj-section><mj-column><mj-txt>{{ unsubscribe_url }} \
         {{ organization.postal_address }}</mj-txt></mj-column></mj-section></mj-body></mjml>\"";
    let file = "flows/campaigns/gold-card.yaml";
    let folder = Folder::good().changed(file, "template: templates/offer.html", inline);
    let findings = folder.findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(
        findings[0].ends_with("mjml there is no element `mj-txt`"),
        "{findings:?}"
    );
    let folder = Folder::good().changed(
        file,
        "template: templates/offer.html",
        &inline.replace("mj-txt", "mj-text"),
    );
    assert_eq!(folder.findings(), Vec::<String>::new());
}

#[test]
fn a_mistake_is_told_where_it_is() {
    for (inner, finding) in [
        (
            "<mj-buton>x</mj-buton>",
            "offer.mjml:4:2 mjml there is no element `mj-buton`",
        ),
        (
            "<mj-text>{{ customer.frist_name }}</mj-text>",
            "offer.mjml:4:13 template customers have no field `frist_name`",
        ),
        (
            "<mj-include path=\"parts/header.mjml\" />",
            "offer.mjml:4:19 mjml there is no file `parts/header.mjml`",
        ),
        (
            "<mj-include path=\"../../drumbeat.yaml\" />",
            "offer.mjml:4:19 mjml there is no file `../../drumbeat.yaml`",
        ),
        (
            "<mj-text>x",
            "offer.mjml:1:1 mjml the text ends before its last element is closed",
        ),
    ] {
        let findings = folder(inner).findings();
        let told = format!("flows/templates/{finding}");
        assert!(
            findings.iter().any(|f| f.starts_with(&told)),
            "{findings:#?}"
        );
    }
    let in_footer = folder("<mj-text>x</mj-text>").with(
        "flows/templates/parts/footer.mjml",
        FOOTER.replace("</mj-text>", "</mj-text><mj-buton />"),
    );
    let findings = in_footer.findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].starts_with("flows/templates/parts/footer.mjml:1:"));
}

#[test]
fn what_would_grow_or_go_deep_without_bound_is_refused() {
    let bomb = |text: String| {
        let folder = Folder::good().with("flows/templates/offer.html", text);
        let findings = folder.findings();
        assert!(!findings.is_empty(), "a bomb");
        findings
    };
    let deep = bomb(format!(
        "<style>p {{ color: red }}</style>{}",
        "<b>".repeat(60_000)
    ));
    let is_told = |findings: &[String], what: &str| {
        assert!(findings.iter().any(|f| f.contains(what)), "{findings:?}");
    };
    is_told(&deep, "more than 128 deep");
    let looped = bomb("{% for a in range(1000000000) %}x{% endfor %}".to_owned());
    is_told(&looped, " template ");
    let doubled = bomb("{% set a = 'xxxxxxxx' %}{% set a = a ~ a %}".to_owned());
    is_told(&doubled, " template ");

    let mut folder = folder("<mj-include path=\"a0.mjml\" />");
    for n in 0..9 {
        let ten = format!("<mj-include path=\"a{}.mjml\" />", n + 1).repeat(10);
        folder = folder.with(&format!("flows/templates/a{n}.mjml"), ten);
    }
    let findings = folder
        .with("flows/templates/a9.mjml", "<mj-text>ha</mj-text>")
        .findings();
    is_told(&findings, "more than 1 MiB");
    let circle = self::folder("<mj-include path=\"offer.mjml\" />").findings();
    is_told(&circle, "`offer.mjml` includes itself");
}
