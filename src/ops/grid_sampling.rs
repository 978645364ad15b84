//! Sampling of images at places of a grid, and grids of affine maps.

use crate::dtype::DType;
use crate::error::Result;
use crate::ops::arithmetic::{add, add_tensors, mul, mul_tensors, sub};
use crate::ops::conversion::to_dtype;
use crate::ops::gathering::gather;
use crate::ops::matrix::matmul;
use crate::ops::selection::clamp;
use crate::ops::term::{IntoTerm, Term};
use crate::ops::unary::{abs, floor, round, sign};
use crate::ops::views::{self, ints};
use crate::shape::{self, Ints};
use crate::tensor::Tensor;
use crate::value::Value;
use crate::{bail, op};

/// The points of a grid of `sizes`, each with a 1 behind its coordinates: `(points, rank + 1)`, the last dimension first.
fn points(sizes: &[i64], align_corners: bool, dtype: DType) -> Result<Tensor> {
    let rank = sizes.len();
    let along = |d: usize, i: i64| {
        let n = sizes[d] as f64;
        match (sizes[d], align_corners) {
            (..=1, _) => 0.0,
            (_, true) => -1.0 + 2.0 * i as f64 / (n - 1.0),
            (_, false) => (2.0 * i as f64 + 1.0) / n - 1.0,
        }
    };
    let count: i64 = sizes.iter().product();
    let mut all = Vec::with_capacity(count as usize * (rank + 1));
    for point in 0..count {
        let mut rest = point;
        let mut place = vec![0; rank];
        for d in (0..rank).rev() {
            (place[d], rest) = (rest % sizes[d], rest / sizes[d]);
        }
        all.extend((0..rank).rev().map(|d| along(d, place[d])));
        all.push(1.0);
    }
    Tensor::from_slice(&all, &[count as usize, rank + 1])?.cast(dtype)
}

op! {
    /// The places that affine maps `theta`, `(batch, 2, 3)` or `(batch, 3, 4)`, send the points of a grid to: a grid for
    /// `grid_sample` of an output of `size`, `(batch, channels, ..)`.
    fn affine_grid_generator(theta: Tensor, size: Ints, align_corners: bool) -> Tensor, FUNCTIONAL;
    value {
        let rank = size.len().saturating_sub(2);
        let batch = size.first().copied().unwrap_or(0);
        if !(2..=3).contains(&rank) || ints(&theta.sizes())[..] != [batch, rank as i64, rank as i64 + 1] {
            bail!(
                Runtime,
                "affine_grid_generator: maps (batch, n, n + 1) for sizes (batch, channels, ..) with n = 2 or 3 more are \
                 expected, got {} and {}",
                shape::show(&theta.sizes()),
                shape::show(size)
            );
        }
        let points = points(&size[2..], align_corners, theta.dtype())?;
        let mut sizes: Ints = [batch].into_iter().collect();
        sizes.extend(size[2..].iter().copied());
        sizes.push(rank as i64);
        views::reshape(&matmul(&points, &views::transpose(&theta.detach(), 1, 2)?)?, &sizes)
    }
    derivative "AffineGridGeneratorBackward0" Linear {
        theta(g, size, align_corners) => {
            let rank = size.len() as i64 - 2;
            let points = points(&size[2..], align_corners, g.dtype())?;
            let rows = views::reshape(g, &[size[0], -1, rank])?;
            views::transpose(&matmul(&views::t(&points)?, &rows)?, 1, 2)
        };
    }
}

/// A coordinate from -1 to 1 as a place among `size` elements.
fn place(coordinate: &Tensor, size: usize, align_corners: bool) -> Result<Tensor> {
    let n = size as f64;
    let (factor, shift) = if align_corners { ((n - 1.0) / 2.0, (n - 1.0) / 2.0) } else { (n / 2.0, (n - 1.0) / 2.0) };
    add((&mul(coordinate.into(), factor.into())?).into(), shift.into())
}

