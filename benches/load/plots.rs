//! The pictures: rates by connections and by workers, and where the processor time goes.

use std::{error::Error, path::Path};

use plotters::prelude::*;

use crate::{
    figures::Figures,
    report::{Measured, Report},
};

/// Okabe and Ito's colours, which all eyes tell apart.
const COLOURS: [RGBColor; 5] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
];
const PROCESSES: [&str; 5] =
    ["order-service us", "order-worker us", "postgres us", "rabbitmq us", "client us"];

/// Draws what there are figures for, into `folder`.
pub fn draw(report: &Report, folder: &Path) {
    for (file, drawn) in [
        ("cost.svg", costs(report, &folder.join("cost.svg"))),
        ("rates.svg", rates(report, &folder.join("rates.svg"))),
    ] {
        if let Err(error) = drawn {
            eprintln!("{file} could not be drawn: {error}");
        }
    }
}

/// Processor time of each order, by process.
fn costs(report: &Report, file: &Path) -> Result<(), Box<dyn Error>> {
    let rows: Vec<&Measured> = report
        .rows
        .iter()
        .filter(|row| row.median("postgres us").is_some() && row.median("rabbitmq us").is_some())
        .collect();
    let total = |row: &Measured| PROCESSES.iter().filter_map(|name| row.median(name)).sum::<f64>();
    let most = rows.iter().map(|row| total(row)).fold(1.0, f64::max);
    let area = SVGBackend::new(file, (900, 120 + 40 * rows.len() as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("Processor time of each order, in microseconds", ("sans-serif", 18))
        .margin(10)
        .x_label_area_size(30)
        .y_label_area_size(280)
        .build_cartesian_2d(0.0..most * 1.05, 0.0..rows.len().max(1) as f64)?;
    let name = |at: &f64| {
        let row = rows.get(rows.len().saturating_sub(at.floor() as usize + 1));
        row.map_or_else(String::new, |row| row.name.clone())
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(rows.len().max(1))
        .y_label_formatter(&name)
        .draw()?;
    for (process, colour) in PROCESSES.iter().zip(COLOURS) {
        let bars = rows.iter().enumerate().filter_map(|(nth, row)| {
            let before = PROCESSES.iter().take_while(|other| *other != process);
            let from: f64 = before.filter_map(|other| row.median(other)).sum();
            let to = from + row.median(process)?;
            let low = (rows.len() - 1 - nth) as f64;
            Some(Rectangle::new([(from, low + 0.2), (to, low + 0.8)], colour.filled()))
        });
        chart
            .draw_series(bars)?
            .label(process.trim_end_matches(" us"))
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], colour.filled()));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    area.present()?;
    Ok(())
}

/// What goes through with more connections, and with more workers.
fn rates(report: &Report, file: &Path) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(file, (900, 360)).into_drawing_area();
    area.fill(&WHITE)?;
    let [left, right] = &area.split_evenly((1, 2))[..] else { return Ok(()) };
    let connections = series(report, "accept, ", " connections");
    line(left, "Orders accepted a second, by connections", &[("", connections)])?;
    let waits = series(report, "workers, ", ", a validator that waits 50 ms");
    let computes = series(report, "workers, ", ", a validator that computes");
    let both = [("waits 50 ms", waits), ("computes", computes)];
    line(right, "Orders processed a second, by workers", &both)?;
    area.present()?;
    Ok(())
}

/// The rates of rows whose names are a number between `before` and `after`.
fn series(report: &Report, before: &str, after: &str) -> Vec<(f64, f64)> {
    let rows = report.rows.iter().filter_map(|row| {
        let number = row.name.strip_prefix(before)?.strip_suffix(after)?;
        Some((number.parse().ok()?, row.median(Figures::RATE)?))
    });
    rows.collect()
}

fn line(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    caption: &str,
    all: &[(&str, Vec<(f64, f64)>)],
) -> Result<(), Box<dyn Error>> {
    let points = || all.iter().flat_map(|(_, points)| points);
    let most_x = points().map(|(x, _)| *x).fold(1.0, f64::max);
    let most_y = points().map(|(_, y)| *y).fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 16))
        .margin(10)
        .x_label_area_size(30)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..most_x * 1.05, 0.0..most_y * 1.1)?;
    chart.configure_mesh().draw()?;
    for ((name, points), colour) in all.iter().zip(COLOURS) {
        let drawn = chart.draw_series(
            LineSeries::new(points.iter().copied(), colour.stroke_width(2)).point_size(3),
        )?;
        if !name.is_empty() {
            drawn.label(*name).legend(move |(x, y)| {
                PathElement::new([(x, y), (x + 12, y)], colour.stroke_width(2))
            });
        }
    }
    if all.len() > 1 {
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .draw()?;
    }
    Ok(())
}
