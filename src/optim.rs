//! The steps of optimizers: each parameter updated in one pass over its memory.

use crate::error::Result;
use crate::kernels::algebra::Float;
use crate::kernels::parallel::{self, Shared};
use crate::kernels::simd::{self, Vectorized};
use crate::ops::complex::pairs;
use crate::tensor::Tensor;
use crate::{bail, shape, with_element};

/// The numbers of a step of stochastic gradient descent.
#[derive(Clone, Copy)]
pub struct Sgd {
    pub lr: f64,
    pub momentum: f64,
    pub dampening: f64,
    pub weight_decay: f64,
    pub nesterov: bool,
    pub maximize: bool,
}

/// The numbers of a step of Adam; `step` counts from 1.
#[derive(Clone, Copy)]
pub struct Adam {
    pub lr: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub eps: f64,
    pub weight_decay: f64,
    pub decoupled_weight_decay: bool,
    pub maximize: bool,
    pub step: f64,
}

/// Checks that `other` can be walked together with `parameter`.
fn check_alike(name: &str, what: &str, parameter: &Tensor, other: &Tensor) -> Result<()> {
    let (sizes, own) = (other.sizes(), parameter.sizes());
    if sizes != own || other.dtype() != parameter.dtype() {
        bail!(
            Runtime,
            "{name}: the {what} has size {} and dtype {}, its parameter {} and {}",
            shape::show(&sizes),
            other.dtype(),
            shape::show(&own),
            parameter.dtype()
        );
    }
    Ok(())
}

/// The elements of a tensor as numbers that a step is computed for: complex ones are two real ones each.
fn numbers_of(tensor: &Tensor) -> Tensor {
    if tensor.dtype().is_complex() { pairs(tensor) } else { tensor.clone() }
}

/// A row-major tensor to compute in, and whether it has to be copied back.
fn working(tensor: &Tensor) -> Result<(Tensor, bool)> {
    let numbers = numbers_of(tensor);
    if numbers.dtype().is_narrow() {
        return Ok((numbers.copied(numbers.dtype().wide())?, true));
    }
    let copies = !numbers.is_contiguous();
    Ok((numbers.to_contiguous()?, copies))
}

fn finish(tensor: &Tensor, worked: (Tensor, bool)) {
    if worked.1 {
        crate::kernels::copy::copy(&numbers_of(tensor).data(), &worked.0.data());
    }
    tensor.data().version().bump();
}

struct SgdLoop<T> {
    numbers: Sgd,
    n: usize,
    parameter: *mut T,
    gradient: *const T,
    /// Null without momentum.
    buffer: *mut T,
    /// Whether the buffer begins as the gradient.
    fresh: bool,
}

impl<T: Float> Vectorized for SgdLoop<T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Sgd { lr, momentum, dampening, weight_decay, nesterov, maximize } = self.numbers;
        let [lr, momentum, kept, decay] = [lr, momentum, 1.0 - dampening, weight_decay].map(T::from_f64);
        for i in 0..self.n {
            // SAFETY: all arrays that are not null have n elements, and only the caller touches them.
            unsafe {
                let p = *self.parameter.add(i);
                let mut g = *self.gradient.add(i);
                if maximize {
                    g = -g;
                }
                if weight_decay != 0.0 {
                    g = g + decay * p;
                }
                if !self.buffer.is_null() {
                    let b = if self.fresh { g } else { momentum * *self.buffer.add(i) + kept * g };
                    *self.buffer.add(i) = b;
                    g = if nesterov { g + momentum * b } else { b };
                }
                *self.parameter.add(i) = p - lr * g;
            }
        }
    }
}

