//! Places in sorted sequences, and membership.

use crate::DType;
use crate::error::Result;
use crate::kernels::parallel::{self, Shared};
use crate::kernels::sort::wide;
use crate::ops::views;
use crate::scalar::Scalar;
use crate::shape;
use crate::tensor::Tensor;
use crate::value::Operand;
use crate::{bail, op, with_element};

/// How a search is made.
struct Search<'a> {
    name: &'a str,
    int32: bool,
    /// Whether the place behind equal elements is wanted, instead of that before them.
    right: bool,
    sorter: Option<&'a Tensor>,
}

impl Search<'_> {
    /// For each value its place in the sorted line with the same number, or in the only one.
    fn run(&self, sequence: &Tensor, values: &Tensor) -> Result<Tensor> {
        let Search { name, int32, right, sorter } = *self;
        let (lines, sizes) = (sequence.sizes(), values.sizes());
        let Some((&length, lead)) = lines.split_last() else {
            bail!(Runtime, "{name}: the sorted sequence has to have at least one dimension");
        };
        if lines.len() > 1 && (sizes.is_empty() || sizes[..sizes.len() - 1] != *lead) {
            bail!(
                Runtime,
                "{name}: all sizes but the last have to agree, got {} for the sequence and {} for the values",
                shape::show(&lines),
                shape::show(&sizes)
            );
        }
        let common = sequence.dtype().promote(values.dtype());
        let (sequence, values) = (&sequence.cast(common)?, &values.cast(common)?);
        if let Some(sorter) = sorter {
            if sorter.sizes() != lines {
                bail!(
                    Runtime,
                    "{name}: the sorter has size {}, the sequence {}",
                    shape::show(&sorter.sizes()),
                    shape::show(&lines)
                );
            }
            if sorter.dtype() != DType::Int64 {
                bail!(Runtime, "{name}: the sorter has to be int64, it is {}", sorter.dtype());
            }
        }
        if sequence.dtype() == DType::Bool || sequence.dtype().is_complex() {
            bail!(NotImplemented, "{name}: not implemented for {}", sequence.dtype());
        }
        let order = sorter.map(Tensor::to_vec::<i64>).transpose()?;
        if order.as_ref().is_some_and(|order| order.iter().any(|&i| i < 0 || i as usize >= length)) {
            bail!(Runtime, "{name}: the sorter holds an index that is out of range");
        }
        let each = if lines.len() > 1 { sizes[sizes.len() - 1] } else { values.numel() };
        let keys = |tensor: &Tensor| -> Result<Vec<u64>> {
            Ok(with_element!(tensor.dtype(), T => tensor.to_vec::<T>()?.into_iter().map(wide).collect()))
        };
        let (mut sequence, values) = (keys(sequence)?, keys(values)?);
        if let Some(order) = order {
            let sorted = order.iter().enumerate().map(|(i, &at)| sequence[i / length * length + at as usize]);
            sequence = sorted.collect();
        }
        let found = Tensor::empty(&sizes, DType::Int64)?;
        let places = Shared::new(found.data().pointer().cast::<i64>());
        parallel::for_each_chunk(values.len(), parallel::GRAIN / 32, |range| {
            for i in range {
                let first = if lines.len() > 1 { i / each * length } else { 0 };
                let place = place_of(&sequence[first..first + length], values[i], right);
                // SAFETY: there is a place for each value.
                unsafe { *places.get().add(i) = place as i64 };
            }
        });
        if int32 { found.cast(DType::Int32) } else { Ok(found) }
    }
}

/// How many keys are less than one, or not greater, in a sorted line. Without a branch that depends on the keys, as half
/// of them would be guessed wrong.
fn place_of(line: &[u64], key: u64, or_equal: bool) -> usize {
    let before = |other: u64| (other < key) | (or_equal & (other == key));
    let (mut first, mut count) = (0, line.len());
    while count > 1 {
        let half = count / 2;
        first += if before(line[first + half - 1]) { half } else { 0 };
        count -= half;
    }
    first + usize::from(count == 1 && before(line[first]))
}

/// What is looked for, and where, with one dtype if the one is a number.
fn comparable(value: Operand, sequence: &Tensor) -> Result<[Tensor; 2]> {
    match value {
        Operand::Tensor(tensor) => Ok([tensor.detach(), sequence.detach()]),
        Operand::Scalar(number) => {
            let common = match number {
                Scalar::Float(_) if sequence.dtype().is_integral() => DType::Float64,
                _ if sequence.dtype() == DType::Bool => DType::Int64,
                _ => sequence.dtype(),
            };
            Ok([Tensor::scalar(number, common)?, sequence.detach().cast(common)?])
        }
    }
}

