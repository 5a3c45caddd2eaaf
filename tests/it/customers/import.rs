//! Importing customers into a real store.

use drumbeat::customers::error::Error;
use drumbeat::customers::import::ImportReport;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::FieldValue;
use drumbeat::domain::subscription::Consent;
use drumbeat::domain::value::Value;
use drumbeat::store::Presence;
use jiff::civil::date;

use super::bank::{bank, by_mara, noon};

/// created, updated, unchanged, rejected
fn counts(report: &ImportReport) -> [u64; 4] {
    let counts = [
        report.created,
        report.updated,
        report.unchanged,
        report.rejected,
    ];
    let sum: u64 = counts.iter().sum();
    assert_eq!(report.read, sum + report.duplicates);
    counts
}

fn one(value: Value) -> FieldValue {
    FieldValue::One(value)
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[tokio::test]
async fn every_cell_becomes_a_typed_value_of_its_field() {
    let bank = bank().await;
    let report = bank
        .import(
            "ID,First name,joined_on,seen_at,balance,paperless,products\n\
             ana,Ana,31.01.2026,2026-01-31T09:30,12.50,yes,checking; savings;checking\n",
        )
        .await;
    assert_eq!(counts(&report), [1, 0, 0, 0]);
    let ana = bank.customer("ana").await;
    let field = |name: &str| ana.fields.get(name).cloned();
    assert_eq!(field("first_name").unwrap(), one(text("Ana")));
    assert_eq!(
        field("joined_on").unwrap(),
        one(Value::Date(date(2026, 1, 31)))
    );
    // 09:30 in the workspace's zone, New York.
    let instant = "2026-01-31T14:30:00Z".parse().unwrap();
    assert_eq!(field("seen_at").unwrap(), one(Value::Instant(instant)));
    assert_eq!(field("balance").unwrap(), one(Value::Number(12.5)));
    assert_eq!(field("paperless").unwrap(), one(Value::Boolean(true)));
    let products = FieldValue::Many(vec![text("checking"), text("savings")]);
    assert_eq!(field("products"), Some(products));
}

#[tokio::test]
async fn a_latin_1_semicolon_file_is_imported_without_being_told() {
    let bank = bank().await;
    let report = bank
        .import(b"id;city;products\r\n1;M\xe1laga;a,b\r\n2;La Coru\xf1a;\r\n")
        .await;
    assert_eq!(report.encoding, "windows-1252");
    let customer = bank.customer("1").await;
    assert_eq!(customer.text("city"), Some("Málaga"));
    let products = FieldValue::Many(vec![text("a"), text("b")]);
    assert_eq!(customer.fields.get("products"), Some(&products));
}

#[tokio::test]
async fn columns_are_mapped_as_wanted_and_the_unknown_ones_are_named_once() {
    let bank = bank().await;
    let mut request = bank.request("Kunde,Ort,Shoe size,City\n1,Köln,43,x\n2,Bonn,44,y\n");
    request.input.map = vec![
        ("kunde".to_owned(), "id".to_owned()),
        ("Ort".to_owned(), "city".to_owned()),
    ];
    let report = bank.try_import(&request).await.unwrap();
    assert_eq!(report.ignored_columns, ["Shoe size", "City"]);
    assert_eq!(bank.customer("1").await.text("city"), Some("Köln"));
}

#[tokio::test]
async fn rejected_rows_keep_their_cells_with_line_and_reason_and_the_rest_is_stored() {
    let bank = bank().await;
    let report = bank
        .import(
            "id,email,instagram_profile,note\n\
             ok,ok@example.com,@ok,fine\n\
             bad,nobody,plain,\"two\nlines\"\n\
             ,lost@example.com,,no id\n\
             short,x\n\
             \"in\nject\",a@example.com,@a,\n\
             last,last@example.com,@last,\"two\nlines\"\n",
        )
        .await;
    assert_eq!(counts(&report), [2, 0, 0, 4]);
    let file = report.rejects_file.unwrap();
    assert_eq!(file, bank.folder.path().join("people.rejects.csv"));
    let expected = "id,email,instagram_profile,note,line,reason\n\
        bad,nobody,plain,\"two\nlines\",3,`email`: `nobody` is not an e-mail address; \
        `instagram_profile`: must begin with @\n\
        ,lost@example.com,,no id,5,`id`: is empty: every customer needs a unique id\n\
        short,x,,,6,\"the row has 2 cells, and the header 4 columns\"\n\
        \"in\nject\",a@example.com,@a,,7,`id`: holds a line break\n";
    assert_eq!(std::fs::read_to_string(file).unwrap(), expected);
    assert_eq!(bank.store.customer_count().await.unwrap(), 2);
}

#[tokio::test]
async fn a_corrected_rejects_file_can_be_imported_as_it_is() {
    let bank = bank().await;
    let report = bank.import("id,email\na,nobody\n").await;
    let file = report.rejects_file.unwrap();
    let corrected = std::fs::read_to_string(file).unwrap();
    let corrected = corrected.replacen("a,nobody", "a,a@example.com", 1);
    let report = bank.import(&corrected).await;
    assert_eq!(counts(&report), [1, 0, 0, 0]);
    assert_eq!(report.ignored_columns, ["line", "reason"]);
}

#[tokio::test]
async fn a_second_import_of_the_same_file_changes_nothing() {
    let bank = bank().await;
    let file = "id,city,joined_on,balance,products\n1,Lyon,2026-01-31,1.5,a;b\n2,,,,\n";
    assert_eq!(counts(&bank.import(file).await), [2, 0, 0, 0]);
    let before = bank.customer("1").await;
    bank.clock.advance(jiff::SignedDuration::from_hours(1));
    assert_eq!(counts(&bank.import(file).await), [0, 0, 2, 0]);
    assert_eq!(bank.customer("1").await, before);
}

#[tokio::test]
async fn a_column_says_all_about_its_field_and_nothing_about_the_others() {
    let bank = bank().await;
    bank.import("id,city,zip\n1,Lyon,69001\n").await;
    let report = bank.import("id,city\n1,\n").await;
    assert_eq!(counts(&report), [0, 1, 0, 0]);
    let customer = bank.customer("1").await;
    assert_eq!(
        (customer.text("city"), customer.text("zip")),
        (None, Some("69001"))
    );
}

#[tokio::test]
async fn of_several_rows_for_one_customer_the_last_is_stored_and_the_others_are_counted() {
    let bank = bank().await;
    let file = "id,city\n1,Lyon\n2,Rome\n1,Oslo\n1,Bern\n";
    let report = bank.import(file).await;
    assert_eq!(counts(&report), [2, 0, 0, 0]);
    assert_eq!(report.duplicates, 2);
    assert_eq!(bank.customer("1").await.text("city"), Some("Bern"));
    assert_eq!(counts(&bank.import(file).await), [0, 0, 2, 0]);
}

#[tokio::test]
async fn a_dry_run_counts_and_rejects_but_stores_nothing() {
    let bank = bank().await;
    bank.import("id,city\n1,Lyon\n2,Rome\n").await;
    let mut request = bank.request("id,city,email\n1,Lyon,\n2,Oslo,\n3,Bern,\n4,,nobody\n");
    request.dry_run = true;
    let report = bank.try_import(&request).await.unwrap();
    assert_eq!(counts(&report), [1, 1, 1, 1]);
    assert!(report.rejects_file.unwrap().exists());
    assert_eq!(bank.store.customer_count().await.unwrap(), 2);
    assert_eq!(bank.customer("2").await.text("city"), Some("Rome"));
}

#[tokio::test]
async fn tags_and_consents_go_to_every_imported_customer() {
    let bank = bank().await;
    let mut request = bank.request("id\n1\n2\n");
    request.tags = vec!["spring-fair".to_owned()];
    request.consents = vec![(Channel::Sms, Consent::OptedIn)];
    let report = bank.try_import(&request).await.unwrap();
    assert_eq!(counts(&report), [2, 0, 0, 0]);
    for id in ["1", "2"] {
        let customer = bank.customer(id).await;
        assert_eq!(customer.tags, ["spring-fair"]);
        assert_eq!(customer.consents.sms, Consent::OptedIn);
        assert_eq!(customer.consents.email, Consent::Subscribed);
    }
    let again = bank.try_import(&request).await.unwrap();
    assert_eq!(counts(&again), [0, 0, 2, 0]);
}

#[tokio::test]
async fn a_tag_that_is_not_declared_is_refused_before_anything_is_read() {
    let bank = bank().await;
    let mut request = bank.request("id\n1\n");
    request.tags = vec!["springfair".to_owned()];
    let error = bank.try_import(&request).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown tag `springfair`: did you mean `spring-fair`?"
    );
    assert_eq!(bank.store.customer_count().await.unwrap(), 0);
}

