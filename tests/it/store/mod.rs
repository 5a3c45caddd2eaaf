//! Owns the conformance suite of the store: every function takes a fresh one, whatever its database.

mod aliases;
mod api;
mod beside;
mod chance;
mod changing;
mod check;
mod consent;
mod copy;
mod customers;
mod defining;
mod deletions;
mod devices;
mod drawn;
mod edges;
mod enrolled;
mod erasure;
mod filled;
mod history;
mod import_desk;
mod import_traces;
mod imports;
mod incremental;
mod job_office;
mod job_traces;
mod jobs;
mod life;
mod line_imports;
mod lists;
mod merging;
mod occurrences;
mod operation;
mod oracle;
mod orders;
mod pages;
mod people;
mod property;
mod race;
mod returning;
mod reverting;
mod revisions;
mod rig;
mod search;
mod segments;
mod statements;
mod tags;
mod upsert;

/// Runs each function of the suite against a fresh store of this kind.
macro_rules! suite {
    ($database:ident $open:ident $($module:ident { $($test:ident)+ })+) => {
        mod $database {
            $(mod $module {
                $(#[tokio::test]
                async fn $test() {
                    crate::store::$module::$test(crate::store::rig::$open().await).await;
                })+
            })+
        }
    };
}

/// Runs them against a fresh store of each database.
macro_rules! for_every_database {
    ($($suite:tt)+) => {
        suite! { sqlite on_sqlite $($suite)+ }
        suite! { postgres on_postgres $($suite)+ }
    };
}

// What only a file has.
suite! {
    file on_sqlite
    operation {
        one_process_owns_a_store_and_each_start_has_a_number
        a_backup_is_a_whole_store
        a_backup_never_replaces_a_file
    }
    erasure {
        no_byte_of_a_deleted_customer_is_left_in_the_file
    }
    statements {
        no_statement_walks_a_table_of_customers_unless_it_says_so
    }
}

// What only a server has.
suite! {
    server on_postgres
    statements {
        every_statement_for_one_shard_goes_there_alone
        a_batch_is_gone_through_once
    }
}

// A server whose language has an order of its own.
suite! {
    sorted on_sorted_postgres
    customers {
        customers_come_in_the_order_asked_for
    }
    search {
        a_customer_is_found_by_what_people_type
    }
    orders {
        every_order_lists_everybody_once_and_the_missing_last
    }
    segments {
        text_is_compared_without_case_and_accents
        what_looks_like_a_pattern_is_literal
    }
    property {
        every_condition_means_what_the_oracle_says
    }
}

