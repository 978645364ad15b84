//! Formulas over differentiable operations: the second face of the text in `pointwise!`.
//!
//! A term is a tensor, a number, or the error of an operation that failed on the way, which then is the value of the
//! whole formula: so a formula reads as mathematics, without a `?` at each step.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::dtype::Complex128;
use crate::error;
use crate::error::{Error, Result};
use crate::ops;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::value::{Operand, Value};

/// A value in a formula.
pub struct Term(Result<Operation>);

enum Operation {
    Tensor(Tensor),
    Number(Scalar),
}

/// What can stand in a formula.
pub trait IntoTerm {
    fn into_term(self) -> Term;
}

impl IntoTerm for Term {
    fn into_term(self) -> Term {
        self
    }
}

impl IntoTerm for &Term {
    fn into_term(self) -> Term {
        Term(match &self.0 {
            Ok(Operation::Tensor(tensor)) => Ok(Operation::Tensor(tensor.clone())),
            Ok(Operation::Number(number)) => Ok(Operation::Number(*number)),
            Err(error) => Err(error!(Runtime, "{error}")),
        })
    }
}

impl IntoTerm for f64 {
    fn into_term(self) -> Term {
        Term(Ok(Operation::Number(self.into())))
    }
}

impl Operation {
    fn operand(&self) -> Operand<'_> {
        match self {
            Operation::Tensor(tensor) => Operand::Tensor(tensor),
            Operation::Number(number) => Operand::Scalar(*number),
        }
    }

    /// As a tensor; a number becomes one without dimensions.
    fn tensor(self) -> Result<Tensor> {
        match self {
            Operation::Tensor(tensor) => Ok(tensor),
            Operation::Number(number) => Tensor::scalar(number, crate::promotion::default_float()),
        }
    }
}

impl Term {
    pub fn new(value: &Value) -> Term {
        Term(match value {
            Value::Tensor(tensor) => Ok(Operation::Tensor(tensor.clone())),
            Value::Scalar(number) => Ok(Operation::Number(*number)),
            _ => Err(Error::new(error::Kind::Runtime, "a formula met an argument that is no number")),
        })
    }

    pub fn into_value(self) -> Result<Value> {
        Ok(match self.0? {
            Operation::Tensor(tensor) => Value::Tensor(tensor),
            Operation::Number(number) => Value::Scalar(number),
        })
    }

    fn unary(self, function: fn(&Tensor) -> Result<Tensor>) -> Term {
        Term(self.0.and_then(|x| match x {
            Operation::Tensor(tensor) => function(&tensor).map(Operation::Tensor),
            // A number stays one, as precise as it is.
            Operation::Number(number) => {
                let precise = if number.is_complex() { crate::DType::Complex128 } else { crate::DType::Float64 };
                let value = Tensor::scalar(number, precise)?;
                Ok(Operation::Number(function(&value)?.item()?))
            }
        }))
    }

    fn binary(self, other: Term, function: fn(Operand, Operand) -> Result<Tensor>) -> Term {
        Term((|| {
            let (a, b) = (self.0?, other.0?);
            Ok(Operation::Tensor(function(a.operand(), b.operand())?))
        })())
    }

    /// The same for two terms that may both be numbers.
    fn arithmetic(
        self,
        other: Term,
        function: fn(Operand, Operand) -> Result<Tensor>,
        of_numbers: fn(f64, f64) -> f64,
        of_complex: fn(Complex128, Complex128) -> Complex128,
    ) -> Term {
        match (&self.0, &other.0) {
            (Ok(Operation::Number(a)), Ok(Operation::Number(b))) => {
                Term(Ok(Operation::Number(if a.is_complex() || b.is_complex() {
                    of_complex(a.to_complex(), b.to_complex()).into()
                } else {
                    of_numbers(a.to_f64(), b.to_f64()).into()
                })))
            }
            _ => self.binary(other, function),
        }
    }

    fn comparison(self, other: Term, function: fn(&Tensor, Operand) -> Result<Tensor>) -> Condition {
        Condition(Term((|| {
            let (a, b) = (self.0?.tensor()?, other.0?);
            Ok(Operation::Tensor(function(&a, b.operand())?))
        })()))
    }

