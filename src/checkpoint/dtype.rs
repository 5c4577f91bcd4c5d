//! Numbers in the types of checkpoints: their values, and how far rounding may have moved them.

use safetensors::Dtype;

/// Half of the gap between neighbours of a floating-point type: a stored x differs from the number that was rounded by at
/// most max(`relative`·|x|, `absolute`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rounding {
    /// 2^-p for a significand of p bits, the implicit one counted.
    pub relative: f64,
    /// Half of the smallest subnormal number.
    pub absolute: f64,
}

impl Rounding {
    /// Rounding of a type; `None` for types that hold no floating-point numbers.
    pub(crate) fn of(dtype: Dtype) -> Option<Self> {
        let (precision, smallest) = match dtype {
            Dtype::F64 => (53, -1074),
            Dtype::F32 => (24, -149),
            Dtype::BF16 => (8, -133),
            Dtype::F16 => (11, -24),
            Dtype::F8_E4M3 => (4, -9),
            Dtype::F8_E5M2 => (3, -16),
            _ => return None,
        };
        Some(Self { relative: 2f64.powi(-precision), absolute: 2f64.powi(smallest) / 2.0 })
    }

    /// The most by which rounding of its entries may have changed the norm of a row of `length` entries:
    /// ‖e‖ ≤ √(Σ max(relative·|x|, absolute)²) ≤ relative·‖x‖ + absolute·√length.
    pub(crate) fn of_norm(self, norm: f64, length: usize) -> f64 {
        self.relative * norm + self.absolute * (length as f64).sqrt()
    }
}

/// The values of little-endian bytes; `None` for types that hold no floating-point numbers, or if bytes are left over.
pub(crate) fn decode(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f64>> {
    let values = match dtype {
        Dtype::F64 => fixed::<8>(bytes, f64::from_le_bytes)?,
        Dtype::F32 => fixed::<4>(bytes, |bytes| f64::from(f32::from_le_bytes(bytes)))?,
        // The upper half of an F32.
        Dtype::BF16 => fixed::<2>(bytes, |[low, high]| f64::from(f32::from_le_bytes([0, 0, low, high])))?,
        Dtype::F16 => fixed::<2>(bytes, |bytes| small_float(u16::from_le_bytes(bytes).into(), 5, 10))?,
        // E4M3 has no infinities: only all ones but the sign is not a number.
        Dtype::F8_E4M3 => fixed::<1>(bytes, |[byte]| match byte & 0x7f {
            0x7f => f64::NAN,
            _ => finite_float(byte.into(), 4, 3),
        })?,
        Dtype::F8_E5M2 => fixed::<1>(bytes, |[byte]| small_float(byte.into(), 5, 2))?,
        Dtype::F8_E8M0 => fixed::<1>(bytes, |[byte]| power_of_two(byte))?,
        _ => return None,
    };
    Some(values)
}

fn fixed<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f64) -> Option<Vec<f64>> {
    let (numbers, rest) = bytes.as_chunks::<N>();
    rest.is_empty().then(|| numbers.iter().map(|&number| value(number)).collect())
}

/// 2^(byte − 127): the scale of 32 MXFP4 numbers (OCP Microscaling Formats 1.0, table 7).
fn power_of_two(byte: u8) -> f64 {
    if byte == u8::MAX { f64::NAN } else { 2f64.powi(i32::from(byte) - 127) }
}

/// An IEEE number of few bits: infinities and NaN at the largest exponent.
fn small_float(bits: u32, exponent_bits: u32, mantissa_bits: u32) -> f64 {
    let largest = (1 << exponent_bits) - 1;
    let mantissa = bits & ((1 << mantissa_bits) - 1);
    if (bits >> mantissa_bits) & largest != largest {
        return finite_float(bits, exponent_bits, mantissa_bits);
    }
    match (mantissa, bits >> (exponent_bits + mantissa_bits) & 1) {
        (0, 0) => f64::INFINITY,
        (0, _) => f64::NEG_INFINITY,
        _ => f64::NAN,
    }
}

