//! The declaration of an operation in one place.
//!
//! `op!` and `pointwise!` turn one block into the Rust function, the descriptor with value and derivatives, and
//! the row of the registry from which the Python function, method, in-place method, stub and tests come.
//!
//! ```text
//! pointwise! {
//!     /// Natural exponential of each element.
//!     fn exp(input: Tensor) float -> same, "ExpBackward0", FUNCTION METHOD IN_PLACE
//!         = input.exp();
//!         input(g, out) = g * out;
//! }
//!
//! op! {
//!     /// Matrix product of two matrices.
//!     fn mm(input: Tensor, mat2: Tensor) -> Tensor, FUNCTION METHOD;
//!     value { ... }
//!     derivative "MmBackward0" Multilinear {
//!         input(g, mat2) => mm(g, &mat2.t()?);
//!         mat2(g, input) => mm(&input.t()?, g);
//!     }
//! }
//! ```
//!
//! A rule names the argument that it gives the gradient of, and in parentheses what it reads: `g`, the incoming
//! gradient; parameters; results (`out`, or the names of a tuple); and `ctx`, the [`Backward`](crate::op::Backward)
//! itself. What is read is what is saved, and only if the gradient is needed. `derivative none;` and
//! `derivative composite;` are two other words, and `derivative missing "Node";` says that nobody has written it; a block
//! without one of these does not compile.
//!
//! Before the derivative a line may say how the operation runs for a batch of examples at once ([`Batching`]):
//! `batch dims(dim);` if the parameter `dim` numbers dimensions of the first tensor, likewise `inserted`, `over` and
//! `together`; `batch aligned;` for an elementwise operation; `batch refused("why");`; or `batch by(|b| …);` with an
//! expression for the result, where `b` is the [`Batched`] call: arguments with the batch as their first dimension;
//! `batch rule(path);` if several operations share a function of it.
//!
//! [`Batching`]: crate::op::Batching
//! [`Batched`]: crate::op::Batched

