//! The last hour and the last day as charts.

use std::fmt::{self, Write as _};

use tokio::time::Instant;

use crate::{
    figures::grouped,
    rates::{Moment, RateHistory, Rates, Span},
};

/// The room of the lines, in the units of the picture.
const LEFT: f64 = 44.0;
const RIGHT: f64 = 332.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 152.0;

/// What is drawn: its name, its class, and which number it is.
type Line = (&'static str, &'static str, fn(&Rates) -> Option<f64>);
const LINES: [Line; 2] =
    [("accepted", "first", |rates| rates.accepted), ("ended", "second", |rates| rates.ended)];

/// A time that is drawn, and what is said of it.
struct Stretch {
    id: &'static str,
    title: &'static str,
    span: Span,
    /// How long ago its beginning is, and its middle.
    labels: [&'static str; 2],
    hint: &'static str,
}

const HOUR: Stretch = Stretch {
    id: "hour",
    title: "The last hour",
    span: Span::HOUR,
    labels: ["60 min ago", "30 min"],
    hint: "Orders each second, as this process counts them every 10 s.",
};
const DAY: Stretch = Stretch {
    id: "day",
    title: "The last day",
    span: Span::DAY,
    labels: ["24 h ago", "12 h"],
    hint: "The same of every 4 min. This process keeps a day in its memory, which is gone when it starts anew; for longer there is \
           <code>/metrics</code>.",
};

/// Returns the sections.
pub(super) fn sections(hour: &RateHistory, day: &RateHistory, now: Instant) -> String {
    section(&HOUR, &hour.moments(now)) + &section(&DAY, &day.moments(now))
}

fn section(stretch: &Stretch, moments: &[Moment]) -> String {
    let Stretch { id, title, hint, .. } = stretch;
    let mut section = format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{title}</h2>\n",
    );
    let known =
        |(_, _, number): &Line| moments.iter().any(|moment| number(&moment.rates).is_some());
    // Writing to a String cannot fail.
    if LINES.iter().any(known) {
        let _ = picture(&mut section, stretch, moments);
    } else {
        section.push_str("<p>Nothing has been counted yet.</p>\n");
    }
    let _ = write!(section, "<p class=\"hint\">{hint}</p>\n</section>\n");
    section
}

fn picture(out: &mut String, stretch: &Stretch, moments: &[Moment]) -> fmt::Result {
    let of = |number: fn(&Rates) -> Option<f64>| {
        moments.iter().filter_map(move |moment| Some((moment.ago, number(&moment.rates)?)))
    };
    let highest = LINES.iter().flat_map(|(.., number)| of(*number)).map(|(_, rate)| rate);
    let top = above(highest.fold(0.0, f64::max));
    write!(
        out,
        "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 340 176\" aria-label=\"{}, orders each second.",
        stretch.title
    )?;
    for (name, _, number) in LINES {
        if let Some((_, now)) = of(number).next_back() {
            let most = of(number).map(|(_, rate)| rate).fold(0.0, f64::max);
            write!(out, " {name}: {now:.1} at the end, {most:.1} at most.")?;
        }
    }
    out.write_str("\">\n")?;
    for (part, label) in [(0.0, "0".to_owned()), (0.5, short(top / 2.0)), (1.0, short(top))] {
        let y = BOTTOM - (BOTTOM - TOP) * part;
        writeln!(out, "<path class=\"grid\" d=\"M{LEFT} {y}H{RIGHT}\"/>")?;
        writeln!(out, "<text class=\"end\" x=\"{}\" y=\"{}\">{label}</text>", LEFT - 6.0, y + 4.0)?;
    }
    let [begin, middle] = stretch.labels;
    for (part, label) in [(0.0, begin), (0.5, middle), (1.0, "now")] {
        let x = LEFT + (RIGHT - LEFT) * part;
        let class = if part == 0.0 {
            ""
        } else if part < 1.0 {
            "middle"
        } else {
            "end"
        };
        writeln!(out, "<text class=\"{class}\" x=\"{x}\" y=\"170\">{label}</text>")?;
    }
    let mut x = LEFT;
    for (name, class, number) in LINES {
        if of(number).next().is_none() {
            continue;
        }
        writeln!(out, "<path class=\"line {class}\" d=\"M{x} 12H{}\"/>", x + 26.0)?;
        writeln!(out, "<text x=\"{}\" y=\"16\">{name}</text>", x + 32.0)?;
        x += 110.0;
        out.write_str("<polyline class=\"line ")?;
        write!(out, "{class}\" points=\"")?;
        for (ago, rate) in of(number) {
            let past = ago.as_secs_f64() / stretch.span.whole.as_secs_f64();
            let (x, y) = (RIGHT - (RIGHT - LEFT) * past, BOTTOM - (BOTTOM - TOP) * rate / top);
            write!(out, "{x:.1},{y:.1} ")?;
        }
        out.write_str("\"/>\n")?;
    }
    out.write_str("</svg>\n")
}

/// The next of 1, 2, 5, 10, 20 and so on that is not below.
fn above(rate: f64) -> f64 {
    let mut step = 1.0;
    // As far as anything is counted.
    while step < 1e12 {
        for top in [step, 2.0 * step, 5.0 * step] {
            if top >= rate {
                return top;
            }
        }
        step *= 10.0;
    }
    rate
}

/// `0.5`, `50`, `20,000`.
fn short(number: f64) -> String {
    if number.fract() == 0.0 { grouped(&format!("{number:.0}")) } else { format!("{number:.1}") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_scale_has_room_for_what_is_highest() {
        for (rate, top) in
            [(0.0, 1.0), (1.0, 1.0), (1.2, 2.0), (3.0, 5.0), (900.0, 1_000.0), (1_001.0, 2_000.0)]
        {
            assert!((above(rate) - top).abs() < f64::EPSILON, "{rate}: {}", above(rate));
        }
        assert_eq!(
            (short(0.5), short(2.5), short(20_000.0)),
            ("0.5".into(), "2.5".into(), "20,000".into())
        );
    }

    #[test]
    fn an_hour_and_a_day_stay_within_their_pictures_and_their_weight() {
        let moment = |every: Duration, nth: u32| Moment {
            ago: every * nth,
            rates: Rates {
                accepted: Some(f64::from(nth % 97) * 12.3),
                ended: nth.is_multiple_of(2).then_some(1_000.0),
                ..Rates::default()
            },
        };
        for stretch in [HOUR, DAY] {
            let moments: Vec<_> =
                (0..360).rev().map(|nth| moment(stretch.span.every, nth)).collect();
            let html = section(&stretch, &moments);
            assert!(html.len() < 12_000, "{} bytes", html.len());
            assert!(html.contains("ended: 1000.0 at the end, 1000.0 at most."), "{html}");
            let points = html.split("points=\"").skip(1).filter_map(|rest| rest.split('"').next());
            for point in points.flat_map(str::split_whitespace) {
                let (x, y) = point.split_once(',').unwrap();
                let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
                assert!((LEFT..=RIGHT).contains(&x) && (TOP..=BOTTOM).contains(&y), "{point}");
            }
        }
    }

    #[test]
    fn a_process_that_has_just_begun_says_so() {
        assert!(section(&HOUR, &[]).contains("Nothing has been counted yet"));
        let nothing = Moment { ago: Duration::ZERO, rates: Rates::default() };
        assert!(!section(&DAY, &[nothing]).contains("<svg"));
    }
}
