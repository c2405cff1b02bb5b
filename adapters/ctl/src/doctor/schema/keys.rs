//! The keys of a stack file.

use super::shape::{Form, Key, Keys, Shape};

const NOTHING: Shape = Shape { scalar: None, list: None, map: None, may_be_empty: false };

const fn scalar(form: Form) -> Shape {
    Shape { scalar: Some(form), ..NOTHING }
}

const fn list(of: &'static Shape) -> Shape {
    Shape { list: Some(of), ..NOTHING }
}

const fn map(keys: &'static [Key]) -> Shape {
    Shape { map: Some(Keys::Known { keys, is_open: false }), ..NOTHING }
}

/// A map in which other keys are let be.
const fn open(keys: &'static [Key]) -> Shape {
    Shape { map: Some(Keys::Known { keys, is_open: true }), ..NOTHING }
}

const fn named(of: &'static Shape) -> Shape {
    Shape { map: Some(Keys::Named(of)), ..NOTHING }
}

const fn or_empty(shape: Shape) -> Shape {
    Shape { may_be_empty: true, ..shape }
}

/// A map, or a scalar in its place.
const fn or_text(shape: Shape) -> Shape {
    Shape { scalar: Some(Form::Text), ..shape }
}

const fn key(name: &'static str, shape: Shape) -> Key {
    Key { name, since: 0, shape }
}

const fn since(since: u32, name: &'static str, shape: Shape) -> Key {
    Key { name, since, shape }
}

static TEXT: Shape = scalar(Form::Text);
static VALUE: Shape = or_empty(scalar(Form::TextOrNumber));
static PLAIN: Shape = scalar(Form::Text);

const SOME_TEXT: Shape = scalar(Form::Text);
const WHOLE: Shape = scalar(Form::FilledWhole);
const FLAG: Shape = scalar(Form::FilledBoolean);
const DURATION: Shape = scalar(Form::Duration);
const TEXTS: Shape = list(&PLAIN);
const TEXT_OR_TEXTS: Shape = or_text(TEXTS);
const ANYTHING: Shape = Shape {
    scalar: Some(Form::Anything),
    list: Some(&ANY),
    map: Some(Keys::Named(&ANY)),
    may_be_empty: true,
};
static ANY: Shape = Shape {
    scalar: Some(Form::Anything),
    list: Some(&ANY),
    map: Some(Keys::Named(&ANY)),
    may_be_empty: true,
};
/// `KEY: VALUE`, or a list of `KEY=VALUE`.
const PAIRS: Shape = Shape { list: Some(&TEXT), map: Some(Keys::Named(&VALUE)), ..NOTHING };

/// A whole file.
pub(super) static FILE: Shape = map(&[
    key("version", SOME_TEXT),
    key("services", named(&SERVICE)),
    key("networks", named(&NETWORK)),
    key("volumes", named(&VOLUME)),
    since(1, "secrets", named(&SECRET)),
    since(3, "configs", named(&CONFIG)),
]);

static SERVICE: Shape = map(&[
    key("build", ANYTHING),
    key("cap_add", TEXTS),
    key("cap_drop", TEXTS),
    since(9, "cgroupns_mode", SOME_TEXT),
    key("cgroup_parent", SOME_TEXT),
    key("command", TEXT_OR_TEXTS),
    since(3, "configs", list(&GRANT)),
    key("container_name", SOME_TEXT),
    since(3, "credential_spec", ANYTHING),
    key("depends_on", TEXTS),
    key("deploy", or_empty(map(DEPLOY))),
    key("devices", TEXTS),
    key("dns", TEXT_OR_TEXTS),
    key("dns_search", TEXT_OR_TEXTS),
    key("domainname", SOME_TEXT),
    key("entrypoint", TEXT_OR_TEXTS),
    key("env_file", TEXT_OR_TEXTS),
    key("environment", PAIRS),
    key("expose", list(&VALUE)),
    key("external_links", TEXTS),
    key("extra_hosts", PAIRS),
    key("healthcheck", map(HEALTHCHECK)),
    key("hostname", SOME_TEXT),
    key("image", SOME_TEXT),
    since(7, "init", scalar(Form::Boolean)),
    key("ipc", SOME_TEXT),
    since(5, "isolation", SOME_TEXT),
    key("labels", PAIRS),
    key("links", TEXTS),
    key("logging", map(&[key("driver", SOME_TEXT), key("options", named(&VALUE))])),
    key("mac_address", SOME_TEXT),
    key("network_mode", SOME_TEXT),
    key("networks", Shape { list: Some(&TEXT), map: Some(Keys::Named(&ATTACHMENT)), ..NOTHING }),
    since(13, "oom_score_adj", scalar(Form::Whole)),
    key("pid", or_empty(SOME_TEXT)),
    key("ports", list(&PORT)),
    key("privileged", FLAG),
    key("read_only", FLAG),
    key("restart", SOME_TEXT),
    since(1, "secrets", list(&GRANT)),
    key("security_opt", TEXTS),
    key("shm_size", scalar(Form::TextOrNumber)),
    key("stdin_open", FLAG),
    key("stop_grace_period", DURATION),
    key("stop_signal", SOME_TEXT),
    key("sysctls", PAIRS),
    key("tmpfs", TEXT_OR_TEXTS),
    key("tty", FLAG),
    key("ulimits", named(&ULIMIT)),
    key("user", SOME_TEXT),
    key("userns_mode", SOME_TEXT),
    key("volumes", list(&MOUNT)),
    key("working_dir", SOME_TEXT),
]);

