//! Vector code for whatever the processor has, chosen while the program runs.
//!
//! A [`Kernel`] is written once, over [`Lanes`] or as plain loops over slices, and compiled for three levels of x86-64
//! instructions (one elsewhere). **No result depends on the level**: a kernel works lane by lane, or adds in an order
//! that it fixes itself. The pattern engine multiplies and adds by two instructions that round separately. Matrix products
//! and Gaussian draws fuse the two, always and by name ([`pulp::Simd::mul_add_f64s`], [`f64::mul_add`]): the result of a
//! fused multiply-add is rounded once, as IEEE 754 says, whatever instruction or function makes it. What is not done is
//! to let a compiler or processor decide whether to fuse. Tests compare the levels bit by bit. What selects instructions
//! is `pulp`, so nothing here is unsafe.

pub mod exp;
pub(crate) mod lanes;
pub(crate) mod panels;
pub(crate) mod product;

pub use lanes::Lanes;
use pulp::Scalar;

/// Code that is compiled once for every level.
pub trait Kernel {
    /// What it returns.
    type Output;

    /// The code. What it calls has to be `#[inline(always)]`, or it is compiled for the baseline.
    fn run<S: Lanes>(self, simd: S) -> Self::Output;
}

/// A level of vector instructions that this processor has.
#[derive(Clone, Copy, Debug)]
pub enum Level {
    /// What every processor of the target has.
    Baseline,
    /// AVX2: 4 numbers of 64 bits at a time.
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
    /// AVX-512 (F, BW, CD, DQ, VL): 8 numbers of 64 bits at a time.
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
}

impl Level {
    /// The best level of this processor.
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(level) = pulp::x86::V4::try_new().map(Level::Avx512) {
            return level;
        }
        #[cfg(target_arch = "x86_64")]
        if let Some(level) = pulp::x86::V3::try_new().map(Level::Avx2) {
            return level;
        }
        Level::Baseline
    }

    /// The level of this processor that is best for `experts` experts side by side: the widest keys hold 16, half of which
    /// would be empty up to 8.
    pub(crate) fn best_for(experts: usize) -> Self {
        #[cfg(target_arch = "x86_64")]
        if let (true, Some(level)) = (experts <= 8, pulp::x86::V3::try_new().map(Level::Avx2)) {
            return level;
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = experts;
        Self::best()
    }

    /// Every level of this processor, the best last.
    pub fn available() -> Vec<Self> {
        #[cfg_attr(not(target_arch = "x86_64"), allow(unused_mut))]
        let mut levels = vec![Level::Baseline];
        #[cfg(target_arch = "x86_64")]
        levels.extend(pulp::x86::V3::try_new().map(Level::Avx2));
        #[cfg(target_arch = "x86_64")]
        levels.extend(pulp::x86::V4::try_new().map(Level::Avx512));
        levels
    }

    /// Numbers of 64 bits in one vector: [`pulp::Simd::F64_LANES`] of the kernels that [`Level::run`] runs.
    pub fn lanes(self) -> usize {
        match self {
            Level::Baseline => 1,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(_) => 4,
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(_) => 8,
        }
    }

    /// The level's name.
    pub fn name(self) -> &'static str {
        match self {
            Level::Baseline => "baseline",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(_) => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(_) => "AVX-512",
        }
    }

    /// Runs a kernel with the instructions of this level.
    #[inline]
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            Level::Baseline => kernel.run(Scalar::new()),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(simd) => simd.vectorize(
                #[inline(always)]
                || kernel.run(simd),
            ),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(simd) => simd.vectorize(
                #[inline(always)]
                || kernel.run(simd),
            ),
        }
    }
}
