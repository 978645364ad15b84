"""Transforms from any numbers to the values of a constraint."""

from __future__ import annotations

from typing import Any

from rgrad.distributions import constraints, transforms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]


class ConstraintRegistry:
    """Functions that give a transform for a constraint, by the constraint's class."""

    def __init__(self) -> None:
        self._registry: dict[type, Callable[[Any], Any]] = {}

    def register(self, constraint: Any, factory: Callable[[Any], Any] | None = None) -> Any:
        """Use a function for a constraint's class; without one, a decorator of it.

        Raises:
            TypeError: `constraint` is neither a constraint nor a class of them.
        """
        if factory is None:
            return lambda given: self.register(constraint, given)
        kind = type(constraint) if isinstance(constraint, constraints.Constraint) else constraint
        if not (isinstance(kind, type) and issubclass(kind, constraints.Constraint)):
            raise TypeError(f"register(): a constraint or a class of them is expected, got {constraint!r}")
        self._registry[kind] = factory
        return factory

    def __call__(self, constraint: Any) -> Any:
        """The transform to a constraint.

        Raises:
            NotImplementedError: none is known.
        """
        factory = self._registry.get(type(constraint))
        if factory is None:
            raise NotImplementedError(f"no transform to {constraint!r} is known")
        return factory(constraint)


#: Transforms that can be undone, and whose change of volume is known.
biject_to = ConstraintRegistry()
#: Transforms that suit the search for a parameter.
transform_to = ConstraintRegistry()


def _to_independent(registry: ConstraintRegistry) -> Callable[[Any], Any]:
    return lambda constraint: transforms.IndependentTransform(
        registry(constraint.base_constraint), constraint.reinterpreted_batch_ndims
    )


def _to_pieces(registry: ConstraintRegistry) -> Callable[[Any], Any]:
    return lambda constraint: transforms.CatTransform(
        [registry(part) for part in constraint.cseq], constraint.dim, constraint.lengths
    )


def _to_slices(registry: ConstraintRegistry) -> Callable[[Any], Any]:
    return lambda constraint: transforms.StackTransform([registry(part) for part in constraint.cseq], constraint.dim)


def _to_half_line(constraint: Any) -> Any:
    return transforms.ComposeTransform(
        [transforms.ExpTransform(), transforms.AffineTransform(constraint.lower_bound, 1)]
    )


def _to_other_half_line(constraint: Any) -> Any:
    return transforms.ComposeTransform(
        [transforms.ExpTransform(), transforms.AffineTransform(constraint.upper_bound, -1)]
    )


def _to_interval(constraint: Any) -> Any:
    low, high = constraint.lower_bound, constraint.upper_bound
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and (low, high) == (0, 1):
        return transforms.SigmoidTransform()
    return transforms.ComposeTransform([transforms.SigmoidTransform(), transforms.AffineTransform(low, high - low)])


def _to_positive(constraint: Any) -> Any:
    low = constraint.lower_bound
    return transforms.ExpTransform() if isinstance(low, (int, float)) and low == 0 else _to_half_line(constraint)


for _registry in (biject_to, transform_to):
    _registry.register(constraints.real, lambda constraint: transforms.identity_transform)
    _registry.register(constraints.independent, _to_independent(_registry))
    _registry.register(constraints.greater_than, _to_positive)
    _registry.register(constraints.greater_than_eq, _to_positive)
    _registry.register(constraints.less_than, _to_other_half_line)
    _registry.register(constraints.interval, _to_interval)
    _registry.register(constraints.half_open_interval, _to_interval)
    _registry.register(constraints.cat, _to_pieces(_registry))
    _registry.register(constraints.stack, _to_slices(_registry))
    _registry.register(constraints.corr_cholesky, lambda constraint: transforms.CorrCholeskyTransform())

biject_to.register(constraints.simplex, lambda constraint: transforms.StickBreakingTransform())
transform_to.register(constraints.simplex, lambda constraint: transforms.SoftmaxTransform())
transform_to.register(constraints.lower_cholesky, lambda constraint: transforms.LowerCholeskyTransform())
for _constraint in (constraints.positive_definite, constraints.positive_semidefinite):
    transform_to.register(_constraint, lambda constraint: transforms.PositiveDefiniteTransform())
