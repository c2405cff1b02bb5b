//! Plans as lists, for spreadsheets and printers of labels.

use std::borrow::Cow;

use super::{CannotMake, Placement, Plan, SharedPlan};

/// The most labels that one list has.
const MAX_LABELS: u64 = 100_000;

/// Whose a part is, where several orders are cut together.
struct Owner<'a> {
    order: &'a str,
    toy: &'a str,
    name: &'a str,
}

impl Plan {
    /// Returns the cut list as CSV (RFC 4180, UTF-8), a row for each piece, or block of equal
    /// pieces, of each sheet: where it lies, its size, and how often the sheet is cut.
    ///
    /// A name that a spreadsheet would take for a formula has an apostrophe before it.
    pub fn to_csv(&self, title: &str) -> String {
        cut_list(self, None, |_, name| Owner { order: "", toy: title, name })
    }

    /// Returns a label for each piece as CSV, in the order of the sawing, for programs that
    /// print labels.
    ///
    /// # Errors
    /// How many labels there would be, if there are more than 100,000.
    pub fn labels(&self, title: &str) -> Result<String, u64> {
        labels(self, None, |_, name| Owner { order: "", toy: title, name })
    }
}

impl SharedPlan {
    /// Returns the cut list as [`Plan::to_csv`] does, with each piece's order before it.
    pub fn to_csv(&self) -> String {
        cut_list(&self.plan, Some("order"), |part, name| self.owner(part, name))
    }

    /// Returns a label for each piece as [`Plan::labels`] does, with its order.
    ///
    /// # Errors
    /// How many labels there would be, if there are more than 100,000.
    pub fn labels(&self) -> Result<String, u64> {
        labels(&self.plan, Some("order"), |part, name| self.owner(part, name))
    }

    fn owner<'a>(&'a self, part: usize, name: &'a str) -> Owner<'a> {
        let share = self.order_of(part);
        // The part's own name follows its order's place in the list.
        let name = name.split_once(": ").map_or(name, |(_, name)| name);
        Owner {
            order: share.map_or("", |share| &share.order),
            toy: share.map_or("", |share| share.toy.as_str()),
            name,
        }
    }
}

impl CannotMake {
    /// Returns the verdict as CSV, in the place of a cut list.
    pub fn to_csv(&self) -> String {
        let mut table = Table::new(None, ["cannot_make"]);
        table.row(None, [self.to_string()]);
        table.finish()
    }
}

fn cut_list<'a>(
    plan: &'a Plan,
    order: Option<&str>,
    owner: impl Fn(usize, &'a str) -> Owner<'a>,
) -> String {
    let mut table = Table::new(
        order,
        [
            "toy",
            "part",
            "width_mm",
            "height_mm",
            "turned",
            "columns",
            "rows",
            "x_mm",
            "y_mm",
            "layout",
            "sheet",
            "sheet_width_mm",
            "sheet_height_mm",
            "sheets",
        ],
    );
    for (i, layout) in plan.layouts.iter().enumerate() {
        let sheet = &layout.sheet;
        for placement in &layout.placements {
            let Placement { width_mm, height_mm, columns, rows, x_mm, y_mm, .. } = *placement;
            let Owner { order: id, toy, name } = owner(placement.part, plan.part_name(placement));
            table.row(
                order.and(Some(id)),
                [
                    guarded(toy).into_owned(),
                    guarded(name).into_owned(),
                    width_mm.to_string(),
                    height_mm.to_string(),
                    placement.rotated.to_string(),
                    columns.to_string(),
                    rows.to_string(),
                    x_mm.to_string(),
                    y_mm.to_string(),
                    (i + 1).to_string(),
                    guarded(&sheet.name).into_owned(),
                    sheet.width_mm.to_string(),
                    sheet.height_mm.to_string(),
                    layout.repeat.to_string(),
                ],
            );
        }
    }
    table.finish()
}

fn labels<'a>(
    plan: &'a Plan,
    order: Option<&str>,
    owner: impl Fn(usize, &'a str) -> Owner<'a>,
) -> Result<String, u64> {
    if plan.figures.pieces > MAX_LABELS {
        return Err(plan.figures.pieces);
    }
    let mut table =
        Table::new(order, ["toy", "part", "size_mm", "layout", "sheet", "piece", "pieces"]);
    let mut counts = vec![0_u64; plan.parts.len()];
    let quantity = u64::from(plan.quantity.get());
    for (i, layout) in plan.layouts.iter().enumerate() {
        for sheet in 1..=layout.repeat {
            for placement in &layout.placements {
                let Owner { order: id, toy, name } =
                    owner(placement.part, plan.part_name(placement));
                let Some(part) = plan.parts.get(placement.part) else { continue };
                for _ in 0..placement.pieces() {
                    counts[placement.part] += 1;
                    table.row(
                        order.and(Some(id)),
                        [
                            guarded(toy).into_owned(),
                            guarded(name).into_owned(),
                            format!("{} x {}", part.width_mm, part.height_mm),
                            (i + 1).to_string(),
                            sheet.to_string(),
                            counts[placement.part].to_string(),
                            (u64::from(part.per_toy) * quantity).to_string(),
                        ],
                    );
                }
            }
        }
    }
    Ok(table.finish())
}

