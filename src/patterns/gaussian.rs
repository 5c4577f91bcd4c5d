//! Gaussian draws in blocks: fast generators side by side, and the method of Box and Muller without branches. They are the
//! noise of tokens, of which a batch takes millions; what is drawn number by number comes from [`super::StandardNormal`].
//!
//! **Words** come from 64 xoshiro256++ generators (Blackman and Vigna, *Scrambled linear pseudorandom number generators*,
//! 2021) that stand side by side, each seeded with 256 bits of the purpose's ChaCha stream. A state repeats after 2²⁵⁶ − 1
//! words, so that two generators of a thousand million runs overlap within 2⁶⁰ words each with probability below 2⁻¹²⁰.
//!
//! **Numbers** (Box and Muller, *A note on the generation of random normal deviates*, 1958): of two words one gives
//! r = √(−2 ln u) with u uniform on the odd multiples of 2⁻⁶⁴, the other an angle uniform on 2⁵³ directions; r cos θ and
//! r sin θ are independent and N(0, 1). So |z| reaches 9.41, beyond which a number lies with probability 5·10⁻²¹.
//! −2 ln u, sin and cos are polynomials within 3 units in the last place.
//!
//! Everything is integer arithmetic, +, −, ×, ÷, √ and fused multiply-add, each rounded once as IEEE 754 says, lane by
//! lane: the draws have the same bits on every processor.

use super::streams::Stream;
use crate::simd::{Kernel, Lanes, Level};
use rand::Rng;

#[cfg(test)]
mod tests;

/// Generators side by side, and pairs of numbers made at a time.
const PAIRS: usize = 64;
/// Numbers made at a time: what the pairs have from the cosine, then what they have from the sine.
const BLOCK: usize = 2 * PAIRS;

/// −2 ln 2 in two parts; the first has zeros at the end, so that its product with an exponent is exact.
const MINUS_2_LN_2: [f64; 2] = [-2.0 * 6.931_471_803_691_238e-1, -2.0 * 1.908_214_929_270_587_7e-10];
/// (ln(1+f) − 2s)/s in s², highest power first, for s = f/(2+f) and √½ ≤ 1+f ≤ √2: error below 2⁻⁵⁸ (fdlibm, e_log.c).
const LN: [f64; 7] = [
    0.14798198605116586,
    0.15313837699209373,
    0.1818357216161805,
    0.22222198432149784,
    0.2857142874366239,
    0.3999999999940942,
    0.6666666666666735,
];
/// (sin x − x)/x³ in x², highest power first, for |x| ≤ π/4: error below 2⁻⁵⁸ (fdlibm, k_sin.c).
const SINE: [f64; 6] = [
    1.58969099521155e-10,
    -2.5050760253406863e-8,
    2.7557313707070068e-6,
    -0.0001984126982985795,
    0.00833333333332249,
    -0.16666666666666632,
];
/// (cos x − 1 + x²/2)/x⁴ in x², highest power first, for |x| ≤ π/4: error below 2⁻⁵⁸ (fdlibm, k_cos.c).
const COSINE: [f64; 6] = [
    -1.1359647557788195e-11,
    2.087572321298175e-9,
    -2.7557314351390663e-7,
    2.480158728947673e-5,
    -0.001388888888887411,
    0.0416666666666666,
];

/// A stream of independent draws of N(0, scale²). What it gives does not depend on how many are asked for at a time.
#[derive(Clone, Debug)]
pub(crate) struct Gaussians {
    level: Level,
    scale: f64,
    /// The generators, `[word of the state][generator]`.
    state: [[u64; PAIRS]; 4],
    /// The last block that was made here, from `next` on not yet given away.
    block: [f64; BLOCK],
    next: usize,
}

impl Gaussians {
    /// Draws seeded with the first 2048 bytes of `stream`.
    pub(crate) fn new(stream: Stream, scale: f64) -> Self {
        Self::at_level(Level::best(), stream, scale)
    }

    /// As [`Gaussians::new`], with the instructions of one level. The draws are the same at every level.
    pub(crate) fn at_level(level: Level, mut stream: Stream, scale: f64) -> Self {
        let state = std::array::from_fn(|_| std::array::from_fn(|_| stream.next_u64()));
        Self { level, scale, state, block: [0.0; BLOCK], next: BLOCK }
    }

