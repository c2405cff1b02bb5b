use super::{super::POSTGRES, Case, Edit, add, case, in_service, in_stack};

pub(super) const CASES: &[Case] = &[
    case("format-version", &[in_stack("version: \"3.9\"", "version: \"2.4\"")]),
    case("unknown-key", &[in_service("order-worker", "replicas: 5", "replica: 5")]),
    case("unknown-key", &[add("order-worker", "mem_limit: 128m")]),
    case("unknown-key", &[add("order-worker", "profiles: [tools]")]),
    case(
        "later-key",
        &[in_service(
            "database",
            "start_period: 60s",
            "start_period: 60s\n      start_interval: 1s",
        )],
    ),
    case(
        "wrong-form",
        &[add("order-worker", "depends_on: { rabbitmq: { condition: service_healthy } }")],
    ),
    case(
        "wrong-form",
        &[in_service("database", "POSTGRES_DB: woody", "POSTGRES_DB: woody\n      TRACE: true")],
    ),
    case("wrong-form", &[in_service("front", "cpus: \"0.5\"", "cpus: 0.5")]),
    case("wrong-form", &[in_service("database", "interval: 10s", "interval: 10")]),
    case("wrong-form", &[in_service("database", "mode: 0400", "mode: \"0400\"")]),
    case("wrong-form", &[in_service("front", "read_only: true", "read_only: yes")]),
    case("unknown-word", &[in_stack("condition: any", "condition: always")]),
    case(
        "unknown-word",
        &[in_service("order-worker", "replicas: 5", "replicas: 5\n      mode: everywhere")],
    ),
    case("unknown-word", &[in_stack("failure_action: rollback", "failure_action: retry")]),
    case(
        "global-replicas",
        &[in_service("order-worker", "replicas: 5", "replicas: 5\n      mode: global")],
    ),
    case(
        "undefined-name",
        &[in_stack(
            "  postgres_password:\n    external: true\n    name: ${WOODY_STACK:-woodytoys}_postgres_password_${WOODY_DATABASE_SECRETS:-1}\n",
            "",
        )],
    ),
    case("undefined-name", &[in_stack("  database-data:\n", "")]),
    case("undefined-name", &[in_service("front", "networks: [edge]", "networks: [edge, fornt]")]),
    case(
        "undefined-name",
        &[in_service("database", "source: postgresql_conf", "source: postgres_conf")],
    ),
    case("missing-file", &[Edit::Remove { file: POSTGRES }]),
    case("missing-file", &[in_stack("\nsecrets:\n", "\nsecrets:\n  spare: { name: spare_1 }\n")]),
    case(
        "object-name",
        &[in_stack(
            "name: ${WOODY_STACK:-woodytoys}_postgresql_conf_",
            "name: ${WOODY_STACK:-woody toys}_postgresql_conf_",
        )],
    ),
    case(
        "object-name",
        &[in_stack(
            "name: ${WOODY_STACK:-woodytoys}_postgresql_conf_",
            "name: ${WOODY_STACK:-a_stack_whose_name_alone_is_as_long_as_that_of_a_whole_town}_postgresql_conf_",
        )],
    ),
    case(
        "object-size",
        &[Edit::Write { file: POSTGRES, text: "# and so on, and so on\n", times: 50_000 }],
    ),
    case("object-size", &[Edit::Write { file: POSTGRES, text: "", times: 1 }]),
    case(
        "fixed-object",
        &[in_stack(
            "\n    name: ${WOODY_STACK:-woodytoys}_postgresql_conf_${WOODY_POSTGRESQL_CONF:-1}",
            "",
        )],
    ),
    case(
        "external-volume",
        &[in_stack("database-data:\n\n", "database-data: { external: true, driver: local }\n\n")],
    ),
];
