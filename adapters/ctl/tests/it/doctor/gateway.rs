//! The gateway's configuration beside the stack file.

use super::{Copy, GATEWAY, NGINX, STACK, ours};

const PORT: &str =
    "{ target: 8080, published: \"${WOODY_HTTP_PORT:-80}\", protocol: tcp, mode: host }";

#[test]
fn a_gateway_of_which_nothing_is_known_is_told() {
    let broken = ours();
    std::fs::remove_dir_all(broken.path("gateway")).unwrap();
    broken.warns("unseen-gateway", &[("gateway", "gateway:")]);
}

#[test]
fn a_configuration_that_the_stack_file_names_is_looked_at() {
    let configs = "configs:\n  nginx_conf: { file: ./nginx/nginx.conf, name: nginx_1 }\n  \
                   gateway_conf: { file: nginx/gateway.conf.template, name: gateway_1 }\n";
    let broken = ours()
        .replace(GATEWAY, "front:8080 resolve", "front:8080")
        .replace(STACK, "\nconfigs:\n", &format!("\n{configs}"))
        .add("gateway", "configs: [nginx_conf, gateway_conf]");
    std::fs::create_dir(broken.path("nginx")).unwrap();
    std::fs::rename(broken.path(NGINX), broken.path("nginx/nginx.conf")).unwrap();
    std::fs::rename(broken.path(GATEWAY), broken.path("nginx/gateway.conf.template")).unwrap();
    let line = "server front:8080 max_fails=1 fail_timeout=1s;";
    broken.fails("upstream-resolver", &[("nginx/gateway.conf.template", line)]);
}

/// A gateway that the mesh can send to.
fn with_address() -> Copy {
    ours().service("gateway", "replicas: 1", "replicas: 1\n      endpoint_mode: vip")
}

#[test]
fn a_limit_per_client_behind_the_routing_mesh_is_told() {
    for (port, line) in [
        ("80:8080", "- 80:8080"),
        ("{ target: 8080, published: 80 }", "- { target: 8080, published: 80 }"),
        ("{ target: 8080, mode: ingress }", "- { target: 8080, mode: ingress }"),
    ] {
        let broken = with_address().service("gateway", PORT, port);
        broken.fails("limit-behind-mesh", &[("gateway", line)]);
    }
}

#[test]
fn a_limit_by_the_address_itself_is_one_too_and_one_for_all_is_none() {
    let in_mesh = || {
        let three = with_address().service("gateway", PORT, "80:8080");
        let limits = [
            ("limit_req_zone", "$limited_client", 3),
            ("limit_conn_zone", "$limited_client", 2),
            ("limit_conn_zone", "$waiting_client", 1),
        ];
        limits.into_iter().fold(three, |copy, (limit, client, times)| {
            let (by_client, by_name) =
                (format!("{limit} {client}"), format!("{limit} $server_name"));
            (0..times).fold(copy, |copy, _| copy.replace(GATEWAY, &by_client, &by_name))
        })
    };
    in_mesh().is_clean();
    let by_address = "limit_conn_zone $binary_remote_addr zone=connections:1m;\nlimit_req_status";
    let broken = in_mesh().replace(GATEWAY, "limit_req_status", by_address);
    broken.fails("limit-behind-mesh", &[("gateway", "- 80:8080")]);
}

#[test]
fn an_address_that_clients_write_themselves_is_told() {
    for (what, with) in [
        ("X-Forwarded-For $remote_addr;", "X-Forwarded-For $proxy_add_x_forwarded_for;"),
        ("X-Real-IP $remote_addr;", "X-Real-IP \"${http_x_forwarded_for}\";"),
    ] {
        let broken = ours().replace(GATEWAY, what, with);
        let line = format!("proxy_set_header {with}");
        broken.fails("trusted-forwarded-for", &[(GATEWAY, &line)]);
    }
    let broken = ours().replace(NGINX, "sendfile on;", "set_real_ip_from 0.0.0.0/0;");
    broken.fails("trusted-forwarded-for", &[(NGINX, "set_real_ip_from 0.0.0.0/0;")]);
    ours().replace(NGINX, "sendfile on;", "set_real_ip_from 10.0.0.0/8;").is_clean();
}

#[test]
fn an_upstream_that_is_asked_for_once_is_told() {
    let broken = ours().replace(GATEWAY, "front:8080 resolve", "front:8080");
    let line = "server front:8080 max_fails=1 fail_timeout=1s;";
    broken.fails("upstream-resolver", &[(GATEWAY, line)]);
    let broken = ours().replace(GATEWAY, "http://front;", "http://misc-service:5000;");
    broken.fails("upstream-resolver", &[(GATEWAY, "proxy_pass http://misc-service:5000;")]);
}

