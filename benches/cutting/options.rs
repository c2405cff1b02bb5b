//! What is asked for on the command line.

use std::path::PathBuf;

use crate::{efforts, orders};

/// What is measured.
pub(crate) struct Options {
    pub(crate) instances: Option<PathBuf>,
    pub(crate) seconds: f64,
    pub(crate) steps: u64,
    pub(crate) every: usize,
    pub(crate) fixed: bool,
    pub(crate) name: String,
    pub(crate) worse: bool,
    pub(crate) peers: bool,
    pub(crate) instead: Option<Instead>,
    /// Points of the curve, the last at `seconds`.
    pub(crate) curve: u32,
}

/// What is measured instead of instances.
#[derive(Clone, Copy)]
pub(crate) enum Instead {
    Efforts,
    /// So many problems that are made to be hard.
    Adversarial(u64),
    /// Validations by the number of pieces.
    Validations,
    /// Validations of so many orders that are made to be hard.
    HardOrders(u64),
}

impl Instead {
    pub(crate) fn run(self) -> String {
        match self {
            Self::Efforts => efforts::table(),
            Self::Adversarial(problems) => efforts::adversarial(problems),
            Self::Validations => orders::table(),
            Self::HardOrders(orders) => orders::adversarial(orders),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            instances: None,
            seconds: 0.1,
            steps: u64::MAX,
            every: 1,
            fixed: false,
            name: String::new(),
            worse: false,
            peers: true,
            instead: None,
            curve: 8,
        }
    }
}

impl Options {
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(flag) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{flag} needs a value"));
            let wrong = |text: &str| format!("{flag} cannot be {text:?}");
            match flag.as_str() {
                "--instances" => options.instances = Some(value()?.into()),
                "--seconds" => {
                    let text = value()?;
                    let seconds = text.parse().ok().filter(|s| (0.001..=3_600.0).contains(s));
                    options.seconds = seconds.ok_or_else(|| wrong(&text))?;
                }
                "--steps" => {
                    let text = value()?;
                    options.steps = text.parse().map_err(|_| wrong(&text))?;
                    options.seconds = 3_600.0;
                    (options.peers, options.curve) = (false, 0);
                }
                "--every" => {
                    let text = value()?;
                    let every = text.parse().ok().filter(|n| *n > 0);
                    options.every = every.ok_or_else(|| wrong(&text))?;
                }
                "--peers" => {
                    let text = value()?;
                    options.peers = match text.as_str() {
                        "all" => true,
                        "none" => false,
                        _ => return Err(wrong(&text)),
                    };
                }
                "--curve" => {
                    let text = value()?;
                    let points = text.parse().ok().filter(|n| *n <= 16);
                    options.curve = points.ok_or_else(|| wrong(&text))?;
                }
                "--adversarial" => {
                    let text = value()?;
                    let problems = text.parse().map_err(|_| wrong(&text))?;
                    options.instead = Some(Instead::Adversarial(problems));
                }
                "--hard-orders" => {
                    let text = value()?;
                    let orders = text.parse().map_err(|_| wrong(&text))?;
                    options.instead = Some(Instead::HardOrders(orders));
                }
                "--validations" => options.instead = Some(Instead::Validations),
                "--efforts" => options.instead = Some(Instead::Efforts),
                "--name" => options.name = value()?,
                "--fixed" => options.fixed = true,
                "--worse" => options.worse = true,
                // Cargo says that it is a bench.
                "--bench" => {}
                _ => {
                    return Err(format!(
                        "{flag} is unknown; see the top of benches/cutting/main.rs"
                    ));
                }
            }
        }
        Ok(options)
    }
}