    fn of_tensors(self, other: Term, function: fn(&Tensor, &Tensor) -> Result<Tensor>) -> Term {
        Term((|| {
            let (a, b) = (self.0?.tensor()?, other.0?.tensor()?);
            Ok(Operation::Tensor(function(&a, &b)?))
        })())
    }
}

/// A comparison of terms.
pub struct Condition(Term);

macro_rules! operators {
    ($($trait:ident $method:ident $function:path;)+) => {$(
        operators!(@pair $trait $method $function, Term, Term);
        operators!(@pair $trait $method $function, Term, &Term);
        operators!(@pair $trait $method $function, &Term, Term);
        operators!(@pair $trait $method $function, &Term, &Term);
        operators!(@pair $trait $method $function, Term, f64);
        operators!(@pair $trait $method $function, &Term, f64);
        operators!(@pair $trait $method $function, f64, Term);
        operators!(@pair $trait $method $function, f64, &Term);
    )+};
    (@pair $trait:ident $method:ident $function:path, $left:ty, $right:ty) => {
        impl $trait<$right> for $left {
            type Output = Term;
            fn $method(self, other: $right) -> Term {
                self.into_term().arithmetic(other.into_term(), $function, $trait::$method, $trait::$method)
            }
        }
    };
}

operators! {
    Add add ops::arithmetic::add;
    Sub sub ops::arithmetic::sub;
    Mul mul ops::arithmetic::mul;
    Div div ops::arithmetic::div;
}

impl Neg for Term {
    type Output = Term;
    fn neg(self) -> Term {
        self.unary(ops::unary::neg)
    }
}

impl Neg for &Term {
    type Output = Term;
    fn neg(self) -> Term {
        -self.into_term()
    }
}

macro_rules! functions {
    ($($name:ident $function:path;)+) => {
        impl Term {$(
            pub fn $name(&self) -> Term {
                self.into_term().unary($function)
            }
        )+}
    };
}

functions! {
    exp ops::unary::exp;
    log ops::unary::log;
    sqrt ops::unary::sqrt;
    sin ops::unary::sin;
    cos ops::unary::cos;
    tan ops::unary::tan;
    tanh ops::unary::tanh;
    sigmoid ops::unary::sigmoid;
    direction ops::complex::sgn;
    absolute ops::unary::abs;
    sign ops::unary::sign;
    rounded_down ops::unary::floor;
    log1p ops::unary::log1p;
    sinh ops::trigonometric::sinh;
    cosh ops::trigonometric::cosh;
    exp2 ops::exponential::exp2;
    logsigmoid ops::activation::logsigmoid_of;
    erf ops::special::erf;
    lgamma ops::special::lgamma;
    digamma ops::special::digamma;
    erfcx ops::special::erfcx;
    i0 ops::special::i0;
    i0e ops::special::i0e;
    i1 ops::special::i1;
    i1e ops::special::i1e;
}

macro_rules! comparisons {
    ($($name:ident $function:path;)+) => {
        impl Term {$(
            pub fn $name(&self, other: impl IntoTerm) -> Condition {
                self.into_term().comparison(other.into_term(), $function)
            }
        )+}
    };
}

comparisons! {
    greater ops::comparison::gt;
    greater_equal ops::comparison::ge;
    less ops::comparison::lt;
    less_equal ops::comparison::le;
    equals ops::comparison::eq;
}

impl std::ops::Not for Condition {
    type Output = Condition;
    fn not(self) -> Condition {
        Condition(self.0.unary(ops::comparison::logical_not))
    }
}

impl std::ops::BitAnd for Condition {
    type Output = Condition;
    fn bitand(self, other: Condition) -> Condition {
        Condition(self.0.of_tensors(other.0, ops::comparison::logical_and))
    }
}

impl std::ops::BitOr for Condition {
    type Output = Condition;
    fn bitor(self, other: Condition) -> Condition {
        Condition(self.0.of_tensors(other.0, ops::comparison::logical_or))
    }
}

impl Term {
    pub fn is_nan(&self) -> Condition {
        Condition(self.into_term().unary(ops::comparison::isnan))
    }

    pub fn is_finite(&self) -> Condition {
        Condition(self.into_term().unary(ops::comparison::isfinite))
    }

    /// The n-th derivative of `digamma`.
    pub fn polygamma(&self, n: impl IntoTerm) -> Term {
        let n = n.into_term();
        Term((|| {
            let n = Operation::tensor(n.0?)?.item()?;
            Ok(Operation::Tensor(ops::special::polygamma_of(&self.into_term().0?.tensor()?, n)?))
        })())
    }