    /// Fills `numbers` with the next draws.
    pub(crate) fn fill(&mut self, numbers: &mut [f64]) {
        let (head, rest) = numbers.split_at_mut(numbers.len().min(BLOCK - self.next));
        head.copy_from_slice(&self.block[self.next..][..head.len()]);
        self.next += head.len();
        let (blocks, tail) = rest.as_chunks_mut::<BLOCK>();
        self.level.run(Draw { state: &mut self.state, scale: self.scale, blocks });
        if !tail.is_empty() {
            let blocks = std::slice::from_mut(&mut self.block);
            self.level.run(Draw { state: &mut self.state, scale: self.scale, blocks });
            tail.copy_from_slice(&self.block[..tail.len()]);
            self.next = tail.len();
        }
    }
}

/// Fills whole blocks.
struct Draw<'a> {
    state: &'a mut [[u64; PAIRS]; 4],
    scale: f64,
    blocks: &'a mut [[f64; BLOCK]],
}

impl Kernel for Draw<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, _: S) {
        let [a, b, c, d] = self.state;
        for block in self.blocks {
            let (first, second) = block.split_at_mut(PAIRS);
            for pair in 0..PAIRS {
                let mut state = [a[pair], b[pair], c[pair], d[pair]];
                let radius = self.scale * minus_2_ln(next_word(&mut state)).sqrt();
                let [x, y] = direction(next_word(&mut state));
                [a[pair], b[pair], c[pair], d[pair]] = state;
                first[pair] = radius * x;
                second[pair] = radius * y;
            }
        }
    }
}

/// The next word of xoshiro256++.
#[inline(always)]
fn next_word([a, b, c, d]: &mut [u64; 4]) -> u64 {
    let word = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
    let shifted = *b << 17;
    *c ^= *a;
    *d ^= *b;
    *b ^= *c;
    *a ^= *d;
    *c ^= shifted;
    *d = d.rotate_left(45);
    word
}

/// −2 ln u for u = (word | 1)/2⁶⁴.
#[inline(always)]
fn minus_2_ln(word: u64) -> f64 {
    /// The bits of √½, and what its exponent lacks to 1's.
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    const TO_ONE: u64 = 0x3ff0_0000_0000_0000 - SQRT_HALF;
    // 2⁵², whose low bits are an integer below it.
    const INTEGER: u64 = 0x4330_0000_0000_0000;
    let bits = ((word | 1) as f64).to_bits() + TO_ONE;
    // u·2⁶⁴ = m·2^(biased − 1023) with √½ ≤ m < √2.
    let biased = bits >> 52;
    let m = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) + SQRT_HALF);
    let exponent = f64::from_bits(biased | INTEGER) - (4_503_599_627_370_496.0 + 1023.0 + 64.0);
    let f = m - 1.0;
    let s = f / (m + 1.0);
    let ln = s.mul_add(in_square(s, &LN) * (s * s), 2.0 * s);
    exponent.mul_add(MINUS_2_LN_2[0], exponent.mul_add(MINUS_2_LN_2[1], -2.0 * ln))
}

/// (cos θ, sin θ) for a θ that is uniform on 2⁵³ directions, no one of them on an axis. One angle in (−π/4, π/4) comes
/// from 51 bits of `word`, the quadrant from two others.
#[inline(always)]
fn direction(word: u64) -> [f64; 2] {
    const INTEGER: u64 = 0x4330_0000_0000_0000;
    const UNIT: f64 = std::f64::consts::FRAC_PI_2 / 4_503_599_627_370_496.0;
    // An odd integer between −2⁵¹ and 2⁵¹.
    let odd = f64::from_bits(word >> 12 | 1 | INTEGER) - (4_503_599_627_370_496.0 + 2_251_799_813_685_248.0);
    let x = odd * UNIT;
    let square = x * x;
    let sine = (x * square).mul_add(in_square(x, &SINE), x);
    let cosine = (square * square).mul_add(in_square(x, &COSINE), square.mul_add(-0.5, 1.0));
    // The sine has either sign already.
    let cosine = f64::from_bits(cosine.to_bits() ^ word << 63);
    if word & 2 == 0 { [cosine, sine] } else { [sine, cosine] }
}

/// A polynomial in x², highest power first.
#[inline(always)]
fn in_square<const TERMS: usize>(x: f64, coefficients: &[f64; TERMS]) -> f64 {
    let square = x * x;
    let mut sum = coefficients[0];
    for &coefficient in &coefficients[1..] {
        sum = sum.mul_add(square, coefficient);
    }
    sum
}
