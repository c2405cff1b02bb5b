//! The stack on a real Docker Swarm: deployed, asked, updated and hurt under load, scaled, saved and brought back.
//!
//! One stack is what all checks are about, so they run one after the other, in the order of this file. `dev/test-swarm.sh`
//! prepares the machine, runs this, and takes everything down again, whatever happens here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod asking;
mod commands;
mod compose;
mod containers;
mod deployment;
mod docker;
mod gateway;
mod hosts;
mod images;
mod saving;
mod scaling;
mod suite;
mod updates;
mod waiting;

use std::process::ExitCode;

use suite::{Group, checks};

/// What is checked, in this order.
const SUITE: &[Group] = &[
    // Without these nothing else says anything.
    Group {
        title: "deploy, from nothing, and ask",
        is_needed: true,
        checks: checks![
            deployment::everything_comes_up_from_nothing,
            deployment::the_shop_answers_all_that_is_asked,
        ],
        after: None,
    },
    Group {
        title: "what stands in the way of a deployment",
        is_needed: false,
        checks: checks![
            deployment::nothing_is_in_the_way_of_an_update,
            asking::a_deployment_says_who_has_its_port,
            asking::it_says_that_nothing_was_deployed,
            asking::and_no_service_is_there,
            asking::a_port_that_is_taken_is_found_before,
            asking::a_second_port_that_is_taken_is_found_too,
            asking::a_port_that_is_published_twice_is_found,
            asking::a_disk_without_room_is_found,
            asking::a_file_that_is_missing_is_found,
            asking::a_secret_that_is_missing_is_found,
            asking::where_nothing_stands_in_the_way_that_is_said,
            asking::without_help_of_docker_a_stack_file_asks_for_the_same,
        ],
        after: None,
    },
    Group {
        title: "what is waited for, and what is not",
        is_needed: false,
        checks: checks![
            waiting::an_image_that_is_nowhere_is_not,
            waiting::a_port_that_is_taken_meanwhile_is_not,
            waiting::a_folder_that_is_not_there_is_not,
            waiting::an_image_for_another_architecture_is_not,
            waiting::a_program_that_takes_too_much_memory_is_not,
            waiting::a_service_that_no_node_can_take_is_not,
            waiting::a_health_check_that_never_passes_is_not,
            waiting::a_program_that_ends_again_and_again_is_not,
            waiting::what_needs_another_that_comes_up_slowly_is,
        ],
        after: Some(waiting::take_down),
    },
    Group {
        title: "images and configuration",
        is_needed: false,
        checks: checks![
            images::each_program_is_an_image_below_15_mb,
            images::the_stack_file_is_one,
            images::with_tls_it_is_one_too,
            images::with_a_webhook_it_is_one_too,
            images::with_a_prometheus_it_is_one_too,
            images::with_a_collector_it_is_one_too,
            images::with_an_archive_it_is_one_too,
            images::nginx_takes_the_configuration_of_the_gateway,
            images::nginx_takes_the_configuration_of_the_front,
            images::with_a_certificate_the_gateway_speaks_tls_and_http_2,
            images::a_refusal_of_the_gateway_says_where_its_client_stands,
        ],
        after: None,
    },
    Group {
        title: "containers",
        is_needed: false,
        checks: checks![
            containers::each_is_read_only_nobody_and_without_capabilities,
            containers::no_secret_is_in_an_environment,
            containers::misc_service_is_ready_within_a_second,
            containers::product_service_is_ready_within_a_second,
            containers::order_service_is_ready_within_a_second,
            containers::order_worker_is_ready_within_a_second,
        ],
        after: None,
    },
    Group {
        title: "gateway",
        is_needed: false,
        checks: checks![
            gateway::the_modules_of_the_page_come_as_scripts,
            gateway::the_documents_come_for_programs_and_for_people,
            gateway::a_name_that_is_not_the_shops_leads_to_nothing,
            gateway::three_replicas_hold_one_cache,
            gateway::the_limit_is_for_each_client_whatever_it_says_of_itself,
            gateway::the_events_of_an_order_come_through_to_the_last,
        ],
        after: None,
    },
    Group {
        title: "one machine without a Swarm",
        is_needed: false,
        checks: checks![
            compose::a_shop_without_a_swarm_comes_up_by_one_command,
            compose::it_answers_all_that_is_asked,
        ],
        after: Some(compose::take_down),
    },
    Group {
        title: "updates under load",
        is_needed: false,
        checks: checks![
            updates::every_service_is_updated_and_nobody_notices,
            updates::rabbitmq_and_postgresql_are_updated_and_nobody_notices,
            updates::a_broken_version_is_rolled_back_and_nobody_notices,
            updates::the_password_of_the_database_is_rotated_under_load,
            updates::the_password_of_rabbitmq_is_rotated_under_load,
            updates::a_task_that_is_killed_is_replaced,
        ],
        after: None,
    },
    Group {
        title: "scale",
        is_needed: false,
        checks: checks![scaling::twice_as_many_workers_end_more_orders],
        after: None,
    },
    Group {
        title: "save and bring back",
        is_needed: false,
        checks: checks![
            saving::the_database_is_saved_and_brought_back,
            saving::the_doctor_has_nothing_to_say,
        ],
        after: None,
    },
];

fn main() -> ExitCode {
    suite::run(SUITE)
}
