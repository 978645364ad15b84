//! Random numbers of 16-bit floats, in single precision: PyTorch draws as many bits as the type's mantissa has, and
//! rounds to the type after every step.

use super::check::require;
use super::generator::Generator;
use crate::dtype::{DType, bf16, f16};
use crate::error::Result;

/// From this many elements on, normals are drawn in blocks of so many.
const BLOCK: usize = 16;

/// What is to be known of a 16-bit float type.
#[derive(Clone, Copy)]
pub struct Narrow {
    digits: u32,
    largest: f64,
    round: fn(f32) -> f32,
}

impl Narrow {
    /// `None` for other types.
    pub fn of(dtype: DType) -> Option<Narrow> {
        match dtype {
            DType::Float16 => Some(Narrow {
                digits: f16::MANTISSA_DIGITS,
                largest: f16::MAX.to_f64(),
                round: |x| f16::from_f32(x).to_f32(),
            }),
            DType::BFloat16 => Some(Narrow {
                digits: bf16::MANTISSA_DIGITS,
                largest: bf16::MAX.to_f64(),
                round: |x| bf16::from_f32(x).to_f32(),
            }),
            _ => None,
        }
    }
}

impl Generator {
    fn unit_narrow(&mut self, out: &mut [f32], narrow: Narrow) {
        let mask = (1u32 << narrow.digits) - 1;
        let step = 1.0 / (1u32 << narrow.digits) as f32;
        self.fill32(out, |bits| (bits & mask) as f32 * step);
    }

    /// [`uniform`](Generator::uniform) for a 16-bit type.
    ///
    /// # Errors
    /// If `from > to`, or a bound or their difference does not fit the type.
    pub fn uniform_narrow(&mut self, out: &mut [f32], from: f64, to: f64, narrow: Narrow) -> Result<()> {
        require(from.abs() <= narrow.largest, "from", "finite in the element type", from)?;
        require(to.abs() <= narrow.largest, "to", "finite in the element type", to)?;
        require(from <= to, "to", "at least from", to)?;
        require(to - from <= narrow.largest, "to - from", "finite in the element type", to - from)?;
        let round = narrow.round;
        let (from, to) = (round(from as f32), round(to as f32));
        self.unit_narrow(out, narrow);
        for x in out {
            *x = round(*x * round(to - from) + from);
        }
        Ok(())
    }

    /// [`normal`](Generator::normal) for a 16-bit type; one by one unless `dense`.
    ///
    /// # Errors
    /// If `std` is negative.
    pub fn normal_narrow(&mut self, out: &mut [f32], mean: f64, std: f64, dense: bool, narrow: Narrow) -> Result<()> {
        let round = narrow.round;
        if !dense || out.len() < BLOCK {
            self.normal_serial(out, mean, std)?;
            out.iter_mut().for_each(|x| *x = round(*x));
            return Ok(());
        }
        require(std >= 0.0, "std", "at least 0", std)?;
        self.unit_narrow(out, narrow);
        let (mean, std) = (round(mean as f32), round(std as f32));
        let transform = |block: &mut [f32]| {
            for i in 0..BLOCK / 2 {
                let (first, second) = (round(1.0 - block[i]), block[i + BLOCK / 2]);
                let radius = round(round(-2.0 * round(first.ln())).sqrt());
                let theta = round(round(2.0 * round(std::f32::consts::PI)) * second);
                block[i] = round(round(round(radius * round(theta.cos())) * std) + mean);
                block[i + BLOCK / 2] = round(round(round(radius * round(theta.sin())) * std) + mean);
            }
        };
        let length = out.len();
        let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
        blocks.iter_mut().for_each(|block| transform(block));
        if !rest.is_empty() {
            let last = &mut out[length - BLOCK..];
            self.unit_narrow(last, narrow);
            transform(last);
        }
        Ok(())
    }
}