for_every_database! {
    api {
        a_token_reads_back_and_its_name_is_free_once_it_is_revoked
        a_use_of_a_token_is_written_once_a_minute
        a_request_is_carried_out_once_and_its_answer_kept
        of_several_at_once_one_request_is_the_first
        an_edit_upon_another_version_is_refused
        of_several_edits_upon_one_version_one_is_made
        each_customer_of_a_batch_is_told_apart
        pages_leave_nobody_out_and_list_nobody_twice
    }
    aliases {
        a_row_under_a_merged_id_speaks_of_whom_it_leads_to
        an_id_that_leads_to_nobody_any_more_is_free
        a_merged_id_is_nobody_elses_whatever_a_row_is_found_by
        who_is_given_under_a_merged_id_is_changed_and_not_made
        ids_lead_on_only_until_somebody_else_has_them
    }
    check {
        a_check_names_what_is_wrong
        a_check_misses_the_column_of_a_field
    }
    copy {
        every_table_is_copied_or_has_a_reason_not_to_be
        a_store_of_another_version_is_looked_at_and_left_as_it_is
    }
    revisions {
        a_published_revision_reads_back_equal
        publishing_the_same_content_again_changes_nothing
        a_revision_that_came_meanwhile_is_not_written_over
        whoever_sees_a_revision_sees_that_its_node_runs_it
        numbers_never_change_over_revisions
        a_changed_type_is_a_new_column_and_leaves_the_old_values
        the_people_of_a_removed_step_go_to_the_step_after_it
        a_removed_step_that_comes_back_is_no_longer_removed
        a_flow_that_was_away_is_compared_with_what_it_last_was
        only_a_change_of_timing_makes_a_flow_timed_anew
        the_last_check_reads_back
    }
    upsert {
        a_second_import_of_the_same_rows_changes_nothing
        only_rows_that_differ_are_written_and_marked
        a_field_that_is_not_named_stays_and_none_clears
        later_rows_of_the_same_customer_win
        every_type_reads_back_as_it_was_written
        tags_and_lists_count_as_changes_where_they_are_new
        a_given_consent_is_recorded_once_with_who_gave_it
        a_value_of_another_type_is_refused_and_nothing_is_written
        ten_thousand_rows_go_in_at_once
        the_few_who_are_known_among_many_new_ones_are_changed
    }
    customers {
        customers_come_in_the_order_asked_for
        every_page_goes_on_where_the_last_one_ended
        setting_a_field_to_what_it_is_writes_nothing
        fields_of_an_unknown_customer_cannot_be_set
    }
    defining {
        a_definition_and_its_revision_are_written_together_or_not_at_all
        files_that_were_checked_with_older_definitions_are_not_published
        values_are_converted_wherever_they_stand_and_found_again
        the_values_of_a_list_are_converted_beside_the_old_ones
        values_that_came_meanwhile_are_converted_and_newer_ones_stay
        values_stay_in_the_column_of_their_type_and_those_that_do_not_fit_may_go
        the_values_of_a_removed_field_are_erased_whatever_type_they_had
    }
    consent {
        a_repeated_unsubscribe_writes_nothing
        resubscribing_takes_back_narrower_records_and_names_broader_ones
        a_record_taken_back_can_be_given_again
        a_switch_moves_the_revision_exactly_once
        a_consent_moves_the_revision_exactly_once
        a_dismissal_ends_the_flow_of_that_name_and_can_be_withdrawn
        an_unknown_customer_is_refused_everywhere
        a_suppressed_address_is_found_in_any_spelling
    }
    race {
        whatever_the_gate_asks_about_stops_a_claim_that_saw_it_otherwise
        an_address_that_is_suppressed_meanwhile_is_not_claimed_for
        a_deleted_customers_message_is_not_claimed
        a_message_is_claimed_once_whoever_else_changes
    }
    history {
        activity_moves_forward_only
        who_is_written_to_twice_at_once_is_active_once
        the_history_shows_dispatches_interactions_and_runs_newest_first
        a_filter_narrows_the_history
        totals_count_what_became_of_messages
        an_interaction_of_an_unknown_customer_is_passed_over
        a_line_that_is_told_already_is_not_recorded_again
        of_one_instant_a_run_begins_first_and_ends_last
    }
    occurrences {
        whatever_is_sent_again_in_whatever_order_the_store_is_the_same
        a_dismissal_that_is_told_stops_the_flow_and_every_claim_that_saw_none
        of_several_dismissals_the_earliest_counts
        a_trial_leaves_nothing
        ids_are_forgotten_when_their_time_is_over
        who_was_in_a_segment_is_told_when_they_left
        a_merge_joins_what_was_told_of_both
    }
    erasure {
        a_deleted_customer_leaves_nothing_behind_but_ended_runs
        a_line_of_the_audit_that_names_the_deleted_names_them_no_more
    }
    life {
        a_status_keeps_its_reason_and_ends_runs
        everybody_is_counted_by_rating_in_one_pass
    }
    jobs {
        a_job_does_to_everybody_what_it_says_and_counts_them
        whoever_lost_a_job_writes_nothing_more
        a_job_goes_on_where_it_was_left
        a_job_of_a_node_that_is_gone_is_free_at_once
        whoever_has_left_the_selection_is_left_alone
        the_first_failures_are_kept_and_all_are_counted
        a_job_that_is_cancelled_ends_after_its_page
        a_job_that_cannot_go_on_says_why
    }
    job_traces {
        nothing_of_a_deleted_customer_is_left_in_jobs
        jobs_are_listed_newest_first_and_let_go_of
        a_file_that_was_half_written_is_begun_anew
        who_is_deleted_takes_exports_along_that_they_may_be_in
        a_tag_that_is_declared_no_more_can_be_taken_off_but_not_put_on
    }
    imports {
        a_file_is_looked_at_and_nothing_is_stored
        a_file_that_is_no_table_cannot_be_saved
        who_discards_an_import_leaves_nothing_of_it
        an_import_goes_on_exactly_where_it_was_stopped
        rows_find_their_customers_by_any_field
    }
    reverting {
        what_an_import_did_is_taken_back
        what_was_changed_since_is_left_and_named
    }
    line_imports {
        lines_go_on_exactly_where_they_were_stopped
        what_many_gave_up_is_written_as_if_one_by_one
        whoever_lost_an_import_of_lines_writes_nothing_more
    }
    import_traces {
        nothing_of_a_deleted_customer_is_left_in_imports
        what_nobody_takes_back_in_time_is_let_go
        who_is_deleted_takes_files_along_that_they_may_be_in
        a_file_that_nobody_goes_on_with_is_let_go
        a_removed_field_is_not_in_what_imports_would_put_back
    }
    tags {
        whoever_gets_a_tag_or_loses_it_has_a_line_of_it
        a_tag_is_taken_from_those_who_carry_it_and_marks_them
    }
    lists {
        a_list_is_a_condition_and_a_change_of_it_is_looked_at
        who_is_on_a_list_is_listed_once_page_by_page
        a_list_is_named_anew_and_keeps_its_customers
    }
    returning {
        who_was_deleted_comes_back_suspended_by_import
        an_address_or_number_of_the_deleted_is_recognized_in_any_spelling
        who_gets_the_address_of_a_deleted_later_is_suspended_then
        who_gets_such_an_address_and_who_changes_them_meanwhile_wait_in_no_circle
        what_barred_somebody_bars_them_again
        who_is_reactivated_has_no_tombstone_any_more
        who_was_discarded_comes_back_discarded
        who_is_deleted_twice_has_one_tombstone
        very_many_are_deleted_and_come_back_at_once
        a_dry_run_suspends_nobody
    }
    deletions {
        whatever_is_done_nobody_is_better_off_for_a_deletion
    }
    devices {
        a_token_belongs_to_who_registered_it_last
        one_device_too_many_takes_the_place_of_the_oldest
        a_removed_device_is_gone_and_the_history_says_so
        devices_go_with_a_merge_and_with_a_deletion
        nobody_registers_a_device_of_who_is_not_there
    }
    merging {
        an_anonymous_visitor_becomes_part_of_a_customer
        a_merge_never_improves_a_state
        who_is_merged_into_an_address_of_a_deleted_is_suspended
        only_an_anonymous_customer_is_merged_into_an_identified_one
        the_old_id_leads_to_the_customer_until_they_are_deleted
    }
    segments {
        a_missing_value_meets_only_missing
        text_is_compared_without_case_and_accents
        what_looks_like_a_pattern_is_literal
        segments_may_name_segments
        a_circle_of_segments_is_an_error
        a_random_share_is_about_that_share_and_stays
        a_rating_counts_whole_days_of_the_workspace
        subscribed_asks_for_records_as_wide_or_wider
        the_preview_is_a_part_of_the_count
    }
    enrolled {
        a_sent_message_is_what_a_gateway_took
        a_sent_message_is_asked_for_by_where_it_belongs
        in_an_enrollment_did_counts_from_its_start
        in_flow_means_a_live_enrollment
    }
    pages {
        a_page_of_words_is_found_without_looking_at_everybody
        few_are_found_by_what_lists_them
    }
    search {
        a_customer_is_found_by_what_people_type
        numbers_and_dates_are_found_as_they_are_written
        what_is_found_is_what_an_oracle_finds
        a_change_is_found_once_it_is_indexed_and_a_deletion_at_once
        many_new_customers_are_indexed_bucket_by_bucket
        a_new_data_model_makes_every_text_anew
        a_check_finds_a_text_of_something_else
        whoever_has_the_text_for_an_id_comes_first
    }
    orders {
        every_order_lists_everybody_once_and_the_missing_last
        parts_of_a_condition_are_counted_in_turn
        what_cannot_be_a_sort_is_refused
    }
    edges {
        time_moves_exactly_those_that_an_edge_touches
        conditions_without_relative_time_have_no_edges
    }
    property {
        every_condition_means_what_the_oracle_says
    }
    changing {
        what_many_change_at_once_is_all_written
    }
    beside {
        what_changes_while_segments_are_asked_is_asked_again
    }
    incremental {
        what_is_asked_again_is_all_that_differs
        an_edge_is_met_when_it_is_said_to_be
        a_segment_is_asked_only_about_what_it_asks_for
    }
    statements {
        whom_time_moves_is_found_by_an_index
        indexes_of_edges_come_and_go_with_them
        every_constant_statement_prepares
        every_statement_on_customers_names_its_bucket
    }
    operation {
        every_commit_is_on_the_disk_before_it_is_answered
        tag_key_and_clock_last
        a_write_of_another_process_moves_the_data_version
        jobs_and_audit_read_back
    }
}
