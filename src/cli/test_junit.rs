//! Owns the outcome of tests as `JUnit` XML, which build servers show.

use std::collections::BTreeMap;

use anyhow::Result;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::test_words::failure;
use super::tested::Tested;

/// A suite for each file, a case for each test.
pub(super) fn document(tested: &[Tested], zone: &str) -> Result<Vec<u8>> {
    let mut suites: BTreeMap<&str, Vec<&Tested>> = BTreeMap::new();
    for one in tested {
        suites
            .entry(&one.scenario.place.file)
            .or_default()
            .push(one);
    }
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let failures = |tests: &[&Tested]| tests.iter().filter(|one| !one.is_right()).count();
    writer
        .create_element("testsuites")
        .write_inner_content(|writer| {
            for (file, tests) in &suites {
                let (all, failed) = (tests.len().to_string(), failures(tests).to_string());
                let suite = writer
                    .create_element("testsuite")
                    .with_attribute(("name", *file))
                    .with_attribute(("tests", all.as_str()))
                    .with_attribute(("failures", failed.as_str()));
                suite.write_inner_content(|writer| {
                    for one in tests {
                        case(writer, file, one, zone)?;
                    }
                    Ok(())
                })?;
            }
            Ok(())
        })?;
    let mut written = writer.into_inner();
    written.push(b'\n');
    Ok(written)
}

fn case(writer: &mut Writer<Vec<u8>>, file: &str, one: &Tested, zone: &str) -> std::io::Result<()> {
    let seconds = format!("{:.3}", one.took.as_secs_f64());
    let line = one.scenario.place.line.to_string();
    let case = writer
        .create_element("testcase")
        .with_attribute(("name", one.scenario.name.as_str()))
        .with_attribute(("classname", file))
        .with_attribute(("file", file))
        .with_attribute(("line", line.as_str()))
        .with_attribute(("time", seconds.as_str()));
    let Some(failure) = failure(one, zone) else {
        case.write_empty()?;
        return Ok(());
    };
    case.write_inner_content(|writer| {
        let element = writer
            .create_element("failure")
            .with_attribute(("message", "not what is expected"));
        element.write_text_content(BytesText::new(&failure))?;
        Ok(())
    })?;
    Ok(())
}
