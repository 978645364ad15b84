//! Distances between vectors, and vectors brought to a length.

use crate::autograd::modes::GradMode;
use crate::dtype::DType;
use crate::error::Result;
use crate::ops::arithmetic::{add, add_tensors, div, mul_tensors, sub};
use crate::ops::comparison::{eq, ne};
use crate::ops::complex::sgn;
use crate::ops::conversion::to_dtype;
use crate::ops::gathering::{index_add, index_select};
use crate::ops::indexing::masked_fill;
use crate::ops::power::pow;
use crate::ops::reduction::{amax, amin, sum};
use crate::ops::selection::{choose, clamp_min};
use crate::ops::unary::{abs, neg, sqrt, square};
use crate::ops::views::{expand_as, reshape, unsqueeze};
use crate::scalar::Scalar;
use crate::shape::Ints;
use crate::tensor::Tensor;
use crate::{bail, op};

/// Lengths are computed in floats; integers are not converted.
fn check_float(name: &str, tensor: &Tensor) -> Result<()> {
    if tensor.dtype().is_integral() {
        bail!(Runtime, "{name}: a float tensor is needed, got {}", tensor.dtype());
    }
    Ok(())
}

fn check_real(name: &str, tensor: &Tensor) -> Result<()> {
    if tensor.dtype().is_complex() {
        bail!(Runtime, "{name}: not defined for complex numbers");
    }
    check_float(name, tensor)
}

/// The p-norm along a dimension, not recorded.
fn length_of(x: &Tensor, p: f64, dim: i64, keepdim: bool) -> Result<Tensor> {
    if x.dtype().is_complex() {
        return length_of(&abs(x)?, p, dim, keepdim);
    }
    let over = |terms: &Tensor| sum(terms, Some(&[dim]), keepdim, None);
    match p {
        0.0 => over(&to_dtype(&ne(x, 0i64.into())?, x.dtype())?),
        1.0 => over(&abs(x)?),
        2.0 => sqrt(&over(&square(x)?)?),
        f64::INFINITY if x.size(dim)? > 0 => amax(&abs(x)?, &[dim], keepdim),
        f64::INFINITY => over(&abs(x)?),
        f64::NEG_INFINITY => amin(&abs(x)?, &[dim], keepdim),
        _ => {
            let total = over(&pow((&abs(x)?).into(), p.into())?)?;
            pow((&total).into(), (1.0 / p).into())
        }
    }
}

/// The gradient of the p-norm of `x`, where `g` and the `length` broadcast against it: 0 where the norm has a kink.
fn direction(g: &Tensor, x: &Tensor, p: f64, length: &Tensor) -> Result<Tensor> {
    if p == 0.0 {
        return x.zeros_alike();
    }
    if p == 1.0 {
        return mul_tensors(g, &sgn(x)?);
    }
    let zero = eq(length, 0i64.into())?;
    if p == 2.0 {
        let share = masked_fill(&div(g.into(), length.into())?, &zero, 0i64.into())?;
        return mul_tensors(x, &share);
    }
    if p.is_infinite() {
        let largest = to_dtype(&eq(&abs(x)?, length.into())?, x.dtype().real())?;
        // Several elements of that size share the gradient; a length without dimensions is that of all elements.
        let count = if length.ndim() < x.ndim() {
            crate::ops::reduction::sum_all(&largest, None)?
        } else {
            let reduced: Ints =
                (0..x.ndim()).filter(|&d| length.sizes()[d] == 1 && x.sizes()[d] != 1).map(|d| d as i64).collect();
            if reduced.is_empty() { largest.clone() } else { sum(&largest, Some(&reduced), true, None)? }
        };
        let signs = mul_tensors(&sgn(x)?, &largest)?;
        return mul_tensors(&signs, &div(g.into(), (&count).into())?);
    }
    let size = mul_tensors(&sgn(x)?, &pow((&abs(x)?).into(), (p - 1.0).into())?)?;
    let size = if p < 2.0 { choose(&ne(x, 0i64.into())?, (&size).into(), 0.0.into())? } else { size };
    let share = mul_tensors(g, &pow(length.into(), (1.0 - p).into())?)?;
    mul_tensors(&size, &masked_fill(&share, &zero, 0i64.into())?)
}

op! {
    /// The p-norm along a dimension.
    fn length as "_length" (input: Tensor, p: f64, dim: i64, keepdim: bool) -> Tensor;
    value { length_of(input, p, dim, keepdim) }
    batch dims(dim);
    derivative "NormBackward1" ByVjp {
        input(g, input, p, dim, keepdim, out) => {
            if keepdim {
                direction(g, input, p, out)
            } else {
                direction(&unsqueeze(g, dim)?, input, p, &unsqueeze(out, dim)?)
            }
        };
    }
}

