//! What an operation is: its descriptor, and the registry of all of them.

use std::sync::LazyLock;

use smallvec::SmallVec;

use crate::dtype::{COUNT, DType};
use crate::error::Result;
use crate::kernels::map::Kernel;
use crate::value::{Kind, Outputs, Value};

pub use crate::autograd::batch::Batched;
pub use crate::autograd::node::{Backward, Gradients};

/// One operation (one overload of a Python function), stated whole by `op!` or `pointwise!`.
pub struct Op {
    /// The Python name, such as `sum`.
    pub name: &'static str,
    /// What tells overloads of one name apart; empty for the first.
    pub overload: &'static str,
    pub documentation: &'static str,
    pub parameters: &'static [Parameter],
    pub returns: Returns,
    /// The name of its node in a graph, such as `SumBackward1`.
    pub node: &'static str,
    /// The same operation for numbers in the place of all tensors but the first, if its node then has another name.
    pub with_numbers: Option<&'static Op>,
    pub forward: Forward,
    pub derivative: Derivative,
    pub batching: Batching,
    pub traits: Traits,
    /// File and line of the declaration: overloads are tried in this order.
    pub place: (&'static str, u32),
}

pub struct Parameter {
    pub name: &'static str,
    pub kind: Kind,
    pub optional: bool,
    pub keyword_only: bool,
    /// The default as written, and as a value.
    pub default: Option<Default>,
}

impl Parameter {
    /// How many edges of a node belong to the parameter, unless it is a list.
    pub fn edges(&self) -> usize {
        usize::from(matches!(self.kind, Kind::Tensor | Kind::Operand))
    }
}

/// A default as it is written, and what makes its value.
pub type Default = (&'static str, fn() -> Value);

/// What a call gives back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Returns {
    Tensor,
    /// A tuple with named fields.
    Named(&'static [&'static str]),
    /// As many tensors as the arguments say.
    List,
}

pub enum Forward {
    /// An elementwise loop.
    Pointwise(&'static Loops),
    /// A body of its own; gets the arguments without recording.
    Structured(fn(&[Value]) -> Result<Outputs>),
    /// Another operation in its place, which depends on the arguments.
    Chosen(fn(&[Value]) -> Result<Chosen>),
}

/// An operation and its arguments; made by [`chosen!`](crate::chosen).
pub struct Chosen {
    pub op: &'static Op,
    pub arguments: SmallVec<[Value; 4]>,
}

/// The loops of an elementwise operation, by the element type that they read.
pub struct Loops {
    pub kernels: KernelTable,
    /// How many arguments are operands; the others are factors, which do not take part in promotion.
    pub operands: usize,
    /// Refuses arguments that the kernels could compute with.
    pub check: Option<Check>,
    pub promotion: Promotion,
    pub output: Range,
}

/// Gets the name of the operation, its arguments and the element type that it is going to compute in.
pub type Check = fn(&str, &[Value], DType) -> Result<()>;

pub type KernelTable = [Option<Kernel>; COUNT];

/// Which element type an elementwise operation computes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Promotion {
    /// The common type of the operands.
    Common,
    /// The same, but the default float type for integers.
    Float,
}

/// Which element type an elementwise operation gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Range {
    Same,
    Bool,
    /// The type of the real part.
    Real,
}

/// How the operation is differentiated. There is no default: an operation without one of these does not compile.
pub enum Derivative {
    /// In so many words: no gradient flows through it.
    None,
    /// It has one, but nobody has written it: the result requires grad, and `backward()` fails.
    Missing,
    /// It is made of operations that have derivatives.
    Composite,
    Rules {
        rules: &'static [Rule],
        jvp: Jvp,
    },
}

