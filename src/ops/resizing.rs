//! Resizing of images, signals and volumes by interpolation.

use crate::dtype::DType;
use crate::error::Result;
use crate::ops::resampling::{last, resample_backward, resampled};
use crate::scalar::Scalar;
use crate::shape::{self, Ints};
use crate::tensor::Tensor;
use crate::value::Value;
use crate::{bail, chosen, op};

/// The numbers of a linear map for each dimension, of sizes `from` and `to`: how far elements of the result are apart in
/// the input, and whether corners are aligned. The factors, where given, say more exactly than the sizes.
fn numbers(map: &str, from: &[i64], to: &[i64], factors: &[f64], align_corners: bool) -> Vec<f64> {
    let nearest = map.starts_with("nearest");
    let mut numbers = Vec::new();
    for (d, (&from, &to)) in from.iter().zip(to).enumerate() {
        let scale = match factors.get(d) {
            _ if align_corners => {
                if to > 1 {
                    (from - 1) as f64 / (to - 1) as f64
                } else {
                    0.0
                }
            }
            Some(&factor) if factor > 0.0 => 1.0 / factor,
            _ if nearest => f64::from(from as f32 / to as f32),
            _ => from as f64 / to as f64,
        };
        numbers.push(scale);
        if !nearest {
            numbers.push(f64::from(u8::from(align_corners)));
        }
    }
    numbers
}

fn check(name: &str, input: &Tensor, size: &[i64], rank: usize) -> Result<()> {
    let sizes = input.sizes();
    if sizes.len() != rank + 2 || size.len() != rank {
        bail!(
            Runtime,
            "{name}: an input (batch, channels, ..) of {} dimensions and {rank} sizes are expected, got {} and {}",
            rank + 2,
            shape::show(&sizes),
            shape::show(size)
        );
    }
    if size.iter().any(|&n| !(1..=shape::LONGEST).contains(&n)) || sizes[1..].contains(&0) {
        bail!(
            Runtime,
            "{name}: sizes have to be greater than 0 and not out of range; the input has {}, the output would have {}",
            shape::show(&sizes),
            shape::show(size)
        );
    }
    let accepted = input.dtype().is_float() || name.starts_with("nearest") && input.dtype() == DType::UInt8;
    if !accepted {
        bail!(NotImplemented, "{name}: not implemented for {}", input.dtype());
    }
    Ok(())
}

macro_rules! resizing {
    ($($name:ident $map:literal $rank:literal $node:literal;)+) => {$(
        op! {
            /// The last dimensions resized to the given sizes.
            fn $name(input: Tensor, size: Ints, align_corners: bool, factors: Vec<f64>) -> Tensor;
            value {
                check($map, input, size, $rank)?;
                let numbers = numbers($map, &last(&input.sizes(), $rank), size, factors, align_corners);
                resampled(input, $map, size, &numbers)
            }
            derivative $node Linear {
                input(g, size, align_corners, factors, ctx) => {
                    let from = last(&ctx.sizes_of(0)?, $rank);
                    resample_backward(g, $map, &from, &numbers($map, &from, size, factors, align_corners))
                };
            }
        }
    )+};
}

resizing! {
    upsample_nearest1d "nearest" 1 "UpsampleNearest1DBackward0";
    upsample_nearest2d "nearest" 2 "UpsampleNearest2DBackward0";
    upsample_nearest3d "nearest" 3 "UpsampleNearest3DBackward0";
    upsample_nearest_exact1d "nearest-exact" 1 "UpsampleNearestExact1DBackward0";
    upsample_nearest_exact2d "nearest-exact" 2 "UpsampleNearestExact2DBackward0";
    upsample_nearest_exact3d "nearest-exact" 3 "UpsampleNearestExact3DBackward0";
    upsample_linear1d "linear" 1 "UpsampleLinear1DBackward0";
    upsample_bilinear2d "linear" 2 "UpsampleBilinear2DBackward0";
    upsample_trilinear3d "linear" 3 "UpsampleTrilinear3DBackward0";
    upsample_bicubic2d "cubic" 2 "UpsampleBicubic2DBackward0";
    upsample_bilinear2d_antialias "linear-antialias" 2 "UpsampleBilinear2DAaBackward0";
    upsample_bicubic2d_antialias "cubic-antialias" 2 "UpsampleBicubic2DAaBackward0";
    upsample_lanczos2d_antialias "lanczos-antialias" 2 "UpsampleLanczos2DAaBackward0";
}

op! {
    /// The last dimensions resized to the given sizes in a given way; `factors` are those that the sizes came from, if
    /// any. What `interpolate` does once its arguments are understood.
    fn upsample as "_upsample" (
        input: Tensor, mode: String, size: Ints, align_corners: bool = false, factors: Vec<f64> = &[], antialias: bool = false
    ) -> Tensor, FUNCTIONAL;
    choose {
        let (sizes, align) = (Value::Ints(Ints::from_slice(size)), Scalar::Bool(align_corners));
        let factors = Value::Floats(factors.to_vec());
        Ok(match (mode, size.len(), antialias) {
            ("nearest", 1, false) => chosen!(upsample_nearest1d(input, sizes, align, factors)),
            ("nearest", 2, false) => chosen!(upsample_nearest2d(input, sizes, align, factors)),
            ("nearest", 3, false) => chosen!(upsample_nearest3d(input, sizes, align, factors)),
            ("nearest-exact", 1, false) => chosen!(upsample_nearest_exact1d(input, sizes, align, factors)),
            ("nearest-exact", 2, false) => chosen!(upsample_nearest_exact2d(input, sizes, align, factors)),
            ("nearest-exact", 3, false) => chosen!(upsample_nearest_exact3d(input, sizes, align, factors)),
            ("linear", 1, false) => chosen!(upsample_linear1d(input, sizes, align, factors)),
            ("bilinear", 2, false) => chosen!(upsample_bilinear2d(input, sizes, align, factors)),
            ("trilinear", 3, false) => chosen!(upsample_trilinear3d(input, sizes, align, factors)),
            ("bicubic", 2, false) => chosen!(upsample_bicubic2d(input, sizes, align, factors)),
            ("bilinear", 2, true) => chosen!(upsample_bilinear2d_antialias(input, sizes, align, factors)),
            ("bicubic", 2, true) => chosen!(upsample_bicubic2d_antialias(input, sizes, align, factors)),
            ("lanczos", 2, true) => chosen!(upsample_lanczos2d_antialias(input, sizes, align, factors)),
            _ => bail!(
                NotImplemented,
                "interpolate: mode '{mode}' does not resize {} dimensions{}",
                size.len(),
                if antialias { " with antialias=True" } else { "" }
            ),
        })
    }
}