op! {
    /// The p-norm of the difference of two tensors, which broadcast, as one vector.
    fn dist(input: Tensor, other: Tensor, p: Scalar = Scalar::Int(2)) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        let difference = sub(input.into(), other.into())?;
        check_float("dist", &difference)?;
        length_of(&reshape(&difference, &[-1])?, p.to_f64(), 0, false)
    }
    derivative "DistBackward0" ByVjp {
        input(g, input, other, p, out) => direction(g, &sub(input.into(), other.into())?, p.to_f64(), out);
        other(g, input, other, p, out) => {
            neg(&direction(g, &sub(input.into(), other.into())?, p.to_f64(), out)?)
        };
    }
}

op! {
    /// The p-norm of `x1 - x2 + eps` along the last dimension; `x1` and `x2` broadcast.
    fn pairwise_distance(x1: Tensor, x2: Tensor, p: f64 = 2.0, eps: f64 = 1e-6, keepdim: bool = false) -> Tensor,
        FUNCTIONAL FUNCTION NO_OUT;
    value { length(&add((&sub(x1.into(), x2.into())?).into(), eps.into())?, p, -1, keepdim) }
    derivative composite;
}

fn check_norm(name: &str, p: f64) -> Result<()> {
    if p < 0.0 || p.is_nan() {
        bail!(Runtime, "{name}: p has to be 0 or more, got {p}");
    }
    Ok(())
}

/// The difference of each row of one with each row of the other: `(…, rows, rows, columns)`.
fn differences(x1: &Tensor, x2: &Tensor) -> Result<Tensor> {
    sub((&unsqueeze(x1, -2)?).into(), (&unsqueeze(x2, -3)?).into())
}

/// The gradient of all distances for those differences.
fn directions(g: &Tensor, x1: &Tensor, x2: &Tensor, p: f64, out: &Tensor) -> Result<Tensor> {
    direction(&unsqueeze(g, -1)?, &differences(x1, x2)?, p, &unsqueeze(out, -1)?)
}

op! {
    /// The distance of each row of `x1` `(…, n, m)` from each row of `x2` `(…, k, m)`: `(…, n, k)`.
    ///
    /// `compute_mode` is one of PyTorch's; distances are computed from differences in all of them. Raises `RuntimeError`
    /// if the rows differ in length.
    fn cdist(
        x1: Tensor, x2: Tensor, p: f64 = 2.0, compute_mode: String = "use_mm_for_euclid_dist_if_necessary"
    ) -> Tensor, FUNCTION NO_OUT;
    value {
        const MODES: [&str; 3] =
            ["use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist"];
        if !MODES.contains(&compute_mode) {
            bail!(Value, "cdist: compute_mode has to be one of {MODES:?}, got '{compute_mode}'");
        }
        cdist_of(x1, x2, p)
    }
    derivative composite;
}

op! {
    /// The node of `cdist`.
    fn cdist_of as "cdist" / "node" (x1: Tensor, x2: Tensor, p: f64) -> Tensor;
    value {
        if x1.ndim() < 2 || x2.ndim() < 2 {
            bail!(Runtime, "cdist: matrices are needed, the arguments have {} and {} dimensions", x1.ndim(), x2.ndim());
        }
        check_real("cdist", x1)?;
        check_real("cdist", x2)?;
        check_norm("cdist", p)?;
        let (columns, others) = (x1.size(-1)?, x2.size(-1)?);
        if columns != others {
            bail!(Runtime, "cdist: rows of {columns} and of {others} elements have no distance");
        }
        length_of(&differences(x1, x2)?, p, -1, false)
    }
    derivative "CdistBackward0" ByVjp {
        x1(g, x1, x2, p, out) => sum(&directions(g, x1, x2, p, out)?, Some(&[-2]), false, None);
        x2(g, x1, x2, p, out) => neg(&sum(&directions(g, x1, x2, p, out)?, Some(&[-3]), false, None)?);
    }
}

/// The numbers of the rows of all pairs, in the order (0, 1), (0, 2), …
fn pairs(rows: usize) -> Result<[Tensor; 2]> {
    let all = (0..rows as i64).flat_map(|i| (i + 1..rows as i64).map(move |j| (i, j)));
    let (first, second): (Vec<i64>, Vec<i64>) = all.unzip();
    Ok([Tensor::from_slice(&first, &[first.len()])?, Tensor::from_slice(&second, &[second.len()])?])
}