/// How the operation runs for many examples at once; see [`autograd::batch`](crate::autograd::batch).
pub enum Batching {
    /// As is right for every operation: elementwise operations broadcast, compositions are batched in their parts, and
    /// others run for each example apart.
    Default,
    /// As an elementwise operation.
    Aligned,
    /// The parameters given as bits number dimensions of the first tensor, or of all tensors of a list.
    Dims(u64),
    /// They number places between those dimensions.
    Inserted(u64),
    /// They number dimensions to be reduced, where none stands for all.
    Over(u64),
    /// They number dimensions that all tensors have.
    Together(u64),
    /// In a way of its own.
    Rule(fn(&Batched) -> Result<Outputs>),
    /// Not at all: why.
    Refused(&'static str),
}

/// A vector-Jacobian product for some of the arguments.
pub struct Rule {
    /// The parameters that it gives gradients for, as bits.
    pub wanted: u64,
    /// What it reads, as bits: parameters from bit 0, results from bit [`OUTPUT`].
    pub uses: u64,
    pub apply: Apply,
}

/// The bit of the first result in [`Rule::uses`].
pub const OUTPUT: usize = 32;

pub enum Apply {
    /// An elementwise formula, in two forms of the same text.
    Pointwise {
        /// What the formula's variables are, in their order: a bit number, or [`GRADIENT`].
        variables: &'static [u8],
        /// The fused loop, for when nobody differentiates the result.
        kernels: KernelTable,
        /// The formula in differentiable operations.
        formula: fn(&[Value]) -> Result<Value>,
    },
    Structured(fn(&Backward) -> Result<Gradients>),
}

/// The incoming gradient as a variable of a pointwise formula.
pub const GRADIENT: u8 = u8::MAX;

/// How tangents are pushed forward.
#[derive(Clone, Copy)]
pub enum Jvp {
    /// The Jacobian is diagonal: the vjp formulas, applied to the tangents and summed.
    Pointwise,
    /// Linear in all its tensors together: the operation itself, applied to the tangents.
    Linear,
    /// Linear in each of its tensors: the sum of the operation with one tensor replaced by its tangent.
    Multilinear,
    /// By differentiating the vjp twice.
    ByVjp,
}

/// What else is true of an operation, as bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Traits(pub u16);

impl Traits {
    /// The result shares memory with the first argument.
    pub const VIEW: Traits = Traits(1);
    /// `name_` exists wherever `name` does: in `Tensor`, if nowhere else.
    pub const IN_PLACE: Traits = Traits(2);
    /// `rgrad.name` exists.
    pub const FUNCTION: Traits = Traits(4);
    /// `Tensor.name` exists.
    pub const METHOD: Traits = Traits(8);
    /// The name belongs to `rgrad.nn.functional`.
    pub const FUNCTIONAL: Traits = Traits(16);
    /// The list of tensors that it begins with may be written without brackets.
    pub const VARIADIC: Traits = Traits(32);
    /// The name belongs to `rgrad.special`.
    pub const SPECIAL: Traits = Traits(64);
    /// The body takes elements of every type as they are, above all because it merely moves them.
    pub const ANY_TYPE: Traits = Traits(128);
    /// The function does not take the keyword `out`, which others do that belong to `rgrad` or `rgrad.special`.
    pub const NO_OUT: Traits = Traits(256);
    /// The function takes the keyword `out`, though it belongs to `rgrad.nn.functional` alone.
    pub const OUT: Traits = Traits(512);

    pub const fn has(self, other: Traits) -> bool {
        self.0 & other.0 == other.0
    }

    pub const fn or(self, other: Traits) -> Traits {
        Traits(self.0 | other.0)
    }
}

/// A row of the registry; `op!` and `pointwise!` submit one each.
pub struct Registered(pub &'static Op);

inventory::collect!(Registered);

/// All operations, sorted by name, overloads in the order of their declaration.
pub fn registry() -> &'static [&'static Op] {
    static REGISTRY: LazyLock<Vec<&'static Op>> = LazyLock::new(|| {
        let mut all: Vec<&'static Op> = inventory::iter::<Registered>.into_iter().map(|row| row.0).collect();
        // What one macro declares stands in one place.
        all.sort_by_key(|op| (op.name, op.place, op.overload));
        all
    });
    &REGISTRY
}

