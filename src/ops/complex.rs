//! Complex numbers: their parts, conjugates, sizes and directions.
//!
//! # Note: Gradients of complex numbers
//! The gradient of a real loss by a complex number `x + iy` is `∂L/∂x + i ∂L/∂y`, PyTorch's convention: the direction
//! of steepest ascent. So the gradient of a product goes back by the *conjugate* of the other factor, that of a
//! holomorphic function by the conjugate of its derivative; and where an input is real, the engine takes the real part
//! of what comes for it.
//!
//! A conjugate is computed when it is asked for; there is no tensor that only remembers to be conjugated.

use num_complex::Complex;

use crate::data::Data;
use crate::dtype::DType;
use crate::error::Result;
use crate::ops::arithmetic::{div, mul, mul_tensors, sub};
use crate::ops::comparison::eq;
use crate::ops::selection::choose;
use crate::ops::unary::abs;
use crate::ops::views;
use crate::scalar::Scalar;
use crate::shape::{self, Dims};
use crate::tensor::Tensor;
use crate::value::Value;
use crate::{bail, op, pointwise};

/// The number whose square is -1.
pub(crate) const I: Scalar = Scalar::Complex(Complex { re: 0.0, im: 1.0 });

pointwise! {
    /// The complex conjugates of complex elements.
    fn conjugate as "_conj" (input: Tensor) real complex -> same, "ConjBackward0"
        = input.conj();
        input(g) = g.conj();

    /// `conj_physical` of complex elements.
    fn conjugate_physically as "_conj_physical" (input: Tensor) real complex -> same, "ConjPhysicalBackward0"
        = input.conj();
        input(g) = g.conj();

    /// `conj_physical_`.
    fn conjugate_in_place as "_conj_physical" / "in_place" (input: Tensor)
        number complex -> same, "ConjPhysicalBackward1"
        = input.conj();
        input(g) = g.conj();

    /// `sgn`, not recorded.
    fn direction as "_direction" (input: Tensor) number complex -> same
        = input.direction();

    /// `angle`, not recorded.
    fn argument as "_argument" (input: Tensor) float complex -> real
        = input.argument();
}

op! {
    /// The complex conjugate: a copy, or of a real tensor the tensor itself.
    fn conj(input: Tensor) -> Tensor, FUNCTION NO_OUT METHOD;
    value { if input.dtype().is_complex() { conjugate(input) } else { Ok(input.clone()) } }
    batch aligned;
    derivative composite;
}

op! {
    /// The complex conjugate of each element; a real tensor itself.
    fn conj_physical(input: Tensor) -> Tensor, FUNCTION METHOD;
    value { if input.dtype().is_complex() { conjugate_physically(input) } else { Ok(input.clone()) } }
    batch aligned;
    derivative composite;
}

op! {
    /// The complex conjugate of each element.
    fn conj_physical_in_place as "conj_physical" / "in_place" (input: Tensor) -> Tensor, IN_PLACE;
    choose { Ok(crate::chosen!(conjugate_in_place(input))) }
}

op! {
    /// The tensor itself: conjugates are computed when they are asked for.
    fn resolve_conj(input: Tensor) -> Tensor, FUNCTION NO_OUT METHOD;
    value { Ok(input.clone()) }
    derivative composite;
}

op! {
    /// The tensor itself: opposites are computed when they are asked for.
    fn resolve_neg(input: Tensor) -> Tensor, FUNCTION NO_OUT METHOD;
    value { Ok(input.clone()) }
    derivative composite;
}

op! {
    /// Each element divided by its absolute value, the sign of real ones; 0 for 0.
    fn sgn(input: Tensor) -> Tensor, FUNCTION METHOD IN_PLACE;
    value { direction(input) }
    batch aligned;
    derivative "SgnBackward0" ByVjp {
        input(g, input, out) => {
            if !input.dtype().is_complex() {
                return Ok(crate::op::Gradients::from_elem(Some(g.zeros_alike()?), 1));
            }
            // What of the gradient turns the direction, by the distance from 0.
            let along = mul_tensors(&real(&mul_tensors(g, &conj(out)?)?)?, out)?;
            let slope = div((&sub(g.into(), (&along).into())?).into(), (&abs(input)?).into())?;
            choose(&eq(input, 0i64.into())?, 0i64.into(), (&slope).into())
        };
    }
}