    /// The product with the logarithm of another term: 0 where this one is.
    pub fn times_log(&self, other: impl IntoTerm) -> Term {
        self.into_term().binary(other.into_term(), ops::exponential::xlogy)
    }

    /// The quotient without its fraction.
    pub fn trunc_quotient(&self, other: impl IntoTerm) -> Term {
        let other = other.into_term();
        Term((|| {
            let (a, b) = (self.into_term().0?.tensor()?, other.0?);
            Ok(Operation::Tensor(ops::arithmetic::div_towards_zero(&a, b.operand())?))
        })())
    }

    pub fn power(&self, exponent: impl IntoTerm) -> Term {
        self.into_term().binary(exponent.into_term(), ops::power::pow)
    }

    pub fn maximum(&self, other: f64) -> Term {
        self.clamped_below(other)
    }

    /// This term, or the limit where it is smaller.
    pub fn clamped_below(&self, limit: f64) -> Term {
        Term(
            self.into_term()
                .0
                .and_then(Operation::tensor)
                .and_then(|x| Ok(Operation::Tensor(ops::selection::clamp_min(&x, limit.into())?))),
        )
    }

    /// This term where the condition holds, else 0.
    pub fn only_if(&self, condition: Condition) -> Term {
        self.or_else_if(condition, 0.0)
    }

    /// This term where the condition holds, else another.
    pub fn or_else_if(&self, condition: Condition, otherwise: impl IntoTerm) -> Term {
        let otherwise = otherwise.into_term();
        Term((|| {
            let (condition, yes, no) = (condition.0.0?.tensor()?, self.into_term().0?, otherwise.0?);
            Ok(Operation::Tensor(ops::selection::where_(&condition, yes.operand(), no.operand())?))
        })())
    }

    /// This term where the other one, the result of `relu`, is positive (or NaN), else 0.
    pub fn where_positive(&self, result: impl IntoTerm) -> Term {
        result.into_term().of_tensors(self.into_term(), ops::unary::relu_backward)
    }

    /// The term itself, of which `n` derivatives can be taken as of the other powers: the last are 0.
    pub fn first_power(&self) -> Term {
        self.power(1.0)
    }

    pub fn square(&self) -> Term {
        self.power(2.0)
    }

    /// As `only_if`, laid out like this term.
    pub fn cleared_unless(&self, condition: Condition) -> Term {
        let cleared = (!condition).0;
        let clear = |x: &Tensor, mask: &Tensor| ops::indexing::masked_fill(x, mask, 0i64.into());
        self.into_term().of_tensors(cleared, clear)
    }

    /// `value`, which is a gradient at `input`, laid out like this term, the incoming gradient; its derivative for the
    /// input is 0 where it has none, as that of PyTorch's own operations for gradients is.
    pub fn as_gradient(&self, value: impl IntoTerm, input: impl IntoTerm) -> Term {
        let (value, input) = (value.into_term(), input.into_term());
        Term((|| {
            let gradient = self.into_term().0?.tensor()?;
            let (value, input) = (value.0?.tensor()?, input.0?.tensor()?);
            Ok(Operation::Tensor(ops::activation::gradient_at(&gradient, &value, &input)?))
        })())
    }

    /// Zeros, through which no gradient flows.
    pub fn zero(&self) -> Term {
        self.into_term().unary(Tensor::zeros_alike)
    }

    /// The complex conjugate: for real elements, the term itself.
    pub fn conj(&self) -> Term {
        Term(self.into_term().0.and_then(|x| {
            Ok(match x {
                Operation::Tensor(tensor) => Operation::Tensor(ops::complex::conj(&tensor)?),
                Operation::Number(number) => Operation::Number(number.conj()),
            })
        }))
    }

    /// What the derivative of `acosh` is 1 divided by.
    pub fn acosh_divisor(&self) -> Term {
        match &self.0 {
            Ok(Operation::Tensor(tensor)) if tensor.dtype().is_complex() => (self - 1.0).sqrt() * (self + 1.0).sqrt(),
            _ => (self * self - 1.0).sqrt(),
        }
    }

    pub fn has_nonnegative_real(&self) -> Condition {
        self.into_term().unary(ops::complex::real).greater_equal(0.0)
    }
}
