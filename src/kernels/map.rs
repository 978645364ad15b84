//! Elementwise loops: a kernel sees contiguous runs of one element type, and this driver brings them to it.
//!
//! # Note: Blocks
//! A kernel is written once, for contiguous operands. An operand that is strided, broadcast or of another
//! element type is gathered, a block at a time, into a buffer that stays in the first-level cache, and a strided
//! result is scattered from one. Long runs are used as they lie, without the way through a block. So there is one loop for each operation and type, and any layout works; and the types
//! that are too narrow to compute in are converted to a wide one on the way.

use std::mem::MaybeUninit;

use smallvec::SmallVec;

use crate::dtype::{DType, Element};
use crate::kernels::algebra::Float;
use crate::kernels::convert::{Convert, converter};
use crate::kernels::copy::copy_strided;
use crate::kernels::parallel::{self, Shared};
use crate::kernels::simd::{self, Vectorized};
use crate::kernels::strided::{Runs, Sequence};
use crate::shape::contiguous_strides;
use crate::storage::Storage;

/// Computes `n` results from contiguous operands.
pub type Kernel = unsafe fn(out: *mut u8, operands: *const *const u8, n: usize);

/// The most operands that a kernel takes.
pub const MAX_OPERANDS: usize = 8;

/// Elements of a block of any type.
const BLOCK: usize = 512;
/// Bytes of a block, which has the more elements the narrower they are.
const BLOCK_BYTES: usize = BLOCK * size_of::<crate::dtype::Complex128>();

/// One operand (or the result) of an elementwise loop; strides are in elements and as many as the sizes.
#[derive(Clone, Copy)]
pub struct Operand<'a> {
    pub pointer: *mut u8,
    pub strides: &'a [usize],
    pub dtype: DType,
}

/// The element types that a kernel reads and writes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Types {
    pub input: DType,
    pub output: DType,
}

/// Runs `kernel` over all elements of `sizes`.
///
/// # Safety
/// Operands lie inside live memory; the result overlaps an operand only where both are the same element.
pub unsafe fn map(kernel: Kernel, types: Types, sizes: &[usize], out: Operand, operands: &[Operand]) {
    let count: usize = sizes.iter().product();
    if count == 0 {
        return;
    }
    let sink = Endpoint::new(&out, types.output, sizes, converter(types.output, out.dtype));
    let strides = contiguous_strides(sizes);
    let turned: SmallVec<[Option<Storage>; 4]> = operands
        .iter()
        .map(|operand| {
            if count < parallel::GRAIN || !is_across(sizes, operand.strides) {
                return None;
            }
            let storage = Storage::uninitialized(count * operand.dtype.size()).ok()?;
            let target = Operand { pointer: storage.pointer(), strides: &strides, dtype: operand.dtype };
            // SAFETY: by the caller's promise; the target is new.
            unsafe { copy_strided(sizes, target, *operand) };
            Some(storage)
        })
        .collect();
    let operands = operands.iter().zip(&turned).map(|(operand, turned)| match turned {
        Some(storage) => Operand { pointer: storage.pointer(), strides: &strides, ..*operand },
        None => *operand,
    });
    let sources: SmallVec<[Endpoint; 4]> = operands
        .map(|operand| Endpoint::new(&operand, types.input, sizes, converter(operand.dtype, types.input)))
        .collect();
    parallel::for_each_chunk(count, parallel::GRAIN, |range| {
        // SAFETY: by the caller's promise; chunks write disjoint elements.
        unsafe { run(kernel, types, &sink, &sources, range) }
    });
}

/// Whether elements that lie side by side are far apart in the sequence, so that each is in another cache line than the
/// one before: such an operand is better turned before it is read.
fn is_across(sizes: &[usize], strides: &[usize]) -> bool {
    let mut dims = sizes.iter().zip(strides).rev().filter(|dim| *dim.0 != 1);
    let across = dims.next().is_some_and(|(&size, &stride)| stride > 1 && size >= LONG);
    across && dims.any(|(&size, &stride)| stride == 1 && size >= LONG)
}

/// Where an operand's elements come from, or the result's go.
struct Endpoint {
    pointer: Shared<u8>,
    dtype: DType,
    element: usize,
    /// `None` where the memory is a contiguous run of the kernel's type already.
    path: Option<(Sequence, Convert)>,
}

impl Endpoint {
    #[inline]
    fn new(operand: &Operand, kernel_type: DType, sizes: &[usize], convert: Convert) -> Endpoint {
        let direct = operand.dtype == kernel_type && crate::shape::is_contiguous(sizes, operand.strides);
        Endpoint {
            pointer: Shared::new(operand.pointer),
            dtype: operand.dtype,
            element: operand.dtype.size(),
            path: (!direct).then(|| (Sequence::new(sizes, operand.strides), convert)),
        }
    }
}