op! {
    /// The angle between each element and the positive real axis, from -π to π. Its derivative at 0 is 0.
    fn angle(input: Tensor) -> Tensor, FUNCTION METHOD;
    value { argument(input) }
    batch aligned;
    derivative "AngleBackward0" ByVjp {
        input(g, input) => {
            if !input.dtype().is_complex() {
                return Ok(crate::op::Gradients::from_elem(Some(input.zeros_alike()?), 1));
            }
            let turned = mul(input.into(), I.into())?;
            let squared = real(&mul_tensors(input, &conj(input)?)?)?;
            let slope = mul_tensors(g, &div((&turned).into(), (&squared).into())?)?;
            choose(&eq(input, 0i64.into())?, 0i64.into(), (&slope).into())
        };
    }
}

/// The real or the imaginary part of complex data, as data on the same memory.
pub fn part(data: &Data, nth: usize) -> Data {
    let strides: Dims = data.strides.iter().map(|step| 2 * step).collect();
    let mut part =
        Data::new(data.storage.clone(), data.sizes.clone(), strides, 2 * data.offset + nth, data.dtype.real());
    part.version = data.version.clone();
    part
}

/// A complex tensor seen as a real one, whose last dimension is the real and the imaginary part; without history.
pub fn pairs(tensor: &Tensor) -> Tensor {
    let first = part(&tensor.data(), 0);
    let (mut sizes, mut strides) = (first.sizes.clone(), first.strides.clone());
    sizes.push(2);
    strides.push(1);
    tensor.reinterpreted(first.dtype, sizes, strides, first.offset)
}

op! {
    /// A complex tensor seen as a real one, whose last dimension is the real and the imaginary part.
    ///
    /// Raises `RuntimeError` for a real tensor.
    fn view_as_real(input: Tensor) -> Tensor, FUNCTION VIEW;
    value {
        if !input.dtype().is_complex() {
            bail!(Runtime, "view_as_real: a complex tensor is needed, this one is {}", input.dtype());
        }
        Ok(pairs(input))
    }
    derivative "ViewAsRealBackward0" Linear {
        input(g) => view_as_complex(&crate::ops::conversion::contiguous(g)?);
    }
}

op! {
    /// A float tensor whose last dimension is of size 2, seen as a complex one.
    ///
    /// Raises `RuntimeError` for other sizes, and for memory in which the two parts do not lie side by side.
    fn view_as_complex(input: Tensor) -> Tensor, FUNCTION VIEW;
    value {
        let data = input.data();
        if !matches!(data.dtype, DType::Float32 | DType::Float64) {
            bail!(Runtime, "view_as_complex: a float32 or float64 tensor is needed, this one is {}", data.dtype);
        }
        let (Some((&2, sizes)), Some((&step, strides))) = (data.sizes.split_last(), data.strides.split_last()) else {
            bail!(
                Runtime,
                "view_as_complex: the last dimension has to be of size 2, the tensor has size {}",
                shape::show(&data.sizes)
            );
        };
        let even = |(&step, &n): (&usize, &usize)| n <= 1 || step % 2 == 0;
        let beside = step == 1 || (step == 0 && data.numel() == 0);
        let starts = data.numel() == 0 || (data.offset % 2 == 0 && strides.iter().zip(sizes).all(even));
        if !beside || !starts {
            bail!(
                Runtime,
                "view_as_complex: two numbers have to lie side by side and begin at an even place, the tensor has \
                 strides {} and offset {}",
                shape::show(&data.strides),
                data.offset
            );
        }
        let halves: Dims = strides.iter().map(|step| step / 2).collect();
        Ok(input.reinterpreted(data.dtype.complex(), Dims::from_slice(sizes), halves, data.offset / 2))
    }
    derivative "ViewAsComplexBackward0" Linear {
        input(g) => view_as_real(g);
    }
}

op! {
    /// The real parts, as a view; a real tensor itself.
    fn real(input: Tensor) -> Tensor, FUNCTION NO_OUT;
    value {
        if !input.dtype().is_complex() {
            return Ok(input.clone());
        }
        views::select(&view_as_real(input)?, -1, 0)
    }
    derivative composite;
}

op! {
    /// The imaginary parts, as a view.
    ///
    /// Raises `RuntimeError` for a real tensor.
    fn imag(input: Tensor) -> Tensor, FUNCTION NO_OUT;
    value {
        if !input.dtype().is_complex() {
            bail!(Runtime, "imag: a complex tensor is needed, this one is {}", input.dtype());
        }
        views::select(&view_as_real(input)?, -1, 1)
    }
    derivative composite;
}

