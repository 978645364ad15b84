//! Elementwise operations on tensors: common type, broadcasting, the layout of the result, and the loop.

use std::cell::Ref;
use std::mem::MaybeUninit;

use smallvec::SmallVec;

use crate::data::Data;
use crate::dtype::DType;
use crate::error::Result;
use crate::kernels::map::{self, Kernel, Types};
use crate::kernels::parallel;
use crate::op::{Loops, Promotion, Range, kernel};
use crate::promotion::{self, ResultType, default_float};
use crate::scalar::Scalar;
use crate::shape::{self, Dims};
use crate::tensor::Tensor;
use crate::value::Value;
use crate::{bail, error, with_element};

/// What an elementwise operation computes.
struct Plan {
    /// `None` if there is none for the common type.
    kernel: Option<Kernel>,
    /// What the kernel reads and writes.
    types: Types,
    /// The common type of the operands.
    common: DType,
    /// The type of the result.
    result: DType,
}

impl Plan {
    #[inline]
    fn new(name: &str, loops: &Loops, values: &[Value]) -> Result<Plan> {
        let operands = &values[..loops.operands.min(values.len())];
        let mut common = match promotion::uniform_type(operands) {
            Some(dtype) => dtype,
            None => promoted(name, operands)?,
        };
        if loops.promotion == Promotion::Float && common.is_integral() {
            common = default_float();
        }
        if let Some(check) = loops.check {
            check(name, values, common)?;
        }
        // A lone unsigned integer is computed in a signed one, which has its sums, products and bits, but not its order.
        let has = |dtype: DType| loops.kernels[dtype as usize].is_some();
        let fits = !common.is_lone_unsigned()
            || (loops.output != Range::Real && has(DType::Complex128))
            || (has(DType::Bool) && !has(DType::Float32));
        let found = kernel(&loops.kernels, common).filter(|_| fits);
        let (kernel, input) = found.map_or((None, common), |(kernel, input)| (Some(kernel), input));
        let range = |dtype: DType| match loops.output {
            Range::Same => dtype,
            Range::Bool => DType::Bool,
            Range::Real => dtype.real(),
        };
        Ok(Plan { kernel, types: Types { input, output: range(input) }, common, result: range(common) })
    }

    #[inline]
    fn kernel(&self, name: &str) -> Result<Kernel> {
        self.kernel
            .ok_or_else(|| error!(NotImplemented, "{name}: not implemented for operands of dtype {}", self.common))
    }

    /// The operands as the common type has them, if that is narrower than what the kernel computes in. A number, or a
    /// tensor without dimensions, is rounded only where its comparison is asked for, as PyTorch does.
    fn rounded(&self, values: &[Value]) -> Result<Option<SmallVec<[Value; 4]>>> {
        if self.common == self.types.input {
            return Ok(None);
        }
        let all = self.types.output == DType::Bool || self.common.is_integral();
        let round = |value: &Value| {
            Ok(match value {
                Value::Tensor(tensor) if all || tensor.ndim() > 0 => Value::Tensor(tensor.cast(self.common)?),
                Value::Scalar(number) if all => {
                    Value::Scalar(with_element!(self.common, T => Scalar::of(number.cast::<T>())))
                }
                other => other.clone(),
            })
        };
        values.iter().map(round).collect::<Result<_>>().map(Some)
    }
}

/// The common type of operands that have several.
fn promoted(name: &str, operands: &[Value]) -> Result<DType> {
    let mut state = ResultType::default();
    operands.iter().for_each(|value| state.add(value));
    state.check(name)?;
    Ok(state.get())
}

/// A new tensor with the result.
#[inline]
pub fn run(name: &str, loops: &Loops, values: &[Value]) -> Result<Tensor> {
    let plan = Plan::new(name, loops, values)?;
    match plan.kernel {
        Some(kernel) if plan.common == plan.types.input => {
            run_kernel(kernel, plan.types, plan.result, values).map_err(|error| error.context(name))
        }
        _ => run_narrow(name, &plan, values),
    }
}

