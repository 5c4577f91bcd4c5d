//! Standard normal draws with the same bits on every processor, one at a time.
//!
//! Pre-trained weights and the Haar basis draw them between other draws of the same stream, one number for one call of the
//! generator. Batches of noise come from `super::gaussian`, which fills blocks from generators of its own and is several times
//! as fast; it has no single draw. Neither replaces the other without changing results: the weights of every run would be
//! others, or noise would cost more than the training.

use rand::distr::{Distribution, Open01};
use rand::{Rng, TryRng};
use std::convert::Infallible;

/// Where the ziggurat's tail begins.
const TAIL: f64 = 3.654_152_885_361_009;

/// N(0, 1), by the ziggurat of `rand_distr`. It takes draws beyond ±3.654 from the logarithm of the platform, whose last
/// bit may depend on the processor; here they are taken from [`libm::log`], of the same words of the generator.
///
/// What is left to the platform is whether a word is rejected, by a comparison with an exponential or a logarithm: that
/// its last bit decides has a probability of less than 10⁻¹⁵ a draw.
#[derive(Clone, Copy, Debug)]
pub struct StandardNormal;

impl Distribution<f64> for StandardNormal {
    fn sample<R: Rng + ?Sized>(&self, generator: &mut R) -> f64 {
        let mut recorder = Recorder { generator, last: [0; 2] };
        let drawn: f64 = rand_distr::StandardNormal.sample(&mut recorder);
        if drawn.abs() <= TAIL {
            return drawn;
        }
        // A tail's last two words are those that were accepted; its value comes from the first of them.
        let uniform: f64 = Open01.sample(&mut Replay(recorder.last[0]));
        (TAIL - libm::log(uniform) / TAIL).copysign(drawn)
    }
}

/// Hands words on and remembers the last two, the older one first.
struct Recorder<'a, R: ?Sized> {
    generator: &'a mut R,
    last: [u64; 2],
}

impl<R: Rng + ?Sized> TryRng for Recorder<'_, R> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.generator.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let word = self.generator.next_u64();
        self.last = [self.last[1], word];
        Ok(word)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.generator.fill_bytes(bytes);
        Ok(())
    }
}

/// Gives one word again and again.
struct Replay(u64);

impl TryRng for Replay {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.0 >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::ChaCha8Rng;
    use rand::SeedableRng;

    #[test]
    fn draws_are_those_of_the_ziggurat_but_for_last_bits_in_the_tails() {
        let (mut own, mut theirs) = (ChaCha8Rng::seed_from_u64(5), ChaCha8Rng::seed_from_u64(5));
        let mut tails = 0;
        for _ in 0..2_000_000 {
            let (a, b): (f64, f64) = (StandardNormal.sample(&mut own), rand_distr::StandardNormal.sample(&mut theirs));
            if b.abs() > TAIL {
                tails += 1;
                assert!((a - b).abs() <= f64::EPSILON * 4.0, "{a} {b}");
            } else {
                assert_eq!(a.to_bits(), b.to_bits());
            }
        }
        // 2.58·10⁻⁴ of all.
        assert!((420..=620).contains(&tails), "{tails}");
        assert_eq!(own.next_u64(), theirs.next_u64());
    }
}