const DEPLOY: &[Key] = &[
    key("mode", SOME_TEXT),
    since(2, "endpoint_mode", SOME_TEXT),
    key("replicas", WHOLE),
    key("labels", PAIRS),
    key("update_config", map(UPDATE)),
    since(7, "rollback_config", map(UPDATE)),
    key("resources", map(RESOURCES)),
    key("restart_policy", map(RESTART)),
    key("placement", map(PLACEMENT)),
];

const RESOURCES: &[Key] = &[key("limits", map(LIMITS)), key("reservations", map(RESERVATIONS))];

const LIMITS: &[Key] =
    &[key("cpus", SOME_TEXT), key("memory", SOME_TEXT), since(9, "pids", scalar(Form::Whole))];

const RESERVATIONS: &[Key] =
    &[key("cpus", SOME_TEXT), key("memory", SOME_TEXT), since(5, "generic_resources", list(&ANY))];

const RESTART: &[Key] = &[
    key("condition", SOME_TEXT),
    key("delay", DURATION),
    key("max_attempts", WHOLE),
    key("window", DURATION),
];

const PLACEMENT: &[Key] = &[
    key("constraints", TEXTS),
    since(3, "preferences", list(&PREFERENCE)),
    since(8, "max_replicas_per_node", WHOLE),
];

static PREFERENCE: Shape = map(&[key("spread", SOME_TEXT)]);

const UPDATE: &[Key] = &[
    key("parallelism", WHOLE),
    key("delay", DURATION),
    key("failure_action", SOME_TEXT),
    key("monitor", DURATION),
    key("max_failure_ratio", scalar(Form::FilledNumber)),
    since(4, "order", scalar(Form::Order)),
];

const HEALTHCHECK: &[Key] = &[
    key("disable", FLAG),
    key("interval", DURATION),
    key("retries", WHOLE),
    key("test", TEXT_OR_TEXTS),
    key("timeout", DURATION),
    since(4, "start_period", DURATION),
    since(12, "start_interval", DURATION),
];

static ATTACHMENT: Shape = or_empty(map(&[
    key("aliases", TEXTS),
    since(13, "driver_opts", named(&VALUE)),
    key("ipv4_address", SOME_TEXT),
    key("ipv6_address", SOME_TEXT),
]));

static PORT: Shape = Shape {
    scalar: Some(Form::Port),
    ..map(&[
        since(2, "mode", SOME_TEXT),
        since(2, "target", WHOLE),
        since(2, "published", WHOLE),
        since(2, "protocol", SOME_TEXT),
    ])
};

static GRANT: Shape = or_text(open(&[
    key("source", SOME_TEXT),
    key("target", SOME_TEXT),
    key("uid", SOME_TEXT),
    key("gid", SOME_TEXT),
    key("mode", WHOLE),
]));

static ULIMIT: Shape =
    Shape { scalar: Some(Form::FilledWhole), ..map(&[key("hard", WHOLE), key("soft", WHOLE)]) };

static MOUNT: Shape = or_text(map(&[
    since(2, "type", SOME_TEXT),
    since(2, "source", SOME_TEXT),
    since(2, "target", SOME_TEXT),
    since(2, "read_only", FLAG),
    since(2, "consistency", SOME_TEXT),
    since(2, "bind", open(&[key("propagation", SOME_TEXT)])),
    since(2, "volume", open(&[key("nocopy", FLAG)])),
    since(6, "tmpfs", open(&[key("size", scalar(Form::Whole))])),
]));

const EXTERNAL: Shape =
    Shape { scalar: Some(Form::FilledBoolean), ..map(&[key("name", SOME_TEXT)]) };

static NETWORK: Shape = or_empty(map(&[
    since(5, "name", SOME_TEXT),
    key("driver", SOME_TEXT),
    key("driver_opts", named(&VALUE)),
    key("ipam", map(&[key("driver", SOME_TEXT), key("config", list(&SUBNET))])),
    key("external", EXTERNAL),
    key("internal", FLAG),
    since(2, "attachable", FLAG),
    key("labels", PAIRS),
]));

static SUBNET: Shape = map(&[key("subnet", SOME_TEXT)]);

static VOLUME: Shape = or_empty(map(&[
    since(4, "name", SOME_TEXT),
    key("driver", SOME_TEXT),
    key("driver_opts", named(&VALUE)),
    key("external", EXTERNAL),
    key("labels", PAIRS),
]));

static SECRET: Shape = map(&[
    since(5, "name", SOME_TEXT),
    key("file", SOME_TEXT),
    key("external", EXTERNAL),
    key("labels", PAIRS),
    since(8, "driver", SOME_TEXT),
    since(8, "driver_opts", named(&VALUE)),
    since(8, "template_driver", SOME_TEXT),
]);

static CONFIG: Shape = map(&[
    since(5, "name", SOME_TEXT),
    key("file", SOME_TEXT),
    key("external", EXTERNAL),
    key("labels", PAIRS),
    since(8, "template_driver", SOME_TEXT),
]);