/// Declares a structured operation; see the [module](crate::ops::macros).
#[macro_export]
macro_rules! op {
    (
        $(#[doc = $doc:literal])*
        fn $rust:ident $(as $python:literal $(/ $overload:literal)?)?
        ( $($p:ident : $t:ty $(= $d:expr)?),* $(; $($kp:ident : $kt:ty $(= $kd:expr)?),+)? ) -> $ret:tt
        $(, $($trait:ident)+)?;
        value $body:block
        $(batch $batch:ident $(($($rule:tt)*))?;)?
        derivative $($derivative:tt)*
    ) => {
        $crate::op!(@face
            [$(#[doc = $doc])*] $rust [$(as $python $(/ $overload)?)?] [$(($p, $t, false, [$($d)?]))* $($(($kp, $kt, true, [$($kd)?]))+)?]
            $ret [$($($trait)+)?]
        );

        const _: () = {
            #[allow(unused_imports)]
            use $crate::value::Argument as _;

            #[allow(unused_variables, clippy::ptr_arg)]
            fn forward(arguments: &[$crate::value::Value]) -> $crate::error::Result<$crate::value::Outputs> {
                let mut rest = arguments.iter();
                $(let $p = <$t as $crate::value::Argument>::face($crate::ops::macros::next(&mut rest));)*
                $($(let $kp = <$kt as $crate::value::Argument>::face($crate::ops::macros::next(&mut rest));)+)?
                #[allow(clippy::redundant_closure_call)]
                let value: $crate::error::Result<$crate::op!(@return $ret)> = (|| $body)();
                Ok($crate::ops::macros::IntoOutputs::into_outputs(value?))
            }

            const NAMELESS: $crate::op::Op = $crate::op::Op {
                forward: $crate::op::Forward::Structured(forward),
                derivative: $crate::op!(@derivative $rust $($derivative)*),
                batching: $crate::op!(@batch $rust $ret $($batch $(($($rule)*))?)?),
                ..$rust::DESCRIPTOR
            };
            $crate::op!(@statics NAMELESS $($derivative)*);
            $crate::ops::macros::inventory::submit! { $crate::op::Registered(&OP) }

            impl $crate::ops::macros::Declared for $rust::Declaration {
                const OP: &'static $crate::op::Op = &OP;
            }
        };
    };

    // An operation that is another one, which one depends on the arguments.
    (
        $(#[doc = $doc:literal])*
        fn $rust:ident $(as $python:literal $(/ $overload:literal)?)?
        ( $($p:ident : $t:ty $(= $d:expr)?),* $(; $($kp:ident : $kt:ty $(= $kd:expr)?),+)? ) -> Tensor
        $(, $($trait:ident)+)?;
        choose $body:block
    ) => {
        $crate::op!(@face
            [$(#[doc = $doc])*] $rust [$(as $python $(/ $overload)?)?] [$(($p, $t, false, [$($d)?]))* $($(($kp, $kt, true, [$($kd)?]))+)?]
            Tensor [$($($trait)+)?]
        );

        const _: () = {
            fn choose(arguments: &[$crate::value::Value]) -> $crate::error::Result<$crate::op::Chosen> {
                let mut rest = arguments.iter();
                $(let $p = <$t as $crate::value::Argument>::face($crate::ops::macros::next(&mut rest));)*
                $($(let $kp = <$kt as $crate::value::Argument>::face($crate::ops::macros::next(&mut rest));)+)?
                $body
            }

            static OP: $crate::op::Op = $crate::op::Op {
                forward: $crate::op::Forward::Chosen(choose),
                derivative: $crate::op::Derivative::Composite,
                ..$rust::DESCRIPTOR
            };
            $crate::ops::macros::inventory::submit! { $crate::op::Registered(&OP) }

            impl $crate::ops::macros::Declared for $rust::Declaration {
                const OP: &'static $crate::op::Op = &OP;
            }
        };
    };

    // The typed function and what describes its parameters.
    (@face
        [$($docs:tt)*] $rust:ident [$($names:tt)*] [$(($p:ident, $t:ty, $keyword:literal, [$($d:expr)?]))*] $ret:tt [$($trait:ident)*]
    ) => {
        $($docs)*
        #[allow(clippy::too_many_arguments)]
        pub fn $rust($($p: <$t as $crate::value::Argument>::Face<'_>),*) -> $crate::error::Result<$crate::op!(@return $ret)> {
            let outputs = $crate::autograd::record::call(
                <$rust::Declaration as $crate::ops::macros::Declared>::OP,
                &[$(<$t as $crate::value::Argument>::pack($p)),*],
            )?;
            Ok($crate::ops::macros::FromOutputs::from_outputs(outputs))
        }

        #[allow(non_camel_case_types, unused_imports, dead_code, clippy::enum_variant_names)]
        pub mod $rust {
            use super::*;
            use $crate::op::{Batching, Derivative, Forward, Op, Parameter, Traits};

            pub(crate) struct Declaration;
            pub(crate) mod types {
                use super::*;
                $(pub type $p = $t;)*
                $crate::op!(@result_types $ret);
            }
            pub(crate) const PARAMETERS: &[&str] = &[$(stringify!($p)),*];
            pub(crate) const RESULTS: &[&str] = $crate::op!(@results $ret);
            pub(crate) const DESCRIPTOR: Op = Op {
                name: $crate::op!(@name $rust $($names)*),
                overload: $crate::op!(@overload $($names)*),
                documentation: $crate::op!(@documentation $($docs)*),
                parameters: &[$(Parameter {
                    name: stringify!($p),
                    kind: <$t as $crate::value::Argument>::KIND,
                    optional: <$t as $crate::value::Argument>::OPTIONAL,
                    keyword_only: $keyword,
                    default: $crate::op!(@default $t, $($d)?),
                }),*],
                returns: $crate::op!(@returns $ret),
                node: "",
                with_numbers: None,
                forward: Forward::Structured(|_| Ok($crate::value::Outputs::new())),
                derivative: Derivative::None,
                batching: Batching::Default,
                traits: Traits(0)$(.or(Traits::$trait))*,
                place: (file!(), line!()),
            };
        }
    };

    (@name $rust:ident) => { stringify!($rust) };
    (@name $rust:ident as $python:literal $(/ $overload:literal)?) => { $python };
    (@overload) => { "" };
    (@overload as $python:literal) => { "" };
    (@overload as $python:literal / $overload:literal) => { $overload };
    (@documentation $(#[doc = $doc:literal])*) => { concat!($($doc, "\n"),*) };
    (@default $t:ty, ) => { None };
    (@default $t:ty, $d:expr) => {
        Some((stringify!($d), || <$t as $crate::value::Argument>::pack($d)))
    };

    (@return Tensor) => { $crate::tensor::Tensor };
    (@return List) => { Vec<$crate::tensor::Tensor> };
    (@return ($($field:ident),+)) => { [$crate::tensor::Tensor; [$(stringify!($field)),+].len()] };
    (@returns Tensor) => { $crate::op::Returns::Tensor };
    (@returns List) => { $crate::op::Returns::List };
    (@returns ($($field:ident),+)) => { $crate::op::Returns::Named(&[$(stringify!($field)),+]) };
    (@results Tensor) => { &["out"] };
    (@results List) => { &[] };
    (@results ($($field:ident),+)) => { &[$(stringify!($field)),+] };
    (@result_types Tensor) => { pub type out = $crate::tensor::Tensor; };
    (@result_types List) => {};
    (@result_types ($($field:ident),+)) => { $(pub type $field = $crate::tensor::Tensor;)+ };

    // The descriptor, and where a node has another name for numbers, a second one for those.
    (@statics $nameless:ident $node:literal / $for_numbers:literal $($rest:tt)*) => {
        static WITH_NUMBERS: $crate::op::Op = $crate::op::Op { node: $for_numbers, ..$nameless };
        static OP: $crate::op::Op =
            $crate::op::Op { node: $node, with_numbers: Some(&WITH_NUMBERS), ..$nameless };
    };
    (@statics $nameless:ident $node:literal $($rest:tt)*) => {
        static OP: $crate::op::Op = $crate::op::Op { node: $node, ..$nameless };
    };
    (@statics $nameless:ident missing $node:literal;) => {
        static OP: $crate::op::Op = $crate::op::Op { node: $node, ..$nameless };
    };
    (@statics $nameless:ident $($rest:tt)*) => {
        static OP: $crate::op::Op = $nameless;
    };

    (@derivative $rust:ident none;) => { $crate::op::Derivative::None };
    (@derivative $rust:ident missing $node:literal;) => { $crate::op::Derivative::Missing };
    (@derivative $rust:ident composite;) => { $crate::op::Derivative::Composite };
    (@derivative $rust:ident $node:literal $(/ $for_numbers:literal)? $jvp:ident {
        $($argument:tt ($($variable:ident),*) => $vjp:expr;)*
    }) => {
        $crate::op::Derivative::Rules {
            rules: &[$($crate::op::Rule {
                wanted: $crate::op!(@wanted $rust $argument),
                uses: $crate::op::bits(&[$($crate::op!(@variable $rust $variable)),*]),
                apply: $crate::op::Apply::Structured({
                    fn vjp(context: &$crate::op::Backward) -> $crate::error::Result<$crate::op::Gradients> {
                        $($crate::op!(@bind context $rust $variable $variable);)*
                        $crate::op!(@gradients $argument $vjp)
                    }
                    vjp
                }),
            }),*],
            jvp: $crate::op::Jvp::$jvp,
        }
    };

    (@batch $rust:ident $ret:tt) => { $crate::op::Batching::Default };
    (@batch $rust:ident $ret:tt aligned) => { $crate::op::Batching::Aligned };
    (@batch $rust:ident $ret:tt refused ($reason:literal)) => { $crate::op::Batching::Refused($reason) };
    (@batch $rust:ident $ret:tt by (|$batch:ident| $outputs:expr)) => {
        $crate::op::Batching::Rule({
            fn rule($batch: &$crate::op::Batched) -> $crate::error::Result<$crate::value::Outputs> {
                #[allow(clippy::redundant_closure_call)]
                let value: $crate::error::Result<$crate::op!(@return $ret)> = (|| $outputs)();
                Ok($crate::ops::macros::IntoOutputs::into_outputs(value?))
            }
            rule
        })
    };
    (@batch $rust:ident $ret:tt rule ($rule:path)) => { $crate::op::Batching::Rule($rule) };
    (@batch $rust:ident $ret:tt dims ($($which:ident),*)) => {
        $crate::op::Batching::Dims($crate::op!(@parameters $rust $($which),*))
    };
    (@batch $rust:ident $ret:tt inserted ($($which:ident),*)) => {
        $crate::op::Batching::Inserted($crate::op!(@parameters $rust $($which),*))
    };
    (@batch $rust:ident $ret:tt over ($($which:ident),*)) => {
        $crate::op::Batching::Over($crate::op!(@parameters $rust $($which),*))
    };
    (@batch $rust:ident $ret:tt together ($($which:ident),*)) => {
        $crate::op::Batching::Together($crate::op!(@parameters $rust $($which),*))
    };
    (@parameters $rust:ident $($which:ident),*) => {
        0 $(| 1 << $crate::op::position($rust::PARAMETERS, stringify!($which)))*
    };

    (@wanted $rust:ident [$($argument:ident),+]) => {
        0 $(| 1 << $crate::op::position($rust::PARAMETERS, stringify!($argument)))+
    };
    (@wanted $rust:ident $argument:ident) => {
        1 << $crate::op::position($rust::PARAMETERS, stringify!($argument))
    };
    (@variable $rust:ident ctx) => { $crate::op::GRADIENT };
    (@variable $rust:ident $variable:ident) => {
        $crate::op::variable($rust::PARAMETERS, $rust::RESULTS, stringify!($variable))
    };
    (@gradients [$($argument:ident),+] $vjp:expr) => { $vjp };
    (@gradients $argument:ident $vjp:expr) => {{
        let gradient: $crate::error::Result<$crate::tensor::Tensor> = $vjp;
        Ok(std::iter::once(Some(gradient?)).collect())
    }};

    // The ident comes twice: once to be told apart, once to be bound in the caller's scope.
    (@bind $context:ident $rust:ident g $name:ident) => { let $name = &$context.gradient()?; };
    (@bind $context:ident $rust:ident ctx $name:ident) => { let $name = $context; };
    (@bind $context:ident $rust:ident $variable:ident $name:ident) => {
        let value = $context.value(const { $crate::op!(@variable $rust $variable) })?;
        let $name = <$rust::types::$variable as $crate::value::Argument>::face(&value);
    };
}

/// Declares elementwise operations; see the [module](crate::ops::macros).
///
/// The word after the parameters is the domain: `number` (bool too), `real` (no bool), `integer` (bool too, no
/// floats), `whole` (neither), `float` (integers become floats first), `angle` (the same for a trigonometric function),
/// `floating` (floats alone); `complex` after it adds complex numbers, and in brackets may follow a
/// [`Check`](crate::op::Check). The word after the arrow: `same`, `bool`, or `real`, the type of the real part.
/// Parameters after `=>` are factors that the result's type does not depend on; those after a semicolon as well, and they
/// have to be named. A node without rules is one whose derivative is missing. Rules run in their order, so that a later
/// rule's nodes come first when its gradient is differentiated. The variables of a rule are its operands in the order that decides the layout of the gradient.
#[macro_export]
macro_rules! pointwise {
    ($(
        $(#[doc = $doc:literal])*
        fn $rust:ident $(as $python:literal $(/ $overload:literal)?)?
        (
            $($p:ident : $t:ty $(= $d:expr)?),* $(=> $($fp:ident : $ft:ty $(= $fd:expr)?),+)?
            $(; $($kp:ident : $kt:ty $(= $kd:expr)?),+)?
        )
        $domain:ident $($complex:ident)? $([$check:path])? -> $range:ident
        $(, $node:literal $(/ $for_numbers:literal)?)? $(, $($trait:ident)+)?
        = $value:expr;
        $($argument:ident ($($variable:ident),*) = $formula:expr;)*
    )+) => {$(
        $crate::op!(@face
            [$(#[doc = $doc])*] $rust [$(as $python $(/ $overload)?)?] [
                $(($p, $t, false, [$($d)?]))* $($(($fp, $ft, false, [$($fd)?]))+)? $($(($kp, $kt, true, [$($kd)?]))+)?
            ]
            Tensor [$($($trait)+)?]
        );

        const _: () = {
            #[allow(unused_imports)]
            use $crate::dtype::{Complex64, Complex128};
            #[allow(unused_imports)]
            use $crate::kernels::algebra::{Field, Float, Num, Number, Ring};

            static LOOPS: $crate::op::Loops = $crate::op::Loops {
                kernels: $crate::pointwise!(@kernels [$domain $($complex)?] $range [$($p)* $($($fp)+)? $($($kp)+)?] $value),
                operands: {
                    const OPERANDS: &[&str] = &[$(stringify!($p)),*];
                    OPERANDS.len()
                },
                check: $crate::pointwise!(@check $($check)?),
                promotion: $crate::pointwise!(@promotion $domain),
                output: $crate::pointwise!(@range $range),
            };
            const NAMELESS: $crate::op::Op = $crate::op::Op {
                forward: $crate::op::Forward::Pointwise(&LOOPS),
                derivative: $crate::pointwise!(@derivative [$domain $($complex)?] $rust [$($node)?] $($argument ($($variable),*) [$formula])*),
                ..$rust::DESCRIPTOR
            };
            $crate::op!(@statics NAMELESS $($node $(/ $for_numbers)?)?);
            $crate::ops::macros::inventory::submit! { $crate::op::Registered(&OP) }

            impl $crate::ops::macros::Declared for $rust::Declaration {
                const OP: &'static $crate::op::Op = &OP;
            }
        };
    )+};

    (@check) => { None };
    (@check $check:path) => { Some($check) };
    (@promotion float) => { $crate::op::Promotion::Float };
    (@promotion angle) => { $crate::op::Promotion::Float };
    (@promotion $domain:ident) => { $crate::op::Promotion::Common };
    (@range same) => { $crate::op::Range::Same };
    (@range bool) => { $crate::op::Range::Bool };
    (@range real) => { $crate::op::Range::Real };

    (@derivative $domain:tt $rust:ident []) => { $crate::op::Derivative::None };
    (@derivative $domain:tt $rust:ident [$node:literal]) => { $crate::op::Derivative::Missing };
    (@derivative $domain:tt $rust:ident [$node:literal] $($argument:ident ($($variable:ident),*) [$formula:expr])*) => {
        $crate::op::Derivative::Rules {
            rules: &[$($crate::op::Rule {
                wanted: 1 << $crate::op::position($rust::PARAMETERS, stringify!($argument)),
                uses: $crate::op::bits(&[$($crate::op!(@variable $rust $variable)),*]),
                apply: $crate::op::Apply::Pointwise {
                    variables: &[$($crate::op!(@variable $rust $variable)),*],
                    kernels: $crate::pointwise!(@fused $domain [$($variable)*] $formula),
                    formula: {
                        fn formula(values: &[$crate::value::Value]) -> $crate::error::Result<$crate::value::Value> {
                            let mut rest = values.iter();
                            $(let $variable = &$crate::ops::term::Term::new($crate::ops::macros::next(&mut rest));)*
                            $crate::ops::term::IntoTerm::into_term($formula).into_value()
                        }
                        formula
                    },
                },
            }),*],
            jvp: $crate::op::Jvp::Pointwise,
        }
    };

    // The loop of a derivative is one of floats, whatever the function is of.
    (@fused [angle] $x:tt $formula:expr) => { $crate::pointwise!(@kernels [angle] same $x $formula) };
    (@fused [angle complex] $x:tt $formula:expr) => { $crate::pointwise!(@kernels [angle complex] same $x $formula) };
    (@fused [$domain:ident] $x:tt $formula:expr) => { $crate::pointwise!(@kernels [float] same $x $formula) };
    (@fused [$domain:ident complex] $x:tt $formula:expr) => {
        $crate::pointwise!(@kernels [float complex] same $x $formula)
    };

    (@kernels [angle] same [$($x:ident)+] $value:expr) => {{
        $crate::pointwise!(@function Float same [$($x)+] $value);
        let mut table: $crate::op::KernelTable = [None; $crate::dtype::COUNT];
        $crate::pointwise!(@near table [$($x)+] f32 Float32);
        $crate::pointwise!(@near table [$($x)+] f64 Float64);
        table
    }};
    (@kernels [angle complex] same [$($x:ident)+] $value:expr) => {{
        $crate::pointwise!(@function Field same [$($x)+] $value);
        let mut table: $crate::op::KernelTable = [None; $crate::dtype::COUNT];
        $crate::pointwise!(@near table [$($x)+] f32 Float32);
        $crate::pointwise!(@near table [$($x)+] f64 Float64);
        $crate::pointwise!(@rows table same [$($x)+] [Complex64 Complex64] [Complex128 Complex128]);
        table
    }};
    (@kernels [float] $range:ident $x:tt $value:expr) => {{
        $crate::pointwise!(@function Float $range $x $value);
        $crate::pointwise!(@table $range $x [f32 Float32] [f64 Float64])
    }};
    (@kernels [floating] $range:ident $x:tt $value:expr) => {{
        $crate::pointwise!(@kernels [float] $range $x $value)
    }};
    (@kernels [floating complex] $range:ident $x:tt $value:expr) => {{
        $crate::pointwise!(@kernels [float complex] $range $x $value)
    }};
    (@kernels [float complex] $range:ident $x:tt $value:expr) => {{
        $crate::pointwise!(@function Field $range $x $value);
        $crate::pointwise!(@table $range $x
            [f32 Float32] [f64 Float64] [Complex64 Complex64] [Complex128 Complex128])
    }};
    (@kernels [whole] $range:ident $x:tt $value:expr) => {{
        $crate::pointwise!(@function Number $range $x $value);
        $crate::pointwise!(@table $range $x [u8 UInt8] [i32 Int32] [i64 Int64])
    }};
    (@kernels [real] $range:ident $x:tt $value:expr) => {{
        $crate::pointwise!(@function Number $range $x $value);
        $crate::pointwise!(@table $range $x [u8 UInt8] [i32 Int32] [i64 Int64] [f32 Float32] [f64 Float64])
    }};
    (@kernels [real complex] $range:ident $x:tt $value:expr) => {{
        $crate::pointwise!(@function Ring $range $x $value);
        $crate::pointwise!(@table $range $x [u8 UInt8] [i32 Int32] [i64 Int64] [f32 Float32] [f64 Float64]
            [Complex64 Complex64] [Complex128 Complex128])
    }};
    (@kernels [integer] $range:ident $x:tt $value:expr) => {{
        $crate::pointwise!(@function Number $range $x $value);
        $crate::pointwise!(@table $range $x [bool Bool] [u8 UInt8] [i32 Int32] [i64 Int64])
    }};
    (@kernels [number] $range:ident $x:tt $value:expr) => {{
        $crate::pointwise!(@function Number $range $x $value);
        $crate::pointwise!(@table $range $x
            [bool Bool] [u8 UInt8] [i32 Int32] [i64 Int64] [f32 Float32] [f64 Float64])
    }};
    (@kernels [number complex] $range:ident $x:tt $value:expr) => {{
        $crate::pointwise!(@function Ring $range $x $value);
        $crate::pointwise!(@table $range $x [bool Bool] [u8 UInt8] [i32 Int32] [i64 Int64] [f32 Float32]
            [f64 Float64] [Complex64 Complex64] [Complex128 Complex128])
    }};

    (@function $bound:ident same [$($x:ident)+] $value:expr) => {
        #[inline(always)]
        fn value<T: $bound, const NEAR: bool>($($x: Num<T, NEAR>),+) -> Num<T, NEAR> { $value }
    };
    (@function $bound:ident real [$($x:ident)+] $value:expr) => {
        #[inline(always)]
        fn value<T: $bound, const NEAR: bool>($($x: Num<T, NEAR>),+) -> Num<T::Real, NEAR> { $value }
    };
    (@function $bound:ident bool [$($x:ident)+] $value:expr) => {
        #[inline(always)]
        fn value<T: $bound, const NEAR: bool>($($x: Num<T, NEAR>),+) -> bool { $value }
    };

    (@table $range:ident $x:tt $($row:tt)+) => {{
        let mut table: $crate::op::KernelTable = [None; $crate::dtype::COUNT];
        $crate::pointwise!(@rows table $range $x $($row)+);
        table
    }};
    (@rows $table:ident $range:ident $x:tt $([$T:ident $dtype:ident])+) => {
        $($table[$crate::dtype::DType::$dtype as usize] = Some({
            unsafe fn kernel(out: *mut u8, operands: *const *const u8, n: usize) {
                // SAFETY: the driver hands over contiguous operands of this type.
                unsafe { $crate::pointwise!(@map $range $T $x (out, operands, n)) }
            }
            kernel
        });)+
    };

    (@near $table:ident $x:tt $T:ident $dtype:ident) => {
        $table[$crate::dtype::DType::$dtype as usize] = Some({
            unsafe fn near(out: *mut u8, operands: *const *const u8, n: usize) {
                // SAFETY: the driver hands over contiguous operands of this type.
                unsafe { $crate::pointwise!(@map near $T $x (out, operands, n)) }
            }
            unsafe fn far(out: *mut u8, operands: *const *const u8, n: usize) {
                // SAFETY: as above.
                unsafe { $crate::pointwise!(@map same $T $x (out, operands, n)) }
            }
            unsafe fn kernel(out: *mut u8, operands: *const *const u8, n: usize) {
                const COUNT: usize = $crate::pointwise!(@count $x);
                // SAFETY: as above, for so many operands.
                unsafe { $crate::kernels::map::by_nearness::<$T, COUNT>(near, far, out, operands, n) }
            }
            kernel
        });
    };
    (@count [$($x:ident)+]) => { [$(stringify!($x)),+].len() };

    // A bool tensor is computed on as bytes of 0 and 1, and what is not zero becomes true.
    (@map same bool [$($x:ident)+] $arguments:tt) => {
        $crate::pointwise!(@call $arguments [$($x)+] u8 => u8, u8::from(value::<u8, false>($(Num($x)),+).0 != 0))
    };
    (@map bool bool [$($x:ident)+] $arguments:tt) => {
        $crate::pointwise!(@call $arguments [$($x)+] u8 => bool, value::<u8, false>($(Num($x)),+))
    };
    (@map real bool $x:tt $arguments:tt) => { $crate::pointwise!(@map same bool $x $arguments) };
    (@map real $T:ident [$($x:ident)+] $arguments:tt) => {
        $crate::pointwise!(@call $arguments [$($x)+] $T => <$T as Ring>::Real, value::<$T, false>($(Num($x)),+).0)
    };
    (@map same $T:ident [$($x:ident)+] $arguments:tt) => {
        $crate::pointwise!(@call $arguments [$($x)+] $T => $T, value::<$T, false>($(Num($x)),+).0)
    };
    (@map near $T:ident [$($x:ident)+] $arguments:tt) => {
        $crate::pointwise!(@call $arguments [$($x)+] $T => $T, value::<$T, true>($(Num($x)),+).0)
    };
    (@map bool $T:ident [$($x:ident)+] $arguments:tt) => {
        $crate::pointwise!(@call $arguments [$($x)+] $T => bool, value::<$T, false>($(Num($x)),+))
    };

    // A function of a type rather than a closure, which could not be told to become part of the loop, whatever its length:
    // the instruction set is that of the loop.
    (@call $arguments:tt [$x0:ident] $($rest:tt)+) => {
        $crate::pointwise!(@loop $arguments Function1 map1 [$x0] $($rest)+)
    };
    (@call $arguments:tt [$x0:ident $x1:ident] $($rest:tt)+) => {
        $crate::pointwise!(@loop $arguments Function2 map2 [$x0 $x1] $($rest)+)
    };
    (@call $arguments:tt [$x0:ident $x1:ident $x2:ident] $($rest:tt)+) => {
        $crate::pointwise!(@loop $arguments Function3 map3 [$x0 $x1 $x2] $($rest)+)
    };
    (@call $arguments:tt [$x0:ident $x1:ident $x2:ident $x3:ident] $($rest:tt)+) => {
        $crate::pointwise!(@loop $arguments Function4 map4 [$x0 $x1 $x2 $x3] $($rest)+)
    };
    (@call $arguments:tt [$x0:ident $x1:ident $x2:ident $x3:ident $x4:ident] $($rest:tt)+) => {
        $crate::pointwise!(@loop $arguments Function5 map5 [$x0 $x1 $x2 $x3 $x4] $($rest)+)
    };
    (@call $arguments:tt [$x0:ident $x1:ident $x2:ident $x3:ident $x4:ident $x5:ident] $($rest:tt)+) => {
        $crate::pointwise!(@loop $arguments Function6 map6 [$x0 $x1 $x2 $x3 $x4 $x5] $($rest)+)
    };
    (@loop ($($a:ident),+) $trait:ident $map:ident [$($x:ident)+] $T:ty => $R:ty, $body:expr) => {{
        struct One;
        impl $crate::kernels::map::$trait<$T, $R> for One {
            #[inline(always)]
            fn of($($x: $T),+) -> $R { $body }
        }
        $crate::kernels::map::$map::<$T, $R, One>($($a),+)
    }};
}

/// The operation that another one chooses to be: `chosen!(pow_square(x))`.
#[macro_export]
macro_rules! chosen {
    ($($op:ident)::+ ($($argument:expr),*)) => {
        $crate::op::Chosen {
            op: <$($op)::+::Declaration as $crate::ops::macros::Declared>::OP,
            arguments: smallvec::smallvec![$($crate::value::Value::from($argument)),*],
        }
    };
}

pub use inventory;

use crate::op::Op;
use crate::tensor::Tensor;
use crate::value::{Outputs, Value};

/// Ties the typed function of an operation to its descriptor.
pub trait Declared {
    const OP: &'static Op;
}

/// The next argument; `None` stands for one that is missing at the end.
pub fn next<'a>(rest: &mut std::slice::Iter<'a, Value>) -> &'a Value {
    rest.next().unwrap_or(&Value::None)
}

/// What the body of an operation may give.
pub trait IntoOutputs {
    fn into_outputs(self) -> Outputs;
}

/// What the typed function of an operation gives.
pub trait FromOutputs {
    fn from_outputs(outputs: Outputs) -> Self;
}

impl IntoOutputs for Tensor {
    fn into_outputs(self) -> Outputs {
        Outputs::from([self])
    }
}

impl FromOutputs for Tensor {
    fn from_outputs(outputs: Outputs) -> Tensor {
        outputs.into_iter().next().unwrap_or_else(|| unreachable!("an operation with one result gives one"))
    }
}

impl<const N: usize> IntoOutputs for [Tensor; N] {
    fn into_outputs(self) -> Outputs {
        self.into_iter().collect()
    }
}

impl<const N: usize> FromOutputs for [Tensor; N] {
    fn from_outputs(outputs: Outputs) -> Self {
        let mut rest = outputs.into_iter();
        std::array::from_fn(|_| rest.next().unwrap_or_else(|| unreachable!("an operation gives all its results")))
    }
}

impl IntoOutputs for Vec<Tensor> {
    fn into_outputs(self) -> Outputs {
        self.into()
    }
}

impl FromOutputs for Vec<Tensor> {
    fn from_outputs(outputs: Outputs) -> Self {
        outputs.into_vec()
    }
}