#[tokio::test]
async fn what_stops_an_import_says_how_much_is_stored() {
    let bank = bank().await;
    let mut file = b"id,city\n1,Lyon\n2,Rome\n3,\"open\n".to_vec();
    file.resize(2 * 1024 * 1024, b'x');
    let error = bank.try_import(&bank.request(&file)).await.unwrap_err();
    assert!(matches!(error, Error::Stopped { stored: 2, .. }), "{error}");
    assert!(error.to_string().starts_with("line 4: "), "{error}");
    assert_eq!(bank.store.customer_count().await.unwrap(), 2);
}

#[tokio::test]
async fn rejected_rows_never_overwrite_the_input() {
    let bank = bank().await;
    let mut request = bank.request("id,email\n1,nobody\n");
    request.input.rejects = Some(request.input.path.clone());
    assert!(matches!(
        bank.try_import(&request).await,
        Err(Error::Rejects(_))
    ));
}

#[tokio::test]
async fn a_file_of_many_windows_is_stored_whole() {
    let bank = bank().await;
    let rows = 40_000;
    let lines: Vec<String> = (0..rows).map(|row| format!("c{row},Lyon")).collect();
    let file = format!("id,city\n{}\n", lines.join("\n"));
    let report = bank.import(&file).await;
    assert_eq!(counts(&report), [rows, 0, 0, 0]);
    assert_eq!(bank.store.customer_count().await.unwrap(), rows);
}

