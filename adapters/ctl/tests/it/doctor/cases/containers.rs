use super::{super::NGINX, Case, add, case, in_file, in_service, set};

pub(super) const CASES: &[Case] = &[
    case("unpinned-image", &[set("POSTGRES_IMAGE", "postgres:latest")]),
    case("no-limits", &[in_service("front", "memory: 64M, ", "")]),
    case("privileged-container", &[in_service("front", "    user: \"101:101\"\n", "")]),
    case("bad-resource", &[in_service("front", "memory: 64M", "memory: 64Q")]),
    case("bad-resource", &[in_service("front", "cpus: \"0.5\"", "cpus: half")]),
    case(
        "reservation-above-limit",
        &[in_service("front", "reservations: { memory: 16M }", "reservations: { memory: 1G }")],
    ),
    case(
        "reservation-above-limit",
        &[in_service("front", "reservations: { memory: 16M }", "reservations: { cpus: \"1\" }")],
    ),
    case("limit-too-low", &[in_service("misc-service", "memory: 256M", "memory: 16M")]),
    case(
        "limit-too-low",
        &[
            in_service("rabbitmq", "memory: 1G", "memory: \"1024\""),
            in_service(
                "rabbitmq",
                "      - { type: tmpfs, target: /tmp, tmpfs: { size: 67108864 } }\n      - { type: tmpfs, target: /var/log/rabbitmq, tmpfs: { size: 16777216 } }\n",
                "",
            ),
            in_service("rabbitmq", "        reservations: { memory: 256M }\n", ""),
            in_file(super::super::CONF, "absolute = 600MB", "absolute = 1"),
        ],
    ),
    case("tmpfs-above-limit", &[in_service("front", "size: 16777216", "size: 67108864")]),
    case("unbounded-logs", &[in_service("front", "    logging: *logging\n", "")]),
    case(
        "nothing-to-write-to",
        &[in_service(
            "gateway",
            "    volumes:\n      - { type: tmpfs, target: /tmp, tmpfs: { size: 67108864 } }\n",
            "",
        )],
    ),
    case("nothing-to-write-to", &[in_file(NGINX, "pid /tmp/nginx.pid", "pid /run/nginx.pid")]),
    case(
        "nothing-to-write-to",
        &[in_service(
            "front",
            "    volumes:\n      - { type: tmpfs, target: /tmp, tmpfs: { size: 16777216 } }\n",
            "",
        )],
    ),
    case(
        "nothing-to-write-to",
        &[in_service(
            "database",
            "      - { type: tmpfs, target: /var/run/postgresql, tmpfs: { size: 1048576 } }\n",
            "",
        )],
    ),
    case(
        "target-twice",
        &[in_service(
            "gateway",
            "- { type: tmpfs, target: /tmp, tmpfs: { size: 67108864 } }",
            "- { type: tmpfs, target: /tmp }\n      - { type: tmpfs, target: /tmp }",
        )],
    ),
    case(
        "target-twice",
        &[in_service(
            "order-worker",
            "secrets: [store_url, broker_url]",
            "secrets: [store_url, broker_url, store_url]",
        )],
    ),
    case(
        "bad-mount",
        &[in_service(
            "gateway",
            "- { type: tmpfs",
            "- { type: tmpfs, target: cache }\n      - { type: tmpfs",
        )],
    ),
    case(
        "bad-mount",
        &[in_service(
            "gateway",
            "- { type: tmpfs",
            "- { type: bind, target: /cache }\n      - { type: tmpfs",
        )],
    ),
    case("ulimit-order", &[add("order-worker", "ulimits: { nofile: { soft: 4096, hard: 1024 } }")]),
];
