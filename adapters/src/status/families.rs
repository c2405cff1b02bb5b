use std::fmt::{self, Write as _};

/// Text in Prometheus' format, a family at a time.
#[derive(Default)]
pub(super) struct Families(String);

impl Families {
    /// Adds a family of gauges; one without samples is left out.
    pub(super) fn add(&mut self, name: &str, help: &str, samples: &[(String, f64)]) {
        if !samples.is_empty() {
            // Writing to a String cannot fail.
            let _ = self.write(name, help, samples);
        }
    }

    fn write(&mut self, name: &str, help: &str, samples: &[(String, f64)]) -> fmt::Result {
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge")?;
        samples.iter().try_for_each(|(labels, value)| writeln!(self.0, "{name}{labels} {value}"))
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// Prometheus knows floating point alone.
#[allow(clippy::cast_precision_loss)]
pub(super) fn whole(count: u64) -> f64 {
    count as f64
}
