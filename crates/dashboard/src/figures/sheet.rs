//! A table as the page draws it: texts, links and bars, put together where they can be tested.

use crate::route::{Param, Route};

/// A table with its heading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sheet {
    /// Its heading.
    pub title: String,
    /// What else it can be of; empty where nothing.
    pub picks: Vec<Pick>,
    /// Its columns; the first names the row.
    pub columns: Vec<Column>,
    /// A cell for each column.
    pub rows: Vec<Vec<Cell>>,
    /// What is to be known of it, or why it has no rows; may be empty.
    pub note: String,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub title: String,
    /// What stands in it.
    pub content: Content,
    /// Where a sorting by this column leads; empty where there is none.
    pub href: String,
    /// How the table is sorted by it: `ascending` or `descending`, empty where it is not.
    pub order: &'static str,
}

/// A link to the same view of something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// What it leads to.
    pub text: String,
    /// Its address.
    pub href: String,
    /// Whether that is what is shown.
    pub chosen: bool,
}

/// Links of which one is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picks {
    /// What is chosen among.
    pub title: String,
    /// What there is to choose.
    pub picks: Vec<Pick>,
}

/// What stands in a column, and so to which side it is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text.
    Words,
    /// Figures and times, which are compared from row to row.
    Figures,
    /// Bars on one scale.
    Bars,
}

/// One cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// What it says.
    pub text: String,
    /// Where that leads; empty where it leads nowhere.
    pub href: String,
    /// Its bars.
    pub bars: Vec<Bar>,
    /// Its small chart.
    pub course: Option<Course>,
    /// What it is sorted by before its text.
    pub order: Option<f64>,
}

/// A small chart within a table, on the scale of all of its column.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// A figure for each of equal columns; `None` where nothing came.
    pub points: Vec<Option<f64>>,
    /// What its lower and its upper edge stand for.
    pub scale: (f64, f64),
    /// The line across.
    pub target: Option<f64>,
    /// What it shows, in words.
    pub summary: String,
}

/// A bar from `from` to `to`, in thousandths of the column's width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Left edge.
    pub from: u16,
    /// Right edge.
    pub to: u16,
    /// What it stands for, as the style sheet knows it.
    pub class: &'static str,
}

impl Sheet {
    /// An empty table with these columns.
    #[must_use]
    pub fn new(title: &str, columns: &[(&str, Content)]) -> Self {
        let column = |(title, content): &(&str, Content)| Column {
            title: (*title).to_owned(),
            content: *content,
            href: String::new(),
            order: "",
        };
        Self { title: title.to_owned(), columns: columns.iter().map(column).collect(), ..Self::default() }
    }

    /// Adds a row.
    pub fn push(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Sorts the rows by the column that the address names, such as `2`, or `-2` for the greatest first; by `usual` where
    /// it names none. Heads become links to other orders. Cost: O(rows²), cheaply.
    pub fn sort(&mut self, route: &Route, usual: &str) {
        let asked = route.param(Param::Sort);
        let asked = if asked.is_empty() { usual } else { asked };
        let number = asked.trim_start_matches('-');
        let descending = number.len() < asked.len();
        let by = number.bytes().next().map_or(0, |digit| usize::from(digit.wrapping_sub(b'0')));
        let by = if by < self.columns.len() { by } else { 0 };
        for (place, column) in self.columns.iter_mut().enumerate() {
            if column.content == Content::Bars {
                continue;
            }
            let is_by = place == by;
            if is_by {
                column.order = if descending { "descending" } else { "ascending" };
            }
            // Of figures the greatest are of interest first.
            let next = if is_by { !descending } else { column.content == Content::Figures };
            column.href = route.with_param(Param::Sort, &format!("{}{place}", if next { "-" } else { "" })).hash();
        }
        let is_before = |one: &[Cell], other: &[Cell]| {
            let (one, other) = (&one[by], &other[by]);
            // What has no figure comes last.
            let order = other.order.is_some().cmp(&one.order.is_some());
            let figures = one.order.partial_cmp(&other.order).unwrap_or(std::cmp::Ordering::Equal);
            let within = figures.then_with(|| one.text.cmp(&other.text));
            order.then(if descending { within.reverse() } else { within }).is_lt()
        };
        let mut sorted: Vec<Vec<Cell>> = Vec::with_capacity(self.rows.len());
        for row in std::mem::take(&mut self.rows) {
            // The library's sort is 6 KB of the page.
            let place = sorted.partition_point(|other| !is_before(&row, other));
            sorted.insert(place, row);
        }
        self.rows = sorted;
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sort: &str, expected: [&str; 4]) {
        let mut sheet = Sheet::new("t", &[("a", Content::Words), ("", Content::Bars), ("b", Content::Figures)]);
        for (name, order) in [("y", Some(1.0)), ("x", Some(10.0)), ("w", None), ("z", Some(1.0))] {
            sheet.push([name.into(), Cell::default(), Cell { order, ..format!("text of {name}").into() }]);
        }
        let route = Route::default().with_param(Param::Sort, sort);
        sheet.sort(&route, "-2");
        let names: Vec<_> = sheet.rows.iter().map(|row| row[0].text.as_str()).collect();
        assert_eq!(names, expected, "{sort}");
        assert_eq!(sheet.columns[1].href, "");
    }

    #[test]
    fn rows_are_sorted_as_the_address_says() {
        check("", ["x", "z", "y", "w"]);
        check("2", ["y", "z", "x", "w"]);
        check("-2", ["x", "z", "y", "w"]);
        check("0", ["w", "x", "y", "z"]);
        check("-0", ["z", "y", "x", "w"]);
        check("9", ["w", "x", "y", "z"]);
        check("é", ["w", "x", "y", "z"]);
    }

    #[test]
    fn heads_lead_to_the_other_order() {
        let mut sheet = Sheet::new("t", &[("a", Content::Words), ("b", Content::Figures)]);
        let sorted = |sheet: &mut Sheet, by: &str| {
            sheet.sort(&Route::default().with_param(Param::Sort, by), "-1");
            let heads =
                sheet.columns.iter().map(|column| (column.href.rsplit('=').next().unwrap().to_owned(), column.order));
            heads.collect::<Vec<_>>()
        };
        assert_eq!(sorted(&mut sheet, ""), [("0".to_owned(), ""), ("1".to_owned(), "descending")]);
        let mut sheet = Sheet::new("t", &[("a", Content::Words), ("b", Content::Figures)]);
        assert_eq!(sorted(&mut sheet, "0"), [("-0".to_owned(), "ascending"), ("-1".to_owned(), "")]);
    }
}