#[repr(align(64))]
struct Block(MaybeUninit<[u8; BLOCK_BYTES]>);

impl Block {
    fn pointer(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }
}

/// # Safety
/// As for [`map`]; `range` lies inside the elements.
#[inline]
unsafe fn run(kernel: Kernel, types: Types, sink: &Endpoint, sources: &[Endpoint], range: std::ops::Range<usize>) {
    // An in-place result goes through a block too: a loop whose result may alias its operand is not vectorised.
    let in_place = sources.iter().any(|source| source.pointer.get() == sink.pointer.get());
    if !in_place && sink.path.is_none() && sources.iter().all(|source| source.path.is_none()) {
        let mut pointers = [std::ptr::null(); MAX_OPERANDS];
        for (pointer, source) in pointers.iter_mut().zip(sources) {
            *pointer = source.pointer.get().wrapping_add(range.start * source.element).cast_const();
        }
        // SAFETY: all are contiguous and as long as the range.
        unsafe {
            kernel(sink.pointer.get().wrapping_add(range.start * sink.element), pointers.as_ptr(), range.len());
        }
    } else {
        // SAFETY: as for this function.
        unsafe { run_blocks(kernel, types, sink, sources, range, in_place) }
    }
}

/// # Safety
/// As for [`run`].
unsafe fn run_blocks(
    kernel: Kernel,
    types: Types,
    sink: &Endpoint,
    sources: &[Endpoint],
    range: std::ops::Range<usize>,
    in_place: bool,
) {
    let block = BLOCK_BYTES / types.input.size().max(types.output.size());
    let mut buffers = [const { Block(MaybeUninit::uninit()) }; MAX_OPERANDS];
    let mut results = Block(MaybeUninit::uninit());
    let mut pointers = [std::ptr::null::<u8>(); MAX_OPERANDS];
    let mut reads: [Option<Walk>; MAX_OPERANDS] = [const { None }; MAX_OPERANDS];
    // What lies as the kernel wants it is not cut into blocks.
    let mut most = if in_place { block } else { usize::MAX };
    for ((source, read), (pointer, buffer)) in sources.iter().zip(&mut reads).zip(pointers.iter_mut().zip(&mut buffers))
    {
        match &source.path {
            Some((sequence, convert)) if sequence.is_constant() => {
                *pointer = buffer.pointer();
                most = block;
                // SAFETY: a block has room, and the one element is valid.
                unsafe { convert(buffer.pointer(), 1, source.pointer.get(), 0, block.min(range.len())) }
            }
            Some((sequence, convert)) => *read = Some(Walk::new(sequence, *convert, source, types.input, range.start)),
            None => {}
        }
    }
    let mut write =
        sink.path.as_ref().map(|(sequence, convert)| Walk::new(sequence, *convert, sink, types.output, range.start));
    let mut at = range.start;
    while at < range.end {
        let left = range.end - at;
        let mut n = most.min(left);
        for walk in reads.iter_mut().flatten().chain(&mut write) {
            n = n.min(walk.settle(left, block));
        }
        for (i, source) in sources.iter().enumerate() {
            match (&source.path, &mut reads[i]) {
                // SAFETY: the runs lie inside the operand, the block has room for a whole one.
                (Some(_), Some(walk)) => pointers[i] = unsafe { walk.read(&mut buffers[i], n, block) },
                (None, _) => pointers[i] = source.pointer.get().wrapping_add(at * source.element),
                _ => {}
            }
        }
        // SAFETY: operands and result hold n elements; the block has room for them; runs lie inside the result.
        unsafe {
            let place = match &mut write {
                None => Some(sink.pointer.get().add(at * sink.element)),
                Some(walk) => walk.lying(n),
            };
            match place {
                Some(place) if !in_place => kernel(place, pointers.as_ptr(), n),
                Some(place) => {
                    kernel(results.pointer(), pointers.as_ptr(), n);
                    std::ptr::copy_nonoverlapping(results.pointer(), place, n * sink.element);
                }
                None => {
                    kernel(results.pointer(), pointers.as_ptr(), n);
                    if let Some(walk) = &mut write {
                        walk.scatter(results.pointer(), n);
                    }
                }
            }
        }
        at += n;
    }
}

/// Elements of a run from which on it is used as it lies, and not put into a block with others.
const LONG: usize = 64;

/// The way through an operand, or the result, that does not lie as the kernel wants it.
struct Walk<'a> {
    runs: Runs<'a>,
    /// Offset, stride and length of what is left of the present run.
    run: (usize, usize, usize),
    convert: Convert,
    pointer: *mut u8,
    /// Bytes of an element in memory, and in a block.
    element: usize,
    wide: usize,
    /// Whether elements have the kernel's type.
    plain: bool,
    /// The offset of the one element that the block begins with, and how many times.
    spread: Option<(usize, usize)>,
}

