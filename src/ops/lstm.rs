//! A layer of a long short-term memory at all times in one node.
//!
//! Step by step goes only what has to: forward the states, backward their gradients. The gradients of the weights are one
//! product over all times.

use crate::error::Result;
use crate::kernels::copy::copy;
use crate::op;
use crate::op::{Backward, Gradients};
use crate::ops::arithmetic::{add_tensors, mul_tensors, rsub_number};
use crate::ops::joining::{cat_tensors, stack_tensors};
use crate::ops::matrix::{linear, matmul};
use crate::ops::reduction::sum;
use crate::ops::unary::{sigmoid, square, tanh};
use crate::ops::views;
use crate::tensor::Tensor;

op! {
    /// The hidden states, the cells and the gates at all times, from what the input gives to the gates, `(time, batch, 4 m)`,
    /// the states before the first time, `(batch, m)`, and what the hidden state gives to the gates: `weight`, `(4 m, m)`,
    /// and `bias`. There is at least one time.
    fn lstm_states as "_lstm_states" (
        gates: Tensor, hidden: Tensor, cell: Tensor, weight: Tensor, bias: Option<Tensor>
    ) -> (hiddens, cells, open);
    value {
        let [gates, mut hidden, mut cell, weight] = [gates, hidden, cell, weight].map(Tensor::detach);
        let bias = bias.map(Tensor::detach);
        let (mut hiddens, mut cells, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for gates in views::unbind(&gates, 0)? {
            let sums = add_tensors(&gates, &linear(&hidden, &weight, bias.as_ref())?)?;
            let (open, new) = (sigmoid(&sums)?, tanh(&gate(&sums, 2)?)?);
            copy(&gate(&open, 2)?.data(), &new.data());
            let kept = mul_tensors(&gate(&open, 1)?, &cell)?;
            cell = add_tensors(&kept, &mul_tensors(&gate(&open, 0)?, &new)?)?;
            hidden = mul_tensors(&gate(&open, 3)?, &tanh(&cell)?)?;
            hiddens.push(hidden.clone());
            cells.push(cell.clone());
            all.push(open);
        }
        Ok([stack_tensors(&hiddens, 0)?, stack_tensors(&cells, 0)?, stack_tensors(&all, 0)?])
    }
    derivative "LstmStatesBackward0" ByVjp {
        [gates, hidden, cell, weight, bias](hidden, cell, weight, hiddens, cells, open, ctx) => {
            back_through_time(ctx, [hidden, cell], weight, [hiddens, cells, open])
        };
    }
}

/// One of the four gates along the last dimension: input, forget, cell or output.
fn gate(gates: &Tensor, number: i64) -> Result<Tensor> {
    let size = gates.size(-1)? as i64 / 4;
    views::narrow(gates, -1, number * size, size)
}

/// One of several tensors and the others in their order, but for the last of them: what was there a time before.
fn delayed(first: &Tensor, all: &Tensor) -> Result<Tensor> {
    let before = views::narrow(all, 0, 0, all.size(0)? as i64 - 1)?;
    cat_tensors(&[views::unsqueeze(first, 0)?, before], 0)
}

/// `x (1 - x)`, the derivative of a sigmoid from its value.
fn slope(x: &Tensor) -> Result<Tensor> {
    mul_tensors(x, &rsub_number(x, 1i64.into())?)
}

/// A gradient at a time with what arrives there for a result.
fn arriving(gradient: Option<Tensor>, result: Option<&Tensor>, time: i64) -> Result<Option<Tensor>> {
    let part = result.map(|all| views::select(all, 0, time)).transpose()?;
    Ok(match (gradient, part) {
        (Some(gradient), Some(part)) => Some(add_tensors(&gradient, &part)?),
        (gradient, part) => gradient.or(part),
    })
}

/// The gradients of what the input gives, the states before the first time, the weight and the bias.
fn back_through_time(
    ctx: &Backward,
    [hidden, cell]: [&Tensor; 2],
    weight: &Tensor,
    [hiddens, cells, open]: [&Tensor; 3],
) -> Result<Gradients> {
    let (times, batch, size) = (cells.size(0)? as i64, cells.size(1)? as i64, cells.size(2)? as i64);
    let [input, forget, new, output] = [gate(open, 0)?, gate(open, 1)?, gate(open, 2)?, gate(open, 3)?];
    let shown = tanh(cells)?;
    let slopes = [slope(&input)?, slope(&forget)?, rsub_number(&square(&new)?, 1i64.into())?, slope(&output)?];
    // What the gradients of a cell and of a hidden state give to those of the gates, and the second to the first.
    let of_cell = [&new, &delayed(cell, cells)?, &input];
    let of_cell = of_cell.iter().zip(&slopes).map(|(x, slope)| mul_tensors(x, slope)).collect::<Result<Vec<_>>>()?;
    let of_cell = stack_tensors(&of_cell, 2)?;
    let of_hidden = views::unsqueeze(&mul_tensors(&shown, &slopes[3])?, 2)?;
    let through = mul_tensors(&output, &rsub_number(&square(&shown)?, 1i64.into())?)?;
    let (to_hiddens, to_cells) = (ctx.gradient_of(0)?, ctx.gradient_of(1)?);
    let to_gates = match ctx.gradient_of(2)? {
        Some(g) => Some(mul_tensors(&g, &cat_tensors(&slopes, 2)?)?),
        None => None,
    };
    let (mut of_state, mut of_memory): (Option<Tensor>, Option<Tensor>) = (None, None);
    let mut all = Vec::new();
    for time in (0..times).rev() {
        let g = match arriving(of_state, to_hiddens.as_ref(), time)? {
            Some(g) => g,
            None => Tensor::zeros(&hidden.sizes(), hidden.dtype())?,
        };
        let at = |all: &Tensor| views::select(all, 0, time);
        let shown = mul_tensors(&g, &at(&through)?)?;
        let memory = match arriving(of_memory, to_cells.as_ref(), time)? {
            Some(memory) => add_tensors(&memory, &shown)?,
            None => shown,
        };
        let three = mul_tensors(&views::unsqueeze(&memory, 1)?, &at(&of_cell)?)?;
        let fourth = mul_tensors(&views::unsqueeze(&g, 1)?, &at(&of_hidden)?)?;
        let sums = views::view(&cat_tensors(&[three, fourth], 1)?, &[batch, 4 * size])?;
        let sums = arriving(Some(sums.clone()), to_gates.as_ref(), time)?.unwrap_or(sums);
        of_memory = Some(mul_tensors(&memory, &at(&forget)?)?);
        of_state = Some(matmul(&sums, weight)?);
        all.push(sums);
    }
    all.reverse();
    let of_gates = stack_tensors(&all, 0)?;
    let flat = views::reshape(&of_gates, &[times * batch, 4 * size])?;
    let of_weight = match ctx.needs(3) {
        true => Some(matmul(&views::t(&flat)?, &views::reshape(&delayed(hidden, hiddens)?, &[times * batch, size])?)?),
        false => None,
    };
    let of_bias = if ctx.needs(4) { Some(sum(&flat, Some(&[0]), false, None)?) } else { None };
    Ok([Some(of_gates), of_state, of_memory, of_weight, of_bias].into_iter().collect())
}