#[test]
fn names_without_anybody_to_ask_are_told() {
    let broken = ours().replace(NGINX, "resolver 127.0.0.11 valid=1s ipv6=off;", "");
    let each = |name: &str| format!("server {name} resolve max_fails=1 fail_timeout=1s;");
    let lines = ["misc-service:5000", "misc-service:5000", "product-service:5000"].map(each);
    let more = ["order-service:5000", "front:8080"].map(each);
    let expected: Vec<_> = lines.iter().chain(&more).map(|line| (GATEWAY, &**line)).collect();
    broken.fails("upstream-resolver", &expected);

    let broken = ours().replace(GATEWAY, "    zone front_replicas 64k;\n", "");
    broken.fails("upstream-resolver", &[(GATEWAY, &each("front:8080"))]);
}

#[test]
fn a_service_of_one_address_is_told() {
    let broken = ours().service("front", "<<: *deploy", "<<: *deploy\n      endpoint_mode: vip");
    broken.warns("upstream-resolver", &[("front", "endpoint_mode: vip")]);
    let broken = ours().service("front", "<<: *deploy", "update_config: *update");
    broken.warns("upstream-resolver", &[("front", "deploy:")]);
}

#[test]
fn a_consistent_hash_of_one_name_is_told() {
    let broken = ours().replace(GATEWAY, "hash $arg_name;", "hash $arg_name consistent;");
    broken.warns("consistent-hash-one-name", &[(GATEWAY, "hash $arg_name consistent;")]);
    let two = "hash $arg_name consistent;\n    server 10.0.0.1:5000;";
    ours().replace(GATEWAY, "hash $arg_name;", two).is_clean();
}

#[test]
fn an_order_by_get_that_is_asked_twice_is_told() {
    for (what, with) in [
        ("proxy_set_header Idempotency-Key $order_key;", ""),
        ("Idempotency-Key $order_key;", "Idempotency-Key $http_idempotency_key;"),
        ("~^/api/orders/do/?$ \"gateway", "~^/api/orders/undo/?$ \"gateway"),
    ] {
        let broken = ours().replace(GATEWAY, what, with);
        // With the slash and without.
        broken.fails("replayed-get", &[(GATEWAY, "location /api/orders {"); 2]);
    }
    let broken =
        ours().replace(GATEWAY, "~^/api/orders/do/?$ \"gateway", "/api/orders/do \"gateway");
    broken.fails("replayed-get", &[(GATEWAY, "location /api/orders {")]);
    // Headers of a location take the place of all those around it.
    let own_headers = "proxy_pass http://orders;\n        proxy_set_header Host $host;\n    }\n\n    location = /openapi.json";
    let broken = ours().replace(
        GATEWAY,
        "proxy_pass http://orders;\n    }\n\n    location = /openapi.json",
        own_headers,
    );
    broken.fails("replayed-get", &[(GATEWAY, "location /api/orders {"); 2]);
}

#[test]
fn an_order_by_get_that_is_asked_once_or_has_a_key_is_not() {
    let without_key =
        || ours().replace(GATEWAY, "proxy_set_header Idempotency-Key $order_key;", "");
    let once = "location ~ ^/api/orders/do/?$ {\n        proxy_pass http://orders;\n        proxy_next_upstream off;\n    }\n    location /api/orders {";
    without_key().replace(GATEWAY, "location /api/orders {", once).is_clean();
    without_key().with("WOODY_LEGACY_GET", "off").is_clean();
    let other_regex = "~^/api/orders/(do|make)/?$ \"gateway";
    ours().replace(GATEWAY, "~^/api/orders/do/?$ \"gateway", other_regex).is_clean();
}

#[test]
fn an_order_by_get_has_two_names_and_both_are_looked_at() {
    let refusing = |names: &[&str]| {
        let ifs: Vec<_> =
            names.iter().map(|n| format!("if ($arg_{n}) {{ return 405; }}")).collect();
        let with = format!("location /api/orders {{\n        {}", ifs.join(" "));
        ours().replace(GATEWAY, "proxy_set_header Idempotency-Key $order_key;", "").replace(
            GATEWAY,
            "location /api/orders {",
            &with,
        )
    };
    for one in ["order", "product"] {
        // With the slash and without.
        refusing(&[one]).fails("replayed-get", &[(GATEWAY, "location /api/orders {"); 2]);
    }
    refusing(&["order", "product"]).is_clean();
}

#[test]
fn a_product_by_get_that_is_asked_twice_is_told() {
    let broken = ours().replace(GATEWAY, "        proxy_next_upstream off;\n", "");
    broken.fails("replayed-get", &[(GATEWAY, "location = /product-by-get {")]);
    for other in ["($arg_name)", "($arg_products)", "($arg_product = \"\")"] {
        let broken = ours().replace(GATEWAY, "($args ~ \"(^|&)(product|[^=&]*%)\")", other);
        broken.fails("replayed-get", &[(GATEWAY, "location ~ ^/api/products/?$ {")]);
    }
    let refused = ours().replace(GATEWAY, "rewrite ^ /product-by-get last;", "return 405;");
    refused.is_clean();
}

#[test]
fn a_post_that_is_asked_twice_is_told() {
    let with = "proxy_next_upstream error timeout non_idempotent;";
    let broken = ours().replace(GATEWAY, "proxy_next_upstream error timeout;", with);
    broken.fails("replayed-get", &[(GATEWAY, with)]);
}