/// Lines of a CSV file, with the order's column first where there are several orders.
struct Table(csv::Writer<Vec<u8>>);

impl Table {
    fn new<const N: usize>(first: Option<&str>, columns: [&str; N]) -> Self {
        let terminator = csv::Terminator::CRLF;
        let mut table =
            Self(csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new()));
        table.row(first, columns.map(str::to_owned));
        table
    }

    fn row<const N: usize>(&mut self, first: Option<&str>, fields: [String; N]) {
        let first = first.map(|first| guarded(first).into_owned());
        // Writing to memory cannot fail, and all rows are equally long.
        let _ = self.0.write_record(first.into_iter().chain(fields));
    }

    fn finish(self) -> String {
        let bytes = self.0.into_inner().unwrap_or_default();
        String::from_utf8(bytes).unwrap_or_default()
    }
}

/// Returns text that no spreadsheet computes.
fn guarded(text: &str) -> Cow<'_, str> {
    let begins =
        |c: char| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '|' | '%');
    if text.trim_start().starts_with(begins) || text.starts_with(['\t', '\r', '\n']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ProductName, Quantity};
    use crate::workshop::{CuttingList, ToCut, Workshop};

    fn toy(name: &str) -> (ProductName, CuttingList) {
        let name = ProductName::parse(name).unwrap();
        let list = CuttingList::letters(&name);
        (name, list)
    }

    fn rows(csv: &str) -> Vec<csv::StringRecord> {
        csv::Reader::from_reader(csv.as_bytes()).records().collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn the_cut_list_has_every_piece() {
        let (name, list) = toy("Rocking \"Horse\", large");
        let plan = Workshop::default().plan(&list, Quantity::BATCH).unwrap();
        let csv = plan.to_csv(name.as_str());
        assert!(csv.starts_with("toy,part,width_mm,height_mm,turned,columns,rows,"), "{csv}");
        let number = |row: &csv::StringRecord, i: usize| row[i].parse::<u64>().unwrap();
        let pieces = rows(&csv)
            .iter()
            .map(|row| number(row, 5) * number(row, 6) * number(row, 13))
            .sum::<u64>();
        assert_eq!(pieces, plan.figures.pieces);
        assert_eq!(&rows(&csv)[0][0], name.as_str());
        let labels = plan.labels(name.as_str()).unwrap();
        assert_eq!(rows(&labels).len() as u64, plan.figures.pieces);
    }

    #[test]
    fn no_name_is_a_formula() {
        for name in ["=1+1", "+x", "-x", "@SUM(A1)", " =cmd|' /C calc'!A0", "＝1"] {
            let (name, list) = toy(name);
            let plan = Workshop::default().plan(&list, Quantity::ONE).unwrap();
            for csv in [plan.to_csv(name.as_str()), plan.labels(name.as_str()).unwrap()] {
                for row in rows(&csv) {
                    assert!(row[0].starts_with('\''), "{row:?}");
                    assert!(row.iter().all(|field| !field.starts_with(['=', '+', '-', '@'])));
                }
            }
        }
    }

    #[test]
    fn each_piece_of_a_shared_plan_has_its_order() {
        let order = |id: &str, name: &str| {
            let (toy, list) = toy(name);
            ToCut { order: id.to_owned(), toy, list, quantity: Quantity::ONE }
        };
        let orders = [order("a", "Train"), order("=b", "a: b")];
        let shared = Workshop::default().plan_together(&orders).unwrap();
        let labels = rows(&shared.labels().unwrap());
        assert_eq!(labels.iter().filter(|row| &row[0] == "a").count(), 5);
        assert!(labels.iter().any(|row| &row[0] == "'=b" && &row[1] == "a: b" && &row[2] == ":"));
        assert_eq!(
            shared.to_csv().lines().next().map(|line| line.starts_with("order,toy,")),
            Some(true)
        );
    }

    #[test]
    fn what_cannot_be_made_says_why() {
        let cannot = CannotMake::NoLayout("a, b".into());
        assert_eq!(cannot.to_csv(), "cannot_make\r\n\"no layout was found: a, b\"\r\n");
    }
}
