//! Embeddings: rows of a table by their numbers, alone or in bags.

use crate::dtype::DType;
use crate::error::Result;
use crate::kernels::embedding as kernel;
use crate::op::Gradients;
use crate::ops::arithmetic::mul_tensors;
use crate::ops::complex::check_no_gradient;
use crate::ops::conversion::to_dtype;
use crate::ops::gathering::{index_select, scatter_add};
use crate::ops::reduction::sum;
use crate::ops::views;
use crate::shape::{self, Dims};
use crate::tensor::Tensor;
use crate::{bail, op, with_element};

/// The rows that an index tensor names, all of which a table of `rows` has.
fn indices_of(name: &str, indices: &Tensor, rows: usize) -> Result<Vec<i64>> {
    if !matches!(indices.dtype(), DType::Int32 | DType::Int64) {
        bail!(Runtime, "{name}: indices have to be int64 or int32, they are {}", indices.dtype());
    }
    let indices = indices.to_vec::<i64>()?;
    match indices.iter().find(|&&index| index < 0 || index as usize >= rows) {
        Some(index) => bail!(Index, "{name}: index {index} is out of range for a table of {rows} rows"),
        None => Ok(indices),
    }
}

fn width_of(name: &str, weight: &Tensor) -> Result<[usize; 2]> {
    match weight.sizes()[..] {
        [rows, width] => Ok([rows, width]),
        _ => bail!(Runtime, "{name}: weight has to have two dimensions, its size is {}", shape::show(&weight.sizes())),
    }
}

op! {
    /// The rows of `weight` that `indices` name: of the size of `indices`, and one dimension more.
    ///
    /// The row `padding_idx` gets no gradient; with `scale_grad_by_freq`, a row's gradient is divided by how often it is
    /// named. Raises `IndexError` for an index that is no row.
    fn embedding(
        weight: Tensor, indices: Tensor, padding_idx: i64 = -1, scale_grad_by_freq: bool = false, sparse: bool = false
    ) -> Tensor, FUNCTION NO_OUT;
    value {
        let [rows, width] = width_of("embedding", weight)?;
        let list = indices_of("embedding", indices, rows)?;
        check_no_gradient("embedding", &[weight])?;
        let mut sizes = indices.sizes();
        sizes.push(width);
        let (weight, out) = (weight.to_contiguous()?, Tensor::empty(&sizes, weight.dtype())?);
        with_element!(weight.dtype(), T => {
            let (table, sink) = (weight.data().pointer(), out.data().pointer());
            // SAFETY: row-major tensors of these sizes; the indices were looked at.
            unsafe { kernel::take::<T>(width, table.cast(), &list, sink.cast()) }
        });
        Ok(out)
    }
    derivative "EmbeddingBackward0" ByVjp {
        weight(g, indices, padding_idx, scale_grad_by_freq, ctx) => {
            embedding_dense_backward(g, indices, ctx.sizes_of(0)?[0] as i64, padding_idx, scale_grad_by_freq)
        };
    }
}

/// One divided by how often each index is there.
fn shares(list: &[i64], rows: usize) -> Vec<f64> {
    let mut counts = vec![0_usize; rows];
    list.iter().for_each(|&index| counts[index as usize] += 1);
    list.iter().map(|&index| 1.0 / counts[index as usize] as f64).collect()
}

op! {
    /// The gradient of `embedding`: a table of `num_weights` rows.
    fn embedding_dense_backward(
        grad_output: Tensor, indices: Tensor, num_weights: i64, padding_idx: i64, scale_grad_by_freq: bool
    ) -> Tensor;
    value {
        let rows = num_weights as usize;
        let list = indices_of("embedding", indices, rows)?;
        let g = grad_output.to_contiguous()?;
        let width = g.sizes().last().copied().unwrap_or(1);
        let out = Tensor::empty(&[rows, width], g.dtype())?;
        with_element!(g.dtype(), real T => {
            let factors: Option<Vec<T>> = scale_grad_by_freq
                .then(|| shares(&list, rows).into_iter().map(<T as crate::dtype::Element>::from_f64).collect());
            let (from, sink) = (g.data().pointer(), out.data().pointer());
            // SAFETY: row-major tensors of these sizes; the indices were looked at.
            unsafe { kernel::put::<T>(rows, width, from.cast(), &list, factors.as_deref(), padding_idx, sink.cast()) }
        }, else bail!(NotImplemented, "embedding: its gradient is not implemented for {}", g.dtype()));
        Ok(out)
    }
    derivative "EmbeddingDenseBackwardBackward0" ByVjp {
        grad_output(g, indices, num_weights, padding_idx, scale_grad_by_freq) => {
            let rows = embedding(g, indices, -1, false, false)?;
            if !scale_grad_by_freq && padding_idx < 0 {
                return Ok(Gradients::from_elem(Some(rows), 1));
            }
            let list = indices_of("embedding", indices, num_weights as usize)?;
            let shares = if scale_grad_by_freq { shares(&list, num_weights as usize) } else { vec![1.0; list.len()] };
            let factors: Vec<f64> =
                shares.iter().zip(&list).map(|(&share, &index)| if index == padding_idx { 0.0 } else { share }).collect();
            let mut sizes = indices.sizes();
            sizes.push(1);
            mul_tensors(&rows, &Tensor::from_slice(&factors, &sizes)?.cast(g.dtype())?)
        };
    }
}

