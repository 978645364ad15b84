//! Recurrent layers: single steps, and whole sequences of one or more layers in one or both directions.
//!
//! A layer has the parameters `w_ih` and `w_hh` and, with biases, `b_ih` and `b_hh`; those of the layers (of both
//! directions of a layer) follow each other in a list.

use crate::autograd::record;
use crate::error::Result;
use crate::ops::arithmetic::{add_tensors, mul_tensors, sub};
use crate::ops::dropout::dropout;
use crate::ops::joining::{cat_tensors, stack_tensors};
use crate::ops::lstm::lstm_states;
use crate::ops::matrix::linear;
use crate::ops::rearrangement::flip;
use crate::ops::unary::{relu, sigmoid, tanh};
use crate::ops::views;
use crate::shape;
use crate::tensor::Tensor;
use crate::value::Tensors;
use crate::{bail, op};

/// What kind of step a layer takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell {
    Tanh,
    Relu,
    Lstm,
    Gru,
}

impl Cell {
    /// How many gates there are, of the size of the state each.
    fn gates(self) -> usize {
        match self {
            Cell::Tanh | Cell::Relu => 1,
            Cell::Gru => 3,
            Cell::Lstm => 4,
        }
    }

    /// The next state from the gates due to the input and the state before: for an LSTM with its cell.
    fn step(self, gates: &Tensor, state: &State, w: &Weights) -> Result<State> {
        let inner = linear(&state.hidden, w.hidden, w.hidden_bias)?;
        Ok(match self {
            Cell::Tanh => State { hidden: tanh(&add_tensors(gates, &inner)?)?, cell: None },
            Cell::Relu => State { hidden: relu(&add_tensors(gates, &inner)?)?, cell: None },
            Cell::Lstm => {
                let Some(cell) = &state.cell else { bail!(Runtime, "lstm: the state lacks its cell") };
                let gates = views::chunk(&add_tensors(gates, &inner)?, 4, 1)?;
                let (input, forget, output) = (sigmoid(&gates[0])?, sigmoid(&gates[1])?, sigmoid(&gates[3])?);
                let cell = add_tensors(&mul_tensors(&forget, cell)?, &mul_tensors(&input, &tanh(&gates[2])?)?)?;
                let hidden = mul_tensors(&output, &tanh(&cell)?)?;
                let hidden = match w.projection {
                    Some(projection) => linear(&hidden, projection, None)?,
                    None => hidden,
                };
                State { hidden, cell: Some(cell) }
            }
            Cell::Gru => {
                let (outer, inner) = (views::chunk(gates, 3, 1)?, views::chunk(&inner, 3, 1)?);
                let reset = sigmoid(&add_tensors(&outer[0], &inner[0])?)?;
                let update = sigmoid(&add_tensors(&outer[1], &inner[1])?)?;
                let new = tanh(&add_tensors(&outer[2], &mul_tensors(&reset, &inner[2])?)?)?;
                let change = sub((&state.hidden).into(), (&new).into())?;
                State { hidden: add_tensors(&mul_tensors(&change, &update)?, &new)?, cell: None }
            }
        })
    }
}

/// What goes from one step to the next, `(batch, size)` each.
#[derive(Clone)]
struct State {
    hidden: Tensor,
    cell: Option<Tensor>,
}

/// The parameters of one layer in one direction.
struct Weights<'a> {
    input: &'a Tensor,
    hidden: &'a Tensor,
    input_bias: Option<&'a Tensor>,
    hidden_bias: Option<&'a Tensor>,
    /// What an LSTM's state is made smaller by.
    projection: Option<&'a Tensor>,
}

fn check_cell(name: &str, cell: Cell, input: &Tensor, state: &State, w: &Weights) -> Result<()> {
    let (x, h) = (input.sizes(), state.hidden.sizes());
    let size = w.hidden.sizes().last().copied().unwrap_or(0);
    // A projected state is smaller than the cell.
    let inner = w.projection.map_or(size, |projection| projection.sizes().last().copied().unwrap_or(0));
    let rows = inner * cell.gates();
    let fits = x.len() == 2
        && h.len() == 2
        && x[0] == h[0]
        && h[1] == size
        && w.input.sizes()[..] == [rows, x[1]]
        && w.hidden.sizes()[..] == [rows, size]
        && w.projection.is_none_or(|projection| projection.sizes()[..] == [size, inner])
        && state.cell.as_ref().is_none_or(|cell| cell.sizes()[..] == [h[0], inner]);
    if !fits {
        bail!(
            Runtime,
            "{name}: an input (batch, n), a state (batch, m) and weights ({g} * m, n) and ({g} * m, m) are expected, got {}, {}, \
             {} and {}",
            shape::show(&x),
            shape::show(&h),
            shape::show(&w.input.sizes()),
            shape::show(&w.hidden.sizes()),
            g = cell.gates()
        );
    }
    Ok(())
}