/// The same for operands of a type that is narrower than what the kernel computes in, or that there is no kernel for.
#[cold]
fn run_narrow(name: &str, plan: &Plan, values: &[Value]) -> Result<Tensor> {
    let kernel = plan.kernel(name).or_else(|error| {
        // Sizes that do not fit are refused first.
        broadcast_sizes(values).map_err(|error| error.context(name))?;
        Err(error)
    })?;
    let rounded = plan.rounded(values)?;
    let values = rounded.as_deref().unwrap_or(values);
    run_kernel(kernel, plan.types, plan.result, values).map_err(|error| error.context(name))
}

/// Runs a kernel whose types are known.
pub fn run_kernel(kernel: Kernel, types: Types, result: DType, values: &[Value]) -> Result<Tensor> {
    let out = empty_for(values, result)?;
    execute(kernel, types, values, &out.data());
    Ok(out)
}

/// A tensor with undefined content for the result of an elementwise operation on `values`.
#[inline]
pub fn empty_for(values: &[Value], result: DType) -> Result<Tensor> {
    if let Some(layout) = common_layout(values) {
        return Tensor::empty_strided(layout.sizes.clone(), layout.strides.clone(), result);
    }
    let sizes = broadcast_sizes(values)?;
    let strides = result_strides(values, &sizes);
    Tensor::empty_strided(sizes, strides, result)
}

/// The sizes and strides of the operands if they are row-major tensors of one size, and numbers after the first.
#[inline]
fn common_layout(values: &[Value]) -> Option<Ref<'_, Data>> {
    let [Value::Tensor(first), rest @ ..] = values else { return None };
    let layout = first.data();
    let alike = layout.is_contiguous()
        && rest.iter().all(|value| match value {
            Value::Tensor(tensor) => {
                let other = tensor.data();
                other.sizes == layout.sizes && other.is_contiguous()
            }
            Value::Scalar(_) => true,
            _ => false,
        });
    alike.then_some(layout)
}

/// Writes the result into `out`, which keeps its size and type.
///
/// # Errors
/// `RuntimeError` if the result has another size or cannot be cast, or if elements of `out` share memory;
/// `out` is then unchanged.
pub fn run_into(name: &str, loops: &Loops, values: &[Value], out: &Tensor) -> Result<()> {
    let plan = Plan::new(name, loops, values)?;
    let data = out.data();
    check_castable(name, plan.result, data.dtype)?;
    if let Some(kernel) = plan.kernel
        && run_plain(kernel, plan.types, values, &data)
    {
        return Ok(());
    }
    let rounded = plan.rounded(values)?;
    let values = rounded.as_deref().unwrap_or(values);
    let sizes = broadcast_sizes(values)?;
    if sizes != data.sizes {
        bail!(
            Runtime,
            "{name}: the result has size {} and cannot be stored in place in a tensor of size {}",
            shape::show(&sizes),
            shape::show(&data.sizes)
        );
    }
    let kernel = plan.kernel(name)?;
    // An operand that shares memory with the result must be the very same elements, or be copied first.
    let mut owned: SmallVec<[Value; 4]> = SmallVec::new();
    for value in values {
        owned.push(match value {
            Value::Tensor(tensor) if overlaps_differently(&tensor.data(), &data) => {
                Value::Tensor(tensor.copied(tensor.dtype())?)
            }
            other => other.clone(),
        });
    }
    execute(kernel, plan.types, &owned, &data);
    Ok(())
}

/// Refuses to store a result where that would change its category.
pub fn check_castable(name: &str, from: DType, to: DType) -> Result<()> {
    if !promotion::can_cast(from, to) {
        bail!(Runtime, "{name}: the result has dtype {from}, which cannot be stored in place in a {to} tensor");
    }
    Ok(())
}