impl<'a> Walk<'a> {
    fn new(sequence: &'a Sequence, convert: Convert, end: &Endpoint, kernel_type: DType, start: usize) -> Walk<'a> {
        Walk {
            runs: sequence.runs_from(start),
            run: (0, 0, 0),
            convert,
            pointer: end.pointer.get(),
            element: end.element,
            wide: kernel_type.size(),
            plain: end.dtype == kernel_type,
            spread: None,
        }
    }

    /// Whether the present run is used as it lies: its elements side by side, or one of them over and over.
    #[inline]
    fn is_long(&self) -> bool {
        self.run.2 >= LONG && (self.run.1 == 0 || (self.run.1 == 1 && self.plain))
    }

    /// Finds the present run; gives how many elements are best taken at once, a block of them unless they lie as the
    /// kernel wants them.
    #[inline]
    fn settle(&mut self, left: usize, block: usize) -> usize {
        if self.run.2 == 0 {
            self.run = self.runs.next_run(left);
        }
        match self.run {
            (_, 1, length) if self.is_long() => length,
            (.., length) if self.is_long() => length.min(block),
            _ => block,
        }
    }

    /// Goes on by at most `n` elements of one run, and gives it.
    #[inline]
    fn take(&mut self, n: usize) -> (usize, usize, usize) {
        if self.run.2 == 0 {
            self.run = self.runs.next_run(n);
        }
        let (offset, stride, length) = self.run;
        let taken = n.min(length);
        self.run = (offset + taken * stride, stride, length - taken);
        (offset, stride, taken)
    }

    /// Where the next `n` elements lie side by side, if they do.
    #[inline]
    fn lying(&mut self, n: usize) -> Option<*mut u8> {
        (self.is_long() && self.run.1 == 1).then(|| self.pointer.wrapping_add(self.take(n).0 * self.element))
    }

    /// The next `n` elements as the kernel wants them: where they lie, or in the block.
    ///
    /// # Safety
    /// The sequence lies inside the operand; the block has room for `room` elements, of which `n` is at most as many.
    #[inline]
    unsafe fn read(&mut self, block: &mut Block, n: usize, room: usize) -> *const u8 {
        if let Some(place) = self.lying(n) {
            return place;
        }
        // SAFETY: by the caller's promise.
        unsafe {
            if self.is_long() {
                // As many as this run asks for, and not fewer where it goes on.
                let count = self.run.2.min(room);
                let (offset, ..) = self.take(n);
                if self.spread.is_none_or(|spread| spread.0 != offset || spread.1 < n) {
                    (self.convert)(block.pointer(), 1, self.pointer.add(offset * self.element), 0, count);
                    self.spread = Some((offset, count));
                }
                return block.pointer();
            }
            self.spread = None;
            let mut filled = 0;
            while filled < n {
                let (offset, stride, length) = self.take(n - filled);
                let to = block.pointer().add(filled * self.wide);
                (self.convert)(to, 1, self.pointer.add(offset * self.element), stride, length);
                filled += length;
            }
        }
        block.pointer()
    }

    /// Puts `n` results where they belong.
    ///
    /// # Safety
    /// The sequence lies inside the result; there are `n` elements of the kernel's type.
    unsafe fn scatter(&mut self, results: *const u8, n: usize) {
        let mut written = 0;
        while written < n {
            let (offset, stride, length) = self.take(n - written);
            // SAFETY: by the caller's promise.
            unsafe {
                let from = results.add(written * self.wide);
                (self.convert)(self.pointer.add(offset * self.element), stride, from, 1, length);
            }
            written += length;
        }
    }
}

/// Hands blocks of which all operands [are near](crate::kernels::elementary::Trigonometric::is_near) to one kernel,
/// and others to another. The two must give the same results for what is near.
///
/// # Safety
/// Each of the operands and the result hold `n` elements of type `T`.
pub unsafe fn by_nearness<T: Float, const OPERANDS: usize>(
    near: Kernel,
    far: Kernel,
    out: *mut u8,
    operands: *const *const u8,
    n: usize,
) {
    for at in (0..n).step_by(BLOCK) {
        let length = BLOCK.min(n - at);
        // SAFETY: by the caller's promise.
        unsafe {
            let block: [*const T; OPERANDS] = std::array::from_fn(|i| (*operands.add(i)).cast::<T>().add(at));
            let all = block.iter().all(|&x| simd::vectorize(AllNear(std::slice::from_raw_parts(x, length))));
            (if all { near } else { far })(out.cast::<T>().add(at).cast(), block.as_ptr().cast(), length);
        }
    }
}

struct AllNear<'a, T>(&'a [T]);

