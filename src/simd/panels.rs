//! How the matrix kernels keep their operands: rows that start on cache lines, and matrices cut into panels of columns.

use aligned_vec::{AVec, ConstAlign};

/// Numbers that start on a cache line.
pub(crate) type Aligned = AVec<f64, ConstAlign<64>>;

/// A cache line of numbers.
pub(crate) type Line = [f64; LINE];

/// Numbers of a cache line. Lengths and widths are padded with zeros to a multiple of it at every level.
pub(crate) const LINE: usize = 8;

/// Columns of a panel: two vectors of the widest level.
pub(crate) const PANEL: usize = 2 * LINE;

/// `length` zeros.
pub(crate) fn zeros(length: usize) -> Aligned {
    AVec::from_iter(64, std::iter::repeat_n(0.0, length))
}

/// Makes `numbers` at least `length` long. What is there stays; nothing is allocated if there is enough.
pub(crate) fn grow(numbers: &mut Aligned, length: usize) {
    if numbers.len() < length {
        numbers.resize(length, 0.0);
    }
}

/// Lines from the start of one row of length `length` to that of the next: an odd number, so that the same line of
/// several rows does not fall into one set of the cache.
pub(crate) fn stride(length: usize) -> usize {
    length.div_ceil(LINE) | 1
}

/// Rows for a kernel: each is `lines` lines of `numbers`, starting at the line that `starts` names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a> {
    /// What the rows are cut from.
    pub numbers: &'a [Line],
    /// The first line of every row.
    pub starts: &'a [usize],
    /// Lines of a row.
    pub lines: usize,
}

impl<'a> Rows<'a> {
    /// The numbers of the row that starts at line `start`.
    #[inline(always)]
    pub(crate) fn at(&self, start: usize) -> &'a [f64] {
        self.numbers[start..start + self.lines].as_flattened()
    }
}

/// A matrix `[rows, columns]` in panels of 16 columns, one after the other, each row by row; the last panel has 8
/// columns if that is enough. Columns that pad it are 0.
#[derive(Clone, Debug)]
pub(crate) struct Panels {
    rows: usize,
    columns: usize,
    numbers: Aligned,
}

impl Panels {
    /// Zeros.
    pub(crate) fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, numbers: zeros(rows * columns.next_multiple_of(LINE)) }
    }

    /// The matrix with rows `rows`, `[any, columns]`, padded below with rows of zeros to a multiple of eight.
    pub(crate) fn from_rows(rows: &[f64], columns: usize) -> Self {
        let count = rows.len() / columns.max(1);
        let mut panels = Self::zeros(count.next_multiple_of(LINE), columns);
        for (row, numbers) in rows.chunks_exact(columns.max(1)).enumerate() {
            numbers.iter().enumerate().for_each(|(column, &number)| panels.set(row, column, number));
        }
        panels
    }

    /// The matrix whose columns are the rows `columns`, `[any, rows]`, padded below with rows of zeros to a multiple of
    /// eight.
    pub(crate) fn from_columns(columns: &[f64], rows: usize) -> Self {
        let mut panels = Self::zeros(rows.next_multiple_of(LINE), columns.len() / rows.max(1));
        for (column, numbers) in columns.chunks_exact(rows.max(1)).enumerate() {
            numbers.iter().enumerate().for_each(|(row, &number)| panels.set(row, column, number));
        }
        panels
    }

    /// The first `rows` numbers of every column, one column after the other, `[columns, rows]`.
    pub(crate) fn to_columns(&self, rows: usize) -> Vec<f64> {
        (0..self.columns).flat_map(|column| (0..rows).map(move |row| self.get(row, column))).collect()
    }

    /// Another number of rows for the same columns; what is in them is to be written over.
    pub(crate) fn set_rows(&mut self, rows: usize) {
        self.rows = rows;
        let width = self.width();
        grow(&mut self.numbers, rows * width);
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns, without those that pad it.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Number of columns with those that pad it.
    #[inline(always)]
    pub(crate) fn width(&self) -> usize {
        self.columns.next_multiple_of(LINE)
    }

    /// Every panel: its first column, its width (16 or 8) and its numbers.
    #[inline(always)]
    pub(crate) fn panels(&self) -> impl Iterator<Item = (usize, usize, &[f64])> {
        let (rows, width) = (self.rows, self.width());
        (0..width).step_by(PANEL).map(move |first| {
            let columns = PANEL.min(width - first);
            (first, columns, &self.numbers[first * rows..][..columns * rows])
        })
    }

    /// As [`Panels::panels`].
    #[inline(always)]
    pub(crate) fn panels_mut(&mut self) -> impl Iterator<Item = (usize, usize, &mut [f64])> {
        let (rows, width) = (self.rows, self.width());
        let numbers = self.numbers[..rows * width].chunks_mut((PANEL * rows).max(1));
        numbers.enumerate().map(move |(panel, numbers)| {
            let first = panel * PANEL;
            (first, PANEL.min(width - first), numbers)
        })
    }

    /// All numbers in their order.
    #[inline(always)]
    pub(crate) fn numbers(&self) -> &[f64] {
        &self.numbers[..self.rows * self.width()]
    }

    /// As [`Panels::numbers`].
    #[inline(always)]
    pub(crate) fn numbers_mut(&mut self) -> &mut [f64] {
        let length = self.rows * self.width();
        &mut self.numbers[..length]
    }

    /// One number.
    pub(crate) fn get(&self, row: usize, column: usize) -> f64 {
        self.numbers[self.place(row, column)]
    }

    /// Sets one number.
    pub(crate) fn set(&mut self, row: usize, column: usize, value: f64) {
        let place = self.place(row, column);
        self.numbers[place] = value;
    }

    #[inline(always)]
    fn place(&self, row: usize, column: usize) -> usize {
        let first = column - column % PANEL;
        first * self.rows + row * PANEL.min(self.width() - first) + column % PANEL
    }

    /// One row's part of every panel, in the order of the columns.
    #[inline(always)]
    pub(crate) fn row(&self, row: usize) -> impl Iterator<Item = &[f64]> {
        self.panels().map(move |(_, columns, numbers)| &numbers[row * columns..][..columns])
    }
}
