//! The arguments of an operation in one common form, and their typed faces.
//!
//! Every operation is called with a list of [`Value`]s, whoever calls it: Rust, Python, the engine or a test.
//! The typed functions that [`op!`](crate::op) makes pack and unpack them by way of [`Argument`].

use smallvec::SmallVec;

use crate::dtype::DType;
use crate::memory_format::MemoryFormat;
use crate::scalar::Scalar;
use crate::shape::Ints;
use crate::tensor::Tensor;

/// One argument of an operation.
#[derive(Clone, Default)]
pub enum Value {
    #[default]
    None,
    Tensor(Tensor),
    Tensors(Vec<Option<Tensor>>),
    Scalar(Scalar),
    Ints(Ints),
    Floats(Vec<f64>),
    DType(DType),
    MemoryFormat(MemoryFormat),
    Text(Box<str>),
}

/// The results of an operation; most have one.
pub type Outputs = SmallVec<[Tensor; 1]>;

/// What kind of value a parameter takes: how a binding parses it and how a stub writes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Tensor,
    /// A tensor or a number.
    Operand,
    Tensors,
    /// Tensors, some of which may be `None`.
    OptionalTensors,
    Bool,
    Int,
    Float,
    Scalar,
    Ints,
    IntList,
    Floats,
    DType,
    MemoryFormat,
    Text,
}

/// A type that a parameter of an operation may have.
pub trait Argument {
    /// How the operation's body sees it.
    type Face<'a>;
    const KIND: Kind;
    const OPTIONAL: bool = false;
    fn pack(face: Self::Face<'_>) -> Value;
    /// The face of a value that has the right kind; the callers' parsers see to that.
    fn face(value: &Value) -> Self::Face<'_>;
}

/// A value of another kind than its parameter: a defect of a binding, not of the user's program.
#[cold]
fn mismatch(expected: Kind) -> ! {
    unreachable!("an argument that should be {expected:?} is of another kind")
}

impl Argument for Tensor {
    type Face<'a> = &'a Tensor;
    const KIND: Kind = Kind::Tensor;
    fn pack(face: &Tensor) -> Value {
        Value::Tensor(face.clone())
    }
    fn face(value: &Value) -> &Tensor {
        match value {
            Value::Tensor(tensor) => tensor,
            _ => mismatch(Self::KIND),
        }
    }
}

/// A tensor or a number: an operand of an elementwise operation.
#[derive(Clone, Copy)]
pub enum Operand<'a> {
    Tensor(&'a Tensor),
    Scalar(Scalar),
}

impl<'a> From<&'a Tensor> for Operand<'a> {
    fn from(tensor: &'a Tensor) -> Self {
        Operand::Tensor(tensor)
    }
}

impl From<&Tensor> for Value {
    fn from(tensor: &Tensor) -> Self {
        Value::Tensor(tensor.clone())
    }
}

impl From<Scalar> for Value {
    fn from(number: Scalar) -> Self {
        Value::Scalar(number)
    }
}

impl From<Operand<'_>> for Value {
    fn from(operand: Operand<'_>) -> Self {
        Operand::pack(operand)
    }
}

impl<T: Into<Scalar>> From<T> for Operand<'_> {
    fn from(number: T) -> Self {
        Operand::Scalar(number.into())
    }
}

impl Argument for Operand<'static> {
    type Face<'a> = Operand<'a>;
    const KIND: Kind = Kind::Operand;
    fn pack(face: Operand<'_>) -> Value {
        match face {
            Operand::Tensor(tensor) => Value::Tensor(tensor.clone()),
            Operand::Scalar(scalar) => Value::Scalar(scalar),
        }
    }
    fn face(value: &Value) -> Operand<'_> {
        match value {
            Value::Tensor(tensor) => Operand::Tensor(tensor),
            Value::Scalar(scalar) => Operand::Scalar(*scalar),
            _ => mismatch(Self::KIND),
        }
    }
}

/// A list of tensors.
pub struct Tensors;

impl Argument for Tensors {
    type Face<'a> = &'a [Option<Tensor>];
    const KIND: Kind = Kind::Tensors;
    fn pack(face: &[Option<Tensor>]) -> Value {
        Value::Tensors(face.to_vec())
    }
    fn face(value: &Value) -> &[Option<Tensor>] {
        match value {
            Value::Tensors(list) => list,
            _ => mismatch(Self::KIND),
        }
    }
}

/// A list of tensors with gaps.
pub struct OptionalTensors;

impl Argument for OptionalTensors {
    type Face<'a> = &'a [Option<Tensor>];
    const KIND: Kind = Kind::OptionalTensors;
    fn pack(face: &[Option<Tensor>]) -> Value {
        Tensors::pack(face)
    }
    fn face(value: &Value) -> &[Option<Tensor>] {
        Tensors::face(value)
    }
}

