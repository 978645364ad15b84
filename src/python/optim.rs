//! The optimizers' steps for all parameters of a group in one call. What the lists hold is said in
//! `rgrad/optim/sgd.py` and `rgrad/optim/adam.py`.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::optim::{Adam, Sgd, adam_step as adam, sgd_step as sgd};
use crate::python::tensor::expect_tensor;
use crate::scalar::Scalar;
use crate::tensor::Tensor;

fn item(step: &str, list: &Bound<'_, PyList>, i: usize) -> PyResult<Tensor> {
    expect_tensor(step, "parameters, gradients or state", &list.get_item(i)?)
}

fn check_lengths(step: &str, parameters: &Bound<'_, PyList>, others: &[&Bound<'_, PyList>]) -> PyResult<()> {
    match others.iter().find(|list| list.len() != parameters.len()) {
        None => Ok(()),
        Some(list) => Err(PyRuntimeError::new_err(format!(
            "{step}(): {} parameters, but a list of {} beside them",
            parameters.len(),
            list.len()
        ))),
    }
}

#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn sgd_step(
    parameters: &Bound<'_, PyList>,
    gradients: &Bound<'_, PyList>,
    momentum_buffers: &Bound<'_, PyList>,
    lr: f64,
    momentum: f64,
    dampening: f64,
    weight_decay: f64,
    nesterov: bool,
    maximize: bool,
) -> PyResult<()> {
    let numbers = Sgd { lr, momentum, dampening, weight_decay, nesterov, maximize };
    check_lengths("sgd_step", parameters, &[gradients])?;
    if momentum != 0.0 {
        check_lengths("sgd_step", parameters, &[momentum_buffers])?;
    }
    for i in 0..parameters.len() {
        let (parameter, gradient) = (item("sgd_step", parameters, i)?, item("sgd_step", gradients, i)?);
        if momentum == 0.0 {
            sgd(&parameter, &gradient, None, false, numbers)?;
        } else if momentum_buffers.get_item(i)?.is_none() {
            let buffer = Tensor::empty(&parameter.sizes(), parameter.dtype())?;
            sgd(&parameter, &gradient, Some(&buffer), true, numbers)?;
            momentum_buffers.set_item(i, buffer)?;
        } else {
            sgd(&parameter, &gradient, Some(&item("sgd_step", momentum_buffers, i)?), false, numbers)?;
        }
    }
    Ok(())
}

#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn adam_step(
    parameters: &Bound<'_, PyList>,
    gradients: &Bound<'_, PyList>,
    exp_avgs: &Bound<'_, PyList>,
    exp_avg_sqs: &Bound<'_, PyList>,
    max_exp_avg_sqs: &Bound<'_, PyList>,
    steps: &Bound<'_, PyList>,
    lr: f64,
    beta1: f64,
    beta2: f64,
    eps: f64,
    weight_decay: f64,
    decoupled_weight_decay: bool,
    amsgrad: bool,
    maximize: bool,
) -> PyResult<()> {
    check_lengths("adam_step", parameters, &[gradients, exp_avgs, exp_avg_sqs, steps])?;
    if amsgrad {
        check_lengths("adam_step", parameters, &[max_exp_avg_sqs])?;
    }
    for i in 0..parameters.len() {
        let count = item("adam_step", steps, i)?;
        let step = count.item()?.to_f64() + 1.0;
        let numbers = Adam { lr, beta1, beta2, eps, weight_decay, decoupled_weight_decay, maximize, step };
        let largest = if amsgrad { Some(item("adam_step", max_exp_avg_sqs, i)?) } else { None };
        adam(
            &item("adam_step", parameters, i)?,
            &item("adam_step", gradients, i)?,
            &item("adam_step", exp_avgs, i)?,
            &item("adam_step", exp_avg_sqs, i)?,
            largest.as_ref(),
            numbers,
        )?;
        crate::kernels::fill::fill(&count.data(), Scalar::Float(step));
        count.data().version().bump();
    }
    Ok(())
}