impl<T: Float> Vectorized for AllNear<'_, T> {
    type Output = bool;
    #[inline(always)]
    fn run(self) -> bool {
        self.0.iter().fold(true, |all, x| all & x.is_near())
    }
}

/// Defines the contiguous loops for each number of operands.
macro_rules! contiguous_loops {
    ($($name:ident $function:ident $work:ident($($x:ident $i:tt),*);)+) => {$(
        /// What a loop computes of each element; `#[inline(always)]`, as all that it calls.
        pub trait $function<A, R> {
            fn of($($x: A),*) -> R;
        }

        struct $work<A, R, F> {
            out: *mut R,
            operands: *const *const A,
            n: usize,
            function: std::marker::PhantomData<F>,
        }

        impl<A: Element, R, F: $function<A, R>> Vectorized for $work<A, R, F> {
            type Output = ();
            #[inline(always)]
            fn run(self) {
                // SAFETY: by the promise of the caller of the function below.
                unsafe {
                    $(let $x = *self.operands.add($i);)*
                    for i in 0..self.n {
                        self.out.add(i).write(F::of($(*$x.add(i)),*));
                    }
                }
            }
        }

        /// `out[i] = F(operands[0][i], …)` for contiguous operands, compiled for each instruction set unless the operands
        /// are complex.
        ///
        /// # Safety
        /// Every operand and the result hold `n` elements of type `A` and `R`.
        #[inline(always)]
        pub unsafe fn $name<A: Element, R, F: $function<A, R>>(out: *mut u8, operands: *const *const u8, n: usize) {
            let function = std::marker::PhantomData::<F>;
            let work = $work { out: out.cast(), operands: operands.cast(), n, function };
            // Loops over complex numbers gain little, and would be many.
            if A::DTYPE.is_complex() { work.run() } else { simd::vectorize(work) }
        }
    )+};
}

contiguous_loops! {
    map1 Function1 Map1(a 0);
    map2 Function2 Map2(a 0, b 1);
    map3 Function3 Map3(a 0, b 1, c 2);
    map4 Function4 Map4(a 0, b 1, c 2, d 3);
    map5 Function5 Map5(a 0, b 1, c 2, d 3, e 4);
    map6 Function6 Map6(a 0, b 1, c 2, d 3, e 4, g 5);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Tensor;
    use crate::with_element;

    unsafe fn sum(out: *mut u8, operands: *const *const u8, n: usize) {
        struct Sum;
        impl Function2<f64, f64> for Sum {
            fn of(a: f64, b: f64) -> f64 {
                a + b
            }
        }
        // SAFETY: the driver hands over contiguous operands of this type.
        unsafe { map2::<f64, f64, Sum>(out, operands, n) }
    }

    /// Operands and result of every type at every stride, more than a block of them: whatever lies between the
    /// elements of the result stays as it was.
    #[test]
    fn every_type_and_stride_is_brought_to_the_kernel() {
        const COUNT: usize = 2 * BLOCK + 3;
        fn run<A: Element, R: Element>(operand_stride: usize, stride: usize) {
            let values: Vec<A> = (0..COUNT * 2).map(|i| A::from_i64(i as i64 % 50)).collect();
            let (a, b) = (Tensor::from_slice(&values, &[values.len()]), Tensor::from_slice(&[0.5f64], &[1]));
            let out = Tensor::full(&[COUNT * stride + 1], 7i64.into(), R::DTYPE);
            let (a, b, out) = (a.unwrap(), b.unwrap(), out.unwrap());
            let pointer = |tensor: &Tensor| tensor.data().pointer();
            let operands = [
                Operand { pointer: pointer(&a), strides: &[operand_stride], dtype: A::DTYPE },
                Operand { pointer: pointer(&b), strides: &[0], dtype: DType::Float64 },
            ];
            let sink = Operand { pointer: pointer(&out), strides: &[stride], dtype: R::DTYPE };
            let types = Types { input: DType::Float64, output: DType::Float64 };
            // SAFETY: all tensors live and hold the last element at their stride.
            unsafe { map(sum, types, &[COUNT], sink, &operands) };
            let mut expected = vec![R::from_i64(7); COUNT * stride + 1];
            for i in 0..COUNT {
                expected[i * stride] = R::from_f64(values[i * operand_stride].to_f64() + 0.5);
            }
            assert_eq!(out.to_vec::<R>().unwrap(), expected, "{} to {}", A::DTYPE, R::DTYPE);
        }
        for from in DType::ALL {
            for to in DType::ALL {
                for (operand_stride, stride) in [(1, 1), (2, 1), (0, 2), (1, 2)] {
                    with_element!(from, A => with_element!(to, R => run::<A, R>(operand_stride, stride)));
                }
            }
        }
    }
}