/// One step of stochastic gradient descent. With momentum, `buffer` is updated too; `fresh` says that it has no
/// content yet.
pub fn sgd_step(
    parameter: &Tensor,
    gradient: &Tensor,
    buffer: Option<&Tensor>,
    fresh: bool,
    numbers: Sgd,
) -> Result<()> {
    check_alike("SGD", "gradient", parameter, gradient)?;
    if let Some(buffer) = buffer {
        check_alike("SGD", "momentum buffer", parameter, buffer)?;
    }
    let (target, gradient) = (working(parameter)?, working(gradient)?.0);
    let held = buffer.map(working).transpose()?;
    let count = target.0.numel();
    with_element!(target.0.dtype(), float T => {
        let p = Shared::new(target.0.data().pointer().cast::<T>());
        let g = Shared::new(gradient.data().pointer().cast::<T>());
        let b = Shared::new(held.as_ref().map_or(std::ptr::null_mut(), |held| held.0.data().pointer().cast::<T>()));
        parallel::for_each_chunk(count, parallel::GRAIN, |range| {
            let at = |array: Shared<T>| array.get().wrapping_add(range.start);
            simd::vectorize(SgdLoop {
                numbers,
                n: range.len(),
                parameter: at(p),
                gradient: at(g),
                buffer: if b.get().is_null() { b.get() } else { at(b) },
                fresh,
            });
        });
    }, else bail!(NotImplemented, "SGD: not implemented for {}", parameter.dtype()));
    if let (Some(buffer), Some(held)) = (buffer, held) {
        finish(buffer, held);
    }
    finish(parameter, target);
    Ok(())
}

struct AdamLoop<T> {
    numbers: Adam,
    n: usize,
    parameter: *mut T,
    gradient: *const T,
    mean: *mut T,
    square: *mut T,
    /// Null unless the largest mean of squares is kept.
    largest: *mut T,
}

impl<T: Float> Vectorized for AdamLoop<T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Adam { lr, beta1, beta2, eps, weight_decay, decoupled_weight_decay, maximize, step } = self.numbers;
        let correction = (1.0 - beta2.powf(step)).sqrt();
        let rate = T::from_f64(lr / (1.0 - beta1.powf(step)));
        let shrink = T::from_f64(1.0 - lr * weight_decay);
        let [b1, c1, b2, c2] = [beta1, 1.0 - beta1, beta2, 1.0 - beta2].map(T::from_f64);
        let [eps, decay, correction] = [eps, weight_decay, correction].map(T::from_f64);
        for i in 0..self.n {
            // SAFETY: as for `SgdLoop`.
            unsafe {
                let mut p = *self.parameter.add(i);
                let mut g = *self.gradient.add(i);
                if maximize {
                    g = -g;
                }
                if weight_decay != 0.0 {
                    if decoupled_weight_decay { p = p * shrink } else { g = g + decay * p }
                }
                let m = b1 * *self.mean.add(i) + c1 * g;
                let mut v = b2 * *self.square.add(i) + c2 * g * g;
                *self.mean.add(i) = m;
                *self.square.add(i) = v;
                if !self.largest.is_null() {
                    v = v.maximum(*self.largest.add(i));
                    *self.largest.add(i) = v;
                }
                *self.parameter.add(i) = p - rate * m / (v.sqrt() / correction + eps);
            }
        }
    }
}

/// One step of Adam; the running means, and with AMSGrad the largest mean of squares, are updated too.
pub fn adam_step(
    parameter: &Tensor,
    gradient: &Tensor,
    mean: &Tensor,
    square: &Tensor,
    largest: Option<&Tensor>,
    numbers: Adam,
) -> Result<()> {
    check_alike("Adam", "gradient", parameter, gradient)?;
    for other in [mean, square].into_iter().chain(largest) {
        check_alike("Adam", "running mean", parameter, other)?;
    }
    let (target, gradient) = (working(parameter)?, working(gradient)?.0);
    let (means, squares) = (working(mean)?, working(square)?);
    let most = largest.map(working).transpose()?;
    with_element!(target.0.dtype(), float T => {
        let address = |tensor: &Tensor| Shared::new(tensor.data().pointer().cast::<T>());
        let (p, g, m, v) = (address(&target.0), address(&gradient), address(&means.0), address(&squares.0));
        let l = Shared::new(most.as_ref().map_or(std::ptr::null_mut(), |most| most.0.data().pointer().cast::<T>()));
        parallel::for_each_chunk(target.0.numel(), parallel::GRAIN, |range| {
            let at = |array: Shared<T>| array.get().wrapping_add(range.start);
            simd::vectorize(AdamLoop {
                numbers,
                n: range.len(),
                parameter: at(p),
                gradient: at(g),
                mean: at(m),
                square: at(v),
                largest: if l.get().is_null() { l.get() } else { at(l) },
            });
        });
    }, else bail!(NotImplemented, "Adam: not implemented for {}", parameter.dtype()));
    finish(mean, means);
    finish(square, squares);
    if let (Some(largest), Some(most)) = (largest, most) {
        finish(largest, most);
    }
    finish(parameter, target);
    Ok(())
}
