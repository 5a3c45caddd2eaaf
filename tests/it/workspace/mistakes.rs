//! Owns the test that twelve mistakes of one workspace are all told in one run.

use std::time::{Duration, Instant};

use drumbeat::workspace::{self, render};

use super::folder::Folder;

fn alias_bomb() -> String {
    let mut text = "segment: bomb\nwhere: &a0 { tag: vip }\n".to_owned();
    for level in 1..20 {
        let before = vec![format!("*a{}", level - 1); 10].join(", ");
        text.extend([format!("x{level}: &a{level} [{before}]\n")]);
    }
    text
}

fn twelve_mistakes() -> Folder {
    let flow = |id: &str, rest: &str| {
        format!("flow: {id}\ncategory: onboarding\nsegment: new-members\nsteps:\n{rest}")
    };
    let sms = "  - id: a\n    after: 1d\n    sms: { text: Hello }\n";
    Folder::good()
        .with(
            "flows/01-unknown-key.yaml",
            flow("one", sms).replace("steps:", "dismisable: true\nsteps:"),
        )
        .with(
            "flows/02-misspelled-field.yaml",
            "segment: two\nwhere:\n  all:\n    - { field: joind_on, within-last: 30d }\n",
        )
        .with("flows/03-missing-segment.yaml", flow("three", sms).replace("new-members", "new-member"))
        .with(
            "flows/04-forbidden-action.yaml",
            flow("four", "  - id: a\n    email: gold-card/homepage\n"),
        )
        .with(
            "flows/05-circle.yaml",
            "segment: five-a\nwhere: { segment: five-b }\n---\nsegment: five-b\nwhere: { not: { segment: five-a } }\n",
        )
        .with("flows/06-bad-duration.yaml", flow("six", sms).replace("1d", "4 days"))
        .with("flows/07-duplicate-id.yaml", flow("welcome", sms))
        .with(
            "flows/08-undefined-variable.yaml",
            flow("eight", sms).replace("Hello", "\"Hello {{ customer.frist_name }}\""),
        )
        .with("flows/09-tab.yaml", flow("nine", "  - id: a\n\tafter: 1d\n"))
        .with("flows/10-brackets.yaml", "[".repeat(200_000))
        .with("flows/11-alias-bomb.yaml", alias_bomb())
        .with(
            "flows/12-secret.yaml",
            flow("twelve", sms).replace("Hello", "\"Your code is ${PROMO_KEY}\""),
        )
}

#[test]
fn twelve_mistakes_are_all_told_in_one_run() {
    let folder = twelve_mistakes();
    let sources = folder.load();
    let started = Instant::now();
    let checked = workspace::check(&sources);
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
    assert!(checked.revision.is_none());
    let files: std::collections::BTreeSet<&str> = checked
        .diagnostics
        .iter()
        .map(|d| d.file.as_str())
        .collect();
    assert!(files.len() >= 12, "{files:?}");
    insta::assert_snapshot!(
        "twelve_mistakes_text",
        render::text(&sources, &checked.diagnostics, false)
    );
    insta::assert_json_snapshot!("twelve_mistakes_json", render::json(&checked.diagnostics));
    insta::assert_snapshot!(
        "twelve_mistakes_github",
        render::github(&checked.diagnostics)
    );
}

#[test]
fn thousands_of_mistakes_are_counted_and_not_all_shown_to_people() {
    let rows = "    - { field: joind_on, exists: true }\n".repeat(3000);
    let text = format!("segment: many\nwhere:\n  any:\n{rows}");
    let folder = Folder::good().with("flows/many.yaml", text);
    let (sources, checked) = (folder.load(), folder.check());
    let shown = render::text(&sources, &checked.diagnostics, false);
    assert!(shown.ends_with("and 2800 more\n\n3000 errors\n"));
    assert_eq!(shown.matches("unknown-field").count(), 200);
    assert_eq!(render::github(&checked.diagnostics).lines().count(), 3000);
}
