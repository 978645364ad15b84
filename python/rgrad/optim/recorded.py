"""The steps of the optimizers in tensor operations that autograd records.

They take the place of the native steps of the same names, with the same arguments, for groups with
`differentiable=True`.
"""

from __future__ import annotations

from rgrad._rgrad import Tensor

__all__ = ["adam_step", "sgd_step"]


def sgd_step(
    parameters: list[Tensor],
    gradients: list[Tensor],
    momentum_buffers: list[Tensor | None],
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
) -> None:
    """See `sgd.py` for the arguments and `SGD` for the formulas."""
    for position, (parameter, gradient) in enumerate(zip(parameters, gradients)):
        if maximize:
            gradient = -gradient
        if weight_decay != 0:
            gradient = gradient.add(parameter, alpha=weight_decay)
        if momentum != 0:
            buffer = momentum_buffers[position]
            if buffer is None:
                buffer = gradient.clone()
                momentum_buffers[position] = buffer
            else:
                buffer.mul_(momentum).add_(gradient, alpha=1 - dampening)
            gradient = gradient.add(buffer, alpha=momentum) if nesterov else buffer
        parameter.add_(gradient, alpha=-lr)


def adam_step(
    parameters: list[Tensor],
    gradients: list[Tensor],
    exp_avgs: list[Tensor],
    exp_avg_sqs: list[Tensor],
    max_exp_avg_sqs: list[Tensor],
    steps: list[Tensor],
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled_weight_decay: bool,
    amsgrad: bool,
    maximize: bool,
) -> None:
    """See `adam.py` for the arguments and `Adam` for the formulas."""
    for position, (parameter, gradient) in enumerate(zip(parameters, gradients)):
        mean, square_mean, count = exp_avgs[position], exp_avg_sqs[position], steps[position]
        count += 1
        if maximize:
            gradient = -gradient
        if weight_decay != 0 and decoupled_weight_decay:
            parameter.mul_(1 - lr * weight_decay)
        elif weight_decay != 0:
            gradient = gradient.add(parameter, alpha=weight_decay)
        mean.mul_(beta1).add_(gradient, alpha=1 - beta1)
        square_mean.mul_(beta2).addcmul_(gradient, gradient.conj(), value=1 - beta2)
        if amsgrad:
            largest = max_exp_avg_sqs[position]
            largest.copy_(largest.maximum(square_mean))
            # Cloned, as the next step changes it in place while autograd still needs it.
            square_mean = largest.clone()
        steps_taken = count.item()
        divisor = square_mean.sqrt() / (1 - beta2**steps_taken) ** 0.5 + eps
        parameter.addcdiv_(mean.clone(), divisor, value=-lr / (1 - beta1**steps_taken))