fn one_step(name: &str, cell: Cell, input: &Tensor, state: &State, w: &Weights) -> Result<State> {
    check_cell(name, cell, input, state, w)?;
    cell.step(&linear(input, w.input, w.input_bias)?, state, w)
}

fn given<'a>(name: &str, list: &'a [Option<Tensor>]) -> Result<Vec<&'a Tensor>> {
    match list.iter().map(Option::as_ref).collect() {
        Some(tensors) => Ok(tensors),
        None => bail!(Type, "{name}: a tensor is None in a list of tensors"),
    }
}

op! {
    /// One step of a long short-term memory: the next hidden state and cell from `hx`, the two before.
    ///
    /// S. Hochreiter and J. Schmidhuber, "Long short-term memory", 1997. The gates in the weights are, in this order, input,
    /// forget, cell and output. Raises `RuntimeError` where sizes do not fit.
    fn lstm_cell(
        input: Tensor, hx: Tensors, w_ih: Tensor, w_hh: Tensor, b_ih: Option<Tensor> = None, b_hh: Option<Tensor> = None
    ) -> (hy, cy), FUNCTION NO_OUT;
    value {
        let [hidden, cell] = given("lstm_cell", hx)?[..] else {
            bail!(Runtime, "lstm_cell: hx has to be the hidden state and the cell, got {} tensors", hx.len());
        };
        let state = State { hidden: hidden.clone(), cell: Some(cell.clone()) };
        let w = Weights { input: w_ih, hidden: w_hh, input_bias: b_ih, hidden_bias: b_hh, projection: None };
        let State { hidden, cell } = one_step("lstm_cell", Cell::Lstm, input, &state, &w)?;
        Ok([hidden.clone(), cell.unwrap_or(hidden)])
    }
    derivative composite;
}

macro_rules! cells {
    ($($name:ident $cell:ident $doc:literal;)+) => {$(
        op! {
            #[doc = $doc]
            fn $name(
                input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Option<Tensor> = None, b_hh: Option<Tensor> = None
            ) -> Tensor, FUNCTION NO_OUT;
            value {
                let state = State { hidden: hx.clone(), cell: None };
                let w = Weights { input: w_ih, hidden: w_hh, input_bias: b_ih, hidden_bias: b_hh, projection: None };
                one_step(stringify!($name), Cell::$cell, input, &state, &w).map(|state| state.hidden)
            }
            derivative composite;
        }
    )+};
}

cells! {
    gru_cell Gru " One step of a gated recurrent unit (K. Cho et al., 2014): the next state from `hx`, the one before. The \
        gates in the weights are, in this order, reset, update and new.";
    rnn_tanh_cell Tanh " `tanh` of the sum of what input and state give: the next state from `hx`, the one before.";
    rnn_relu_cell Relu " `relu` of the sum of what input and state give: the next state from `hx`, the one before.";
}

/// What all functions of sequences have in common.
struct Network<'a> {
    name: &'a str,
    cell: Cell,
    params: Vec<&'a Tensor>,
    has_biases: bool,
    /// Whether the state of an LSTM is projected, by one more parameter after the others.
    projected: bool,
    layers: usize,
    dropout: f64,
    train: bool,
    bidirectional: bool,
}

impl<'a> Network<'a> {
    fn directions(&self) -> usize {
        1 + usize::from(self.bidirectional)
    }

