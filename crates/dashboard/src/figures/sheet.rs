//! A table as the page draws it: texts, links and bars, put together where they can be tested.

/// A table with its heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// Its heading.
    pub title: String,
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// What it says.
    pub text: String,
    /// Where that leads; empty where it leads nowhere.
    pub href: String,
    /// Its bars.
    pub bars: Vec<Bar>,
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
        let column = |(title, content): &(&str, Content)| Column { title: (*title).to_owned(), content: *content };
        Self { title: title.to_owned(), columns: columns.iter().map(column).collect(), ..Self::default() }
    }

    /// Adds a row.
    pub fn push(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
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
