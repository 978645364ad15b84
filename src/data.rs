//! A piece of storage seen as an n-dimensional array: what kernels work on. No history.

use std::rc::Rc;

use crate::dtype::DType;
use crate::shape::{self, Dims};
use crate::storage::{Storage, Version};

/// Memory and how it is seen.
#[derive(Clone)]
pub struct Data {
    pub storage: Storage,
    /// Not to be changed, like the strides: another geometry is another `Data`.
    pub sizes: Dims,
    pub strides: Dims,
    /// Elements from the start of the storage to the first element.
    pub offset: usize,
    pub dtype: DType,
    /// What the sizes and strides come to: every elementwise operation asks.
    row_major: bool,
    /// A counter of its own for a tensor that shares memory but not history (`.data`).
    pub version: Option<Rc<Version>>,
}

impl Data {
    #[inline]
    pub fn new(storage: Storage, sizes: Dims, strides: Dims, offset: usize, dtype: DType) -> Data {
        let row_major = shape::is_contiguous(&sizes, &strides);
        Data { storage, sizes, strides, offset, dtype, row_major, version: None }
    }

    /// The address of the first element.
    #[inline]
    pub fn pointer(&self) -> *mut u8 {
        // A tensor without elements may have any offset, hence the wrapping sum.
        self.storage.pointer().wrapping_add(self.offset * self.dtype.size())
    }

    pub fn numel(&self) -> usize {
        self.sizes.iter().product()
    }

    /// Whether elements lie in row-major order without gaps.
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        self.row_major
    }

    pub fn version(&self) -> &Version {
        self.version.as_deref().unwrap_or(self.storage.version())
    }
}
