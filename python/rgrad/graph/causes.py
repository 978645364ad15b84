"""Why the gradient of an operation is not finite, and the usual remedy."""

from __future__ import annotations

_SLOPE = "its slope is infinite at {}"

# By the name of the node, without the number at its end.
_CAUSES = {
    "SqrtBackward": (_SLOPE.format("0"), "add a small constant, or mask the argument"),
    "RsqrtBackward": ("its value and slope are infinite at 0", "add a small constant, or mask the argument"),
    "ReciprocalBackward": ("its value and slope are infinite at 0", "mask the divisor"),
    "DivBackward": ("a divisor is 0", "mask the divisor"),
    "LogBackward": (_SLOPE.format("0"), "clamp or mask the argument; log_softmax and logsumexp are safe forms"),
    "Log2Backward": (_SLOPE.format("0"), "clamp or mask the argument"),
    "Log10Backward": (_SLOPE.format("0"), "clamp or mask the argument"),
    "Log1PBackward": (_SLOPE.format("-1"), "clamp or mask the argument"),
    "XlogyBackward": (_SLOPE.format("0"), "clamp or mask the argument"),
    "PowBackward": (
        "a power with an exponent below 1 has an infinite slope at 0, and one of a negative base with a fractional "
        "exponent has none",
        "mask the base",
    ),
    "AcosBackward": (_SLOPE.format("-1 and 1"), "clamp the argument to a little less"),
    "AsinBackward": (_SLOPE.format("-1 and 1"), "clamp the argument to a little less"),
    "AtanhBackward": (_SLOPE.format("-1 and 1"), "clamp the argument to a little less"),
    "AcoshBackward": (_SLOPE.format("1"), "clamp the argument to a little more"),
    "StdBackward": ("its slope is not defined where all values are equal, or there is one", "add noise or mask"),
    "ExpBackward": ("its value overflows", "subtract the maximum first, as softmax and logsumexp do"),
    "SoftmaxBackward": ("a row holds nothing but -inf, or an inf", "leave one element of each row unmasked"),
    "LogSoftmaxBackward": ("a row holds nothing but -inf, or an inf", "leave one element of each row unmasked"),
    "MulBackward": ("a factor is infinite or nan, or the product overflows", "look at the factors in the forward pass"),
}
_UNKNOWN = (
    "an argument is at a point without a finite slope, is itself not finite, or the gradient overflows",
    "look at the arguments in the forward pass",
)

_MASKED = (
    "What arrived there is 0, so these elements were masked out after the operation (by where, or by a factor 0), and "
    "0 times infinity is nan. Mask the argument as well: where(mask, f(where(mask, x, 1)), other)"
)


def advice(operation: str, masked_out: bool) -> str:
    """One or two sentences on a node with the given name; `masked_out` says that its results had no influence."""
    cause, remedy = _CAUSES.get(operation.rstrip("0123456789").lstrip("_"), _UNKNOWN)
    return f"Usually {cause}. {_MASKED if masked_out else f'The remedy: {remedy}'}"
