//! Attention.

use crate::dtype::DType;
use crate::error::Result;
use crate::ops::arithmetic::{add_tensors, mul, mul_tensors};
use crate::ops::comparison::eq;
use crate::ops::dropout::dropout;
use crate::ops::matrix::{check_same_dtype, matmul};
use crate::ops::reduction::all;
use crate::ops::selection::choose;
use crate::ops::softmax::softmax;
use crate::ops::views::{self, ints};
use crate::shape;
use crate::tensor::Tensor;
use crate::{bail, op};

/// The tensor with each of its heads, which are the third dimension from the end, repeated.
fn heads(tensor: &Tensor, times: i64) -> Result<Tensor> {
    let sizes = ints(&tensor.sizes());
    let n = sizes.len();
    let mut wide = sizes.clone();
    wide.insert(n - 2, times);
    let mut all = sizes.clone();
    all[n - 3] *= times;
    views::reshape(&views::expand(&views::unsqueeze(tensor, -3)?, &wide)?, &all)
}

op! {
    /// `softmax(query @ key.T * scale + attn_mask) @ value`, over the last two dimensions.
    ///
    /// A bool mask is true where there is attention, a float one is added; `is_causal` masks what comes later than the
    /// query. Rows that see nothing are 0. `scale` is by default one divided by the root of the last size; with
    /// `enable_gqa` heads of key and value are shared by several of the query. A. Vaswani et al., "Attention is all you
    /// need", 2017. Raises `RuntimeError` where sizes or types do not fit.
    fn scaled_dot_product_attention(
        query: Tensor, key: Tensor, value: Tensor, attn_mask: Option<Tensor> = None, dropout_p: f64 = 0.0,
        is_causal: bool = false; scale: Option<f64> = None, enable_gqa: bool = false
    ) -> Tensor, FUNCTIONAL;
    value {
        const NAME: &str = "scaled_dot_product_attention";
        let (q, k, v) = (query.sizes(), key.sizes(), value.sizes());
        if q.len() < 2 || k.len() < 2 || v.len() < 2 {
            bail!(
                Runtime,
                "{NAME}: query, key and value need two dimensions at least, got sizes {}, {} and {}",
                shape::show(&q),
                shape::show(&k),
                shape::show(&v)
            );
        }
        let dtype = query.dtype();
        if attn_mask.is_some() && is_causal {
            bail!(Runtime, "{NAME}: attn_mask and is_causal exclude each other");
        }
        if dtype.is_complex() {
            bail!(NotImplemented, "{NAME}: not implemented for {dtype}");
        }
        if key.dtype() != dtype || value.dtype() != dtype || !dtype.is_float() {
            bail!(Runtime, "{NAME}: one float dtype is expected, got {dtype}, {} and {}", key.dtype(), value.dtype());
        }
        if let Some(mask) = attn_mask
            && mask.dtype() != DType::Bool
            && mask.dtype() != dtype
        {
            bail!(Runtime, "{NAME}: attn_mask has to be bool or {dtype}, it is {}", mask.dtype());
        }
        if !(0.0..=1.0).contains(&dropout_p) {
            bail!(Runtime, "{NAME}: the probability of dropout has to be from 0 to 1, got {dropout_p}");
        }
        let (mut key, mut value) = (key.clone(), value.clone());
        if enable_gqa && q.len() > 2 && k.len() > 2 && v.len() > 2 {
            for (tensor, count) in [(&mut key, k[k.len() - 3]), (&mut value, v[v.len() - 3])] {
                let wanted = q[q.len() - 3];
                if count == 0 || !wanted.is_multiple_of(count) {
                    bail!(Runtime, "{NAME}: {count} heads of key or value cannot be shared by {wanted} of the query");
                }
                if wanted != count {
                    *tensor = heads(tensor, (wanted / count) as i64)?;
                }
            }
        }
        // Each factor gets half of the scale, so that neither grows large.
        let scale = scale.unwrap_or_else(|| 1.0 / (q[q.len() - 1] as f64).sqrt());
        let half = scale.abs().sqrt();
        let query = mul(query.into(), (if scale < 0.0 { -half } else { half }).into())?;
        let turned = mul((&views::transpose(&key, -2, -1)?).into(), half.into())?;
        let mut scores = matmul(&query, &turned)?;
        let causal = match is_causal {
            true => Some(causal_mask(q[q.len() - 2], k[k.len() - 2])?),
            false => None,
        };
        let Some(mask) = attn_mask.or(causal.as_ref()) else {
            let weights = softmax(&scores, -1, None)?;
            return matmul(&dropout(&weights, dropout_p, true, false)?, &value);
        };
        scores = match mask.dtype() {
            DType::Bool => choose(mask, (&scores).into(), f64::NEG_INFINITY.into())?,
            _ => add_tensors(&scores, mask)?,
        };
        // Every query sees the first key, if there is one.
        if causal.is_some() && k[k.len() - 2] > 0 {
            let weights = softmax(&scores, -1, None)?;
            return matmul(&dropout(&weights, dropout_p, true, false)?, &value);
        }
        let unseen = all(&eq(&scores.detach(), f64::NEG_INFINITY.into())?, Some(&[-1]), true)?;
        let weights = softmax(&choose(&unseen, 0.0.into(), (&scores).into())?, -1, None)?;
        let weights = choose(&unseen, 0.0.into(), (&weights).into())?;
        matmul(&dropout(&weights, dropout_p, true, false)?, &value)
    }
    derivative composite;
}