#[tokio::test]
async fn beside_a_daemon_every_row_is_stored_as_well() {
    let bank = bank().await;
    let (store, presence) = (&bank.store, Presence::default());
    let owned = store.own("a daemon").await.unwrap();
    if store.is_shared() {
        let renewed = store.renew(owned.incarnation, 60_000_000, &presence);
        renewed.await.unwrap();
    }
    assert!(
        bank.store
            .owner()
            .await
            .unwrap()
            .unwrap()
            .starts_with("a daemon")
    );
    let lines: Vec<String> = (0..5_000).map(|row| format!("c{row},Lyon")).collect();
    let report = bank
        .import(format!("id,city\n{}\n", lines.join("\n")))
        .await;
    assert_eq!(counts(&report), [5_000, 0, 0, 0]);
    if store.is_shared() {
        store.leave(owned.incarnation).await.unwrap();
    }
    drop(owned);
    assert_eq!(bank.store.owner().await.unwrap(), None);
}

#[tokio::test]
async fn the_audit_has_one_line_for_a_whole_import() {
    let bank = bank().await;
    bank.import("id,email\n1,\n2,\n3,nobody\n").await;
    let lines = bank.store.audit_lines(10).await.unwrap();
    assert_eq!(lines.len(), 1);
    let line = &lines[0];
    assert_eq!(
        (line.what.as_str(), line.actor.as_str()),
        ("import", "mara")
    );
    let detail: serde_json::Value = serde_json::from_str(line.detail.as_deref().unwrap()).unwrap();
    assert_eq!(detail["file"], "people.csv");
    assert_eq!(
        (&detail["created"], &detail["rejected"]),
        (&2.into(), &1.into())
    );
}

#[tokio::test]
async fn a_consent_for_a_whole_file_takes_nobodys_refusal_back() {
    let bank = bank().await;
    bank.import("id\nana\nben\n").await;
    let ana = bank.customer("ana").await.id;
    let by = by_mara();
    let refused = bank
        .store
        .set_consent(ana, Channel::Sms, Consent::Unsubscribed, &by, noon());
    assert!(refused.await.unwrap());
    let mut request = bank.request("id,city\nana,Lyon\nben,Lyon\n");
    request.consents = vec![(Channel::Sms, Consent::OptedIn)];
    let report = bank.try_import(&request).await.unwrap();
    assert_eq!(counts(&report), [0, 2, 0, 0]);
    assert_eq!(
        bank.customer("ana").await.consents.sms,
        Consent::Unsubscribed
    );
    assert_eq!(bank.customer("ben").await.consents.sms, Consent::OptedIn);
}