impl Argument for Ints {
    type Face<'a> = &'a [i64];
    const KIND: Kind = Kind::Ints;
    fn pack(face: &[i64]) -> Value {
        Value::Ints(Ints::from_slice(face))
    }
    fn face(value: &Value) -> &[i64] {
        match value {
            Value::Ints(list) => list,
            _ => mismatch(Self::KIND),
        }
    }
}

/// Integers in a list or tuple, in whose place a single one is refused.
pub struct IntList;

impl Argument for IntList {
    type Face<'a> = &'a [i64];
    const KIND: Kind = Kind::IntList;
    fn pack(face: &[i64]) -> Value {
        Ints::pack(face)
    }
    fn face(value: &Value) -> &[i64] {
        Ints::face(value)
    }
}

impl Argument for Vec<f64> {
    type Face<'a> = &'a [f64];
    const KIND: Kind = Kind::Floats;
    fn pack(face: &[f64]) -> Value {
        Value::Floats(face.to_vec())
    }
    fn face(value: &Value) -> &[f64] {
        match value {
            Value::Floats(list) => list,
            _ => mismatch(Self::KIND),
        }
    }
}

impl Argument for String {
    type Face<'a> = &'a str;
    const KIND: Kind = Kind::Text;
    fn pack(face: &str) -> Value {
        Value::Text(face.into())
    }
    fn face(value: &Value) -> &str {
        match value {
            Value::Text(text) => text,
            _ => mismatch(Self::KIND),
        }
    }
}

impl Argument for DType {
    type Face<'a> = DType;
    const KIND: Kind = Kind::DType;
    fn pack(face: DType) -> Value {
        Value::DType(face)
    }
    fn face(value: &Value) -> DType {
        match value {
            Value::DType(dtype) => *dtype,
            _ => mismatch(Self::KIND),
        }
    }
}

impl Argument for MemoryFormat {
    type Face<'a> = MemoryFormat;
    const KIND: Kind = Kind::MemoryFormat;
    fn pack(face: MemoryFormat) -> Value {
        Value::MemoryFormat(face)
    }
    fn face(value: &Value) -> MemoryFormat {
        match value {
            Value::MemoryFormat(format) => *format,
            _ => mismatch(Self::KIND),
        }
    }
}

macro_rules! scalar_argument {
    ($($t:ty => $kind:ident, |$s:ident| $read:expr;)+) => {$(
        impl Argument for $t {
            type Face<'a> = $t;
            const KIND: Kind = Kind::$kind;
            fn pack(face: $t) -> Value {
                Value::Scalar(face.into())
            }
            fn face(value: &Value) -> $t {
                match value {
                    Value::Scalar($s) => $read,
                    _ => mismatch(Self::KIND),
                }
            }
        }
    )+};
}

scalar_argument! {
    bool => Bool, |s| s.to_i64() != 0;
    i64 => Int, |s| s.to_i64();
    f64 => Float, |s| s.to_f64();
    Scalar => Scalar, |s| *s;
}

impl<A: Argument> Argument for Option<A> {
    type Face<'a> = Option<A::Face<'a>>;
    const KIND: Kind = A::KIND;
    const OPTIONAL: bool = true;
    fn pack(face: Option<A::Face<'_>>) -> Value {
        face.map_or(Value::None, A::pack)
    }
    fn face(value: &Value) -> Option<A::Face<'_>> {
        match value {
            Value::None => None,
            value => Some(A::face(value)),
        }
    }
}

impl Value {
    /// The tensors that this value holds.
    #[inline]
    pub fn tensors(&self) -> impl Iterator<Item = &Tensor> {
        let (one, many) = match self {
            Value::Tensor(tensor) => (Some(tensor), &[][..]),
            Value::Tensors(list) => (None, &list[..]),
            _ => (None, &[][..]),
        };
        one.into_iter().chain(many.iter().flatten())
    }

    /// The same value with other tensors.
    pub fn with_tensors(&self, other: impl Fn(&Tensor) -> Tensor) -> Value {
        match self {
            Value::Tensor(tensor) => Value::Tensor(other(tensor)),
            Value::Tensors(list) => Value::Tensors(list.iter().map(|one| one.as_ref().map(&other)).collect()),
            rest => rest.clone(),
        }
    }

    /// Whether some tensor that one of `values` holds is so: every call asks, hence no chain of iterators.
    #[inline]
    pub fn any_tensor(values: &[Value], is_so: impl Fn(&Tensor) -> bool) -> bool {
        values.iter().any(|value| match value {
            Value::Tensor(tensor) => is_so(tensor),
            Value::Tensors(list) => list.iter().flatten().any(&is_so),
            _ => false,
        })
    }

    /// How many edges of the graph this argument is worth when its parameter has the given kind.
    pub fn edges(&self, kind: Kind) -> usize {
        match (kind, self) {
            (Kind::Tensor | Kind::Operand, _) => 1,
            (Kind::Tensors | Kind::OptionalTensors, Value::Tensors(list)) => list.len(),
            _ => 0,
        }
    }
}
