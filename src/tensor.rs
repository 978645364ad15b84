//! The tensor: a counted handle on storage, geometry and autograd data.

use std::cell::{Cell, Ref, RefCell};
use std::ffi::c_void;
use std::rc::Rc;
use std::sync::OnceLock;

use ndarray::{ArrayViewD, IxDyn, ShapeBuilder};

use crate::autograd::batch;
use crate::autograd::meta::Meta;
use crate::autograd::modes;
use crate::autograd::node::Node;
use crate::data::Data;
use crate::dtype::{DType, Element};
use crate::error::Result;
use crate::kernels::{copy, fill};
use crate::rc;
use crate::scalar::Scalar;
use crate::shape::{self, Dims};
use crate::storage::Storage;
use crate::{bail, with_element};

/// An n-dimensional array that can remember how it was computed. Cloning clones the handle.
#[derive(Clone)]
pub struct Tensor(pub(crate) Rc<TensorCell>);

pub(crate) struct TensorCell {
    data: RefCell<Data>,
    pub(crate) flags: Cell<u16>,
    /// Which output of `grad_fn` this tensor is.
    pub(crate) output_nr: Cell<u32>,
    pub(crate) grad_fn: RefCell<Option<Node>>,
    /// What only leaves, views and observed tensors need.
    pub(crate) meta: RefCell<Option<Box<Meta>>>,
    /// The object that wraps this tensor in the embedding language, not owned; null where there is none.
    object: Cell<*mut c_void>,
}

/// What the embedding language does with an object that its tensor has kept alive, when the tensor dies: the object, and
/// a tensor with the contents of the dying one.
pub type Keeper = fn(*mut c_void, Tensor);

static KEEPER: OnceLock<Keeper> = OnceLock::new();

/// Registers the embedding language; later calls are ignored.
pub fn set_keeper(keeper: Keeper) {
    let _ = KEEPER.set(keeper);
}

impl Drop for TensorCell {
    #[inline]
    fn drop(&mut self) {
        if self.flags.get() & flag::OBJECT_KEPT != 0 {
            self.hand_contents_over();
        }
    }
}

impl TensorCell {
    #[cold]
    fn hand_contents_over(&mut self) {
        let contents = Tensor::with_flags(self.data.get_mut().clone(), self.flags.get() & !flag::OBJECT_KEPT);
        contents.0.output_nr.set(self.output_nr.get());
        contents.0.grad_fn.replace(self.grad_fn.take());
        contents.0.meta.replace(self.meta.take());
        if let Some(keeper) = KEEPER.get() {
            keeper(self.object.get(), contents);
        }
    }
}

/// Bits of `TensorCell::flags`: what an operation has to look at before it may take the short way.
pub(crate) mod flag {
    /// A leaf that asks for its gradient.
    pub const LEAF_REQUIRES_GRAD: u16 = 1;
    /// The result of a recorded operation.
    pub const HAS_GRAD_FN: u16 = 2;
    /// Shares memory and history with a base.
    pub const VIEW: u16 = 4;
    /// Carries a tangent.
    pub const DUAL: u16 = 8;
    /// Remembered as possibly part of a ring of references.
    pub const SUSPECT: u16 = 16;
    /// Owns the object that wraps it, rather than being owned by it.
    pub const OBJECT_KEPT: u16 = 128;
    /// Made in inference mode.
    pub const INFERENCE: u16 = 32;
    /// Stands for many examples.
    pub const BATCHED: u16 = 64;
    /// Has sizes and no values: a tensor of the device `meta`.
    pub const META: u16 = 256;
    /// Any of these sends an operation through the recording path.
    pub const SPECIAL: u16 = LEAF_REQUIRES_GRAD | HAS_GRAD_FN | VIEW | DUAL | INFERENCE | BATCHED | META;
}

impl Tensor {
    #[inline]
    pub fn from_data(data: Data) -> Tensor {
        Tensor::with_flags(data, if modes::inference() { flag::INFERENCE } else { 0 })
    }

    fn with_flags(data: Data, flags: u16) -> Tensor {
        Tensor(rc::filled(|| TensorCell {
            data: RefCell::new(data),
            flags: Cell::new(flags),
            output_nr: Cell::new(0),
            grad_fn: RefCell::new(None),
            meta: RefCell::new(None),
            object: Cell::new(std::ptr::null_mut()),
        }))
    }

    /// A row-major tensor with undefined content.
    pub fn empty(sizes: &[usize], dtype: DType) -> Result<Tensor> {
        Tensor::empty_strided(Dims::from_slice(sizes), shape::contiguous_strides(sizes), dtype)
    }

    /// A tensor that has these sizes and no values.
    pub fn meta_device(sizes: &[usize], dtype: DType) -> Result<Tensor> {
        // One element in the place of all, in case somebody looks at the memory all the same.
        let one = Tensor::zeros(&[], dtype)?;
        let none = one.alias(Dims::from_slice(sizes), Dims::from_elem(0, sizes.len()), 0);
        none.set_flag(flag::META, true);
        Ok(none)
    }

    /// Whether the tensor has no values.
    pub fn is_meta(&self) -> bool {
        self.has_flag(flag::META)
    }

