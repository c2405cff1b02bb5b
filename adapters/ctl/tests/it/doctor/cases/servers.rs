use super::{
    super::{CONF, DEFINITIONS, POSTGRES},
    Case, add, case, in_file, in_service, set,
};

pub(super) const CASES: &[Case] = &[
    case("quorum-dead-letter", &[in_file(DEFINITIONS, "\"overflow\": \"reject-publish\",", "")]),
    case("guest-management", &[in_file(DEFINITIONS, "\"name\": \"woody\"", "\"name\": \"guest\"")]),
    case("rabbitmq-hostname", &[in_service("rabbitmq", "    hostname: rabbitmq\n", "")]),
    case(
        "rabbitmq-hostname",
        &[in_service("rabbitmq", "hostname: rabbitmq", "hostname: \"rabbit-{{.Task.ID}}\"")],
    ),
    case(
        "rabbitmq-variable",
        &[add("rabbitmq", "environment: { RABBITMQ_DEFAULT_PASS_FILE: /etc/password }")],
    ),
    case(
        "rabbitmq-variable",
        &[add("rabbitmq", "environment: { RABBITMQ_VM_MEMORY_HIGH_WATERMARK: \"0.6\" }")],
    ),
    case("rabbitmq-memory", &[in_file(CONF, "absolute = 600MB", "absolute = 2GB")]),
    case("rabbitmq-memory", &[in_file(CONF, "vm_memory_high_watermark.absolute = 600MB", "")]),
    case("rabbitmq-memory", &[in_service("rabbitmq", "memory: 1G", "memory: 512M")]),
    case(
        "policy-disabled",
        &[
            in_file(CONF, "default_queue_type = quorum", ""),
            in_file(DEFINITIONS, ", \"default_queue_type\": \"quorum\"", ""),
            in_file(DEFINITIONS, "quorum_queues", "queues"),
        ],
    ),
    case(
        "policy-disabled",
        &[in_file(DEFINITIONS, "\"delivery-limit\": 50", "\"ha-mode\": \"all\"")],
    ),
    case(
        "lone-members",
        &[in_file(
            CONF,
            "quorum_queue.continuous_membership_reconciliation.enabled = true",
            "cluster_formation.peer_discovery_backend = dns",
        )],
    ),
    case(
        "lone-members",
        &[in_file(
            CONF,
            "quorum_queue.continuous_membership_reconciliation.target_group_size = 3",
            "cluster_formation.peer_discovery_backend = dns",
        )],
    ),
    case(
        "data-not-kept",
        &[in_service("database", "      - database-data:/var/lib/postgresql\n", "")],
    ),
    case("data-not-kept", &[in_service("database", "- database-data:/var", "- /var")]),
    case(
        "data-not-kept",
        &[in_service("database", "POSTGRES_DB: woody", "POSTGRES_DB: woody\n      PGDATA: /data")],
    ),
    case(
        "data-not-kept",
        &[in_service("rabbitmq", "rabbitmq-data:/var/lib/rabbitmq", "rabbitmq-data:/data")],
    ),
    case(
        "postgres-volume",
        &[in_service("database", "-data:/var/lib/postgresql", "-data:/var/lib/postgresql/data")],
    ),
    case("postgres-volume", &[set("POSTGRES_IMAGE", "postgres:17")]),
    case(
        "postgres-password",
        &[in_service(
            "database",
            "      POSTGRES_PASSWORD_FILE: /run/secrets/postgres_password\n",
            "",
        )],
    ),
    case(
        "postgres-password",
        &[in_service(
            "database",
            "POSTGRES_DB: woody",
            "POSTGRES_DB: woody\n      POSTGRES_HOST_AUTH_METHOD: trust",
        )],
    ),
    case("postgres-memory", &[in_file(POSTGRES, "shared_buffers = 256MB", "shared_buffers = 1GB")]),
    case(
        "too-many-connections",
        &[in_file(POSTGRES, "max_connections = 250", "max_connections = 80")],
    ),
    case("too-many-connections", &[in_service("order-worker", "replicas: 5", "replicas: 50")]),
    case(
        "too-many-connections",
        &[in_service("database", "[postgres, -c,", "[postgres, -c, max_connections=50, -c,")],
    ),
];
