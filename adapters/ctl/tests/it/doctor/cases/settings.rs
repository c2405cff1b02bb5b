use super::{super::CONF, Case, Edit, add, case, in_file, in_service, in_stack, set};

const STORE: &str = "WOODY_STORE_URL_FILE: /run/secrets/store_url";
const BROKER: &str = "WOODY_BROKER_URL_FILE: /run/secrets/broker_url";

/// The order-service with a file of keys.
const WITH_KEYS: Edit = in_service(
    "order-service",
    STORE,
    "WOODY_API_KEYS_FILE: /run/secrets/api_keys\n      WOODY_STORE_URL_FILE: /run/secrets/store_url",
);
const GIVEN: Edit =
    in_service("order-service", "secrets: [store_url,", "secrets: [api_keys, store_url,");
const MADE: Edit =
    in_stack("\nsecrets:\n", "\nsecrets:\n  api_keys: { file: api_keys.txt, name: api_keys_1 }\n");

pub(super) const CASES: &[Case] = &[
    case(
        "nobody-orders",
        &[
            Edit::Write {
                file: "api_keys.txt",
                text: "acme read sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n",
                times: 1,
            },
            WITH_KEYS,
            GIVEN,
            MADE,
        ],
    ),
    case(
        "nobody-orders",
        &[
            Edit::Write { file: "api_keys.txt", text: "acme order\n", times: 1 },
            WITH_KEYS,
            GIVEN,
            MADE,
        ],
    ),
    case(
        "plain-secret",
        &[in_service(
            "database",
            "POSTGRES_USER: woody",
            "POSTGRES_USER: woody\n      API_TOKEN: hunter2",
        )],
    ),
    case("unknown-setting", &[in_stack("WOODY_LOG_FORMAT: json", "WOODY_LOG_FROMAT: json")]),
    case("bad-setting", &[set("WOODY_RATE_EXEMPT", "10.0.0.0/8,here")]),
    case("bad-setting", &[set("WOODY_PREFETCH", "none")]),
    case("bad-setting", &[set("WOODY_RATE_LIMIT", "ten")]),
    case("bad-setting", &[set("WOODY_RATE_STATUS", "404")]),
    case("missing-setting", &[in_service("product-service", STORE, "WOODY_LOG: info")]),
    case("missing-setting", &[in_service("order-worker", BROKER, "WOODY_LOG: info")]),
    case(
        "unknown-backend",
        &[in_service("misc-service", STORE, "WOODY_STORE_URL: mysql://database/woody")],
    ),
    case("memory-url", &[in_service("misc-service", STORE, "WOODY_STORE_URL: \"memory:\"")]),
    case("memory-url", &[in_service("product-service", STORE, "WOODY_STORE_URL: \"memory:\"")]),
    case(
        "sqlite-not-kept",
        &[in_service("misc-service", STORE, "WOODY_STORE_URL: sqlite:/data/woody.db")],
    ),
    case(
        "queue-without-worker",
        &[
            in_service(
                "order-worker",
                "WOODY_VALIDATOR_URL",
                "WOODY_QUEUE: rush\n      WOODY_VALIDATOR_URL",
            ),
            in_file(super::super::DEFINITIONS, "^order_processing$", "^(order_processing|rush)$"),
        ],
    ),
    case(
        "stores-differ",
        &[
            in_service(
                "order-worker",
                "secrets: [store_url,",
                "secrets: [{ source: other, target: store_url },",
            ),
            in_stack("\nsecrets:\n", "\nsecrets:\n  other: { external: true }\n"),
        ],
    ),
    case(
        "listens-to-itself",
        &[in_service(
            "order-service",
            STORE,
            "WOODY_LISTEN: 127.0.0.1:5000\n      WOODY_STORE_URL_FILE: /run/secrets/store_url",
        )],
    ),
    case(
        "listens-twice",
        &[in_service(
            "order-service",
            STORE,
            "WOODY_ADMIN_LISTEN: 0.0.0.0:5000\n      WOODY_STORE_URL_FILE: /run/secrets/store_url",
        )],
    ),
    case("file-not-given", &[in_service("misc-service", "    secrets: [store_url]\n", "")]),
    case(
        "file-not-given",
        &[in_service("order-worker", BROKER, "WOODY_BROKER_URL_FILE: /run/secrets/broker")],
    ),
    case(
        "file-not-given",
        &[in_file(CONF, "secrets/rabbitmq_definitions.json", "secrets/definitions.json")],
    ),
    case(
        "file-not-given",
        &[in_service("database", "config_file=/etc/postgresql/", "config_file=/etc/")],
    ),
    case(
        "unreadable-grant",
        &[in_service("database", "        uid: \"999\"\n        gid: \"999\"\n", "")],
    ),
    case("unreadable-grant", &[in_service("database", "mode: 0400", "mode: 400")]),
    case(
        "value-and-file",
        &[in_service(
            "database",
            "POSTGRES_USER: woody",
            "POSTGRES_USER: woody\n      POSTGRES_USER_FILE: /etc/user",
        )],
    ),
    case(
        "value-and-file",
        &[in_service(
            "misc-service",
            STORE,
            "WOODY_STORE_URL: postgres://database/woody\n      WOODY_STORE_URL_FILE: /run/secrets/store_url",
        )],
    ),
    case("no-replicas", &[in_service("order-worker", "replicas: 5", "replicas: 0")]),
    case("depends-on-ignored", &[add("order-worker", "depends_on: [rabbitmq]")]),
    case("ignored-key", &[add("order-worker", "security_opt: [\"no-new-privileges:true\"]")]),
    case("ignored-key", &[add("database", "shm_size: 256m")]),
];
