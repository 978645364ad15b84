//! The rules that operations have in common.

use smallvec::SmallVec;

use crate::autograd::batch::call::{Batched, expanded};
use crate::autograd::{primitives, record};
use crate::error::Result;
use crate::shape::wrap_dim;
use crate::tensor::Tensor;
use crate::value::{Outputs, Value};

type Values = SmallVec<[Value; 4]>;

fn int(number: i64) -> Value {
    Value::Scalar(number.into())
}

/// How many dimensions the examples have that the parameters of `batch` number: those of the first tensor.
fn rank(batch: &Batched) -> Option<usize> {
    let first = batch.values[0].tensors().next()?;
    Some(first.ndim() - usize::from(batch.has(0)))
}

/// The values of the parameters that bits name.
fn chosen(values: &mut Values, parameters: u64) -> impl Iterator<Item = &mut Value> {
    values.iter_mut().enumerate().filter(move |row| parameters & (1 << row.0) != 0).map(|row| row.1)
}

/// The values with the dimensions that some parameters number counted past the batch.
fn shifted(batch: &Batched, parameters: u64, ndim: usize) -> Result<Values> {
    let shift = |dim: i64| Ok::<i64, crate::Error>(wrap_dim(dim, ndim)? as i64 + 1);
    let mut values = batch.values.clone();
    for value in chosen(&mut values, parameters) {
        *value = match value {
            Value::Scalar(dim) => Value::Scalar(shift(dim.to_i64())?.into()),
            Value::Ints(dims) => Value::Ints(dims.iter().map(|&dim| shift(dim)).collect::<Result<_>>()?),
            ref other => (*other).clone(),
        };
    }
    Ok(values)
}

/// Dimensions of the first tensor, or places between them if `extra` is 1.
pub(super) fn dims(batch: &Batched, parameters: u64, extra: usize) -> Result<Outputs> {
    match rank(batch) {
        // Without dimensions, 0 and -1 are allowed where the batch has nothing to count.
        Some(ndim) if (ndim + extra > 0 || parameters == 0) && batch.has(0) && alike(batch) => {
            record::call(batch.op, &shifted(batch, parameters, ndim + extra)?)
        }
        _ => one_by_one(batch),
    }
}

/// Whether the tensors of a list have examples of one number of dimensions.
fn alike(batch: &Batched) -> bool {
    let mut ranks = batch.values[0].tensors().map(Tensor::ndim);
    let first = ranks.next();
    ranks.all(|ndim| Some(ndim) == first)
}

/// Dimensions to be reduced; none stands for all.
pub(super) fn over(batch: &Batched, parameters: u64) -> Result<Outputs> {
    let Some(ndim) = rank(batch).filter(|&ndim| ndim > 0) else { return one_by_one(batch) };
    let mut values = shifted(batch, parameters, ndim)?;
    for value in chosen(&mut values, parameters) {
        let nothing = match value {
            Value::None => true,
            Value::Ints(dims) => dims.is_empty(),
            _ => false,
        };
        if nothing {
            *value = Value::Ints((1..=ndim as i64).collect());
        }
    }
    record::call(batch.op, &values)
}

/// Dimensions that all tensors have, which thus need the batch dimension too.
pub(super) fn together(batch: &Batched, parameters: u64) -> Result<Outputs> {
    let mut values = batch.values.clone();
    let mut ranks: SmallVec<[usize; 4]> = SmallVec::new();
    for (i, value) in values.iter_mut().enumerate() {
        if let Value::Tensor(tensor) = value {
            if !batch.has(i) {
                *tensor = expanded(tensor, batch.size)?;
            }
            ranks.push(tensor.ndim());
        }
    }
    if ranks[0] == 1 || ranks.iter().any(|&ndim| ndim != ranks[0]) {
        return one_by_one(batch);
    }
    let all = batch.with(values);
    record::call(batch.op, &shifted(&all, parameters, ranks[0] - 1)?)
}

/// Each example apart: right for every operation.
pub(crate) fn one_by_one(batch: &Batched) -> Result<Outputs> {
    if batch.size == 0 {
        return of_nothing(batch);
    }
    let mut columns: SmallVec<[Vec<Option<Tensor>>; 1]> = SmallVec::new();
    for i in 0..batch.size {
        let outputs = record::call(
            batch.op,
            &example(batch, &|tensor| {
                primitives::call("select", &[Value::Tensor(tensor.clone()), int(0), int(i as i64)])
            })?,
        )?;
        columns.resize(outputs.len().max(columns.len()), Vec::new());
        for (column, output) in columns.iter_mut().zip(outputs) {
            column.push(Some(output));
        }
    }
    columns.into_iter().map(|column| primitives::call("stack", &[Value::Tensors(column), int(0)])).collect()
}

/// The arguments of one example.
fn example(batch: &Batched, pick: &dyn Fn(&Tensor) -> Result<Tensor>) -> Result<Values> {
    let mut values = batch.values.clone();
    for (_, value) in values.iter_mut().enumerate().filter(|row| batch.has(row.0)) {
        match value {
            Value::Tensor(tensor) => *tensor = pick(tensor)?,
            Value::Tensors(list) => {
                for tensor in list.iter_mut().flatten() {
                    *tensor = pick(tensor)?;
                }
            }
            _ => {}
        }
    }
    Ok(values)
}

/// The results for a batch of no examples: as large as those of an example of zeros.
fn of_nothing(batch: &Batched) -> Result<Outputs> {
    let values = example(batch, &|tensor| Tensor::zeros(&tensor.sizes()[1..], tensor.dtype()))?;
    let mut outputs = Outputs::new();
    for output in record::call(batch.op, &values)? {
        let mut sizes = output.sizes();
        sizes.insert(0, 0);
        outputs.push(Tensor::zeros(&sizes, output.dtype())?);
    }
    Ok(outputs)
}
