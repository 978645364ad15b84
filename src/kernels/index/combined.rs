//! Elements of one tensor joined to those of another at the places that an index names.

use super::along::Walk;
use crate::data::Data;
use crate::error::Result;
use crate::kernels::algebra::Number;
use crate::{bail, with_element};

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
    let all = 0..walk.count;
    let good = with_element!(target.dtype, real T => {
        let (target, source) = (target.pointer().cast::<T>(), source.pointer().cast::<T>());
        let visit = |join: fn(T, T) -> T| {
            // SAFETY: places lie inside the tensors.
            walk.visit(all.clone(), |to, from| unsafe { *target.add(to) = join(*target.add(to), *source.add(from)) })
        };
        match join {
            Join::Sum => visit(|a, b| a + b),
            Join::Product => visit(|a, b| a * b),
            Join::Largest => visit(Number::maximum),
            Join::Smallest => visit(Number::minimum),
        }
    }, else bail!(NotImplemented, "{name}: not implemented for {}", target.dtype));
    if good { Ok(()) } else { walk.check(name, dim, index) }
}