/// Refuses to write to a tensor of which several elements are the same memory.
pub fn check_writable(name: &str, out: &Tensor) -> Result<()> {
    let data = out.data();
    if !data.is_contiguous() && shape::may_overlap(&data.sizes, &data.strides) {
        bail!(
            Runtime,
            "{name}: several elements of the tensor to be changed share one place in memory (size {}, strides {}); \
             make a copy with clone() first",
            shape::show(&data.sizes),
            shape::show(&data.strides)
        );
    }
    Ok(())
}

fn overlaps_differently(operand: &Data, out: &Data) -> bool {
    operand.storage.is_same(&out.storage)
        && !(operand.offset == out.offset
            && operand.dtype == out.dtype
            && operand.sizes == out.sizes
            && operand.strides == out.strides)
}

fn broadcast_sizes(values: &[Value]) -> Result<Dims> {
    let mut sizes = Dims::new();
    for value in values {
        if let Value::Tensor(tensor) = value {
            let data = tensor.data();
            if data.sizes != sizes {
                sizes = shape::broadcast(&sizes, &data.sizes)?;
            }
        }
    }
    Ok(sizes)
}

/// The strides of the result: without gaps, with its dimensions in the order of the operands' strides.
///
/// The first operand that tells two dimensions apart decides which is the faster one, so the order of operands
/// matters. Broadcast dimensions, whose stride is 0, say nothing. The rule is PyTorch's.
fn result_strides(values: &[Value], sizes: &Dims) -> Dims {
    let ndim = sizes.len();
    if ndim < 2 {
        return shape::contiguous_strides(sizes);
    }
    let operands: SmallVec<[Dims; 4]> = values
        .iter()
        .filter_map(|value| match value {
            Value::Tensor(tensor) => {
                let data = tensor.data();
                (!data.sizes.is_empty()).then(|| shape::broadcast_strides(&data.sizes, &data.strides, sizes)).flatten()
            }
            _ => None,
        })
        .collect();
    if operands.iter().all(|strides| shape::is_contiguous(sizes, strides)) {
        return shape::contiguous_strides(sizes);
    }
    // Whether dimension `a` is slower (true) or faster than `b`; `None` if nothing tells.
    let slower = |a: usize, b: usize| {
        operands.iter().find_map(|strides| match (strides[a], strides[b]) {
            (0, _) | (_, 0) => None,
            (a, b) if a != b => Some(a > b),
            _ => (sizes[a] > sizes[b]).then_some(true),
        })
    };
    // From the fastest dimension to the slowest. An insertion sort, since the comparison does not order all pairs.
    let mut order: Dims = (0..ndim).rev().collect();
    for i in 1..ndim {
        let mut at = i;
        for before in (0..i).rev() {
            match slower(order[before], order[at]) {
                Some(true) => {
                    order.swap(before, at);
                    at = before;
                }
                Some(false) => break,
                None => {}
            }
        }
    }
    let mut strides = Dims::from_elem(1, ndim);
    let mut step = 1;
    for &d in &order {
        strides[d] = step;
        step *= sizes[d].max(1);
    }
    strides
}

/// An element that is as large and as aligned as any.
type Largest = crate::dtype::Complex128;

/// Up to this many elements a number is spread over a block on the stack, and a result may be its own operand.
const SMALL: usize = 64;

