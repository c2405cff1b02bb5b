//! Every rule there is.

use super::{
    clients, containers, definitions, endings, grants, health, healthchecks, ignored, images, keys,
    limits, networks, nginx, orders_queue, placement, ports, postgres, programs, rabbitmq, refused,
    replays, resources, rule::Rule, secrets, servers, settings, unseen, updates, upstreams,
    validation,
};
use crate::doctor::{
    deployment::Deployment,
    finding::{Found, Severity},
};

type Check = fn(&Deployment) -> Vec<Found>;

const fn error(id: &'static str, check: Check, finds: &'static str) -> Rule {
    Rule { id, severity: Severity::Error, finds, check }
}

const fn warning(id: &'static str, check: Check, finds: &'static str) -> Rule {
    Rule { id, severity: Severity::Warning, finds, check }
}

/// By subject; in reports the worst finding comes first.
#[rustfmt::skip] // A row a rule.
pub(super) static RULES: &[Rule] = &[
    // The gateway and who asks it.
    error("limit-behind-mesh", clients::limit_behind_mesh, "limits per client where the mesh hides who asks"),
    error("trusted-forwarded-for", clients::trusted_forwarded_for, "addresses taken from a header that clients write"),
    error("upstream-resolver", upstreams::upstream_resolver, "replicas that the gateway never finds again"),
    warning("consistent-hash-one-name", upstreams::consistent_hash_one_name, "a hash that does not reach the replica it means"),
    error("replayed-get", replays::replayed_get, "a GET that changes state, asked twice"),
    warning("unseen-gateway", unseen::unseen_gateway, "a gateway whose configuration was not found"),
    error("upstream-port", ports::upstream_port, "an upstream at a port where its service does not listen"),
    error("gateway-grace", nginx::gateway_grace, "a gateway that is killed before its last responses"),
    warning("open-files", nginx::open_files, "more connections than nginx may open files"),
    // Updates and ends.
    error("drain-too-short", endings::drain_too_short, "services that are gone before the gateway knows"),
    error("grace-too-short", endings::grace_too_short, "processes that are killed in the middle of their work"),
    warning("not-restarted", endings::not_restarted, "processes that end well and are not started again"),
    error("start-first-volume", updates::start_first_volume, "two writers on one volume during an update"),
    error("host-port-start-first", ports::host_port_start_first, "a new task that waits for the port of the old one"),
    warning("start-first-full", updates::start_first_full, "a new task that finds no place beside the old one"),
    warning("update-at-once", updates::update_at_once, "an update during which no replica serves"),
    warning("update-goes-on", updates::update_goes_on, "an update that goes on though it fails"),
    warning("restart-gives-up", updates::restart_gives_up, "a service that stays down after some failures"),
    error("stop-signal", nginx::stop_signal, "a signal on which a program does not end well"),
    warning("server-grace", servers::server_grace, "a database or broker with too little time to end"),
    // Health.
    error("healthcheck-start", health::healthcheck_start, "replicas that count as well too early, or never"),
    error("tool-not-in-image", healthchecks::tool_not_in_image, "a healthcheck or entry point whose program is not in the image"),
    error("healthcheck-readiness", healthchecks::healthcheck_readiness, "a healthcheck that fails when a dependency does"),
    error("healthcheck-form", healthchecks::healthcheck_form, "a test that Docker does not run"),
    warning("healthcheck-hasty", healthchecks::healthcheck_hasty, "a server that is killed while it starts"),
    warning("healthcheck-empty", healthchecks::healthcheck_empty, "a healthcheck that asks nothing"),
    // RabbitMQ and PostgreSQL.
    error("validation-outlasts-consumer", validation::validation_outlasts_consumer, "validations that RabbitMQ does not wait for"),
    error("quorum-dead-letter", orders_queue::quorum_dead_letter, "orders that the queue drops"),
    error("guest-management", secrets::guest_management, "RabbitMQ open to its well-known user"),
    error("rabbitmq-hostname", rabbitmq::rabbitmq_hostname, "RabbitMQ that is another node after each update"),
    error("rabbitmq-variable", rabbitmq::rabbitmq_variable, "a variable with which the image does not start"),
    error("rabbitmq-memory", rabbitmq::rabbitmq_memory, "RabbitMQ that notices too late that its container is full"),
    error("policy-disabled", rabbitmq::policy_disabled, "a policy that RabbitMQ does not follow"),
    warning("lone-members", rabbitmq::lone_members, "queues of a cluster that are lost with one node"),
    error("data-not-kept", servers::data_not_kept, "data that are gone with their container"),
    error("postgres-volume", postgres::postgres_volume, "a volume where the image does not keep its data"),
    error("postgres-password", postgres::postgres_password, "PostgreSQL without a password"),
    error("postgres-memory", postgres::postgres_memory, "buffers larger than the container may be"),
    error("too-many-connections", postgres::too_many_connections, "pools that are larger together than what PostgreSQL takes"),
    // Secrets and settings.
    error("plain-secret", secrets::plain_secret, "passwords that `docker service inspect` shows"),
    warning("unknown-setting", settings::unknown_setting, "settings that no program reads"),
    error("bad-setting", settings::bad_setting, "settings that a program refuses"),
    error("nobody-orders", keys::nobody_orders, "keys of clients with which nobody can place an order"),
    error("missing-setting", programs::missing_setting, "a program without a setting that it needs"),
    error("unknown-backend", programs::unknown_backend, "a URL of a backend that there is not"),
    error("memory-url", programs::memory_url, "a store or queue in the memory of one process"),
    error("sqlite-not-kept", programs::sqlite_not_kept, "a SQLite file that goes with its container, or is there several times"),
    error("queue-without-worker", programs::queue_without_worker, "orders in a queue that no worker takes from"),
    error("stores-differ", programs::stores_differ, "services of one shop with different stores"),
    error("listens-to-itself", ports::listens_to_itself, "a service that only its own container reaches"),
    error("listens-twice", ports::listens_twice, "two listeners at one port"),
    error("file-not-given", grants::file_not_given, "a file that is named, and that nothing gives"),
    error("unreadable-grant", grants::unreadable_grant, "a secret or config that its user cannot read"),
    error("value-and-file", grants::value_and_file, "a value, and a file that holds it too"),
    // Containers.
    warning("unpinned-image", images::unpinned_image, "images that change by themselves"),
    error("no-limits", limits::no_limits, "containers that may take the whole node"),
    error("bad-resource", resources::bad_resource, "an amount of memory or processors that is none"),
    error("reservation-above-limit", resources::reservation_above_limit, "more kept for a container than it may take"),
    error("limit-too-low", resources::limit_too_low, "less memory than a container needs to start"),
    warning("tmpfs-above-limit", resources::tmpfs_above_limit, "a tmpfs larger than its container may be"),
    warning("unbounded-logs", resources::unbounded_logs, "logs that grow until the disk is full"),
    error("nothing-to-write-to", nginx::nothing_to_write_to, "a read-only container whose program must write"),
    warning("privileged-container", containers::privileged_container, "containers that may do more than they need"),
    warning("depends-on-ignored", ignored::depends_on_ignored, "an order of starting that Swarm does not follow"),
    warning("ignored-key", ignored::ignored_key, "keys that `docker stack deploy` leaves out"),
    // The stack file as a whole.
    error("format-version", refused::format_version, "a version of the format that there is not"),
    error("unknown-key", refused::unknown_key, "a key that there is not"),
    error("later-key", refused::later_key, "a key of a later version than the file has"),
    error("wrong-form", refused::wrong_form, "a map for a list, a number for a text, and the like"),
    error("unknown-word", refused::unknown_word, "a word that is none of those that may stand there"),
    error("global-replicas", refused::global_replicas, "replicas of a service that has one on each node"),
    error("bad-mount", refused::bad_mount, "a mount that no container can be given"),
    error("target-twice", refused::target_twice, "two things in one place of a container"),
    error("ulimit-order", refused::ulimit_order, "a soft limit above the hard one"),
    error("undefined-name", definitions::undefined_name, "a network, secret, config or volume that is not defined"),
    error("missing-file", definitions::missing_file, "a config or secret made from nothing"),
    error("object-name", definitions::object_name, "a name that Swarm refuses"),
    error("object-size", definitions::object_size, "a config or secret that is too large, or empty"),
    warning("fixed-object", definitions::fixed_object, "a config or secret that can never be updated"),
    error("external-volume", definitions::external_volume, "an external volume with settings to create it"),
    // Networks and ports.
    error("networks-never-meet", networks::networks_never_meet, "a service that asks another, with which it shares no network"),
    error("network-driver", networks::network_driver, "a network of one node, for services of many"),
    error("subnets-overlap", networks::subnets_overlap, "two networks with the same addresses"),
    error("no-way-out", networks::no_way_out, "a service that asks the outside from internal networks"),
    error("ingress-port-dnsrr", ports::ingress_port_dnsrr, "a port of the mesh for a service without an address"),
    error("port-twice", ports::port_twice, "a port that has a holder already"),
    error("private-port", ports::private_port, "a port for the inside, published"),
    error("port-without-listener", ports::port_without_listener, "a published port on which nothing listens"),
    error("internal-port", ports::internal_port, "a port of the host for a container without a way to it"),
    // Placement.
    error("placement-unmet", placement::placement_unmet, "constraints that no node meets"),
    warning("volume-wanders", placement::volume_wanders, "a volume of one node, for a service that may move"),
    error("replicas-share-volume", placement::replicas_share_volume, "a volume that several replicas write to"),
    warning("relative-bind", placement::relative_bind, "a folder that other nodes do not have"),
    warning("no-replicas", placement::no_replicas, "a service of ours of which nothing runs"),
];
