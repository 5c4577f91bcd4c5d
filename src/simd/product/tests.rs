use super::*;
use crate::patterns::gaussian::Gaussians;
use crate::patterns::{Purpose, stream};
use crate::simd::panels::stride;
use aligned_vec::AVec;
use proptest::prelude::*;

/// Rows cut from random numbers, in an order with repeats.
#[derive(Clone, Debug)]
struct Case {
    /// Numbers of a row.
    length: usize,
    /// Places of the rows in use, of `places` rows.
    rows: Vec<usize>,
    places: usize,
    columns: usize,
    seed: u64,
}

fn cases() -> impl Strategy<Value = Case> {
    // Up to more rows and columns than two tiles and two panels take; rarely more than a block of rows.
    let rows = prop_oneof![9 => 1usize..40, 1 => 250usize..700];
    let length = prop_oneof![Just(1usize), 1usize..40, Just(64), 65usize..140];
    (length, rows, 1usize..30, 1usize..70, any::<u64>()).prop_flat_map(|(length, rows, places, columns, seed)| {
        prop::collection::vec(0..places, rows).prop_map(move |rows| Case { length, rows, places, columns, seed })
    })
}

/// The operands: tokens on padded rows, the first line of every row in use, and random numbers for what else is needed.
struct Operands {
    tokens: Aligned,
    starts: Vec<usize>,
    lines: usize,
    random: Gaussians,
}

impl Operands {
    fn new(case: &Case) -> Self {
        let mut random = Gaussians::new(stream(case.seed, Purpose::Training), 1.0);
        let stride = stride(case.length);
        let mut tokens = zeros(case.places * stride * LINE);
        for row in tokens.chunks_exact_mut(stride * LINE) {
            random.fill(&mut row[..case.length]);
        }
        let starts = case.rows.iter().map(|row| row * stride).collect();
        Self { tokens, starts, lines: case.length.div_ceil(LINE), random }
    }

    fn rows(&self) -> Rows<'_> {
        Rows { numbers: self.tokens.as_chunks().0, starts: &self.starts, lines: self.lines }
    }

    /// Number `i` of row `row`.
    fn number(&self, row: usize, i: usize) -> f64 {
        self.tokens[self.starts[row] * LINE + i]
    }

    fn normal(&mut self, count: usize) -> Vec<f64> {
        let mut numbers = vec![0.0; count];
        self.random.fill(&mut numbers);
        numbers
    }
}

struct Transposed<'a>(Rows<'a>, &'a Panels, &'a mut Panels);

impl Kernel for Transposed<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        add_transposed(simd, self.0, self.1, self.2);
    }
}

struct Combination<'a>(&'a [f64], Rows<'a>, &'a mut [f64]);

impl Kernel for Combination<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        add_combination(simd, self.0, self.1, self.2);
    }
}

fn bits(numbers: &[f64]) -> Vec<u64> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

proptest! {
    #[test]
    fn a_product_is_a_chain_of_fused_multiply_adds(case in cases()) {
        let mut operands = Operands::new(&case);
        let b = operands.normal(case.length * case.columns);
        let mut expected = Vec::new();
        for row in 0..case.rows.len() {
            for column in 0..case.columns {
                let chain = (0..case.length).fold(0.0, |sum, i| operands.number(row, i).mul_add(b[i * case.columns + column], sum));
                expected.push(chain);
            }
        }
        let panels = Panels::from_rows(&b, case.columns);
        let width = panels.width() + 3;
        for level in Level::available() {
            let mut c = vec![f64::NAN; case.rows.len() * width];
            level.run(Wide { a: operands.rows(), b: &panels, c: &mut c, width });
            let found: Vec<f64> = c.chunks(width).flat_map(|row| &row[..case.columns]).copied().collect();
            prop_assert_eq!(bits(&found), bits(&expected), "{}", level.name());
            let (padding, between): (Vec<f64>, Vec<f64>) = (
                c.chunks(width).flat_map(|row| &row[case.columns..panels.width()]).copied().collect(),
                c.chunks(width).flat_map(|row| &row[panels.width()..]).copied().collect(),
            );
            prop_assert!(padding.iter().all(|&number| number == 0.0) && between.iter().all(|number| number.is_nan()));
        }
    }

    #[test]
    fn a_transposed_product_goes_on_from_what_is_there(case in cases()) {
        let mut operands = Operands::new(&case);
        let count = case.rows.len();
        let b = operands.normal(count * case.columns);
        let before = operands.normal(case.length * case.columns);
        let mut expected = Vec::new();
        for i in 0..case.length {
            for column in 0..case.columns {
                let start = before[i * case.columns + column];
                let chain = (0..count).fold(start, |sum, row| operands.number(row, i).mul_add(b[row * case.columns + column], sum));
                expected.push(chain);
            }
        }
        let mut panels = Panels::zeros(count, case.columns);
        b.iter().enumerate().for_each(|(place, &number)| panels.set(place / case.columns, place % case.columns, number));
        for level in Level::available() {
            let mut c = Panels::from_rows(&before, case.columns);
            level.run(Transposed(operands.rows(), &panels, &mut c));
            let found: Vec<f64> = (0..case.length).flat_map(|i| (0..case.columns).map(|column| c.get(i, column)).collect::<Vec<_>>()).collect();
            prop_assert_eq!(bits(&found), bits(&expected), "{}", level.name());
        }
    }

    #[test]
    fn a_combination_goes_on_from_what_is_there(case in cases()) {
        let mut operands = Operands::new(&case);
        let coefficients = operands.normal(case.rows.len());
        let before = operands.normal(operands.lines * LINE);
        let expected: Vec<f64> = (0..operands.lines * LINE)
            .map(|i| coefficients.iter().enumerate().fold(before[i], |sum, (row, &u)| u.mul_add(operands.number(row, i), sum)))
            .collect();
        for level in Level::available() {
            let mut c: Aligned = AVec::from_slice(64, &before);
            level.run(Combination(&coefficients, operands.rows(), &mut c));
            prop_assert_eq!(bits(&c), bits(&expected), "{}", level.name());
        }
    }

    #[test]
    fn every_number_of_panels_has_its_place(rows in 1usize..20, columns in 1usize..50) {
        let numbers: Vec<f64> = (1..=rows * columns).map(|number| number as f64).collect();
        let panels = Panels::from_rows(&numbers, columns);
        prop_assert_eq!(panels.columns(), columns);
        prop_assert_eq!(panels.rows(), rows.next_multiple_of(LINE));
        for row in 0..rows {
            let parts: Vec<f64> = panels.row(row).flatten().copied().collect();
            prop_assert_eq!(&parts[..columns], &numbers[row * columns..][..columns]);
            prop_assert!(parts[columns..].iter().all(|&number| number == 0.0));
            prop_assert_eq!(parts.len(), panels.width());
        }
        prop_assert_eq!(Panels::from_columns(&panels.to_columns(rows), rows).to_columns(rows), panels.to_columns(rows));
        prop_assert_eq!(panels.numbers().as_ptr() as usize % 64, 0);
    }
}

/// [`multiply_rows`] with rows of the result further apart than they have to be.
struct Wide<'a> {
    a: Rows<'a>,
    b: &'a Panels,
    c: &'a mut [f64],
    width: usize,
}

impl Kernel for Wide<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        multiply_rows(simd, self.a, self.b, self.c, self.width);
    }
}