    fn weights(&self, i: usize) -> Result<Weights<'a>> {
        let unprojected = if self.has_biases { 4 } else { 2 };
        let each = unprojected + usize::from(self.projected);
        let Some([input, hidden, others @ ..]) = self.params.get(i * each..(i + 1) * each) else {
            bail!(
                Runtime,
                "{}: {} layers in {} directions need {each} parameters each, got {}",
                self.name,
                self.layers,
                self.directions(),
                self.params.len()
            );
        };
        let (biases, projection) = others.split_at(unprojected - 2);
        Ok(Weights {
            input,
            hidden,
            input_bias: biases.first().copied(),
            hidden_bias: biases.get(1).copied(),
            projection: projection.first().copied(),
        })
    }

    /// Runs all layers over `(time, batch, n)`, from states `(layers * directions, batch, m)`: the outputs of the last layer
    /// and the last states. `counts` are the examples at each time where they become fewer.
    fn run(
        &self,
        input: &Tensor,
        hidden: &Tensor,
        cell: Option<&Tensor>,
        counts: Option<&[usize]>,
    ) -> Result<[Tensor; 3]> {
        let many = self.layers * self.directions();
        let fits = |state: &Tensor| state.ndim() == 3 && state.sizes()[0] == many;
        if input.ndim() != 3 || !fits(hidden) || !cell.is_none_or(fits) {
            bail!(
                Runtime,
                "{}: an input of three dimensions and states of size ({many}, batch, size) are expected, got {} and {}",
                self.name,
                shape::show(&input.sizes()),
                shape::show(&hidden.sizes())
            );
        }
        let mut steps = match counts {
            None => views::unbind(input, 0)?,
            Some(counts) => {
                let times = views::unbind(input, 0)?;
                times.iter().zip(counts).map(|(x, &n)| views::narrow(x, 0, 0, n as i64)).collect::<Result<_>>()?
            }
        };
        let (hiddens, cells) = (views::unbind(hidden, 0)?, cell.map(|cell| views::unbind(cell, 0)).transpose()?);
        let (mut last_hidden, mut last_cell) = (Vec::new(), Vec::new());
        for layer in 0..self.layers {
            let mut sides = Vec::new();
            for direction in 0..self.directions() {
                let i = layer * self.directions() + direction;
                let state = State { hidden: hiddens[i].clone(), cell: cells.as_ref().map(|cells| cells[i].clone()) };
                let (outputs, last) = self.direction(&steps, state, &self.weights(i)?, direction == 1)?;
                sides.push(outputs);
                last_hidden.push(last.hidden.clone());
                last_cell.push(last.cell.unwrap_or(last.hidden));
            }
            steps = match sides.pop() {
                Some(back) if self.bidirectional => {
                    let both = sides[0].iter().zip(&back);
                    both.map(|(a, b)| cat_tensors(&[a.clone(), b.clone()], -1)).collect::<Result<_>>()?
                }
                only => only.unwrap_or_default(),
            };
            if layer + 1 < self.layers && self.dropout > 0.0 && self.train {
                steps = steps.iter().map(|x| dropout(x, self.dropout, true, false)).collect::<Result<_>>()?;
            }
        }
        let output = if counts.is_some() { cat_tensors(&steps, 0)? } else { stack_tensors(&steps, 0)? };
        Ok([output, stack_tensors(&last_hidden, 0)?, stack_tensors(&last_cell, 0)?])
    }

    /// One layer in one direction: its outputs in the order of time, and its last state.
    fn direction(&self, steps: &[Tensor], first: State, w: &Weights, backwards: bool) -> Result<(Vec<Tensor>, State)> {
        let count = |x: &Tensor| x.sizes()[0];
        if let Some(x) = steps.first() {
            let full = State { hidden: narrowed(&first.hidden, count(x))?, cell: first.cell.clone() };
            check_cell(self.name, self.cell, x, &full, w)?;
        }
        // All inputs at once.
        let gates = linear(&cat_tensors(steps, 0)?, w.input, w.input_bias)?;
        if let Some(result) = self.at_once(steps, &gates, &first, w, backwards)? {
            return Ok(result);
        }
        let lengths: Vec<i64> = steps.iter().map(|x| count(x) as i64).collect();
        let gates = views::split_with_sizes(&gates, &lengths, 0)?;
        let mut outputs = Vec::with_capacity(steps.len());
        let mut state = first.clone();
        // States of examples that have ended, the longest of which comes last.
        let mut ended: Vec<State> = Vec::new();
        let times: Vec<usize> = if backwards { (0..steps.len()).rev().collect() } else { (0..steps.len()).collect() };
        for (at, &time) in times.iter().enumerate() {
            let (now, held) = (lengths[time] as usize, count(&state.hidden));
            if backwards {
                // Examples begin one after another, from their own first states.
                if at == 0 {
                    state = part(&first, 0, now)?;
                } else if now > held {
                    state = joined(&[state, part(&first, held, now)?])?;
                }
            } else if now < held {
                ended.push(part(&state, now, held)?);
                state = part(&state, 0, now)?;
            }
            state = self.cell.step(&gates[time], &state, w)?;
            outputs.push(state.hidden.clone());
        }
        if backwards {
            outputs.reverse();
        }
        if !ended.is_empty() {
            ended.push(state);
            ended.reverse();
            state = joined(&ended)?;
        }
        Ok((outputs, state))
    }
}

