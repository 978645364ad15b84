//! Orders in which the elements of a tensor may lie in memory.
//!
//! Operations read any order and write row-major or the order of their input; none is quicker for channels last. It is
//! there for programs that ask for it, and for memory that is shared with others.

use crate::bail;
use crate::dtype::DType;
use crate::error::Result;
use crate::shape::{self, Dims};
use crate::tensor::Tensor;

/// Which dimension is next to which in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemoryFormat {
    /// Row-major.
    Contiguous,
    /// That of the input where it leaves no gaps.
    Preserve,
    /// Of N, C, H, W, the dimension C varies fastest.
    ChannelsLast,
    /// Of N, C, D, H, W, the dimension C varies fastest.
    ChannelsLast3d,
}

impl MemoryFormat {
    pub const ALL: [MemoryFormat; 4] =
        [MemoryFormat::Contiguous, MemoryFormat::Preserve, MemoryFormat::ChannelsLast, MemoryFormat::ChannelsLast3d];

    pub fn name(self) -> &'static str {
        match self {
            MemoryFormat::Contiguous => "contiguous_format",
            MemoryFormat::Preserve => "preserve_format",
            MemoryFormat::ChannelsLast => "channels_last",
            MemoryFormat::ChannelsLast3d => "channels_last_3d",
        }
    }

    /// The dimensions from the fastest varying one to the slowest; `None` if there are not as many of them.
    fn order(self, count: usize) -> Option<Dims> {
        let rows = match self {
            MemoryFormat::Contiguous | MemoryFormat::Preserve => return Some((0..count).rev().collect()),
            MemoryFormat::ChannelsLast => 4,
            MemoryFormat::ChannelsLast3d => 5,
        };
        (count == rows).then(|| [1].into_iter().chain((2..count).rev()).chain([0]).collect())
    }

    /// The strides of this order.
    ///
    /// # Errors
    /// `RuntimeError` for another number of dimensions than that of images or volumes.
    pub fn strides(self, sizes: &[usize]) -> Result<Dims> {
        let Some(order) = self.order(sizes.len()) else {
            bail!(Runtime, "{}: the order is not one of {} dimensions", self.name(), sizes.len());
        };
        let mut strides = Dims::from_elem(1, sizes.len());
        let mut step = 1;
        for dim in order {
            strides[dim] = step;
            step *= sizes[dim].max(1);
        }
        Ok(strides)
    }

    /// Whether the elements lie in this order without gaps.
    pub fn holds(self, tensor: &Tensor) -> bool {
        let data = tensor.data();
        let Some(order) = self.order(data.sizes.len()) else { return false };
        let mut step = 1;
        data.numel() == 0
            || order.into_iter().filter(|&dim| data.sizes[dim] != 1).all(|dim| {
                let fits = data.strides[dim] == step;
                step *= data.sizes[dim];
                fits
            })
    }

    /// A tensor with undefined content in this order, or in that of `like`.
    pub fn empty_like(self, like: &Tensor, dtype: DType) -> Result<Tensor> {
        match self {
            MemoryFormat::Preserve => like.empty_alike(dtype),
            _ => self.empty(&like.sizes(), dtype),
        }
    }

    /// A tensor with undefined content in this order.
    pub fn empty(self, sizes: &[usize], dtype: DType) -> Result<Tensor> {
        shape::numel(sizes)?;
        Tensor::empty_strided(Dims::from_slice(sizes), self.strides(sizes)?, dtype)
    }
}