/// The short way: hands the operands to the kernel as they lie in memory. False, and nothing done, unless all tensors
/// are row-major, of the result's size and of the kernel's types, and not so many elements that threads would help.
#[inline]
fn run_plain(kernel: Kernel, types: Types, values: &[Value], out: &Data) -> bool {
    let count = out.numel();
    if count >= 2 * parallel::GRAIN || out.dtype != types.output || !out.is_contiguous() {
        return false;
    }
    let mut blocks = [[MaybeUninit::<Largest>::uninit(); SMALL]; 2];
    let mut free = blocks.iter_mut();
    let mut pointers = [std::ptr::null(); map::MAX_OPERANDS];
    for (pointer, value) in pointers.iter_mut().zip(values) {
        *pointer = match value {
            Value::Tensor(tensor) => {
                let data = tensor.data();
                // A loop whose result may be its operand is not vectorised: long ones go by blocks.
                let same_elements = data.offset == out.offset && data.dtype == out.dtype;
                let fits = !data.storage.is_same(&out.storage) || (same_elements && count <= SMALL);
                if data.dtype != types.input || !fits || data.sizes != out.sizes || !data.is_contiguous() {
                    return false;
                }
                data.pointer().cast_const()
            }
            Value::Scalar(scalar) if count <= SMALL => {
                let Some(block) = free.next() else { return false };
                let block = block.as_mut_ptr().cast::<u8>();
                with_element!(types.input, kernel T => {
                    let number = scalar.cast::<T>();
                    // SAFETY: the block has room for `SMALL` of any elements.
                    (0..count).for_each(|i| unsafe { block.cast::<T>().add(i).write(number) });
                }, else return false);
                block.cast_const()
            }
            _ => return false,
        };
    }
    // SAFETY: every operand and the result hold `count` elements of the kernel's types, one after another; one that
    // shares memory with the result is the same elements, each of which is read before it is written.
    unsafe { kernel(out.pointer(), pointers.as_ptr(), count) };
    true
}

fn execute(kernel: Kernel, types: Types, values: &[Value], out: &Data) {
    if run_plain(kernel, types, values, out) {
        return;
    }
    let mut numbers = [Largest::ZERO; map::MAX_OPERANDS];
    let constant: Dims = Dims::from_elem(0, out.sizes.len());
    let strides: SmallVec<[Dims; 4]> = values
        .iter()
        .map(|value| match value {
            Value::Tensor(tensor) => {
                let data = tensor.data();
                if data.sizes == out.sizes {
                    data.strides.clone()
                } else {
                    shape::broadcast_strides(&data.sizes, &data.strides, &out.sizes).unwrap_or_else(|| constant.clone())
                }
            }
            _ => constant.clone(),
        })
        .collect();
    let mut operands: SmallVec<[map::Operand; 4]> = SmallVec::new();
    for ((value, strides), number) in values.iter().zip(&strides).zip(&mut numbers) {
        operands.push(match value {
            Value::Tensor(tensor) => {
                let data = tensor.data();
                map::Operand { pointer: data.pointer(), strides, dtype: data.dtype }
            }
            other => {
                let pointer = std::ptr::from_mut(number).cast::<u8>();
                if let Value::Scalar(scalar) = other {
                    with_element!(types.input, kernel T => {
                        // SAFETY: there is room for any element.
                        unsafe { pointer.cast::<T>().write(scalar.cast::<T>()) }
                    }, else debug_assert!(false, "nothing is computed in a narrow type"));
                }
                map::Operand { pointer, strides, dtype: types.input }
            }
        });
    }
    // Walk the result in the order of its memory, so that a transposed result is written forward.
    let sink = map::Operand { pointer: out.pointer(), strides: &out.strides, dtype: out.dtype };
    if out.is_contiguous() {
        // SAFETY: operands are live tensors broadcast to the sizes of the result, or the numbers above.
        return unsafe { map::map(kernel, types, &out.sizes, sink, &operands) };
    }
    let mut order: Dims = (0..out.sizes.len()).collect();
    order.sort_by_key(|&d| std::cmp::Reverse(out.strides[d]));
    let arrange = |dims: &[usize]| -> Dims { order.iter().map(|&d| dims[d]).collect() };
    let arranged: SmallVec<[Dims; 4]> = strides.iter().map(|strides| arrange(strides)).collect();
    let out_strides = arrange(&out.strides);
    let operands: SmallVec<[map::Operand; 4]> =
        operands.iter().zip(&arranged).map(|(operand, strides)| map::Operand { strides, ..*operand }).collect();
    // SAFETY: as above; a permutation of dimensions names the same elements.
    unsafe {
        map::map(kernel, types, &arrange(&out.sizes), map::Operand { strides: &out_strides, ..sink }, &operands);
    }
}