fn finite_float(bits: u32, exponent_bits: u32, mantissa_bits: u32) -> f64 {
    let bias = (1 << (exponent_bits - 1)) - 1;
    let mantissa = f64::from(bits & ((1 << mantissa_bits) - 1)) / f64::from(1 << mantissa_bits);
    let exponent = (bits >> mantissa_bits & ((1 << exponent_bits) - 1)) as i32;
    let size = match exponent {
        0 => mantissa * 2f64.powi(1 - bias),
        _ => (1.0 + mantissa) * 2f64.powi(exponent - bias),
    };
    if bits >> (exponent_bits + mantissa_bits) & 1 == 1 { -size } else { size }
}

/// The 16 values of a four-bit E2M1 number (OCP Microscaling Formats 1.0, table 5).
const E2M1: [f64; 16] = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, -0.0, -0.5, -1.0, -1.5, -2.0, -3.0, -4.0, -6.0];

/// MXFP4 numbers: 16 bytes of `blocks`, the low half of a byte first, share one scale. `None` if their lengths disagree.
pub(crate) fn decode_mxfp4(blocks: &[u8], scales: &[u8]) -> Option<Vec<f64>> {
    let (blocks, rest) = blocks.as_chunks::<16>();
    if !rest.is_empty() || blocks.len() != scales.len() {
        return None;
    }
    let pair = |byte: u8| [E2M1[usize::from(byte & 15)], E2M1[usize::from(byte >> 4)]];
    let block = |(block, &scale): (&[u8; 16], &u8)| {
        let scale = power_of_two(scale);
        block.iter().flat_map(move |&byte| pair(byte)).map(move |value| value * scale).collect::<Vec<_>>()
    };
    Some(blocks.iter().zip(scales).flat_map(block).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_as_in_pytorch() {
        // torch.tensor(bits, dtype=torch.uint8).view(torch.float8_e4m3fn).double(), and so on.
        let bytes = [0x00, 0x01, 0x08, 0x38, 0x7e, 0xfe, 0x80];
        let e4m3 = decode(Dtype::F8_E4M3, &bytes).expect("decodable");
        assert_eq!(e4m3, [0.0, 0.001953125, 0.015625, 1.0, 448.0, -448.0, -0.0]);
        let e5m2 = decode(Dtype::F8_E5M2, &[0x01, 0x3c, 0x7b, 0x7c, 0xfc]).expect("decodable");
        assert_eq!(e5m2, [2f64.powi(-16), 1.0, 57344.0, f64::INFINITY, f64::NEG_INFINITY]);
        let f16 = decode(Dtype::F16, &[0x01, 0x00, 0x00, 0x3c, 0xff, 0x7b, 0x00, 0xc0]).expect("decodable");
        assert_eq!(f16, [2f64.powi(-24), 1.0, 65504.0, -2.0]);
        assert_eq!(decode(Dtype::BF16, &[0x80, 0x3f, 0x00, 0xc0]), Some(vec![1.0, -2.0]));
        assert_eq!(decode(Dtype::F8_E8M0, &[127, 128, 0]), Some(vec![1.0, 2.0, 2f64.powi(-127)]));
        assert!(decode(Dtype::F8_E4M3, &[0x7f]).expect("decodable")[0].is_nan());
        assert_eq!((decode(Dtype::F32, &[0; 5]), decode(Dtype::I32, &[0; 4])), (None, None));
    }

    #[test]
    fn a_block_of_mxfp4() {
        let mut block = [0; 16];
        (block[0], block[15]) = (0x21, 0xf0);
        let values = decode_mxfp4(&block, &[129]).expect("lengths agree");
        assert_eq!((values[0], values[1], values[31]), (2.0, 4.0, -24.0));
        assert_eq!(decode_mxfp4(&block, &[1, 2]), None);
    }

    #[test]
    fn the_rounding_bound_holds_for_the_worst_case() {
        // 1 + 2^-8 lies halfway between two neighbours in BF16, which has 8 bits of precision.
        let bound = Rounding::of(Dtype::BF16).expect("floating");
        assert_eq!(bound.relative, 2f64.powi(-8));
        assert!(bound.of_norm(1.0, 1) >= 2f64.powi(-8));
        // The largest number in F16 that rounds to 0.
        assert!(Rounding::of(Dtype::F16).expect("floating").of_norm(0.0, 1) >= 2f64.powi(-25));
    }
}
