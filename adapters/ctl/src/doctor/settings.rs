//! The configuration of our programs by their environment, as their own flags read it.

use std::time::Duration;

use clap::{Arg, Args, Command};

use super::service::Service;
use woody_adapters::config::{
    AdminArgs, BrokerArgs, GatewayArgs, HeavyArgs, HeavyCacheArgs, HttpArgs, IntakeArgs,
    ListenArgs, ProcessArgs, RelayArgs, StoreArgs, StreamArgs, WebhookArgs, WorkerArgs,
    bounds::duration,
};

/// The flags of all our programs.
#[derive(Debug)]
pub(super) struct Settings(Command);

impl Settings {
    pub(super) fn new() -> Self {
        let groups: [fn(Command) -> Command; 14] = [
            ListenArgs::augment_args,
            AdminArgs::augment_args,
            StoreArgs::augment_args,
            BrokerArgs::augment_args,
            RelayArgs::augment_args,
            IntakeArgs::augment_args,
            WorkerArgs::augment_args,
            WebhookArgs::augment_args,
            HeavyArgs::augment_args,
            HeavyCacheArgs::augment_args,
            HttpArgs::augment_args,
            StreamArgs::augment_args,
            GatewayArgs::augment_args,
            ProcessArgs::augment_args,
        ];
        Self(groups.iter().fold(Command::new("woodytoys"), |flags, add| add(flags)))
    }

    /// Whether one of our programs reads it.
    pub(super) fn knows(&self, variable: &str) -> bool {
        self.flag(variable).is_some()
    }

    /// What a program would say of a value that it does not take.
    pub(super) fn complaint(&self, variable: &str, value: &str) -> Option<String> {
        let flag = self.flag(variable)?;
        // Alone, and blind to the environment that the doctor itself runs in.
        let flag = flag.clone().env(None::<&'static str>);
        let given = format!("--{}={value}", flag.get_long()?);
        let error = Command::new("woodytoys").arg(flag).try_get_matches_from(["", &given]).err()?;
        let text = error.to_string();
        let first = text.split("\n\n").next().unwrap_or(&text);
        Some(first.trim_start_matches("error: ").split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// What a service has for it: its own value or the flag's default.
    pub(super) fn value<'s>(&'s self, service: &'s Service, variable: &str) -> &'s str {
        match service.variable(variable) {
            Some(variable) => &variable.value,
            None => self.default(variable),
        }
    }

    /// The same as a time. A value that is none is reported by itself, so its
    /// default stands in.
    pub(super) fn time(&self, service: &Service, variable: &str) -> Duration {
        duration(self.value(service, variable))
            .or_else(|| duration(self.default(variable)))
            .unwrap_or_default()
    }

    fn default(&self, variable: &str) -> &str {
        let default = self.flag(variable).and_then(|flag| flag.get_default_values().first());
        default.and_then(|value| value.to_str()).unwrap_or_default()
    }

    fn flag(&self, variable: &str) -> Option<&Arg> {
        self.0.get_arguments().find(|flag| flag.get_env().is_some_and(|env| env == variable))
    }
}

/// Reads a duration as Go writes it: `1m30s`, `500ms`, `1.5h`.
pub(super) fn go_duration(text: &str) -> Option<Duration> {
    let (mut whole, mut rest) = (Duration::ZERO, text);
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(number);
        let unit = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
        whole = whole.checked_add(part)?;
        rest = after;
    }
    (!text.is_empty()).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use woody_adapters::services::{OrderServiceArgs, OrderWorkerArgs};

    #[test]
    fn go_durations_are_sums() {
        for (text, ms) in [("30s", 30_000), ("1m30s", 90_000), ("1.5h", 5_400_000), ("0s", 0)] {
            assert_eq!(go_duration(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "30", "soon", "1d", "s", "1..5s", "-1s"] {
            assert_eq!(go_duration(text), None, "{text}");
        }
    }

    #[test]
    fn what_the_order_programs_read_is_known() {
        let settings = Settings::new();
        for add in [OrderServiceArgs::augment_args, OrderWorkerArgs::augment_args] {
            let program = add(Command::new("program"));
            let read = program.get_arguments().filter_map(|flag| flag.get_env()?.to_str());
            let unknown: Vec<_> = read.filter(|variable| !settings.knows(variable)).collect();
            assert_eq!(unknown, [""; 0]);
        }
    }

    #[test]
    fn what_a_program_refuses_is_told_in_its_words() {
        let settings = Settings::new();
        assert!(settings.knows("WOODY_GRACE") && !settings.knows("WOODY_GRACES"));
        assert_eq!(settings.complaint("WOODY_GRACE", "25s"), None);
        assert_eq!(settings.complaint("WOODY_GRACES", "soon"), None);
        let complaint = settings.complaint("WOODY_GRACE", "25").unwrap();
        assert!(complaint.contains("'25'") && complaint.contains("10s"), "{complaint}");
        assert!(settings.complaint("WOODY_PREFETCH", "0").is_some());
    }

    proptest! {
        #[test]
        fn a_duration_never_panics(text in any::<String>(), dense in "[0-9.hmsnuµ]{0,12}") {
            let _ = go_duration(&text);
            let _ = go_duration(&dense);
        }
    }
}