op! {
    /// The rows of `weight` that `indices` name made shorter where their `norm_type`-norm is above `max_norm`;
    /// `embedding_renorm_` stores them.
    fn embedding_renorm(weight: Tensor, indices: Tensor, max_norm: f64, norm_type: f64) -> Tensor, IN_PLACE;
    value {
        let [rows, width] = width_of("embedding_renorm", weight)?;
        let mut list = indices_of("embedding_renorm", indices, rows)?;
        list.sort_unstable();
        list.dedup();
        let out = weight.copied(weight.dtype())?;
        with_element!(weight.dtype(), float T => {
            let first = out.data().pointer().cast::<T>();
            for index in list {
                // SAFETY: a row of the new row-major tensor.
                let row = unsafe { std::slice::from_raw_parts_mut(first.add(index as usize * width), width) };
                let sizes = row.iter().map(|&x| crate::dtype::Element::to_f64(x).abs());
                let norm = match norm_type {
                    f64::INFINITY => sizes.fold(0.0, f64::max),
                    p => sizes.map(|x| x.powf(p)).sum::<f64>().powf(1.0 / p),
                };
                if norm > max_norm {
                    let factor = (max_norm / (norm + 1e-7)) as T;
                    row.iter_mut().for_each(|x| *x *= factor);
                }
            }
        }, else bail!(NotImplemented, "embedding_renorm: not implemented for {}", weight.dtype()));
        Ok(out)
    }
    derivative none;
}

/// What is made of the rows of a bag.
const SUM: i64 = 0;
const MEAN: i64 = 1;

/// The places of each bag's indices.
fn bags_of(offsets: &Tensor, count: usize, include_last: bool) -> Result<Vec<(usize, usize)>> {
    if offsets.ndim() != 1 || !matches!(offsets.dtype(), DType::Int32 | DType::Int64) {
        bail!(Runtime, "embedding_bag: offsets have to be one row of integers, got {}", shape::show(&offsets.sizes()));
    }
    let mut starts = offsets.to_vec::<i64>()?;
    if starts.first().is_some_and(|&first| first != 0) {
        bail!(Runtime, "embedding_bag: the first offset has to be 0, it is {}", starts[0]);
    }
    if starts.windows(2).any(|pair| pair[0] > pair[1]) || starts.last().is_some_and(|&last| last > count as i64) {
        bail!(
            Runtime,
            "embedding_bag: offsets have to grow and not to exceed the {count} indices, got {}",
            shape::show(&starts)
        );
    }
    if include_last && starts.is_empty() {
        bail!(Runtime, "embedding_bag: include_last_offset needs at least one offset");
    }
    if !include_last {
        starts.push(count as i64);
    }
    Ok(starts.windows(2).map(|pair| (pair[0] as usize, pair[1] as usize)).collect())
}

