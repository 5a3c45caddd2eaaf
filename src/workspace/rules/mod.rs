//! Owns the list of rules; the doc of each rule's file is its page under `docs/rules/`.

macro_rules! rules {
    ($($name:ident)*) => {
        $(pub(crate) mod $name;)*

        /// The name and the source of each rule.
        const SOURCES: &[(&str, &str)] = &[
            $((stringify!($name), include_str!(concat!(stringify!($name), ".rs")))),*
        ];
    };
}

rules! {
    alias
    at_outside_window
    bad_duration
    bad_value
    boolean
    built_in_field
    channel_without_gateway
    condition_mismatch
    document_too_complex
    duplicate_id
    duplicate_key
    email_without_from
    everyone
    exactly_one
    field_identifier
    file_too_large
    file_wins
    forbidden_action
    in_flow_reentry
    lead_generation
    missing_campaign
    missing_communication
    missing_key
    missing_language
    missing_segment
    missing_template
    mjml
    no_postal_address
    no_steps
    no_unsubscribe_link
    not_supported_yet
    not_utf_8
    nul_character
    rating_reentry
    secret_in_flows
    segment_circle
    service_purpose
    sms_alphabet
    sms_too_long
    tab_indentation
    template
    text_cut
    unknown_category
    unknown_document
    unknown_field
    unknown_flow
    unknown_group
    unknown_key
    unknown_tag
    unknown_zone
    unquoted_template
    unquoted_value
    wrong_type
    yaml_syntax
}

/// The code and the page of each rule, made from the doc of its file.
pub fn pages() -> impl Iterator<Item = (String, String)> {
    SOURCES
        .iter()
        .map(|(name, source)| (name.replace('_', "-"), page(source)))
}

fn page(source: &str) -> String {
    let mut page = String::new();
    for line in source.lines().map_while(|line| line.strip_prefix("//!")) {
        let line = line.strip_prefix(' ').unwrap_or(line);
        match line.strip_prefix("Owns the rule ") {
            Some(title) => page.extend(["# ", title.trim_end_matches('.')]),
            None => page.push_str(line),
        }
        page.push('\n');
    }
    page
}