/// A place brought inside: `border` holds it at the edge, `reflection` throws it back.
fn inside(place: &Tensor, size: usize, padding: &str, align_corners: bool) -> Result<Tensor> {
    let last = (size - 1) as f64;
    let limited = |x: &Tensor| clamp(x, Some(0.0.into()), Some(last.into()));
    match padding {
        "border" => limited(place),
        "reflection" => {
            let (low, high) = if align_corners { (0.0, last) } else { (-0.5, size as f64 - 0.5) };
            let span = high - low;
            if span == 0.0 {
                return mul(place.into(), 0.0.into());
            }
            // A triangle wave of the distance from the lower edge.
            let x = Term::new(&Value::from(place));
            let away = (x - low).absolute();
            let turns = (&away * (1.0 / span)).rounded_down();
            let rest = away - &turns * span;
            let odd = &turns - (&turns * 0.5).rounded_down() * 2.0;
            let back = (span - &rest).or_else_if(odd.greater(0.5), rest) + low;
            match back.into_term().into_value()? {
                Value::Tensor(tensor) => limited(&tensor),
                _ => bail!(Runtime, "grid_sample: a place is no tensor"),
            }
        }
        _ => Ok(place.clone()),
    }
}

/// The factors of the four elements around a place in cubic convolution, from how far it is behind the second.
fn cubic_weights(share: &Tensor) -> Result<[Tensor; 4]> {
    const A: f64 = -0.75;
    let t = || Term::new(&Value::from(share));
    let near = |x: &Term| ((x * (A + 2.0) - (A + 3.0)) * x * x) + 1.0;
    let far = |x: &Term| (((x * A - 5.0 * A) * x + 8.0 * A) * x) - 4.0 * A;
    let terms = [far(&(t() + 1.0)), near(&t()), near(&(1.0 - t())), far(&(2.0 - t()))];
    let mut all = Vec::new();
    for term in terms {
        match term.into_value()? {
            Value::Tensor(tensor) => all.push(tensor),
            _ => bail!(Runtime, "grid_sample: a weight is no tensor"),
        }
    }
    all.try_into().map_err(|_| crate::error!(Runtime, "grid_sample: four weights are needed"))
}

/// Elements of `input`, `(batch, channels, elements)`, at whole places along each dimension; 0 outside.
fn elements(input: &Tensor, sizes: &[usize], places: &[&Tensor]) -> Result<Tensor> {
    let (batch, channels) = (sizes[0], sizes[1]);
    let mut flat: Option<Tensor> = None;
    let mut seen: Option<Tensor> = None;
    for (&size, &place) in sizes[2..].iter().zip(places) {
        let last = size as f64 - 1.0;
        let held = clamp(place, Some(0.0.into()), Some(last.into()))?;
        let is_inside = to_dtype(&crate::ops::comparison::eq(place, (&held).into())?, input.dtype())?;
        // A place that is not a number is outside.
        let whole = crate::ops::selection::choose(&crate::ops::comparison::isnan(&held)?, 0.0.into(), (&held).into())?;
        let whole = to_dtype(&whole, DType::Int64)?;
        flat = Some(match flat {
            None => whole,
            Some(flat) => add_tensors(&mul((&flat).into(), (size as i64).into())?, &whole)?,
        });
        seen = Some(match seen {
            None => is_inside,
            Some(seen) => mul_tensors(&seen, &is_inside)?,
        });
    }
    let (Some(flat), Some(seen)) = (flat, seen) else { bail!(Runtime, "grid_sample: there are no dimensions") };
    let count = flat.numel() / batch.max(1);
    let wide = [batch as i64, channels as i64, count as i64];
    let row = [batch as i64, 1, count as i64];
    let index = views::expand(&views::reshape(&flat, &row)?, &wide)?;
    mul_tensors(&gather(input, 2, &index, false)?, &views::reshape(&seen, &row)?)
}

