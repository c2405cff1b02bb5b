//! Tables that fit a terminal, and are whole elsewhere.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use woody_adapters::terminal::visible;

use super::screen::Screen;

/// What a table has between two columns, beyond what it has around all of them.
const BETWEEN: usize = 3;
/// Around all columns.
const AROUND: usize = 2;
/// A column is not cut to less than this.
const LEAST: usize = 6;
/// What a column should have before times are told by their ages alone.
const ENOUGH: usize = 12;

/// Draws a table. What is not known is `null`.
pub(super) fn drawn(columns: &[String], rows: &[Vec<Value>], screen: &Screen) -> String {
    let mut cells = texts(columns, rows, screen, false);
    if screen.width.is_some_and(|width| least(columns, &cells, ENOUGH) > width) {
        cells = texts(columns, rows, screen, true);
    }
    let mut header = columns.to_vec();
    if let Some(width) = screen.width {
        let widths = fitted(columns, &cells, width);
        for line in cells.iter_mut().chain([&mut header]) {
            for (cell, width) in line.iter_mut().zip(&widths) {
                *cell = cut(cell, *width);
            }
        }
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    for row in cells {
        table.add_row(row);
    }
    table.to_string()
}

/// Whether a column is never cut: an id is there to be copied, and half a time is none.
fn is_whole(column: &str) -> bool {
    is_time(column) || column == "id" || column == "order" || column.ends_with("_id")
}

/// Whether a column, or a name, is that of a time.
pub(super) fn is_time(column: &str) -> bool {
    column == "at" || column == "oldest" || column.ends_with("_at") || column.ends_with(" at")
}

/// The cells as people read them.
fn texts(
    columns: &[String],
    rows: &[Vec<Value>],
    screen: &Screen,
    by_age: bool,
) -> Vec<Vec<String>> {
    let text = |(column, value): (&String, &Value)| {
        let text = match value {
            Value::Null => "unknown".to_owned(),
            Value::String(text) => visible(text).into_owned(),
            other => visible(&other.to_string()).into_owned(),
        };
        match screen.time(&text).filter(|_| is_time(column)) {
            Some((_, age)) if by_age => age,
            Some((whole, _)) => whole,
            None => text,
        }
    };
    rows.iter().map(|row| columns.iter().zip(row).map(text).collect()).collect()
}

/// How wide each column would be.
fn natural(columns: &[String], cells: &[Vec<String>]) -> Vec<usize> {
    let widest = |(nth, column): (usize, &String)| {
        let cells = cells.iter().filter_map(|row| row.get(nth)).map(|cell| cell.width());
        cells.chain([column.width()]).max().unwrap_or(0)
    };
    columns.iter().enumerate().map(widest).collect()
}

/// How wide all of them are.
fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + BETWEEN * widths.len().saturating_sub(1) + AROUND
}

/// How wide the table is at least, with `enough` for each column that may be cut.
fn least(columns: &[String], cells: &[Vec<String>], enough: usize) -> usize {
    let widths = natural(columns, cells).into_iter().zip(columns);
    let widths = widths.map(|(width, name)| if is_whole(name) { width } else { width.min(enough) });
    total(&widths.collect::<Vec<_>>())
}

/// How wide each column is to be: the widest that may be cut are, down to the width of the others.
fn fitted(columns: &[String], cells: &[Vec<String>], room: usize) -> Vec<usize> {
    let mut widths = natural(columns, cells);
    while total(&widths) > room {
        let mut cuttable: Vec<(usize, usize)> = widths
            .iter()
            .zip(columns)
            .enumerate()
            .filter(|(_, (width, name))| !is_whole(name) && **width > LEAST)
            .map(|(nth, (width, _))| (*width, nth))
            .collect();
        cuttable.sort_unstable();
        let Some((width, nth)) = cuttable.pop() else { break };
        let next = cuttable.last().map_or(LEAST, |(width, _)| *width);
        let excess = total(&widths) - room;
        // Down to the next, so that those two shrink together; but by one at least, where they are level.
        widths[nth] = width.saturating_sub(excess.min((width - next).max(1))).max(LEAST);
    }
    widths
}

/// Returns the beginning of a text that is too wide, which ends with `…`.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (mut kept, mut has) = (String::new(), 1);
    for c in text.chars() {
        has += c.width().unwrap_or(0);
        if has > width {
            break;
        }
        kept.push(c);
    }
    kept + "…"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW: &str = "2026-11-30T03:14:30Z";
    const ID: &str = "0192f0c1-2f3a-8c4d-8e5f-6a7b8c9d0e1f";

    fn columns() -> Vec<String> {
        ["order_id", "accepted_at", "status", "details"].map(str::to_owned).to_vec()
    }

    fn row(details: &str) -> Vec<Value> {
        vec![json!(ID), json!("2026-11-30T03:10:54.1Z"), json!("pending"), json!(details)]
    }

    fn widest(table: &str) -> usize {
        table.lines().map(UnicodeWidthStr::width).max().unwrap()
    }

    #[test]
    fn a_table_fits_the_terminal_and_is_whole_elsewhere() {
        let long = r#"product="Train 木馬" quantity=2 "#.repeat(20);
        let rows = [row(&long), row("a")];
        let file = drawn(&columns(), &rows, &Screen::file());
        assert!(file.contains(&long) && file.contains("2026-11-30T03:10:54.1Z"), "{file}");
        let wide = drawn(&columns(), &rows, &Screen::of_width(120, NOW));
        assert!(widest(&wide) == 120 && wide.contains('…') && wide.contains(ID), "{wide}");
        assert!(wide.contains("03:10:54Z, 3 min ago"), "{wide}");
        // Where there is little room, the age is what counts.
        let narrow = drawn(&columns(), &rows, &Screen::of_width(80, NOW));
        assert!(widest(&narrow) == 80 && narrow.contains(ID), "{narrow}");
        assert!(narrow.contains(" 3 min ago ") && !narrow.contains("54Z"), "{narrow}");
        // What is to be copied is never cut.
        let tiny = drawn(&columns(), &rows, &Screen::of_width(20, NOW));
        assert!(tiny.contains(ID), "{tiny}");
    }

    proptest! {
        #[test]
        fn whatever_is_in_it_it_is_no_wider_than_the_terminal(
            cells in proptest::collection::vec(proptest::collection::vec("\\PC{0,60}", 4), 0..4),
            width in 36_usize..200,
        ) {
            let columns = ["what", "by", "because", "result"].map(str::to_owned);
            let rows: Vec<Vec<Value>> = cells
                .into_iter()
                .map(|row| row.into_iter().map(Value::from).collect())
                .collect();
            let table = drawn(&columns, &rows, &Screen::of_width(width, NOW));
            prop_assert!(widest(&table) <= width, "{}\n{}", width, table);
        }

        #[test]
        fn a_text_that_is_cut_begins_as_it_did(text in "\\PC{0,40}", width in 1_usize..40) {
            let shown = cut(&text, width);
            prop_assert!(shown.width() <= width);
            let kept = shown.strip_suffix('…').filter(|_| shown != text);
            prop_assert!(text.starts_with(kept.unwrap_or(&shown)));
        }
    }
}
