//! Matrix products in double precision whose every bit is fixed.
//!
//! Each element of a result is one chain of fused multiply-adds over the inner index in ascending order, from what the
//! element is at the start (0 for [`multiply_rows`]). A vector holds neighbouring elements of a result and a tile keeps
//! several vectors in registers, so lanes, tiles and blocks say which elements are made together and never the order
//! within one. A fused multiply-add is rounded once, as IEEE 754 says, whether an instruction does it (AVX2 with FMA,
//! AVX-512) or a function (the baseline of x86-64, where the kernels are slow). Therefore:
//!
//! - a product has the same bits at every [`Level`], on every processor;
//! - equal rows give equal results wherever they stand;
//! - zeros that pad a row or a column change nothing.

use super::panels::{Aligned, LINE, Line, PANEL, Panels, Rows, zeros};
use super::{Kernel, Lanes, Level};
use pulp::Simd;

#[cfg(test)]
mod tests;

/// Lines of rows of A that are gone through for all panels before the next ones: 128 KiB, so that they are fetched once
/// and stay in the second cache.
const BLOCK: usize = 2048;

/// C = A·B: row r of `c` becomes Σ_i a_r\[i\] b_i. Its rows start `width` numbers apart, at least the padded columns of
/// B; what lies between them stays. B has as many rows as a row of A has numbers.
#[inline(always)]
pub(crate) fn multiply_rows<S: Simd>(simd: S, a: Rows<'_>, b: &Panels, c: &mut [f64], width: usize) {
    let block = (BLOCK / a.lines.max(1)).next_multiple_of(LINE);
    for (number, starts) in a.starts.chunks(block).enumerate() {
        let a = Rows { starts, ..a };
        for (first, columns, panel) in b.panels() {
            let c = &mut c[number * block * width + first..];
            match (S::F64_LANES, columns) {
                (8, PANEL) => multiply_panel::<S, 8, 2, 2>(simd, a, panel, c, width),
                (8, _) => multiply_panel::<S, 8, 1, 1>(simd, a, panel, c, width),
                (4, PANEL) => multiply_panel::<S, 4, 2, 4>(simd, a, panel, c, width),
                (4, _) => multiply_panel::<S, 4, 2, 2>(simd, a, panel, c, width),
                (_, PANEL) => multiply_panel::<S, 4, 2, 16>(simd, a, panel, c, width),
                _ => multiply_panel::<S, 4, 2, 8>(simd, a, panel, c, width),
            }
        }
    }
}

/// One panel of [`multiply_rows`], `STRIDE` vectors wide, in tiles of `ROWS` × `VECTORS` vectors.
#[inline(always)]
fn multiply_panel<S: Simd, const ROWS: usize, const VECTORS: usize, const STRIDE: usize>(
    simd: S,
    a: Rows<'_>,
    panel: &[f64],
    c: &mut [f64],
    width: usize,
) {
    let b = S::as_simd_f64s(panel).0.as_chunks::<STRIDE>().0;
    for (block, starts) in a.starts.chunks(ROWS).enumerate() {
        // The last tile takes its last row several times.
        let rows: [&[f64]; ROWS] = std::array::from_fn(|row| &a.at(starts[row.min(starts.len() - 1)])[..b.len()]);
        for first in (0..STRIDE).step_by(VECTORS) {
            let mut sums = [[simd.splat_f64s(0.0); VECTORS]; ROWS];
            for (i, b) in b.iter().enumerate() {
                for (sums, row) in sums.iter_mut().zip(&rows) {
                    let a = simd.splat_f64s(row[i]);
                    for (vector, sum) in sums.iter_mut().enumerate() {
                        *sum = simd.mul_add_f64s(a, b[first + vector], *sum);
                    }
                }
            }
            for (row, sums) in sums.iter().enumerate().take(starts.len()) {
                let place = (block * ROWS + row) * width + first * S::F64_LANES;
                let c = S::as_mut_simd_f64s(&mut c[place..][..VECTORS * S::F64_LANES]).0;
                c.copy_from_slice(sums);
            }
        }
    }
}

/// C += Aᵀ·B: row i of C becomes itself + Σ_r a_r\[i\] b_r. B has as many rows as A, C as many as a row of A has numbers.
#[inline(always)]
pub(crate) fn add_transposed<S: Simd>(simd: S, a: Rows<'_>, b: &Panels, c: &mut Panels) {
    let block = (BLOCK / a.lines.max(1)).next_multiple_of(LINE);
    for (number, starts) in a.starts.chunks(block).enumerate() {
        let a = Rows { starts, ..a };
        for ((_, columns, b), (_, _, c)) in b.panels().zip(c.panels_mut()) {
            let b = &b[number * block * columns..][..starts.len() * columns];
            match (S::F64_LANES, columns) {
                (8, PANEL) => add_panel::<S, 8, 2, 2>(simd, a, b, c),
                (8, _) => add_panel::<S, 8, 1, 1>(simd, a, b, c),
                (4, PANEL) => add_panel::<S, 4, 2, 4>(simd, a, b, c),
                (4, _) => add_panel::<S, 4, 2, 2>(simd, a, b, c),
                (_, PANEL) => add_panel::<S, 4, 2, 16>(simd, a, b, c),
                _ => add_panel::<S, 4, 2, 8>(simd, a, b, c),
            }
        }
    }
}

