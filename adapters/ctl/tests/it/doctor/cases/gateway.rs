use super::{
    super::{GATEWAY, NGINX},
    Case, Edit, case, in_file, in_service,
};

const PORT: &str =
    "{ target: 8080, published: \"${WOODY_HTTP_PORT:-80}\", protocol: tcp, mode: host }";

pub(super) const CASES: &[Case] = &[
    case(
        "limit-behind-mesh",
        &[
            in_service("gateway", PORT, "\"80:8080\""),
            in_service("gateway", "replicas: 1", "replicas: 1\n      endpoint_mode: vip"),
        ],
    ),
    case(
        "trusted-forwarded-for",
        &[in_file(
            GATEWAY,
            "X-Forwarded-For $remote_addr",
            "X-Forwarded-For $proxy_add_x_forwarded_for",
        )],
    ),
    case(
        "upstream-resolver",
        &[in_file(GATEWAY, "server front:8080 resolve", "server front:8080")],
    ),
    case(
        "consistent-hash-one-name",
        &[in_file(GATEWAY, "hash $arg_name", "hash $arg_name consistent")],
    ),
    case("replayed-get", &[in_file(GATEWAY, "proxy_next_upstream off;", "")]),
    case("unseen-gateway", &[Edit::Remove { file: "gateway" }]),
    case("upstream-port", &[in_file(GATEWAY, "order-service:5000", "order-service:9000")]),
    case("upstream-port", &[in_file(GATEWAY, "front:8080", "front:80")]),
    case(
        "upstream-port",
        &[in_service(
            "order-service",
            "WOODY_STORE_CONNECTIONS: 10",
            "WOODY_LISTEN: 0.0.0.0:5001\n      WOODY_STORE_CONNECTIONS: 10",
        )],
    ),
    case(
        "gateway-grace",
        &[in_file(NGINX, "worker_shutdown_timeout 20s", "worker_shutdown_timeout 30s")],
    ),
    case("gateway-grace", &[in_service("gateway", "    stop_grace_period: 30s\n", "")]),
    case(
        "open-files",
        &[in_file(NGINX, "worker_rlimit_nofile 32768", "worker_rlimit_nofile 1024")],
    ),
];
