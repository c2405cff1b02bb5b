//! Stacks of other people, which are well: nothing is to be said of them.

use super::{Report, Severity, Sources, examine};

fn told(text: &str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stack.yml");
    std::fs::write(&file, text).unwrap();
    examine(&Sources { stack_files: vec![file], ..Sources::default() }).unwrap()
}

const BLOG: &str = r#"
version: "3.8"
x-small: &small
  resources:
    limits: { cpus: "1", memory: 512M }
services:
  proxy:
    image: traefik:v3.3
    command: --providers.swarm --entrypoints.web.address=:80
    ports:
      - "80:80"
      - target: 443
        published: 443
    volumes:
      - /var/run/docker.sock:/var/run/docker.sock:ro
      - certificates:/certificates
    networks: [public]
    healthcheck: &healthcheck
      test: traefik healthcheck --ping
      start_period: 10s
    deploy:
      <<: *small
      placement: { constraints: [node.role == manager] }
  blog:
    image: ghost:5.110
    environment:
      database__client: mysql
      database__connection__host: db
      NODE_OPTIONS: --max-old-space-size=384
    networks: { public: , inside: { aliases: [web] } }
    healthcheck: { test: [CMD, node, check.js], start_period: 30s }
    volumes: ["content:/var/lib/ghost/content"]
    deploy:
      <<: *small
      labels: [traefik.enable=true]
      placement: { constraints: [node.hostname == one] }
  db:
    image: mysql:8.4
    environment: { MYSQL_ROOT_PASSWORD_FILE: /run/secrets/db-password, MYSQL_DATABASE: blog }
    secrets: [db-password]
    networks: [inside]
    volumes: [{ type: volume, source: db, target: /var/lib/mysql }]
    healthcheck: { test: "mysqladmin ping -h localhost", start_period: 60s }
    deploy:
      <<: *small
      placement: { constraints: [node.labels.db == true] }
networks:
  public: { driver: overlay, attachable: true }
  inside: { internal: true }
volumes: { certificates: , content: , db: }
secrets: { db-password: { external: true } }
"#;

const SHOP: &str = r#"
services:
  api:
    image: registry.example.org:5000/shop/api:2.3.1
    environment:
      - DATABASE_HOST=db
      - AMQP_URL=amqp://queue:5672
      - CACHE=cache:6379
    ports: ["8080:3000"]
    configs:
      - { source: settings, target: /etc/shop/settings.toml, mode: 0444 }
    networks: [backend]
    healthcheck: { test: [CMD-SHELL, "curl -f http://localhost:3000/health"], start_period: 20s }
    deploy:
      replicas: 4
      update_config: { parallelism: 2, delay: 10s, order: start-first, failure_action: rollback }
      restart_policy: { condition: on-failure, max_attempts: 3, window: 120s }
      resources: { limits: { cpus: "0.5", memory: 256M }, reservations: { memory: 128M } }
  db:
    image: postgres:16.4-alpine
    environment: { POSTGRES_PASSWORD_FILE: /run/secrets/db, POSTGRES_DB: shop }
    secrets: [db]
    volumes: ["data:/var/lib/postgresql/data"]
    networks: [backend]
    healthcheck: { test: [CMD-SHELL, pg_isready -U postgres], interval: 10s, start_period: 30s }
    deploy:
      placement: { constraints: ["node.labels.data==true"] }
      resources: { limits: { cpus: "2", memory: 1G } }
  queue:
    image: rabbitmq:4.1-management
    hostname: queue
    volumes: ["queue:/var/lib/rabbitmq"]
    networks: [backend]
    healthcheck: { test: rabbitmq-diagnostics -q ping, start_period: 60s }
    deploy:
      placement: { constraints: ["node.labels.data==true"] }
      resources: { limits: { cpus: "1", memory: 1G } }
  page:
    image: nginx:1.30
    read_only: true
    configs: [{ source: nginx, target: /etc/nginx/nginx.conf }]
    volumes: [{ type: tmpfs, target: /tmp }]
    networks: [backend]
    healthcheck: { test: [CMD, curl, -f, localhost:8080], start_period: 5s }
    deploy: { resources: { limits: { cpus: "0.5", memory: 64M } } }
  cache:
    image: redis:7.4
    networks: [backend]
    healthcheck: { test: [CMD, redis-cli, ping], start_period: 5s }
    deploy: { resources: { limits: { cpus: "0.5", memory: 128M } } }
  agent:
    image: prom/node-exporter:v1.9.0
    volumes: ["/proc:/host/proc:ro", "/:/rootfs:ro"]
    ports: [{ target: 9100, published: 9100, mode: host }]
    networks: [backend]
    healthcheck: { test: wget -q localhost:9100, start_period: 5s }
    deploy:
      mode: global
      resources: { limits: { cpus: "0.2", memory: 64M } }
networks: { backend: }
volumes: { data: , queue: { driver: rexray } }
configs: { settings: { external: true }, nginx: { external: true } }
secrets: { db: { external: true } }
"#;

#[test]
fn a_stack_of_others_that_is_well_has_no_findings() {
    for stack in [BLOG, SHOP] {
        let report = told(stack);
        assert_eq!(report.findings(), [], "{report}");
    }
}

#[test]
fn a_stack_as_tutorials_have_it_is_not_drowned() {
    let report = told(
        "version: \"3\"\nservices:\n  web:\n    image: nginx:1.30\n    ports: [\"80:80\"]\n    deploy:\n      replicas: 2\n  visualizer:\n    image: dockersamples/visualizer:stable\n    volumes: [\"/var/run/docker.sock:/var/run/docker.sock\"]\n    deploy:\n      placement: { constraints: [node.role == manager] }\n",
    );
    let mut rules: Vec<_> = report.findings().iter().map(|finding| finding.rule).collect();
    rules.dedup();
    // Memory, processors and health, of each service.
    assert_eq!(report.findings().len(), 6, "{report}");
    assert!(rules.iter().all(|rule| ["no-limits", "healthcheck-start"].contains(rule)), "{report}");
    assert_eq!(report.count(Severity::Error), 2, "{report}");
}
