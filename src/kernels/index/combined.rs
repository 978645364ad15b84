//! Elements of one tensor joined to those of another at the places that an index names.

use super::along::{Shares, Walk};
use crate::data::Data;
use crate::dtype::Element;
use crate::error::Result;
use crate::kernels::algebra::Number;
use crate::kernels::parallel::Shared;
use crate::with_element;

/// How an element is joined to what is at its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Join {
    Sum,
    Product,
    Largest,
    Smallest,
}

/// Joins each element of `source` to the one of `target` at its place along `dim`. After an error what `target` holds is
/// undefined.
pub fn combine(name: &str, target: &Data, dim: usize, index: &Data, source: &Data, join: Join) -> Result<()> {
    let walk = Walk::new(target, dim, index, source);
    if walk.size == 0 {
        return walk.check(name, dim, index);
    }
    let unsupported = || crate::error!(NotImplemented, "{name}: not implemented for {}", target.dtype);
    let good = match join {
        Join::Sum => {
            with_element!(target.dtype, ring T => visit::<T>(&walk, target, source, |a, b| a + b), else return Err(unsupported()))
        }
        Join::Product => {
            with_element!(target.dtype, ring T => visit::<T>(&walk, target, source, |a, b| a * b), else return Err(unsupported()))
        }
        Join::Largest => {
            with_element!(target.dtype, real T => visit::<T>(&walk, target, source, Number::maximum), else return Err(unsupported()))
        }
        Join::Smallest => {
            with_element!(target.dtype, real T => visit::<T>(&walk, target, source, Number::minimum), else return Err(unsupported()))
        }
    };
    if good { Ok(()) } else { walk.check(name, dim, index) }
}

/// Joins elements at all places of a walk between two tensors of this element type; false if an index is out of range.
fn visit<T: Element>(walk: &Walk, target: &Data, source: &Data, join: impl Fn(T, T) -> T + Sync) -> bool {
    let (target, source) = (Shared::new(target.pointer().cast::<T>()), Shared::new(source.pointer().cast::<T>()));
    walk.visit(Shares::Places, |run| {
        for i in 0..run.count {
            // SAFETY: places lie inside the tensors; threads have places of their own.
            unsafe {
                let to = target.get().add(run.indexed + i * run.step);
                *to = join(*to, *source.get().add(run.other + i * run.other_step));
            }
        }
    })
}
