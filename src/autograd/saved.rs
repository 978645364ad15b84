//! What a node keeps for its backward pass.

use std::rc::Weak;

use smallvec::SmallVec;

use crate::autograd::node::{Node, NodeCell};
use crate::bail;
use crate::error::Result;
use crate::op::OUTPUT;
use crate::tensor::Tensor;
use crate::value::Value;

/// The saved arguments and results of an operation, and whether they are still there.
#[derive(Default)]
pub struct Saved {
    values: SmallVec<[(u8, SavedValue); 2]>,
    /// Lengths of list arguments, by parameter: they decide how many edges the parameter has.
    lists: SmallVec<[(u8, u32); 0]>,
    released: bool,
}

enum SavedValue {
    Tensor(SavedTensor),
    Plain(Value),
}

/// A tensor and the change counter at which its values were right.
pub struct SavedTensor {
    tensor: Tensor,
    version: u32,
    /// For a result of the node itself: its output number. It is kept without its `grad_fn`, which would be a
    /// cycle, and gets it back when it is unpacked.
    output_nr: Option<u32>,
    /// The node that an in-place result of a view belongs to instead.
    owner: Option<Weak<NodeCell>>,
}

impl SavedTensor {
    pub fn input(tensor: &Tensor) -> SavedTensor {
        SavedTensor { tensor: tensor.clone(), version: tensor.version(), output_nr: None, owner: None }
    }

    pub fn output(tensor: &Tensor, output_nr: u32) -> SavedTensor {
        let tensor = tensor.detach();
        SavedTensor { version: tensor.version(), tensor, output_nr: Some(output_nr), owner: None }
    }

    /// The tensor as the formulas need it.
    fn unpack(&self, node: &Node) -> Result<Tensor> {
        let (now, then) = (self.tensor.version(), self.version);
        if now != then {
            let data = self.tensor.data();
            bail!(
                Runtime,
                "{}: a tensor that it saved for the backward pass, {} of size {}, was modified by an inplace \
                 operation{}: it is at version {now}, and version {then} was saved. Change a copy (clone()) instead, \
                 or make the change after backward()",
                node.describe(),
                data.dtype,
                crate::shape::show(&data.sizes),
                data.version().describe_writer()
            );
        }
        let Some(output_nr) = self.output_nr else {
            return Ok(self.tensor.clone());
        };
        let owner = self.owner.as_ref().and_then(Weak::upgrade).map_or_else(|| node.clone(), Node);
        let result = self.tensor.detach();
        if result.dtype().is_differentiable() {
            result.set_history(owner, output_nr);
        }
        Ok(result)
    }
}

impl Saved {
    pub fn keep(&mut self, variable: u8, value: &Value) {
        let saved = match value {
            Value::Tensor(tensor) => SavedValue::Tensor(SavedTensor::input(tensor)),
            other => SavedValue::Plain(other.clone()),
        };
        self.values.push((variable, saved));
    }

    pub fn keep_output(&mut self, output_nr: usize, tensor: &Tensor) {
        let saved = SavedTensor::output(tensor, output_nr as u32);
        self.values.push(((OUTPUT + output_nr) as u8, SavedValue::Tensor(saved)));
    }

    /// Says which node the saved results of an in-place change of a view belong to.
    pub fn set_owner_of_outputs(&mut self, owner: &Node) {
        for (_, value) in &mut self.values {
            if let SavedValue::Tensor(saved) = value
                && saved.output_nr.is_some()
            {
                saved.owner = Some(std::rc::Rc::downgrade(&owner.0));
            }
        }
    }

    pub fn note_list(&mut self, parameter: usize, length: usize) {
        self.lists.push((parameter as u8, length as u32));
    }

    pub fn list_length(&self, parameter: usize) -> Option<usize> {
        self.lists.iter().find(|row| row.0 as usize == parameter).map(|row| row.1 as usize)
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Bytes of the saved tensors.
    pub fn bytes(&self) -> usize {
        self.values
            .iter()
            .map(|(_, value)| match value {
                SavedValue::Tensor(saved) => saved.tensor.numel() * saved.tensor.dtype().size(),
                SavedValue::Plain(_) => 0,
            })
            .sum()
    }

    /// Takes all values out, so that they can be dropped while nothing is borrowed.
    pub fn take(&mut self) -> Saved {
        if self.values.is_empty() {
            return Saved::default();
        }
        self.released = true;
        Saved { values: std::mem::take(&mut self.values), lists: SmallVec::new(), released: true }
    }
}

impl Node {
    /// A saved argument or result, by its bit number.
    ///
    /// # Errors
    /// `RuntimeError` if it was released by an earlier backward pass, or changed since.
    pub fn saved_value(&self, variable: u8) -> Result<Value> {
        let state = self.0.state.borrow();
        if state.saved.released {
            bail!(
                Runtime,
                "Trying to backward through the graph a second time: the saved tensors of {} were freed by the \
                 backward pass before. Pass retain_graph=True to the earlier backward() or grad() if the graph is \
                 needed again",
                self.describe()
            );
        }
        match state.saved.values.iter().find(|row| row.0 == variable) {
            Some((_, SavedValue::Tensor(saved))) => Ok(Value::Tensor(saved.unpack(self)?)),
            Some((_, SavedValue::Plain(value))) => Ok(value.clone()),
            None => bail!(Runtime, "{} did not save its variable {variable}", self.describe()),
        }
    }

    /// The saved values with their bit numbers, those of an earlier backward pass gone.
    pub fn saved_variables(&self) -> SmallVec<[u8; 4]> {
        self.0.state.borrow().saved.values.iter().map(|row| row.0).collect()
    }
}