/// One panel of [`add_transposed`], `STRIDE` vectors wide, in tiles of `ROWS` × `VECTORS` vectors.
#[inline(always)]
fn add_panel<S: Simd, const ROWS: usize, const VECTORS: usize, const STRIDE: usize>(
    simd: S,
    a: Rows<'_>,
    b: &[f64],
    c: &mut [f64],
) {
    let b = S::as_simd_f64s(b).0.as_chunks::<STRIDE>().0;
    let c = S::as_mut_simd_f64s(c).0.as_chunks_mut::<STRIDE>().0;
    for (tile, c) in c.as_chunks_mut::<ROWS>().0.iter_mut().enumerate() {
        let (line, half) = (tile * ROWS / LINE, tile * ROWS % LINE);
        for first in (0..STRIDE).step_by(VECTORS) {
            let mut sums: [[S::f64s; VECTORS]; ROWS] =
                std::array::from_fn(|row| std::array::from_fn(|vector| c[row][first + vector]));
            for (start, b) in a.starts.iter().zip(b) {
                let a = &a.numbers[start + line];
                for (row, sums) in sums.iter_mut().enumerate() {
                    let a = simd.splat_f64s(a[half + row]);
                    for (vector, sum) in sums.iter_mut().enumerate() {
                        *sum = simd.mul_add_f64s(a, b[first + vector], *sum);
                    }
                }
            }
            for (c, sums) in c.iter_mut().zip(&sums) {
                c[first..first + VECTORS].copy_from_slice(sums);
            }
        }
    }
}

/// c += Σ_r u_r a_r, for `coefficients` u.
#[inline(always)]
pub(crate) fn add_combination<S: Simd>(simd: S, coefficients: &[f64], a: Rows<'_>, c: &mut [f64]) {
    let (tiles, rest) = S::as_mut_simd_f64s(c).0.as_chunks_mut::<8>();
    let done = tiles.len() * 8;
    for (tile, c) in tiles.iter_mut().enumerate() {
        combine(simd, coefficients, a, tile * 8, c);
    }
    for (vector, c) in rest.as_chunks_mut::<1>().0.iter_mut().enumerate() {
        combine(simd, coefficients, a, done + vector, c);
    }
}

/// The vectors `first` … `first + VECTORS` − 1 of [`add_combination`].
#[inline(always)]
fn combine<S: Simd, const VECTORS: usize>(
    simd: S,
    coefficients: &[f64],
    a: Rows<'_>,
    first: usize,
    c: &mut [S::f64s; VECTORS],
) {
    let mut sums = *c;
    for (&coefficient, &start) in coefficients.iter().zip(a.starts) {
        let coefficient = simd.splat_f64s(coefficient);
        let row = &S::as_simd_f64s(a.at(start)).0[first..first + VECTORS];
        for (sum, &a) in sums.iter_mut().zip(row) {
            *sum = simd.mul_add_f64s(coefficient, a, *sum);
        }
    }
    *c = sums;
}

/// [`multiply_rows`] as a kernel of its own.
struct Product<'a> {
    a: Rows<'a>,
    b: &'a Panels,
    c: &'a mut [f64],
}

impl Kernel for Product<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        multiply_rows(simd, self.a, self.b, self.c, self.b.width());
    }
}

/// A·B for `a` of shape `[any, length]`, row by row: `[any, columns of B]`. B has `length` rows, or more that are 0.
pub(crate) fn product(level: Level, a: &[f64], length: usize, b: &Panels) -> Vec<f64> {
    let count = a.len() / length.max(1);
    let lines = b.rows() / LINE;
    let mut padded: Aligned = zeros(count * lines * LINE);
    for (row, numbers) in padded.chunks_exact_mut((lines * LINE).max(1)).zip(a.chunks_exact(length.max(1))) {
        row[..length].copy_from_slice(numbers);
    }
    let starts: Vec<usize> = (0..count).map(|row| row * lines).collect();
    let numbers: &[Line] = padded.as_chunks().0;
    let mut c = zeros(count * b.width());
    level.run(Product { a: Rows { numbers, starts: &starts, lines }, b, c: &mut c });
    c.chunks_exact(b.width().max(1)).flat_map(|row| &row[..b.columns()]).copied().collect()
}