impl Network<'_> {
    /// [`direction`](Self::direction) in one node, for an LSTM whose sequences are equally long.
    fn at_once(
        &self,
        steps: &[Tensor],
        gates: &Tensor,
        first: &State,
        w: &Weights,
        backwards: bool,
    ) -> Result<Option<(Vec<Tensor>, State)>> {
        let (State { hidden, cell: Some(cell) }, None) = (first, w.projection) else { return Ok(None) };
        let dtype = gates.dtype();
        let tensors = || [gates, hidden, cell, w.hidden].into_iter().chain(w.hidden_bias);
        let batch = hidden.sizes()[0];
        if steps.is_empty()
            || steps.iter().any(|x| x.sizes()[0] != batch)
            || dtype.is_narrow()
            || tensors().any(|tensor| tensor.dtype() != dtype)
            || record::is_carried(tensors)
        {
            return Ok(None);
        }
        let gates = views::view(gates, &[steps.len() as i64, batch as i64, -1])?;
        // In the order in which they are gone through.
        let gates = if backwards { flip(&gates, &[0])? } else { gates };
        let [hiddens, cells, _] = lstm_states(&gates, hidden, cell, w.hidden, w.hidden_bias)?;
        let state = State { hidden: views::select(&hiddens, 0, -1)?, cell: Some(views::select(&cells, 0, -1)?) };
        let mut outputs = views::unbind(&hiddens, 0)?;
        if backwards {
            outputs.reverse();
        }
        Ok(Some((outputs, state)))
    }
}

fn narrowed(tensor: &Tensor, count: usize) -> Result<Tensor> {
    if tensor.sizes().first() == Some(&count) { Ok(tensor.clone()) } else { views::narrow(tensor, 0, 0, count as i64) }
}

/// The states of the examples from `start` to `end`.
fn part(state: &State, start: usize, end: usize) -> Result<State> {
    let narrow = |tensor: &Tensor| match tensor.sizes().first() {
        Some(&count) if count == end - start => Ok(tensor.clone()),
        _ => views::narrow(tensor, 0, start as i64, (end - start) as i64),
    };
    Ok(State { hidden: narrow(&state.hidden)?, cell: state.cell.as_ref().map(narrow).transpose()? })
}

fn joined(states: &[State]) -> Result<State> {
    let hidden: Vec<Tensor> = states.iter().map(|state| state.hidden.clone()).collect();
    let cell: Vec<Tensor> = states.iter().filter_map(|state| state.cell.clone()).collect();
    let cell = if cell.is_empty() { None } else { Some(cat_tensors(&cell, 0)?) };
    Ok(State { hidden: cat_tensors(&hidden, 0)?, cell })
}

/// Runs a network over a batch of sequences of one length, with the batch or the time first.
fn over_time(
    network: &Network,
    input: &Tensor,
    hidden: &Tensor,
    cell: Option<&Tensor>,
    batch_first: bool,
) -> Result<[Tensor; 3]> {
    let turned = if batch_first { views::transpose(input, 0, 1)? } else { input.clone() };
    let [output, hidden, cell] = network.run(&turned, hidden, cell, None)?;
    Ok([if batch_first { views::transpose(&output, 0, 1)? } else { output }, hidden, cell])
}

/// Runs a network over packed sequences: at each time, as many rows of `data` as there are sequences that long.
fn over_packed(
    network: &Network,
    data: &Tensor,
    sizes: &Tensor,
    hidden: &Tensor,
    cell: Option<&Tensor>,
) -> Result<[Tensor; 3]> {
    let counts: Vec<usize> = sizes.to_vec::<i64>()?.iter().map(|&n| n.max(0) as usize).collect();
    if data.ndim() != 2
        || counts.iter().sum::<usize>() != data.sizes()[0]
        || counts.windows(2).any(|pair| pair[0] < pair[1])
    {
        bail!(
            Runtime,
            "{}: packed rows of all sequences, the longest first, are expected, got {} rows for {}",
            network.name,
            data.sizes().first().unwrap_or(&0),
            shape::show(&counts)
        );
    }
    let most = counts.first().copied().unwrap_or(0);
    // Each time is filled up to the first one's number of rows, and cut again.
    let lengths: Vec<i64> = counts.iter().map(|&n| n as i64).collect();
    let times: Result<Vec<Tensor>> = views::split_with_sizes(data, &lengths, 0)?
        .iter()
        .map(|rows| {
            crate::ops::padding::constant_pad_nd(rows, &[0, 0, 0, (most - rows.sizes()[0]) as i64], 0i64.into())
        })
        .collect();
    network.run(&stack_tensors(&times?, 0)?, hidden, cell, Some(&counts))
}

