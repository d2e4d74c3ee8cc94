//! What any engine behind the public functions must answer. Each test is given an empty store, here one of `SQLite`.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod bodies;
mod lists;
mod people;
mod removal;
mod runs;
mod skeletons;
mod statistics;
mod texts;

/// Makes a test of each function of a module.
macro_rules! suite {
    ($($module:ident::$test:ident),+ $(,)?) => {
        $(#[test] fn $test() { $module::$test(&support::store().store); })+
    };
}

suite! {
    runs::a_run_comes_back_as_it_was,
    runs::a_preview_is_what_a_person_would_read,
    runs::a_long_name_is_cut_in_lists_and_whole_in_the_run,
    runs::what_comes_before_its_run_waits_for_it,
    runs::what_comes_twice_counts_once,
    runs::more_records_than_are_kept_apart_still_make_one_run,
    runs::an_open_run_shows_how_far_it_is,
    runs::a_picture_lies_there_once,
    runs::a_spools_position_goes_with_what_was_read,
    runs::sums_follow_every_change,
    runs::a_trace_is_listed_while_its_root_is_missing,
    runs::a_run_that_moves_to_its_trace_is_counted_there,
    runs::what_clients_dropped_adds_up,
    runs::runs_are_found_by_the_beginning_of_their_id,
    runs::projects_are_made_once_and_go_with_their_runs,
    bodies::a_part_is_read_and_a_text_is_found,
    lists::pages_neither_miss_nor_repeat,
    lists::traces_are_listed_by_their_heads,
    lists::values_are_known_for_completion,
    lists::values_are_counted_among_what_fits,
    lists::neighbours_are_those_of_the_list,
    lists::common_labels_and_words_are_found_as_rare_ones_are,
    people::what_was_said_last_holds_in_any_order,
    people::conversations_and_users_are_summed_up,
    people::people_are_listed_page_by_page_and_found_by_a_part_of_their_name,
    people::tags_of_a_conversation_are_replaced,
    people::scores_are_replaced_by_newer_ones,
    people::scores_are_listed_and_go,
    removal::runs_go_with_all_that_is_theirs,
    removal::whole_traces_go,
    removal::a_conversation_and_a_user_go,
    removal::the_oldest_go_by_age_and_by_size,
    skeletons::they_are_the_tree_in_columns,
    skeletons::runs_without_a_top_are_there,
    statistics::they_are_those_of_a_plain_count,
    statistics::they_split_by_time_and_value,
    texts::words_are_found_when_they_are_indexed,
    texts::hostile_texts_are_texts,
    texts::writing_without_blanks_is_found,
}
