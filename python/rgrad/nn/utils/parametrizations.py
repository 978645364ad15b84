"""Weights that are normalised or orthogonal, as parametrizations."""

from __future__ import annotations

import rgrad
from rgrad.nn.module import Module
from rgrad.nn.utils import parametrize
from rgrad.nn.utils.power_iteration import as_matrix, estimate, improve, normalized
from rgrad.nn.utils.weight_norm import norm_except_dim, with_norm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


_MAPS = ("matrix_exp", "cayley", "householder")


def _with_orthonormal_columns(matrix: Tensor) -> Tensor:
    """The factor `Q` of `matrix = Q R`, of as many rows as columns or more, where the diagonal of `R` is positive."""
    Q, R = rgrad.linalg.qr(matrix)
    return Q * R.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


def _has_orthonormal_columns(matrix: Tensor) -> bool:
    identity = rgrad.eye(matrix.size(-1), dtype=matrix.dtype)
    # The error of a product of n terms is that of one, n times.
    allowed = 10 * matrix.size(-2) * rgrad.finfo(matrix.dtype).eps
    return bool(((matrix.mH @ matrix - identity).abs() <= allowed).all())


class _Orthogonal(Module):
    """A matrix with orthonormal columns, or rows if there are fewer, made of one without constraint.

    Lezcano-Casado, "Trivializations for gradient-based optimization on manifolds" (2019): with `base` the first value
    is kept there, and multiplied by an orthogonal matrix that begins as the identity.
    """

    base: Any

    def __init__(self, weight: Tensor, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError("orthogonal: householder reflections are for real matrices, the weight is complex")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Tensor) -> Tensor:
        if X.size(-2) < X.size(-1):
            return self._tall(X.mT).mT
        return self._tall(X)

    def _tall(self, X: Tensor) -> Tensor:
        rows, columns = X.shape[-2:]
        if self.orthogonal_map == "householder":
            below = X.tril(-1)
            scales = 2.0 / (1.0 + (below * below).sum(dim=-2))
            # The diagonal has signs only, which are not learnt.
            signs = X.detach().diagonal(dim1=-2, dim2=-1).sgn()
            Q = rgrad.linalg.householder_product(below, scales) * signs.unsqueeze(-2)
        else:
            lower = rgrad.cat([X.tril(), X.new_zeros((*X.shape[:-1], rows - columns))], dim=-1)
            skew = lower - lower.mH
            if self.orthogonal_map == "matrix_exp":
                Q = rgrad.linalg.matrix_exp(skew)
            else:
                identity = rgrad.eye(rows, dtype=X.dtype)
                Q = rgrad.linalg.solve(identity - 0.5 * skew, identity + 0.5 * skew)
            Q = Q[..., :columns]
        return self.base @ Q if hasattr(self, "base") else Q

    def right_inverse(self, Q: Tensor) -> Tensor:
        if Q.shape != self.shape:
            raise ValueError(f"orthogonal: the weight has size {tuple(self.shape)}, not {tuple(Q.shape)}")
        with rgrad.no_grad():
            wide = Q.size(-2) < Q.size(-1)
            tall = Q.mT if wide else Q
            if not hasattr(self, "base"):
                reflections = self._reflections(tall)
                return reflections.mT if wide else reflections
            self.base = self._completed(tall)
            # Minus the identity gives the identity: for all maps but the reflections only what is below counts.
            return -rgrad.eye(Q.size(-2), Q.size(-1), dtype=Q.dtype).expand(Q.shape).clone()

    def _completed(self, tall: Tensor) -> Tensor:
        """A square orthogonal matrix whose first columns are those of a matrix, made orthonormal."""
        rows, columns = tall.shape[-2:]
        if rows == columns:
            return tall.clone() if _has_orthonormal_columns(tall) else _with_orthonormal_columns(tall)
        more = rgrad.randn(*tall.shape[:-2], rows, rows - columns, dtype=tall.dtype)
        return _with_orthonormal_columns(rgrad.cat([tall, more], dim=-1))

    def _reflections(self, tall: Tensor) -> Tensor:
        """What the product of reflections is made of, for the matrix with its columns made orthonormal."""
        if self.orthogonal_map != "householder":
            raise NotImplementedError(
                f"orthogonal: {self.orthogonal_map} with use_trivialization=False cannot be assigned to"
            )
        reflections, scales = rgrad.geqrf(tall)
        signs = reflections.diagonal(dim1=-2, dim2=-1).sign()
        # Where LAPACK needs no reflection the column is kept, sign and all.
        signs = rgrad.where(scales == 0.0, -signs, signs)
        return reflections.diagonal_scatter(signs, dim1=-2, dim2=-1)


