//! What a tensor says of its history: whether it asks for a gradient, the gradient, the node, its version.

use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyUserWarning};
use pyo3::prelude::*;

use crate::autograd::batch;
use crate::autograd::cuts::{self, Reason};
use crate::python::arguments;
use crate::python::node::wrap_node;
use crate::python::tensor::{PyTensor, tensor_of, this};
use crate::shape;
use crate::tensor::{Tensor, flag};

#[pymethods]
impl PyTensor {
    #[getter]
    fn requires_grad(slf: &Bound<'_, Self>) -> bool {
        this(slf).requires_grad()
    }

    #[setter]
    fn set_requires_grad(slf: &Bound<'_, Self>, requires_grad: &Bound<'_, PyAny>) -> PyResult<()> {
        let Ok(requires) = requires_grad.extract() else {
            let given = arguments::describe(requires_grad);
            return Err(PyRuntimeError::new_err(format!("requires_grad has to be a bool, got {given}")));
        };
        Ok(this(slf).set_requires_grad(requires)?)
    }

    /// Asks for the gradient of this leaf; gives the tensor back.
    #[pyo3(signature = (requires_grad = true))]
    fn requires_grad_<'py>(slf: &Bound<'py, Self>, requires_grad: bool) -> PyResult<Bound<'py, Self>> {
        batch::check_not_transforming("requires_grad_()")?;
        this(slf).set_requires_grad(requires_grad)?;
        Ok(slf.clone())
    }

    #[getter]
    fn is_leaf(slf: &Bound<'_, Self>) -> PyResult<bool> {
        // Fails for a view whose history cannot be followed.
        Ok(this(slf).grad_fn()?.is_none())
    }

    /// The accumulated gradient, or `None`.
    #[getter]
    fn grad(slf: &Bound<'_, Self>) -> PyResult<Option<Tensor>> {
        let tensor = this(slf);
        let grad = tensor.grad();
        if grad.is_none() && tensor.has_flag(flag::HAS_GRAD_FN) && !tensor.retains_grad() {
            let message = c"the grad of a tensor that is a result is not kept, so it is None here; call retain_grad() \
                on the tensor before backward(), or look at the leaf that was meant";
            PyErr::warn(slf.py(), &slf.py().get_type::<PyUserWarning>(), message, 1)?;
        }
        Ok(grad)
    }

    #[setter]
    fn set_grad(slf: &Bound<'_, Self>, grad: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let tensor = this(slf);
        let Some(grad) = grad.filter(|grad| !grad.is_none()) else {
            tensor.set_grad(None);
            return Ok(());
        };
        let Some(gradient) = tensor_of(grad) else {
            return Err(PyTypeError::new_err(format!(
                "grad has to be a Tensor or None, got {}",
                arguments::describe(grad)
            )));
        };
        if gradient.is_same(tensor) {
            return Err(PyRuntimeError::new_err("a tensor cannot be its own gradient"));
        }
        let (sizes, own) = (gradient.sizes(), tensor.sizes());
        if sizes != own || gradient.dtype() != tensor.dtype() {
            return Err(PyRuntimeError::new_err(format!(
                "grad has to have the tensor's size {} and dtype {}, got size {} and dtype {}",
                shape::show(&own),
                tensor.dtype(),
                shape::show(&sizes),
                gradient.dtype()
            )));
        }
        tensor.set_grad(Some(gradient.clone()));
        Ok(())
    }

    #[deleter]
    fn delete_grad(slf: &Bound<'_, Self>) {
        this(slf).set_grad(None);
    }

    /// The node that made this tensor, or `None` for a leaf.
    #[getter]
    fn grad_fn(slf: &Bound<'_, Self>) -> PyResult<Option<Py<PyAny>>> {
        this(slf).grad_fn()?.map(|node| wrap_node(slf.py(), node)).transpose()
    }

    #[getter]
    fn output_nr(slf: &Bound<'_, Self>) -> u32 {
        this(slf).0.output_nr.get()
    }

    fn retain_grad(slf: &Bound<'_, Self>) -> PyResult<()> {
        batch::check_not_transforming("retain_grad()")?;
        Ok(this(slf).retain_grad()?)
    }

    #[getter]
    fn retains_grad(slf: &Bound<'_, Self>) -> bool {
        this(slf).retains_grad()
    }

    /// The same memory without history.
    fn detach(slf: &Bound<'_, Self>) -> Tensor {
        cuts::note(Reason::Asked("detach()"), this(slf));
        this(slf).detach()
    }

    /// Forgets the history of this tensor itself.
    fn detach_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        let tensor = this(slf);
        if tensor.has_flag(flag::VIEW) {
            return Err(PyRuntimeError::new_err("detach_(): a view cannot be detached in place; use detach()"));
        }
        cuts::note(Reason::Asked("detach_()"), tensor);
        tensor.clear_history();
        Ok(slf.clone())
    }

    #[getter]
    fn _version(slf: &Bound<'_, Self>) -> PyResult<u32> {
        let tensor = this(slf);
        if tensor.has_flag(flag::INFERENCE) {
            return Err(PyRuntimeError::new_err("_version: changes of an inference tensor are not counted"));
        }
        Ok(tensor.version())
    }

    /// Whether this tensor was made in inference mode, and can take no part in a graph.
    fn is_inference(slf: &Bound<'_, Self>) -> bool {
        this(slf).has_flag(flag::INFERENCE)
    }

    #[getter]
    fn _base(slf: &Bound<'_, Self>) -> Option<Tensor> {
        this(slf).base()
    }

    fn _is_view(slf: &Bound<'_, Self>) -> bool {
        this(slf).has_flag(flag::VIEW)
    }

    /// Computes the gradients of this tensor and adds them to the `grad` of the leaves.
    #[pyo3(signature = (gradient = None, retain_graph = None, create_graph = false, inputs = None))]
    fn backward(
        slf: &Bound<'_, Self>,
        gradient: Option<&Bound<'_, PyAny>>,
        retain_graph: Option<bool>,
        create_graph: bool,
        inputs: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        crate::python::autograd::backward(slf.as_any(), gradient, retain_graph, create_graph, None, inputs)
    }
}