op! {
    /// A long short-term memory over a sequence `(time, batch, n)`, or `(batch, time, n)` with `batch_first`, from the states
    /// `hx`, `(layers * directions, batch, m)` each: the outputs of the last layer, and the last states.
    fn lstm(
        input: Tensor, hx: Tensors, params: Tensors, has_biases: bool, num_layers: i64, dropout: f64, train: bool,
        bidirectional: bool, batch_first: bool
    ) -> (output, hy, cy), FUNCTION NO_OUT;
    value {
        let [hidden, cell] = given("lstm", hx)?[..] else {
            bail!(Runtime, "lstm: hx has to be the hidden states and the cells, got {} tensors", hx.len());
        };
        let params = given("lstm", params)?;
        let layers = num_layers.max(0) as usize;
        let projected = hidden.sizes().last() != cell.sizes().last();
        let network =
            Network { name: "lstm", cell: Cell::Lstm, params, has_biases, projected, layers, dropout, train, bidirectional };
        over_time(&network, input, hidden, Some(cell), batch_first)
    }
    derivative composite;
}

op! {
    /// A long short-term memory over packed sequences.
    fn lstm_packed as "lstm" / "data" (
        data: Tensor, batch_sizes: Tensor, hx: Tensors, params: Tensors, has_biases: bool, num_layers: i64, dropout: f64,
        train: bool, bidirectional: bool
    ) -> (output, hy, cy), FUNCTION NO_OUT;
    value {
        let [hidden, cell] = given("lstm", hx)?[..] else {
            bail!(Runtime, "lstm: hx has to be the hidden states and the cells, got {} tensors", hx.len());
        };
        let params = given("lstm", params)?;
        let layers = num_layers.max(0) as usize;
        let projected = hidden.sizes().last() != cell.sizes().last();
        let network =
            Network { name: "lstm", cell: Cell::Lstm, params, has_biases, projected, layers, dropout, train, bidirectional };
        over_packed(&network, data, batch_sizes, hidden, Some(cell))
    }
    derivative composite;
}

macro_rules! sequences {
    ($($name:ident $python:literal $packed:ident $cell:ident $doc:literal;)+) => {$(
        op! {
            #[doc = $doc]
            ///
            /// The sequence is `(time, batch, n)`, or `(batch, time, n)` with `batch_first`; the states `hx` are
            /// `(layers * directions, batch, m)`. Gives the outputs of the last layer, and the last states.
            fn $name(
                input: Tensor, hx: Tensor, params: Tensors, has_biases: bool, num_layers: i64, dropout: f64, train: bool,
                bidirectional: bool, batch_first: bool
            ) -> (output, hy), FUNCTION NO_OUT;
            value {
                let params = given($python, params)?;
                let layers = num_layers.max(0) as usize;
                let cell = Cell::$cell;
                let network = Network { name: $python, cell, params, has_biases, projected: false, layers, dropout, train, bidirectional };
                over_time(&network, input, hx, None, batch_first).map(|[output, hidden, _]| [output, hidden])
            }
            derivative composite;
        }

        op! {
            /// The same over packed sequences.
            fn $packed as $python / "data" (
                data: Tensor, batch_sizes: Tensor, hx: Tensor, params: Tensors, has_biases: bool, num_layers: i64, dropout: f64,
                train: bool, bidirectional: bool
            ) -> (output, hy), FUNCTION NO_OUT;
            value {
                let params = given($python, params)?;
                let layers = num_layers.max(0) as usize;
                let cell = Cell::$cell;
                let network = Network { name: $python, cell, params, has_biases, projected: false, layers, dropout, train, bidirectional };
                over_packed(&network, data, batch_sizes, hx, None).map(|[output, hidden, _]| [output, hidden])
            }
            derivative composite;
        }
    )+};
}

sequences! {
    gru "gru" gru_packed Gru " A gated recurrent unit over a sequence.";
    rnn_tanh "rnn_tanh" rnn_tanh_packed Tanh " A recurrent layer with `tanh` over a sequence.";
    rnn_relu "rnn_relu" rnn_relu_packed Relu " A recurrent layer with `relu` over a sequence.";
}