op! {
    /// For each number the place in the sorted last dimension of `sorted_sequence` where it would go: before equal ones,
    /// or behind them with `right` or `side='right'`.
    fn searchsorted(
        sorted_sequence: Tensor, input: Operand<'static>;
        out_int32: bool = false, right: bool = false, side: Option<String> = None, sorter: Option<Tensor> = None
    ) -> Tensor, FUNCTION ANY_TYPE;
    value {
        let right = match side {
            None => right,
            Some("left") if right => bail!(Runtime, "searchsorted: side='left' contradicts right=True"),
            Some("left") => false,
            Some("right") => true,
            Some(side) => bail!(Runtime, "searchsorted: side is 'left' or 'right', not '{side}'"),
        };
        if matches!(input, Operand::Scalar(_)) && sorted_sequence.ndim() != 1 {
            bail!(Runtime, "searchsorted: one number is looked for in a vector, the sequence has size {}", shape::show(&sorted_sequence.sizes()));
        }
        let [values, sequence] = comparable(input, sorted_sequence)?;
        Search { name: "searchsorted", int32: out_int32, right, sorter }.run(&sequence, &values)
    }
    derivative none;
}

op! {
    /// For each number the bucket between the sorted `boundaries` that it is in.
    fn bucketize(input: Operand<'static>, boundaries: Tensor; out_int32: bool = false, right: bool = false) -> Tensor,
        FUNCTION ANY_TYPE;
    value {
        if boundaries.ndim() != 1 {
            bail!(Runtime, "bucketize: boundaries has to be a vector, its size is {}", shape::show(&boundaries.sizes()));
        }
        let [values, boundaries] = comparable(input, boundaries)?;
        Search { name: "bucketize", int32: out_int32, right, sorter: None }.run(&boundaries, &values)
    }
    derivative none;
}

op! {
    /// Whether each element is among the test elements.
    fn isin(elements: Operand<'static>, test_elements: Operand<'static>; assume_unique: bool = false, invert: bool = false) -> Tensor,
        FUNCTION;
    value { is_member(elements, test_elements, invert) }
    derivative none;
}

op! {
    /// Whether each element is the test element.
    fn isin_number as "isin" / "Tensor_Scalar" (
        elements: Tensor, test_element: Operand<'static>; assume_unique: bool = false, invert: bool = false
    ) -> Tensor, FUNCTION;
    value { is_member(elements.into(), test_element, invert) }
    derivative none;
}

op! {
    /// Whether a number is among the test elements.
    fn isin_of_number as "isin" / "Scalar_Tensor" (
        element: Operand<'static>, test_elements: Tensor; assume_unique: bool = false, invert: bool = false
    ) -> Tensor, FUNCTION;
    value { is_member(element, test_elements.into(), invert) }
    derivative none;
}

fn is_member(elements: Operand, tests: Operand, invert: bool) -> Result<Tensor> {
    let is_bool = |operand: Operand| matches!(operand, Operand::Tensor(tensor) if tensor.dtype() == DType::Bool);
    if is_bool(elements) || is_bool(tests) {
        bail!(Runtime, "isin: not defined for bool tensors");
    }
    let [elements, tests] = match (elements, tests) {
        (_, Operand::Scalar(Scalar::Bool(_))) | (Operand::Scalar(Scalar::Bool(_)), _) => {
            bail!(Runtime, "isin: not defined for bool")
        }
        (elements, Operand::Tensor(tests)) => comparable(elements, tests)?,
        (Operand::Tensor(elements), tests) => {
            let [tests, elements] = comparable(tests, elements)?;
            [elements, tests]
        }
        _ => bail!(Type, "isin: one of both has to be a tensor"),
    };
    let common = elements.dtype().promote(tests.dtype());
    if common.is_complex() {
        bail!(Runtime, "isin: not defined for complex numbers");
    }
    let (elements, tests) = (elements.cast(common)?, views::reshape(&tests, &[-1])?.cast(common)?);
    let found: Vec<bool> = with_element!(common, real T => {
        let mut keys: Vec<u64> = tests.to_vec::<T>()?.into_iter().filter(is_number).map(wide).collect();
        keys.sort_unstable();
        elements.to_vec::<T>()?.into_iter().map(|x| (is_number(&x) && keys.binary_search(&wide(x)).is_ok()) != invert).collect()
    }, else bail!(NotImplemented, "isin: not implemented for {common}"));
    Tensor::from_slice(&found, &elements.sizes())
}

/// Not NaN, which is no element of anything.
fn is_number<T: PartialOrd>(value: &T) -> bool {
    value.partial_cmp(value).is_some()
}
