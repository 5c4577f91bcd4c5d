//! What kernels need beyond [`pulp::Simd`]: keys of 32 bits that select lanes of 64 bits.

use pulp::{Scalar, Simd};

/// Vector instructions with keys: one vector of keys belongs to two vectors of 64-bit lanes, so that a comparison of keys
/// says for twice as many lanes as one of doubles whether they are chosen.
pub trait Lanes: Simd {
    /// 2 · F64_LANES numbers of 32 bits.
    type Keys: Copy + std::fmt::Debug + Send + Sync + 'static;
    /// For each key whether it is chosen.
    type Chosen: Copy + std::fmt::Debug + Send + Sync + 'static;

    /// 2^q for x = 1.5 · 2⁵² + q with an integer q, −1022 ≤ q ≤ 1023: the low 11 bits of x are q in two's complement, and go
    /// to where a number keeps its exponent.
    fn power_of_two(self, x: Self::f64s) -> Self::f64s;

    /// The same key in every lane.
    fn splat_keys(self, key: f32) -> Self::Keys;
    /// Numbers as keys, 2 · F64_LANES at a time; what is left of the slice is left out.
    fn as_keys(numbers: &[f32]) -> &[Self::Keys];
    /// As [`Lanes::as_keys`].
    fn as_mut_keys(numbers: &mut [f32]) -> &mut [Self::Keys];
    /// The larger of each pair.
    fn max_keys(self, a: Self::Keys, b: Self::Keys) -> Self::Keys;
    /// The smaller of each pair.
    fn min_keys(self, a: Self::Keys, b: Self::Keys) -> Self::Keys;
    /// a − b.
    fn sub_keys(self, a: Self::Keys, b: Self::Keys) -> Self::Keys;
    /// a + 1 where chosen, else a.
    fn count_chosen(self, a: Self::Keys, chosen: Self::Chosen) -> Self::Keys;
    /// Where a > b.
    fn above(self, a: Self::Keys, b: Self::Keys) -> Self::Chosen;
    /// Where a ≥ b.
    fn at_least(self, a: Self::Keys, b: Self::Keys) -> Self::Chosen;
    /// Where a = b.
    fn equal(self, a: Self::Keys, b: Self::Keys) -> Self::Chosen;
    /// Where both are chosen.
    fn both(self, a: Self::Chosen, b: Self::Chosen) -> Self::Chosen;
    /// Where exactly one is chosen.
    fn one_of(self, a: Self::Chosen, b: Self::Chosen) -> Self::Chosen;
    /// Whether any lane is chosen.
    fn any(self, chosen: Self::Chosen) -> bool;
    /// The choice for the first and for the second vector of 64-bit lanes.
    fn halves(self, chosen: Self::Chosen) -> [Self::m64s; 2];
}

#[cfg(target_arch = "x86_64")]
macro_rules! lanes_of_f32s {
    ($simd:ty) => {
        type Keys = <$simd as Simd>::f32s;
        type Chosen = <$simd as Simd>::m32s;

        #[inline(always)]
        fn splat_keys(self, key: f32) -> Self::Keys {
            self.splat_f32s(key)
        }
        #[inline(always)]
        fn as_keys(numbers: &[f32]) -> &[Self::Keys] {
            Self::as_simd_f32s(numbers).0
        }
        #[inline(always)]
        fn as_mut_keys(numbers: &mut [f32]) -> &mut [Self::Keys] {
            Self::as_mut_simd_f32s(numbers).0
        }
        #[inline(always)]
        fn max_keys(self, a: Self::Keys, b: Self::Keys) -> Self::Keys {
            self.max_f32s(a, b)
        }
        #[inline(always)]
        fn min_keys(self, a: Self::Keys, b: Self::Keys) -> Self::Keys {
            self.min_f32s(a, b)
        }
        #[inline(always)]
        fn sub_keys(self, a: Self::Keys, b: Self::Keys) -> Self::Keys {
            self.sub_f32s(a, b)
        }
        #[inline(always)]
        fn count_chosen(self, a: Self::Keys, chosen: Self::Chosen) -> Self::Keys {
            self.select_f32s(chosen, self.add_f32s(a, self.splat_f32s(1.0)), a)
        }
        #[inline(always)]
        fn above(self, a: Self::Keys, b: Self::Keys) -> Self::Chosen {
            self.greater_than_f32s(a, b)
        }
        #[inline(always)]
        fn at_least(self, a: Self::Keys, b: Self::Keys) -> Self::Chosen {
            self.greater_than_or_equal_f32s(a, b)
        }
        #[inline(always)]
        fn equal(self, a: Self::Keys, b: Self::Keys) -> Self::Chosen {
            self.equal_f32s(a, b)
        }
        #[inline(always)]
        fn both(self, a: Self::Chosen, b: Self::Chosen) -> Self::Chosen {
            self.and_m32s(a, b)
        }
        #[inline(always)]
        fn one_of(self, a: Self::Chosen, b: Self::Chosen) -> Self::Chosen {
            self.xor_m32s(a, b)
        }
        #[inline(always)]
        fn any(self, chosen: Self::Chosen) -> bool {
            self.first_true_m32s(chosen) < <$simd as Simd>::F32_LANES
        }
    };
}