/// The operation of that name and overload.
pub fn find(name: &str, overload: &str) -> Option<&'static Op> {
    registry().iter().copied().find(|op| op.name == name && op.overload == overload)
}

impl Op {
    /// `sum.dim` or `sum`: the name as messages about overloads show it.
    pub fn full_name(&self) -> String {
        if self.overload.is_empty() { self.name.into() } else { format!("{}.{}", self.name, self.overload) }
    }

    /// Whether a batch is computed one example after another.
    pub fn runs_one_by_one(&self) -> bool {
        matches!(self.batching, Batching::Default)
            && matches!(self.forward, Forward::Structured(_))
            && !matches!(self.derivative, Derivative::Composite)
    }

    /// The operation as whose node a call with these arguments is recorded.
    pub fn recorded_as(&'static self, arguments: &[Value]) -> &'static Op {
        let Some(with_numbers) = self.with_numbers else { return self };
        let mut others = self.parameters.iter().zip(arguments).skip(1);
        let tensors = others.any(|(p, value)| p.kind == Kind::Operand && matches!(value, Value::Tensor(_)));
        if tensors { self } else { with_numbers }
    }

    /// Whether the derivative reads an argument or result, by its bit number.
    pub fn reads(&self, variable: usize) -> bool {
        match &self.derivative {
            Derivative::Rules { rules, .. } => rules.iter().any(|rule| rule.uses & 1 << variable != 0),
            _ => false,
        }
    }

    /// The parameters and results that the derivative reads, and whether they are tensors.
    pub fn saved_names(&self) -> Vec<(&'static str, bool)> {
        let is_tensor = |kind| matches!(kind, Kind::Tensor | Kind::Tensors | Kind::Operand);
        let parameters = self.parameters.iter().enumerate().filter(|(place, _)| self.reads(*place));
        let results: &[&'static str] = match self.returns {
            Returns::Named(fields) => fields,
            Returns::Tensor => &["result"],
            Returns::List => &[],
        };
        parameters
            .map(|(_, parameter)| (parameter.name, is_tensor(parameter.kind)))
            .chain(results.iter().enumerate().filter(|(i, _)| self.reads(OUTPUT + i)).map(|(_, name)| (*name, true)))
            .collect()
    }

    /// Whether some argument can get a gradient.
    pub fn is_differentiable(&self) -> bool {
        !matches!(self.derivative, Derivative::None | Derivative::Missing)
    }
}

/// The index of `name` in `names`; evaluated at compile time by the macros, where it fails to compile if absent.
pub const fn position(names: &[&str], name: &str) -> usize {
    let mut i = 0;
    while i < names.len() {
        if equal(names[i], name) {
            return i;
        }
        i += 1;
    }
    panic!("a derivative names something that is neither a parameter nor a result of the operation")
}

/// Whether `name` is among `names`.
pub const fn contains(names: &[&str], name: &str) -> bool {
    let mut i = 0;
    while i < names.len() {
        if equal(names[i], name) {
            return true;
        }
        i += 1;
    }
    false
}

/// The number that stands for `name` in [`Rule::uses`] or the variables of a formula.
pub const fn variable(parameters: &[&str], results: &[&str], name: &str) -> u8 {
    if equal(name, "g") {
        GRADIENT
    } else if contains(results, name) {
        (OUTPUT + position(results, name)) as u8
    } else {
        position(parameters, name) as u8
    }
}

/// Bits for a list of variables; the gradient has none.
pub const fn bits(variables: &[u8]) -> u64 {
    let mut all = 0;
    let mut i = 0;
    while i < variables.len() {
        if variables[i] != GRADIENT {
            all |= 1 << variables[i];
        }
        i += 1;
    }
    all
}

const fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// The kernel for an element type, and the type that it computes in.
#[inline]
pub fn kernel(table: &KernelTable, dtype: DType) -> Option<(Kernel, DType)> {
    let wide = dtype.wide();
    table[wide as usize].map(|kernel| (kernel, wide))
}
