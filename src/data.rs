//! A piece of storage seen as an n-dimensional array: what kernels work on. No history.

use std::rc::Rc;

use crate::dtype::DType;
use crate::shape::{self, Dims};
use crate::storage::{Storage, Version};

/// Memory and how it is seen.
#[derive(Clone)]
pub struct Data {
    pub storage: Storage,
    pub sizes: Dims,
    pub strides: Dims,
    /// Elements from the start of the storage to the first element.
    pub offset: usize,
    pub dtype: DType,
    /// A counter of its own for a tensor that shares memory but not history (`.data`).
    pub version: Option<Rc<Version>>,
}

impl Data {
    /// The address of the first element.
    #[inline]
    pub fn pointer(&self) -> *mut u8 {
        // A tensor without elements may have any offset, hence the wrapping sum.
        self.storage.pointer().wrapping_add(self.offset * self.dtype.size())
    }

    pub fn numel(&self) -> usize {
        self.sizes.iter().product()
    }

    pub fn is_contiguous(&self) -> bool {
        shape::is_contiguous(&self.sizes, &self.strides)
    }

    pub fn version(&self) -> &Version {
        self.version.as_deref().unwrap_or(self.storage.version())
    }
}