op! {
    /// The sum (`mode` 0), the mean (1) or the largest elements (2) of the rows of `weight` in each bag of `indices`; bags
    /// begin at `offsets`. Also the bag of each index, the size of each bag, and the rows of the largest elements.
    fn embedding_bag as "_embedding_bag" (
        weight: Tensor, indices: Tensor, offsets: Tensor, scale_grad_by_freq: bool = false, mode: i64 = 0,
        sparse: bool = false, per_sample_weights: Option<Tensor> = None, include_last_offset: bool = false,
        padding_idx: Option<i64> = None
    ) -> (output, offset2bag, bag_size, max_indices), FUNCTIONAL;
    value {
        const NAME: &str = "embedding_bag";
        let [rows, width] = width_of(NAME, weight)?;
        let list = match indices_of(NAME, indices, rows) {
            Err(error) if matches!(error.kind(), crate::error::Kind::Index) => bail!(Runtime, "{error}"),
            list => list?,
        };
        let bags = bags_of(offsets, list.len(), include_last_offset)?;
        if let Some(weights) = per_sample_weights {
            if mode != SUM {
                bail!(Runtime, "{NAME}: per_sample_weights go with sums only");
            }
            if weights.sizes() != indices.sizes() || weights.dtype() != weight.dtype() {
                bail!(Runtime, "{NAME}: per_sample_weights have to be like the indices, and {} like weight", weight.dtype());
            }
        }
        let padding = padding_idx.map_or(-1, |index| if index < 0 { index + rows as i64 } else { index });
        let mut bag_of = vec![0_i64; list.len()];
        let mut sizes = vec![0_i64; bags.len()];
        for (bag, &(start, end)) in bags.iter().enumerate() {
            bag_of[start..end].fill(bag as i64);
            sizes[bag] = list[start..end].iter().filter(|&&index| index != padding).count() as i64;
        }
        let table = weight.to_contiguous()?;
        let out = Tensor::empty(&[bags.len(), width], weight.dtype())?;
        let mut largest = vec![0_i64; if mode > MEAN { bags.len() * width } else { 0 }];
        with_element!(weight.dtype(), float T => {
            let (from, sink) = (table.data().pointer().cast::<T>(), out.data().pointer().cast::<T>());
            if mode > MEAN {
                // SAFETY: row-major tensors of these sizes; the indices were looked at.
                let (from, to) = unsafe {
                    (crate::tensor::slice_at(from, rows * width), std::slice::from_raw_parts_mut(sink, bags.len() * width))
                };
                to.fill(0.0);
                for (bag, &(start, end)) in bags.iter().enumerate() {
                    let mut first = true;
                    for &index in list[start..end].iter().filter(|&&index| index != padding) {
                        for column in 0..width {
                            let (value, at) = (from[index as usize * width + column], bag * width + column);
                            if first || value > to[at] {
                                (to[at], largest[at]) = (value, index);
                            }
                        }
                        first = false;
                    }
                }
            } else {
                let given = per_sample_weights.map(Tensor::to_vec::<T>).transpose()?;
                let factors: Option<Vec<T>> = (given.is_some() || mode == MEAN || padding >= 0).then(|| {
                    let factor = |i: usize| match mode {
                        _ if list[i] == padding || bags.is_empty() => 0.0,
                        MEAN => 1.0 / sizes[bag_of[i] as usize].max(1) as T,
                        _ => given.as_ref().map_or(1.0, |given| given[i]),
                    };
                    (0..list.len()).map(|i| if i < bags.first().map_or(0, |bag| bag.0) { 0.0 } else { factor(i) }).collect()
                });
                // SAFETY: as above.
                unsafe { kernel::sum_bags::<T>(width, from, &list, factors.as_deref(), &bags, sink) }
            }
        }, else bail!(Runtime, "{NAME}: the weight is of a float type, got {}", weight.dtype()));
        let shape: Dims = if mode > MEAN { [bags.len(), width].into_iter().collect() } else { Dims::from_elem(bags.len(), 1) };
        let largest = if mode > MEAN { Tensor::from_slice(&largest, &shape)? } else { Tensor::from_slice(&sizes, &shape)? };
        Ok([out, Tensor::from_slice(&bag_of, &[list.len()])?, Tensor::from_slice(&sizes, &[bags.len()])?, largest])
    }
    derivative "EmbeddingBagBackward0" ByVjp {
        weight(g, indices, scale_grad_by_freq, mode, per_sample_weights, padding_idx, offset2bag, bag_size, max_indices, ctx) => {
            let rows = ctx.sizes_of(0)?[0] as i64;
            if mode > MEAN {
                // An empty bag has no largest elements.
                let full = to_dtype(&crate::ops::comparison::gt(bag_size, 0i64.into())?, g.dtype())?;
                let zeros = Tensor::zeros(&ctx.sizes_of(0)?, g.dtype())?;
                let given = scatter_add(&zeros, 0, max_indices, &mul_tensors(g, &views::unsqueeze(&full, 1)?)?)?;
                return Ok(Gradients::from_elem(Some(given), 1));
            }
            let each = index_select(g, 0, offset2bag)?;
            let each = match (mode, per_sample_weights) {
                (MEAN, _) => {
                    let sizes = to_dtype(&crate::ops::selection::clamp_min(bag_size, 1i64.into())?, g.dtype())?;
                    let sizes = views::unsqueeze(&index_select(&sizes, 0, offset2bag)?, 1)?;
                    crate::ops::arithmetic::div((&each).into(), (&sizes).into())?
                }
                (_, Some(weights)) => mul_tensors(&each, &views::unsqueeze(weights, 1)?)?,
                _ => each,
            };
            let padding = padding_idx.map_or(-1, |index| if index < 0 { index + rows } else { index });
            embedding_dense_backward(&each, indices, rows, padding, scale_grad_by_freq)
        };
        per_sample_weights(g, weight, indices, padding_idx, offset2bag) => {
            let (each, rows) = (index_select(g, 0, offset2bag)?, embedding(weight, indices, -1, false, false)?);
            let products = sum(&mul_tensors(&each, &rows)?, Some(&[1]), false, None)?;
            let Some(padding) = padding_idx else { return Ok(Gradients::from_elem(Some(products), 1)) };
            let padding = if padding < 0 { padding + weight.sizes()[0] as i64 } else { padding };
            mul_tensors(&products, &to_dtype(&crate::ops::comparison::ne(indices, padding.into())?, g.dtype())?)
        };
    }
}