    /// Refuses a tensor without values.
    #[cold]
    pub(crate) fn refuse_meta(name: &str) -> crate::Error {
        crate::error!(
            NotImplemented,
            "{name}: a tensor of the device 'meta' has no values, and nothing can be computed from it"
        )
    }

    /// A tensor with undefined content and strides that leave no gap.
    pub(crate) fn empty_strided(sizes: Dims, strides: Dims, dtype: DType) -> Result<Tensor> {
        let bytes = shape::numel(&sizes)?.checked_mul(dtype.size()).filter(|&b| b <= isize::MAX as usize);
        let Some(bytes) = bytes else {
            bail!(Runtime, "a {dtype} tensor of size {} does not fit the address space", shape::show(&sizes));
        };
        let storage = Storage::uninitialized(bytes)?;
        Ok(Tensor::from_data(Data::new(storage, sizes, strides, 0, dtype)))
    }

    /// A tensor with undefined content and any strides; gaps between elements belong to it too.
    pub(crate) fn empty_spread(sizes: &[usize], strides: &[usize], dtype: DType) -> Result<Tensor> {
        let bytes = shape::extent(sizes, strides).saturating_mul(dtype.size());
        let storage = Storage::uninitialized(bytes)?;
        let (sizes, strides) = (Dims::from_slice(sizes), Dims::from_slice(strides));
        Ok(Tensor::from_data(Data::new(storage, sizes, strides, 0, dtype)))
    }

    pub fn full(sizes: &[usize], value: Scalar, dtype: DType) -> Result<Tensor> {
        let tensor = Tensor::empty(sizes, dtype)?;
        fill::fill(&tensor.data(), value);
        Ok(tensor)
    }

    pub fn zeros(sizes: &[usize], dtype: DType) -> Result<Tensor> {
        Tensor::full(sizes, Scalar::Int(0), dtype)
    }

    /// A tensor without dimensions.
    pub fn scalar(value: impl Into<Scalar>, dtype: DType) -> Result<Tensor> {
        Tensor::full(&[], value.into(), dtype)
    }

    /// A tensor of `sizes` with a copy of `values`, in row-major order.
    pub fn from_slice<T: Element>(values: &[T], sizes: &[usize]) -> Result<Tensor> {
        if shape::numel(sizes)? != values.len() {
            bail!(Runtime, "{} values do not fill a tensor of size {}", values.len(), shape::show(sizes));
        }
        let tensor = Tensor::empty(sizes, T::DTYPE)?;
        // SAFETY: the fresh row-major memory has room for exactly these values.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), tensor.data().pointer().cast(), values.len()) };
        Ok(tensor)
    }

