//! How plans become better with time: a drawing that a browser shows.

use std::path::Path;
use std::time::Duration;

use plotters::prelude::*;

use crate::peers::Tried;

/// What all instances cost together, by the time that each may take; a peer that has no
/// plan for one of them has no point yet.
pub(crate) struct Curve {
    pub(crate) seconds: Vec<f64>,
    pub(crate) lines: Vec<(String, Vec<Option<u64>>)>,
    pub(crate) best: Option<u64>,
    pub(crate) bound: u64,
}

/// `points` times up to `seconds`, each twice the one before.
pub(crate) fn times(seconds: f64, points: u32) -> Vec<f64> {
    (0..points).rev().map(|back| seconds / f64::from(1 << back)).collect()
}

/// What the best plans of a peer cost together at each of the times.
pub(crate) fn of_peer(tried: &[&Tried], seconds: &[f64]) -> Vec<Option<u64>> {
    let at = |tried: &Tried, limit: f64| {
        let limit = Duration::from_secs_f64(limit);
        tried.better.iter().rev().find(|(time, _)| *time <= limit).map(|(_, value)| *value)
    };
    seconds.iter().map(|limit| tried.iter().map(|tried| at(tried, *limit)).sum()).collect()
}

// Told apart without colours too: by their order, and by the names at their ends.
const COLOURS: [RGBColor; 3] = [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115)];

#[expect(clippy::cast_precision_loss, reason = "a drawing")]
pub(crate) fn draw(curve: &Curve, file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let values = curve.lines.iter().flat_map(|(_, values)| values).flatten();
    let top = values.copied().max().unwrap_or(curve.bound) as f64;
    let bottom = curve.bound as f64;
    let margin = ((top - bottom) * 0.06).max(1.0);
    let (Some(first), Some(last)) = (curve.seconds.first(), curve.seconds.last()) else {
        return Ok(());
    };
    let canvas = SVGBackend::new(file, (860, 480)).into_drawing_area();
    canvas.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&canvas)
        .caption("All instances together", ("sans-serif", 24))
        .margin(16)
        .x_label_area_size(52)
        .y_label_area_size(96)
        .build_cartesian_2d((*first..*last).log_scale().base(2.0), bottom - margin..top + margin)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .label_style(("sans-serif", 16))
        .x_labels(curve.seconds.len())
        .x_label_formatter(&|seconds| format!("{seconds:.3}"))
        .y_label_formatter(&|value| format!("{value:.0}"))
        .x_desc("processor time an instance may take, seconds")
        .y_desc("sheets, or their cost")
        .draw()?;
    for (index, (name, values)) in curve.lines.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let points = curve.seconds.iter().zip(values);
        let points: Vec<(f64, f64)> =
            points.filter_map(|(at, value)| Some((*at, (*value)? as f64))).collect();
        chart.draw_series(points.iter().map(|at| Circle::new(*at, 3, colour.filled())))?;
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    let known = [(curve.best, "best known", 8), (Some(curve.bound), "bound", 2)];
    for (value, name, dash) in known.into_iter().filter_map(|(v, n, d)| Some((v? as f64, n, d))) {
        let line = [(*first, value), (*last, value)];
        chart
            .draw_series(DashedLineSeries::new(line, dash, 4, BLACK.stroke_width(1)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + dash, y)], BLACK.stroke_width(1)));
    }
    chart
        .configure_series_labels()
        .label_font(("sans-serif", 16))
        .border_style(BLACK)
        .background_style(WHITE)
        .draw()?;
    canvas.present()?;
    Ok(())
}