def orthogonal(
    module: Any, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Any:
    """Let a parameter be a matrix with orthonormal columns, or rows if there are fewer; or a batch of such.

    Args:
        module: the module, which is given back.
        name: its parameter.
        orthogonal_map: `"matrix_exp"` (of a skew-symmetric matrix), `"cayley"` (a quotient of two) or `"householder"`
            (a product of reflections); by default the last for real matrices that are not square, else the first.
        use_trivialization: whether the first value is kept beside, and what is learnt is the change from there.

    Raises:
        ValueError: the module has no such parameter, it has fewer than two dimensions, or there is no such map.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, rgrad.Tensor):
        raise ValueError(f"orthogonal: {type(module).__name__} has no parameter {name!r}")
    if weight.dim() < 2:
        raise ValueError(
            f"orthogonal: a matrix or a batch of matrices is expected, {name!r} has {weight.dim()} dimensions"
        )
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.size(-2) == weight.size(-1) or weight.is_complex() else "householder"
    if orthogonal_map not in _MAPS:
        raise ValueError(f"orthogonal: orthogonal_map is one of {', '.join(_MAPS)}, not {orthogonal_map!r}")
    made = _Orthogonal(weight, orthogonal_map, use_trivialization)
    return parametrize.register_parametrization(module, name, made, unsafe=True)


class _WeightNorm(Module):
    """A tensor of its lengths, `original0`, and its directions, `original1`."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return with_norm(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except_dim(weight, self.dim), weight


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Let a parameter be made of lengths and directions: `original0 * original1 / norm(original1)`.

    Salimans and Kingma, "Weight normalization" (2016).

    Args:
        module: the module, which is given back.
        name: its parameter.
        dim: the dimension along which slices have lengths of their own; `None` for one length in all.
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def take_older_names(state_dict: Any, prefix: str, *others: Any) -> None:
        older = [f"{prefix}{name}_g", f"{prefix}{name}_v"]
        if all(key in state_dict for key in older):
            for position, key in enumerate(older):
                state_dict[f"{prefix}parametrizations.{name}.original{position}"] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(take_older_names)
    return module


class _SpectralNorm(Module):
    """A tensor divided by its largest singular value, which each call in training estimates better."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        dimensions = weight.dim()
        if not -dimensions <= dim < dimensions:
            raise IndexError(f"spectral_norm: dim={dim} is out of range for a tensor of {dimensions} dimensions")
        if n_power_iterations <= 0:
            raise ValueError(f"spectral_norm: at least one iteration is needed, not {n_power_iterations}")
        self.dim = dim % dimensions
        self.eps = eps
        if dimensions > 1:
            self.n_power_iterations = n_power_iterations
            with rgrad.no_grad():
                matrix = as_matrix(weight, self.dim)
                rows, columns = matrix.shape
                left = matrix.new_empty(rows).normal_(0, 1)
                right = matrix.new_empty(columns).normal_(0, 1)
                self.register_buffer("_u", normalized(left, eps))
                self.register_buffer("_v", normalized(right, eps))
            improve(matrix, self._u, self._v, 15, eps)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.dim() == 1:
            return normalized(weight, self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            improve(matrix, self._u, self._v, self.n_power_iterations, self.eps)
        # The vectors of this call are kept for its backward pass, whatever later calls change.
        return weight / estimate(matrix, self._u.clone(), self._v.clone())

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Any:
    """Let a parameter be divided by its largest singular value.

    Miyato et al., "Spectral normalization for generative adversarial networks" (2018).

    Args:
        module: the module, which is given back.
        name: its parameter.
        n_power_iterations: how often the estimate is improved by each call in training.
        eps: the least length that vectors are divided by.
        dim: the dimension that counts as rows: 1 for transposed convolutions, else 0, if `None`.

    Raises:
        ValueError: the module has no such parameter.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, rgrad.Tensor):
        raise ValueError(f"spectral_norm: {type(module).__name__} has no parameter {name!r}")
    if dim is None:
        dim = 1 if "ConvTranspose" in type(module).__name__ else 0
    return parametrize.register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))