op! {
    /// The distances of all pairs of rows of a matrix, a vector: (0, 1), (0, 2), …, (1, 2), …
    fn pdist(input: Tensor, p: f64 = 2.0) -> Tensor, FUNCTIONAL FUNCTION NO_OUT;
    value {
        if input.ndim() != 2 {
            bail!(Runtime, "pdist: a matrix is needed, the input has {} dimensions", input.ndim());
        }
        check_real("pdist", input)?;
        check_norm("pdist", p)?;
        let [first, second] = pairs(input.sizes()[0])?;
        let difference = sub((&index_select(input, 0, &first)?).into(), (&index_select(input, 0, &second)?).into())?;
        length_of(&difference, p, -1, false)
    }
    derivative "PdistBackward0" ByVjp {
        input(g, input, p, out) => {
            let [first, second] = pairs(input.sizes()[0])?;
            let difference =
                sub((&index_select(input, 0, &first)?).into(), (&index_select(input, 0, &second)?).into())?;
            let slopes = direction(&unsqueeze(g, -1)?, &difference, p, &unsqueeze(out, -1)?)?;
            let gradient = index_add(&input.zeros_alike()?, 0, &first, &slopes, 1i64.into())?;
            index_add(&gradient, 0, &second, &slopes, (-1i64).into())
        };
    }
}

op! {
    /// `input` divided by its p-norm along `dim`, or by `eps` if that is larger.
    fn normalize(input: Tensor, p: f64 = 2.0, dim: i64 = 1, eps: f64 = 1e-12) -> Tensor, FUNCTIONAL;
    value {
        check_float("normalize", input)?;
        let norm = clamp_min(&length(input, p, dim, true)?, eps.into())?;
        div(input.into(), (&expand_as(&norm, input)?).into())
    }
    derivative composite;
}

op! {
    /// The cosine of the angle between vectors along `dim`, whose lengths count as `eps` at least; `x1` and `x2` broadcast.
    ///
    /// Raises `RuntimeError` for integers.
    fn cosine_similarity(x1: Tensor, x2: Tensor, dim: i64 = 1, eps: f64 = 1e-8) -> Tensor, FUNCTIONAL FUNCTION NO_OUT;
    value {
        if eps < 0.0 {
            bail!(Runtime, "cosine_similarity: eps must not be negative, got {eps}");
        }
        let dtype = x1.dtype().promote(x2.dtype());
        if !dtype.is_float() {
            bail!(Runtime, "cosine_similarity: float tensors are needed, got {} and {}", x1.dtype(), x2.dtype());
        }
        let sizes: Ints =
            crate::shape::broadcast(&x1.sizes(), &x2.sizes())?.iter().map(|&n| n as i64).collect();
        let direction = |x: &Tensor| {
            let x = crate::ops::views::expand(&to_dtype(x, dtype)?, &sizes)?;
            let norm = length(&x, 2.0, dim, true)?;
            // The limit is a constant added on: the gradient is that of the norm.
            let added = {
                let _quiet = GradMode::set(false);
                sub((&clamp_min(&norm, eps.into())?).into(), (&norm).into())?.detach()
            };
            div((&x).into(), (&add_tensors(&norm, &added)?).into())
        };
        sum(&mul_tensors(&direction(x1)?, &direction(x2)?)?, Some(&[dim]), false, None)
    }
    derivative composite;
}

op! {
    /// A vector with a 1 at the place of each class and 0 elsewhere, as a new last dimension of `num_classes` (one more
    /// than the largest class, if -1).
    ///
    /// Raises `RuntimeError` unless classes are int64, from 0 to below `num_classes`.
    fn one_hot(tensor: Tensor, num_classes: i64 = -1) -> Tensor, FUNCTIONAL;
    value {
        if tensor.dtype() != DType::Int64 {
            bail!(Runtime, "one_hot: classes have to be int64, they are {}", tensor.dtype());
        }
        let classes = tensor.to_vec::<i64>()?;
        let most = match (num_classes, classes.iter().max()) {
            (-1, Some(&largest)) => largest + 1,
            (-1, None) => bail!(Runtime, "one_hot: without classes, num_classes has to be given"),
            (n, None) if n <= 0 => bail!(Runtime, "one_hot: num_classes has to be positive, got {n}"),
            (n, _) => n,
        };
        if let Some(class) = classes.iter().find(|class| !(0..most).contains(class)) {
            bail!(Runtime, "one_hot: class {class} is not from 0 to below {most}");
        }
        let mut sizes = tensor.sizes();
        sizes.push(most as usize);
        let out = Tensor::zeros(&sizes, DType::Int64)?;
        let rows = out.data().pointer().cast::<i64>();
        for (row, &class) in classes.iter().enumerate() {
            // SAFETY: a class is below the size of a row, of which there is one for each class.
            unsafe { *rows.add(row * most as usize + class as usize) = 1 };
        }
        Ok(out)
    }
    derivative none;
}
