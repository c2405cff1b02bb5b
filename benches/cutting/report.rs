//! The table: a row for each class, and the sum; for people and as JSON.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use serde_json::{Value, json};

use crate::peers::{Peer, Tried};

/// What came of one instance.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) class: String,
    pub(crate) name: String,
    /// Sheets, or their cost where they have one.
    pub(crate) value: u64,
    pub(crate) bound: u64,
    pub(crate) best: Option<u64>,
    pub(crate) time: Duration,
    /// In the order of [`Peer::ALL`]; none if they were not asked.
    pub(crate) peers: Vec<Tried>,
}

#[derive(Default)]
pub(crate) struct Report(pub(crate) Vec<Row>);

/// The sums of some rows.
struct Sums {
    instances: usize,
    value: u64,
    bound: u64,
    best: Option<u64>,
    mean: f64,
    longest: f64,
    /// Of each peer: what it found, and for how many it found nothing.
    peers: Vec<(u64, usize)>,
}

impl Report {
    pub(crate) fn add(&mut self, row: Row) {
        self.0.push(row);
    }

    /// The instances that end above the best known value.
    pub(crate) fn worse(&self) -> Vec<&str> {
        let worse = self.0.iter().filter(|row| row.best.is_some_and(|best| row.value > best));
        worse.map(|row| row.name.as_str()).collect()
    }

    pub(crate) fn tried(&self, peer: usize) -> Vec<&Tried> {
        self.0.iter().filter_map(|row| row.peers.get(peer)).collect()
    }

    pub(crate) fn bound(&self) -> u64 {
        self.0.iter().map(|row| row.bound).sum()
    }

    pub(crate) fn best(&self) -> Option<u64> {
        self.0.iter().map(|row| row.best).sum()
    }

    /// The classes in the order of their names, all of them last.
    fn sums(&self) -> Vec<(&str, Sums)> {
        let mut classes: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in &self.0 {
            classes.entry(&row.class).or_default().push(row);
        }
        let all = ("all", self.0.iter().collect::<Vec<_>>());
        classes.into_iter().chain([all]).map(|(class, rows)| (class, Sums::of(&rows))).collect()
    }

    pub(crate) fn json(&self) -> Value {
        let class = |(class, sums): (&str, Sums)| {
            let mut row = json!({
                "class": class,
                "instances": sums.instances,
                "value": sums.value,
                "bound": sums.bound,
                "best": sums.best,
                "seconds_mean": sums.mean,
                "seconds_longest": sums.longest,
            });
            for (peer, (value, missing)) in Peer::ALL.iter().zip(sums.peers) {
                row[peer.name()] = json!({ "value": value, "without_a_plan": missing });
            }
            row
        };
        self.sums().into_iter().map(class).collect()
    }

    /// What is to be said about the peers besides their sums.
    pub(crate) fn about_peers(&self) -> Vec<String> {
        let about = |(index, peer): (usize, &Peer)| {
            let tried = self.tried(index);
            let sum = |of: fn(&Tried) -> u32| tried.iter().map(|tried| of(tried)).sum::<u32>();
            let longest = tried.iter().map(|tried| tried.time).max()?;
            Some(format!(
                "{}: {} calls, {} panics, {} plans that no saw can cut, {} calls without a plan; longest {:.3} s",
                peer.name(),
                sum(|tried| tried.calls),
                sum(|tried| tried.panics),
                sum(|tried| tried.unsound),
                sum(|tried| tried.none),
                longest.as_secs_f64(),
            ))
        };
        Peer::ALL.iter().enumerate().filter_map(about).collect()
    }
}

impl Sums {
    #[expect(clippy::cast_precision_loss, reason = "seconds for people")]
    fn of(rows: &[&Row]) -> Self {
        let time: Duration = rows.iter().map(|row| row.time).sum();
        let asked = rows.iter().map(|row| row.peers.len()).min().unwrap_or(0);
        let peer = |index: usize| {
            let values = || rows.iter().map(|row| row.peers[index].value());
            (values().flatten().sum(), values().filter(Option::is_none).count())
        };
        Self {
            instances: rows.len(),
            value: rows.iter().map(|row| row.value).sum(),
            bound: rows.iter().map(|row| row.bound).sum(),
            best: rows.iter().map(|row| row.best).sum::<Option<u64>>().filter(|best| *best > 0),
            mean: time.as_secs_f64() / rows.len().max(1) as f64,
            longest: rows.iter().map(|row| row.time).max().unwrap_or_default().as_secs_f64(),
            peers: (0..asked).map(peer).collect(),
        }
    }
}

impl Display for Report {
    #[expect(clippy::cast_precision_loss, reason = "percent for people")]
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let sums = self.sums();
        let peers = sums.first().map_or(0, |(_, sums)| sums.peers.len());
        write!(
            out,
            "| class | instances | bound | best known | sheets or cost | above it | s each | longest |"
        )?;
        for peer in &Peer::ALL[..peers] {
            write!(out, " {} |", peer.name())?;
        }
        writeln!(out)?;
        writeln!(out, "| --- |{}", " ---: |".repeat(7 + peers))?;
        for (class, sums) in sums {
            let Sums { instances, value, bound, mean, longest, .. } = sums;
            let (best, above) = match sums.best {
                Some(best) => {
                    let above = 100.0 * (value as f64 / best as f64 - 1.0);
                    (best.to_string(), format!("{above:.2} %"))
                }
                None => ("-".into(), "-".into()),
            };
            write!(
                out,
                "| {class} | {instances} | {bound} | {best} | {value} | {above} | {mean:.3} | {longest:.3} |"
            )?;
            for (value, missing) in sums.peers {
                match missing {
                    0 => write!(out, " {value} |")?,
                    _ if missing == instances => write!(out, " - |")?,
                    _ => write!(out, " {value}, {missing} without |")?,
                }
            }
            writeln!(out)?;
        }
        for line in self.about_peers() {
            write!(out, "\n{line}")?;
        }
        Ok(())
    }
}