op! {
    /// Complex numbers from their real and imaginary parts, two float tensors of one type.
    fn complex(real: Tensor, imag: Tensor) -> Tensor, FUNCTION ANY_TYPE;
    value { joined("complex", real, imag) }
    batch aligned;
    derivative "ComplexBackward0" Linear {
        real(g) => self::real(g);
        imag(g) => self::imag(g);
    }
}

/// What a linear operation makes of a tensor, which is made for real ones: of a complex tensor its parts apart. Without
/// history.
pub(crate) fn by_parts(tensor: &Tensor, operation: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    if !tensor.dtype().is_complex() {
        return operation(tensor);
    }
    let of = |nth: usize| operation(&Tensor::from_data(part(&tensor.data(), nth)));
    joined("complex", &of(0)?, &of(1)?)
}

/// Refuses complex numbers, for an elementwise operation that is defined for real ones alone.
pub(crate) fn check_real(name: &str, _: &[Value], dtype: DType) -> Result<()> {
    if dtype.is_complex() {
        bail!(Runtime, "{name}: not defined for complex numbers");
    }
    Ok(())
}

/// Refuses a complex tensor whose gradient is asked for, where PyTorch has no derivative for complex numbers.
pub(crate) fn check_no_gradient(name: &str, tensors: &[&Tensor]) -> Result<()> {
    let asked = |tensor: &&&Tensor| tensor.dtype().is_complex() && tensor.requires_grad();
    if tensors.iter().find(asked).is_some() && crate::autograd::modes::grad_enabled() {
        bail!(Runtime, "{name}: not differentiable for complex numbers; take detach() or the real parts");
    }
    Ok(())
}

fn joined(name: &str, first: &Tensor, second: &Tensor) -> Result<Tensor> {
    let dtype = first.dtype();
    if !matches!(dtype, DType::Float32 | DType::Float64) || dtype != second.dtype() {
        bail!(
            Runtime,
            "{name}: two float32 or two float64 tensors are needed, they are {dtype} and {}",
            second.dtype()
        );
    }
    let out = crate::pointwise::empty_for(&[first.into(), second.into()], dtype.complex())?;
    for (nth, source) in [first, second].into_iter().enumerate() {
        let target = part(&out.data(), nth);
        crate::kernels::copy::copy(&target, &source.data());
    }
    Ok(out)
}

op! {
    /// Complex numbers from their absolute values and angles, two float tensors of one type.
    fn polar(abs: Tensor, angle: Tensor) -> Tensor, FUNCTION ANY_TYPE;
    value {
        let along = |part: Tensor| mul_tensors(&abs.detach(), &part);
        let angle = angle.detach();
        if abs.dtype() == DType::Float16 && angle.dtype() == DType::Float16 {
            bail!(NotImplemented, "polar: not implemented for {}", abs.dtype());
        }
        if abs.dtype() != angle.dtype() || !abs.dtype().is_float() {
            return joined("polar", abs, &angle);
        }
        joined("polar", &along(crate::ops::unary::cos(&angle)?)?, &along(crate::ops::unary::sin(&angle)?)?)
    }
    batch aligned;
    derivative "PolarBackward0" ByVjp {
        abs(g, out) => real(&mul_tensors(&conj(g)?, &sgn(out)?)?);
        angle(g, out) => real(&mul_tensors(&conj(g)?, &mul(out.into(), I.into())?)?);
    }
}

op! {
    /// The sum of the products of one vector's conjugates and another's elements.
    fn vdot(input: Tensor, other: Tensor) -> Tensor, FUNCTION METHOD;
    value { crate::ops::matrix::dot(&conj(&input.detach())?, &other.detach()).map_err(|error| error.context("vdot")) }
    derivative "VdotBackward0" ByVjp {
        input(g, other) => mul_tensors(&conj(g)?, other);
        other(g, input) => mul_tensors(g, input);
    }
}

op! {
    /// Whether the imaginary part of each element is 0: always so for a real tensor.
    fn isreal(input: Tensor) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        if !input.dtype().is_complex() {
            let all = input.empty_alike(DType::Bool)?;
            crate::kernels::fill::fill(&all.data(), true.into());
            return Ok(all);
        }
        eq(&imag(&input.detach())?, 0i64.into())
    }
    batch aligned;
    derivative none;
}