#[cfg(target_arch = "x86_64")]
impl Lanes for pulp::x86::V4 {
    lanes_of_f32s!(pulp::x86::V4);

    #[inline(always)]
    fn power_of_two(self, x: Self::f64s) -> Self::f64s {
        let exponents = self.shl_const_u64x8::<52>(self.transmute_u64s_f64s(x));
        self.transmute_f64s_u64s(self.add_u64s(exponents, self.splat_u64s(1023 << 52)))
    }

    #[inline(always)]
    fn halves(self, chosen: Self::Chosen) -> [Self::m64s; 2] {
        [pulp::b8(chosen.0 as u8), pulp::b8((chosen.0 >> 8) as u8)]
    }
}

#[cfg(target_arch = "x86_64")]
impl Lanes for pulp::x86::V3 {
    lanes_of_f32s!(pulp::x86::V3);

    #[inline(always)]
    fn power_of_two(self, x: Self::f64s) -> Self::f64s {
        let exponents = self.shl_const_u64x4::<52>(self.transmute_u64s_f64s(x));
        self.transmute_f64s_u64s(self.add_u64s(exponents, self.splat_u64s(1023 << 52)))
    }

    #[inline(always)]
    fn halves(self, chosen: Self::Chosen) -> [Self::m64s; 2] {
        // A mask's lanes are all ones or all zeros, which sign extension keeps.
        let wide = |mask: u32| mask as i32 as i64 as u64;
        let m = self.transmute_u32s_m32s(chosen);
        [
            pulp::u64x4(wide(m.0), wide(m.1), wide(m.2), wide(m.3)),
            pulp::u64x4(wide(m.4), wide(m.5), wide(m.6), wide(m.7)),
        ]
        .map(|half| self.transmute_m64s_u64s(half))
    }
}

impl Lanes for Scalar {
    type Keys = [f32; 2];
    type Chosen = [bool; 2];

    #[inline(always)]
    fn power_of_two(self, x: f64) -> f64 {
        f64::from_bits((x.to_bits() << 52).wrapping_add(1023 << 52))
    }

    #[inline(always)]
    fn splat_keys(self, key: f32) -> Self::Keys {
        [key; 2]
    }
    #[inline(always)]
    fn as_keys(numbers: &[f32]) -> &[Self::Keys] {
        numbers.as_chunks().0
    }
    #[inline(always)]
    fn as_mut_keys(numbers: &mut [f32]) -> &mut [Self::Keys] {
        numbers.as_chunks_mut().0
    }
    #[inline(always)]
    fn max_keys(self, a: Self::Keys, b: Self::Keys) -> Self::Keys {
        each(|lane| if a[lane] > b[lane] { a[lane] } else { b[lane] })
    }
    #[inline(always)]
    fn min_keys(self, a: Self::Keys, b: Self::Keys) -> Self::Keys {
        each(|lane| if a[lane] < b[lane] { a[lane] } else { b[lane] })
    }
    #[inline(always)]
    fn sub_keys(self, a: Self::Keys, b: Self::Keys) -> Self::Keys {
        each(|lane| a[lane] - b[lane])
    }
    #[inline(always)]
    fn count_chosen(self, a: Self::Keys, chosen: Self::Chosen) -> Self::Keys {
        each(|lane| a[lane] + f32::from(u8::from(chosen[lane])))
    }
    #[inline(always)]
    fn above(self, a: Self::Keys, b: Self::Keys) -> Self::Chosen {
        each(|lane| a[lane] > b[lane])
    }
    #[inline(always)]
    fn at_least(self, a: Self::Keys, b: Self::Keys) -> Self::Chosen {
        each(|lane| a[lane] >= b[lane])
    }
    #[inline(always)]
    fn equal(self, a: Self::Keys, b: Self::Keys) -> Self::Chosen {
        each(|lane| a[lane] == b[lane])
    }
    #[inline(always)]
    fn both(self, a: Self::Chosen, b: Self::Chosen) -> Self::Chosen {
        each(|lane| a[lane] & b[lane])
    }
    #[inline(always)]
    fn one_of(self, a: Self::Chosen, b: Self::Chosen) -> Self::Chosen {
        each(|lane| a[lane] ^ b[lane])
    }
    #[inline(always)]
    fn any(self, chosen: Self::Chosen) -> bool {
        chosen[0] | chosen[1]
    }
    #[inline(always)]
    fn halves(self, chosen: Self::Chosen) -> [Self::m64s; 2] {
        chosen
    }
}

#[inline(always)]
fn each<T>(of_lane: impl FnMut(usize) -> T) -> [T; 2] {
    std::array::from_fn(of_lane)
}
