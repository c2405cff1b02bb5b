use super::{Case, add, case, in_service, in_stack, set};

const MANAGEMENT: &str = "- { target: 15672, published: \"${WOODY_MANAGEMENT_PORT:-15672}\", protocol: tcp, mode: host }";

pub(super) const CASES: &[Case] = &[
    case(
        "networks-never-meet",
        &[in_service("order-worker", "networks: [app, data]", "networks: [app]")],
    ),
    case(
        "networks-never-meet",
        &[in_service("gateway", "networks: [edge, app]", "networks: [app]")],
    ),
    case("networks-never-meet", &[set("WOODY_VALIDATOR_URL", "http://front:8080/check")]),
    case("network-driver", &[in_stack("driver: overlay", "driver: bridge")]),
    case(
        "subnets-overlap",
        &[
            in_stack(
                "  edge:\n    driver: overlay",
                "  edge:\n    driver: overlay\n    ipam: { config: [{ subnet: 10.20.0.0/16 }] }",
            ),
            in_stack(
                "  app:\n    driver: overlay",
                "  app:\n    driver: overlay\n    ipam: { config: [{ subnet: 10.20.30.0/24 }] }",
            ),
        ],
    ),
    case(
        "no-way-out",
        &[
            set("WOODY_VALIDATOR_URL", "https://fraud.example/check"),
            in_service("order-worker", "networks: [app, data]", "networks: [data]"),
        ],
    ),
    case("ingress-port-dnsrr", &[in_service("rabbitmq", MANAGEMENT, "- \"15672:15672\"")]),
    case(
        "port-twice",
        &[in_service("rabbitmq", MANAGEMENT, "- { target: 15672, published: 80, mode: host }")],
    ),
    case(
        "private-port",
        &[
            add("misc-service", "ports: [{ target: 9000, published: 9000, mode: host }]"),
            in_service(
                "misc-service",
                "replicas: 3",
                "replicas: 3\n      update_config: { order: stop-first }",
            ),
        ],
    ),
    case(
        "private-port",
        &[
            add("database", "ports: [{ target: 5432, published: 5432, mode: host }]"),
            in_service("database", "networks: [data]", "networks: [app, data]"),
        ],
    ),
    case("port-without-listener", &[in_service("gateway", "target: 8080", "target: 80")]),
    case("port-without-listener", &[in_service("gateway", "target: 8080", "target: 8443")]),
    case("internal-port", &[in_service("rabbitmq", "networks: [edge, data]", "networks: [data]")]),
    case("placement-unmet", &[set("WOODY_SERVICES_ON", "node.roles == worker")]),
    case("placement-unmet", &[set("WOODY_SERVICES_ON", "node.role = worker")]),
    case(
        "placement-unmet",
        &[in_stack(
            "[node.role == manager, node.labels",
            "[node.role == manager, node.role == worker, node.labels",
        )],
    ),
    case(
        "volume-wanders",
        &[in_stack(
            "    constraints: [node.role == manager, node.labels.woodytoys.data == true]\n",
            "    constraints: [node.platform.os == linux]\n",
        )],
    ),
    case("replicas-share-volume", &[in_stack("  replicas: 1\n", "  replicas: 2\n")]),
    case(
        "relative-bind",
        &[in_service(
            "gateway",
            "- { type: tmpfs",
            "- ./gateway:/etc/shop:ro\n      - { type: tmpfs",
        )],
    ),
];