op! {
    /// Elements of `input`, `(batch, channels, ..)`, at places of `grid`, `(batch, .., n)`, whose numbers run from
    /// -1 to 1 along each of the n last dimensions, the last one first.
    ///
    /// `mode` is `"bilinear"`, `"nearest"` or, in two dimensions, `"bicubic"`; outside there are `"zeros"`, the `"border"`,
    /// or the `"reflection"` of what is inside. Raises `RuntimeError` where sizes do not fit, `ValueError` for another mode.
    fn grid_sample(
        input: Tensor, grid: Tensor, mode: String = "bilinear", padding_mode: String = "zeros", align_corners: Option<bool> = None
    ) -> Tensor, FUNCTIONAL;
    value {
        const NAME: &str = "grid_sample";
        if !["bilinear", "nearest", "bicubic"].contains(&mode) {
            bail!(Value, "{NAME}: mode has to be 'bilinear', 'nearest' or 'bicubic', got '{mode}'");
        }
        if !["zeros", "border", "reflection"].contains(&padding_mode) {
            bail!(Value, "{NAME}: padding_mode has to be 'zeros', 'border' or 'reflection', got '{padding_mode}'");
        }
        let align = align_corners.unwrap_or(false);
        let (x, p) = (input.sizes(), grid.sizes());
        let rank = x.len().saturating_sub(2);
        let fits = (2..=3).contains(&rank) && p.len() == rank + 2 && p[0] == x[0] && p[rank + 1] == rank;
        if !fits || x[2..].contains(&0) || mode == "bicubic" && rank != 2 {
            bail!(
                Runtime,
                "{NAME}: an input (batch, channels, ..) with elements and a grid (batch, .., n) for its n = 2 or 3 last \
                 dimensions (2 for 'bicubic') are expected, got {} and {}",
                shape::show(&x),
                shape::show(&p)
            );
        }
        if input.dtype() != grid.dtype() {
            bail!(Runtime, "{NAME}: input and grid have to have one dtype, got {} and {}", input.dtype(), grid.dtype());
        }
        if !input.dtype().is_float() {
            bail!(NotImplemented, "{NAME}: not implemented for {}", input.dtype());
        }
        let flat = views::reshape(input, &[x[0] as i64, x[1] as i64, x[2..].iter().product::<usize>() as i64])?;
        let count = p[1..=rank].iter().product::<usize>() as i64;
        let mut places = Vec::new();
        for d in 0..rank {
            let coordinate = views::reshape(&views::select(grid, -1, (rank - 1 - d) as i64)?, &[x[0] as i64, count])?;
            let place = place(&coordinate, x[2 + d], align)?;
            places.push(if mode == "bicubic" { place } else { inside(&place, x[2 + d], padding_mode, align)? });
        }
        // For each dimension, some whole places and their factors.
        let mut taps: Vec<Vec<(Tensor, Option<Tensor>)>> = Vec::new();
        for (d, place) in places.iter().enumerate() {
            let low = floor(&place.detach())?;
            let share = sub(place.into(), (&low).into())?;
            let step = |n: f64| add((&low).into(), n.into());
            taps.push(match mode {
                "nearest" => {
                    // The gradient of the grid is there, and 0.
                    let one = || sign(&add((&abs(place)?).into(), 1.0.into())?);
                    let factor = if grid.requires_grad() { Some(one()?) } else { None };
                    vec![(round(&place.detach())?, factor)]
                }
                "bilinear" => {
                    let rest = crate::ops::arithmetic::rsub_number(&share, 1.0.into())?;
                    vec![(low.clone(), Some(rest)), (step(1.0)?, Some(share))]
                }
                _ => {
                    let mut row = Vec::new();
                    for (n, weight) in (-1..=2).zip(cubic_weights(&share)?) {
                        row.push((inside(&step(f64::from(n))?, x[2 + d], padding_mode, align)?, Some(weight)));
                    }
                    row
                }
            });
        }
        let mut total: Option<Tensor> = None;
        let combinations: usize = taps.iter().map(Vec::len).product();
        for combination in 0..combinations {
            let (mut rest, mut at, mut factor) = (combination, Vec::new(), None);
            for row in &taps {
                let (place, weight) = &row[rest % row.len()];
                rest /= row.len();
                at.push(place);
                factor = match (factor, weight) {
                    (None, weight) => weight.clone(),
                    (Some(factor), Some(weight)) => Some(mul_tensors(&factor, weight)?),
                    (factor, None) => factor,
                };
            }
            let mut found = elements(&flat, &x, &at)?;
            if let Some(factor) = factor {
                found = mul_tensors(&found, &views::unsqueeze(&factor, 1)?)?;
            }
            total = Some(match total {
                None => found,
                Some(total) => add_tensors(&total, &found)?,
            });
        }
        let Some(total) = total else { bail!(Runtime, "{NAME}: there are no dimensions") };
        let mut sizes = ints(&x[..2]);
        sizes.extend(ints(&p[1..=rank]));
        views::reshape(&total, &sizes)
    }
    derivative composite;
}
