use super::{Case, add, case, in_service, in_stack};

const TEST: &str = "[CMD, /service, --healthcheck]";
const PG: &str =
    "[CMD, pg_isready, --quiet, --host, 127.0.0.1, --username, woody, --dbname, woody]";
const RABBITMQ: &str = "[CMD, rabbitmq-diagnostics, -q, check_running]";

pub(super) const CASES: &[Case] = &[
    case("healthcheck-start", &[add("order-worker", "healthcheck: { disable: true }")]),
    case(
        "tool-not-in-image",
        &[in_stack(TEST, "[CMD, curl, -f, \"http://127.0.0.1:9000/healthz\"]")],
    ),
    case("tool-not-in-image", &[in_stack(TEST, "/service --healthcheck")]),
    case("tool-not-in-image", &[in_stack(TEST, "[CMD-SHELL, /service --healthcheck]")]),
    case(
        "tool-not-in-image",
        &[in_service("database", PG, "[CMD-SHELL, \"curl -f localhost:5432\"]")],
    ),
    case(
        "tool-not-in-image",
        &[in_service("rabbitmq", RABBITMQ, "[CMD, sh, -c, \"wget -q localhost:15672\"]")],
    ),
    case("healthcheck-readiness", &[in_service("gateway", "GET /healthz", "GET /readyz")]),
    case("healthcheck-form", &[in_service("database", PG, "[pg_isready]")]),
    case(
        "healthcheck-hasty",
        &[
            in_service("rabbitmq", "start_period: 60s", "start_period: 5s"),
            in_service("rabbitmq", "interval: 15s", "interval: 5s"),
        ],
    ),
    case(
        "healthcheck-empty",
        &[in_service(
            "rabbitmq",
            "      test: [CMD, rabbitmq-diagnostics, -q, check_running]\n",
            "",
        )],
    ),
];
