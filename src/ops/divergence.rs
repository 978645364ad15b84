//! Losses between distributions: Kullback-Leibler's divergence, the likelihood of counts.

use std::f64::consts::PI;

use crate::dtype::DType;
use crate::ops::arithmetic::add_tensors;
use crate::ops::loss::{reduce, reduction};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::{bail, op, pointwise};

// Nodes have the names of those that come last where PyTorch composes the loss.
pointwise! {
    /// `target * (log(target) - input)`.
    fn divergence as "kl_div" / "values" (input: Tensor, target: Tensor) float -> same, "SubBackward0"
        = target.times_log(target) - target * input;
        input(g, target) = -(g * target);
        target(g, input, target) = g.times_log(target).cleared_unless(!target.less_equal(0.0)) + g * target / target - g * input;

    /// `exp(target) * (target - input)`.
    fn divergence_of_logs as "kl_div" / "logs" (input: Tensor, target: Tensor) float -> same, "MulBackward0"
        = target.exp() * (target - input);
        input(g, target) = -(g * target.exp());
        target(g, input, target) = g * target.exp() * (target - input + 1.0);

    /// `exp(input) - target * input`.
    fn counts_by_log as "poisson_nll_loss" / "log" (input: Tensor, target: Tensor) float complex -> same, "SubBackward0"
        = input.exp() - target * input;
        input(g, input, target) = g * (input.exp() - target).conj();
        target(g, input) = -(g * input.conj());

    /// `input - target * log(input + eps)`.
    fn counts_by_rate as "poisson_nll_loss" / "rate" (input: Tensor, target: Tensor => eps: Scalar)
        float complex -> same, "SubBackward0"
        = input - target * (input + eps).log();
        input(g, input, target, eps) = g * (1.0 - target / (input + eps)).conj();
        target(g, input, eps) = -(g * (input + eps).log().conj());

    /// J. Stirling's approximation of `log(target!)` for targets above 1, else 0.
    fn stirling as "poisson_nll_loss" / "stirling" (target: Tensor) float -> same, "MaskedFillBackward0"
        = (target * target.log() - target + 0.5 * (2.0 * PI * target).log()).only_if(target.greater(1.0));
        target(g, target) = (g * (target.log() + 0.5 / target)).only_if(target.greater(1.0));
}

op! {
    /// The divergence `target * (log(target) - input)` of log-probabilities `input` from probabilities `target` (their
    /// logarithms, if `log_target`). Input and target broadcast. S. Kullback and R. Leibler, 1951.
    fn kl_div(input: Tensor, target: Tensor, reduction: String = "mean"; log_target: bool = false) -> Tensor, FUNCTIONAL;
    value {
        let how = self::reduction("kl_div", reduction)?;
        if !input.dtype().promote(target.dtype()).is_float() {
            bail!(Runtime, "kl_div: float tensors are needed, got {} and {}", input.dtype(), target.dtype());
        }
        let losses = if log_target { divergence_of_logs(input, target)? } else { divergence(input, target)? };
        reduce(losses, how)
    }
    derivative composite;
}

op! {
    /// Minus the log-likelihood of counts `target` for Poisson's distribution with the rate `exp(input)`, or `input` itself
    /// unless `log_input`. `full` adds an approximation of the term that `input` has no part in.
    fn poisson_nll_loss(
        input: Tensor, target: Tensor, log_input: bool = true, full: bool = false, eps: f64 = 1e-8, reduction: String = "mean"
    ) -> Tensor, FUNCTIONAL;
    value {
        let how = self::reduction("poisson_nll_loss", reduction)?;
        if target.dtype() == DType::Bool {
            bail!(Runtime, "poisson_nll_loss: not defined for a bool target");
        }
        let losses = if log_input { counts_by_log(input, target)? } else { counts_by_rate(input, target, eps.into())? };
        reduce(if full { add_tensors(&losses, &stirling(target)?)? } else { losses }, how)
    }
    derivative composite;
}