    /// Storage and geometry. The guard must not be held while other code may run.
    #[inline]
    pub fn data(&self) -> Ref<'_, Data> {
        self.0.data.borrow()
    }

    /// Replaces memory and geometry, as `x.data = y` and `x.set_()` do.
    pub fn set_data(&self, data: Data) {
        let previous = self.0.data.replace(data);
        drop(previous);
    }

    pub fn sizes(&self) -> Dims {
        self.data().sizes.clone()
    }

    pub fn strides(&self) -> Dims {
        self.data().strides.clone()
    }

    pub fn ndim(&self) -> usize {
        self.data().sizes.len()
    }

    pub fn numel(&self) -> usize {
        self.data().numel()
    }

    #[inline]
    pub fn dtype(&self) -> DType {
        self.data().dtype
    }

    pub fn is_contiguous(&self) -> bool {
        self.data().is_contiguous()
    }

    /// The size along a dimension that may count from the end.
    pub fn size(&self, dim: i64) -> Result<usize> {
        let data = self.data();
        if data.sizes.is_empty() {
            bail!(Index, "dimension {dim} is out of range: a tensor without dimensions has no sizes");
        }
        Ok(data.sizes[shape::wrap_dim(dim, data.sizes.len())?])
    }

    /// Whether two handles are on the same tensor.
    pub fn is_same(&self, other: &Tensor) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// How many handles there are on this tensor.
    pub fn handles(&self) -> usize {
        Rc::strong_count(&self.0)
    }

    #[inline]
    pub(crate) fn has_flag(&self, bits: u16) -> bool {
        self.0.flags.get() & bits != 0
    }

    pub(crate) fn set_flag(&self, bit: u16, on: bool) {
        let flags = self.0.flags.get();
        self.0.flags.set(if on { flags | bit } else { flags & !bit });
    }

    /// The wrapping object of the embedding language.
    #[inline]
    pub fn object(&self) -> *mut c_void {
        self.0.object.get()
    }

    #[inline]
    pub fn set_object(&self, object: *mut c_void) {
        self.0.object.set(object);
    }

    /// Another tensor on the same memory, seen with other geometry and without history.
    pub(crate) fn alias(&self, sizes: Dims, strides: Dims, offset: usize) -> Tensor {
        self.reinterpreted(self.dtype(), sizes, strides, offset)
    }

    /// Another tensor on the same memory, seen with another element type and geometry and without history.
    pub(crate) fn reinterpreted(&self, dtype: DType, sizes: Dims, strides: Dims, offset: usize) -> Tensor {
        let data = self.data();
        let mut alias = Data::new(data.storage.clone(), sizes, strides, offset, dtype);
        alias.version = data.version.clone();
        self.sharing(alias)
    }

    /// The same memory and geometry without history; in-place changes are counted together.
    pub fn detach(&self) -> Tensor {
        if self.is_batched() {
            return batch::wrap(self.physical().detach(), self.levels());
        }
        self.sharing(self.data().clone())
    }

    /// The same memory and geometry without history and with a change counter of its own.
    pub fn shallow(&self) -> Tensor {
        let mut data = self.data().clone();
        data.version = Some(Rc::default());
        self.sharing(data)
    }

    /// A tensor on this one's memory: it is one for inference, or without values, if this one is.
    fn sharing(&self, data: Data) -> Tensor {
        Tensor::with_flags(data, self.0.flags.get() & (flag::INFERENCE | flag::META))
    }

    /// A row-major tensor with the same values: this one if it is row-major already. Not recorded.
    pub(crate) fn to_contiguous(&self) -> Result<Tensor> {
        self.check_readable("contiguous")?;
        if self.is_contiguous() { Ok(self.clone()) } else { self.copied(self.dtype()) }
    }

    /// A fresh row-major copy in the given element type. Not recorded.
    pub(crate) fn copied(&self, dtype: DType) -> Result<Tensor> {
        self.check_readable("copy")?;
        let copied = Tensor::empty(&self.sizes(), dtype)?;
        copy::copy(&copied.data(), &self.data());
        Ok(copied)
    }

    /// A fresh copy in the order of the memory of this tensor, or row-major if that has gaps or overlaps. Not recorded.
    pub(crate) fn copied_alike(&self, dtype: DType) -> Result<Tensor> {
        self.check_readable("copy")?;
        let copied = self.empty_alike(dtype)?;
        copy::copy(&copied.data(), &self.data());
        Ok(copied)
    }

    /// Zeros in the order of the memory of this tensor, or row-major if that has gaps or overlaps.
    pub(crate) fn zeros_alike(&self) -> Result<Tensor> {
        let zeros = self.empty_alike(self.dtype())?;
        fill::fill(&zeros.data(), Scalar::Int(0));
        Ok(zeros)
    }

    /// A tensor with undefined content in the order of the memory of this one, or row-major if that has gaps or overlaps.
    pub(crate) fn empty_alike(&self, dtype: DType) -> Result<Tensor> {
        let data = self.data();
        match shape::dense_order(&data.sizes, &data.strides) {
            Some(_) => Tensor::empty_strided(data.sizes.clone(), data.strides.clone(), dtype),
            None => Tensor::empty(&data.sizes, dtype),
        }
    }

    /// This tensor, or a row-major copy in another element type. Not recorded.
    pub(crate) fn cast(&self, dtype: DType) -> Result<Tensor> {
        if self.dtype() == dtype { Ok(self.clone()) } else { self.copied(dtype) }
    }

    /// The value of a tensor with one element.
    pub fn item(&self) -> Result<Scalar> {
        self.check_readable("item()")?;
        let data = self.data();
        if data.numel() != 1 {
            bail!(
                Runtime,
                "item(): a tensor with one element is needed to make a Python number, this one has size {}",
                shape::show(&data.sizes)
            );
        }
        // SAFETY: the tensor has an element of this type at its pointer.
        Ok(with_element!(data.dtype, T => Scalar::of(unsafe { data.pointer().cast::<T>().read() })))
    }

    /// The values in row-major order, converted to `T`.
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        self.check_readable("to_vec()")?;
        let source = self.cast(T::DTYPE)?.to_contiguous()?;
        let data = source.data();
        // SAFETY: a row-major tensor has its elements one after another from its pointer.
        Ok(unsafe { slice_at(data.pointer().cast::<T>(), data.numel()) }.to_vec())
    }

    /// Runs `read` on an `ndarray` view of the elements, whatever their strides.
    ///
    /// # Errors
    /// `TypeError` if the element type is not `T`.
    pub fn with_array<T: Element, R>(&self, read: impl FnOnce(ArrayViewD<'_, T>) -> R) -> Result<R> {
        self.check_readable("with_array()")?;
        let data = self.data();
        if data.dtype != T::DTYPE {
            bail!(Type, "a {} tensor cannot be seen as an array of {}", data.dtype, T::DTYPE);
        }
        let shape = IxDyn(&data.sizes).strides(IxDyn(&data.strides));
        // SAFETY: sizes and strides stay inside the storage, which `data` keeps alive; overlapping elements
        // are allowed in a shared view.
        Ok(read(unsafe { ArrayViewD::from_shape_ptr(shape, data.pointer().cast::<T>()) }))
    }
}

/// A slice that may be empty at any address.
///
/// # Safety
/// As for [`std::slice::from_raw_parts`], unless `len` is 0.
pub(crate) unsafe fn slice_at<'a, T>(pointer: *const T, len: usize) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: by the caller's promise.
    unsafe { std::slice::from_raw_parts(pointer, len) }
}