/// Whether key j is not later than query i.
fn causal_mask(queries: usize, keys: usize) -> Result<Tensor> {
    let mut seen = vec![false; queries * keys];
    for (i, row) in seen.chunks_exact_mut(keys.max(1)).enumerate() {
        row[..keys.min(i + 1)].fill(true);
    }
    Tensor::from_slice(&seen, &[queries, keys])
}

op! {
    /// `input1 @ weight[o] @ input2 + bias[o]` for each feature o: inputs `(.., n)` and `(.., m)`, a weight
    /// `(features, n, m)`, a bias `(features,)`.
    fn bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Option<Tensor> = None) -> Tensor, FUNCTION NO_OUT FUNCTIONAL;
    value {
        const NAME: &str = "bilinear";
        for other in [Some(input2), Some(weight), bias].into_iter().flatten() {
            check_same_dtype(NAME, input1, other)?;
        }
        let (a, b, w) = (ints(&input1.sizes()), ints(&input2.sizes()), ints(&weight.sizes()));
        let fits = !a.is_empty()
            && a.len() == b.len()
            && a[..a.len() - 1] == b[..b.len() - 1]
            && w.len() == 3
            && w[1..] == [a[a.len() - 1], b[b.len() - 1]];
        if !fits {
            bail!(
                Runtime,
                "{NAME}: inputs (.., n) and (.., m) with the same first sizes and a weight (features, n, m) are expected, got \
                 {}, {} and {}",
                shape::show(&a),
                shape::show(&b),
                shape::show(&w)
            );
        }
        if let Some(bias) = bias
            && bias.sizes()[..] != weight.sizes()[..1]
        {
            bail!(Runtime, "{NAME}: bias has to have size ({},), it has {}", w[0], shape::show(&bias.sizes()));
        }
        let count = a[..a.len() - 1].iter().product();
        let (x, y) = (views::reshape(input1, &[count, w[1]])?, views::reshape(input2, &[count, w[2]])?);
        // All products of an element of one input with one of the other, weighed.
        let products = mul_tensors(&views::unsqueeze(&x, 2)?, &views::unsqueeze(&y, 1)?)?;
        let products = views::reshape(&products, &[count, w[1] * w[2]])?;
        let mut sizes = shape::Ints::from_slice(&a[..a.len() - 1]);
        sizes.push(w[0]);
        let rows = views::reshape(weight, &[w[0], w[1] * w[2]])?;
        let out = views::reshape(&matmul(&products, &views::t(&rows)?)?, &sizes)?;
        match bias {
            Some(bias) => add_tensors(&out, bias),
            None => Ok(out),
        }
    }
    derivative composite;
}
