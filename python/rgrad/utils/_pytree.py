"""Nested containers as trees: the list of their leaves, and what it takes to put the leaves back.

Tuples, named tuples, lists, dictionaries and deques are nodes, whatever `register_pytree_node` was told about is a node
too, and everything else is a leaf. Names and signatures are those of `torch.utils._pytree`.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = [
    "LeafSpec",
    "TreeSpec",
    "register_pytree_node",
    "tree_all",
    "tree_any",
    "tree_flatten",
    "tree_iter",
    "tree_leaves",
    "tree_map",
    "tree_map_",
    "tree_map_only",
    "tree_structure",
    "tree_unflatten",
]


class _Node(NamedTuple):
    """How a type of containers is taken apart and made again."""

    flatten: Callable[[Any], tuple[Iterable[Any], Any]]
    unflatten: Callable[[Iterable[Any], Any], Any]


def _is_namedtuple(kind: type) -> bool:
    return issubclass(kind, tuple) and kind is not tuple and hasattr(kind, "_fields")


def _is_named_result(kind: type) -> bool:
    """Whether these are the results of an operation under their names, as those of `max`."""
    return issubclass(kind, tuple) and hasattr(kind, "n_sequence_fields")


def _make_dict(values: Iterable[Any], keys: list[Any]) -> dict[Any, Any]:
    return dict(zip(keys, values))


def _make_defaultdict(values: Iterable[Any], context: tuple[Any, list[Any]]) -> defaultdict[Any, Any]:
    return defaultdict(context[0], zip(context[1], values))


_nodes: dict[type, _Node] = {
    tuple: _Node(lambda node: (node, None), lambda children, _: tuple(children)),
    list: _Node(lambda node: (node, None), lambda children, _: list(children)),
    dict: _Node(lambda node: (node.values(), list(node)), _make_dict),
    OrderedDict: _Node(lambda node: (node.values(), list(node)), lambda values, keys: OrderedDict(zip(keys, values))),
    defaultdict: _Node(lambda node: (node.values(), (node.default_factory, list(node))), _make_defaultdict),
    deque: _Node(lambda node: (node, node.maxlen), deque),
}
_NAMED = _Node(lambda node: (node, type(node)), lambda children, kind: kind(*children))
_NAMED_RESULT = _Node(lambda node: (node, type(node)), lambda children, kind: kind(children))


def register_pytree_node(
    cls: type, flatten_fn: Callable[[Any], Any], unflatten_fn: Callable[[Any, Any], Any], **_: Any
) -> None:
    """Make `cls` a type of containers.

    `flatten_fn(node)` gives its children and a context, `unflatten_fn(children, context)` makes one again. Raises
    ValueError if `cls` is known already.
    """
    if cls in _nodes:
        raise ValueError(f"{cls} is registered as a node of trees already")
    _nodes[cls] = _Node(flatten_fn, unflatten_fn)


def _registered(kind: type) -> _Node | None:
    """How containers of a class are taken apart; None if they are leaves."""
    if _is_namedtuple(kind):
        return _NAMED
    return _NAMED_RESULT if _is_named_result(kind) else _nodes.get(kind)


def _node_of(tree: Any, is_leaf: Callable[[Any], bool] | None) -> _Node | None:
    """How `tree` is taken apart; None for a leaf."""
    if is_leaf is not None and is_leaf(tree):
        return None
    kind = type(tree)
    return _registered(kind)


class TreeSpec:
    """The shape of a tree: its type, what else it takes to make it, and the shapes of its children."""

    __slots__ = ("children_specs", "context", "num_leaves", "type")

    def __init__(self, type: type | None, context: Any, children_specs: list[TreeSpec]) -> None:
        self.type = type
        self.context = context
        self.children_specs = children_specs
        self.num_leaves: int = 1 if type is None else sum(child.num_leaves for child in children_specs)

    @property
    def num_children(self) -> int:
        return len(self.children_specs)

    @property
    def num_nodes(self) -> int:
        return 1 + sum(child.num_nodes for child in self.children_specs)

    def is_leaf(self) -> bool:
        return self.type is None

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """The tree of this shape with the given leaves. Raises ValueError if their number is another."""
        leaves = list(leaves)
        if len(leaves) != self.num_leaves:
            raise ValueError(f"{len(leaves)} leaves are given for a tree of {self.num_leaves}")
        return self._make(iter(leaves))

    def _make(self, leaves: Iterator[Any]) -> Any:
        if self.type is None:
            return next(leaves)
        node = _registered(self.type)
        if node is None:
            raise ValueError(f"{self.type} is not registered as a node of trees")
        return node.unflatten([child._make(leaves) for child in self.children_specs], self.context)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TreeSpec):
            return NotImplemented
        same = self.type is other.type and self.context == other.context
        return same and self.children_specs == other.children_specs

    def __hash__(self) -> int:
        return hash((self.type, self.num_leaves))

    def __repr__(self) -> str:
        if self.type is None:
            return "*"
        children = ", ".join(map(repr, self.children_specs))
        return f"TreeSpec({self.type.__name__}, {self.context}, [{children}])"


class LeafSpec(TreeSpec):
    """The shape of a leaf."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(None, None, [])


def tree_flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list[Any], TreeSpec]:
    """The leaves of `tree`, in order, and its shape. A subtree of which `is_leaf` is true is a leaf."""
    leaves: list[Any] = []
    return leaves, _flatten(tree, leaves, is_leaf)


def _flatten(tree: Any, leaves: list[Any], is_leaf: Callable[[Any], bool] | None) -> TreeSpec:
    node = _node_of(tree, is_leaf)
    if node is None:
        leaves.append(tree)
        return LeafSpec()
    children, context = node.flatten(tree)
    return TreeSpec(type(tree), context, [_flatten(child, leaves, is_leaf) for child in children])


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> Any:
    """The tree of shape `treespec` with the given leaves."""
    return treespec.unflatten(leaves)


def tree_leaves(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> list[Any]:
    """The leaves of `tree`, in order."""
    return tree_flatten(tree, is_leaf)[0]


def tree_iter(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> Iterator[Any]:
    """An iterator over the leaves of `tree`."""
    return iter(tree_leaves(tree, is_leaf))


def tree_structure(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> TreeSpec:
    """The shape of `tree`."""
    return tree_flatten(tree, is_leaf)[1]


def tree_map(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """The tree of what `func` gives for each leaf of `tree`, and for the subtrees of `rests` in the same place."""
    leaves, spec = tree_flatten(tree, is_leaf)
    columns = [leaves, *(_up_to(rest, spec) for rest in rests)]
    return spec.unflatten(map(func, *columns))


def tree_map_(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """Call `func` for each leaf, as `tree_map` does, and give `tree` back."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


def tree_map_only(kind: Any, func: Callable[[Any], Any], tree: Any) -> Any:
    """`tree_map` for the leaves that are instances of `kind`; others stay as they are."""
    return tree_map(lambda leaf: func(leaf) if isinstance(leaf, kind) else leaf, tree)


def tree_all(pred: Callable[[Any], bool], tree: Any) -> bool:
    """Whether `pred` is true of all leaves."""
    return all(map(pred, tree_leaves(tree)))


def tree_any(pred: Callable[[Any], bool], tree: Any) -> bool:
    """Whether `pred` is true of some leaf."""
    return any(map(pred, tree_leaves(tree)))


def _up_to(tree: Any, spec: TreeSpec) -> list[Any]:
    """The subtrees of `tree` where a tree of shape `spec` has leaves. Raises ValueError if the shapes disagree."""
    if spec.type is None:
        return [tree]
    node = _node_of(tree, None)
    if node is None or type(tree) is not spec.type:
        raise ValueError(f"a {spec.type.__name__} is expected in a tree, got {type(tree).__name__}")
    children, context = node.flatten(tree)
    children = list(children)
    if context != spec.context or len(children) != spec.num_children:
        raise ValueError(f"the nodes of two trees disagree: {spec} and {tree_structure(tree)}")
    return [leaf for child, part in zip(children, spec.children_specs) for leaf in _up_to(child, part)]


def _broadcast_to_and_flatten(
    tree: Any, treespec: TreeSpec, is_leaf: Callable[[Any], bool] | None = None
) -> list[Any] | None:
    """The leaves of `tree`, each repeated for all leaves of `treespec` in its place; None if the shapes disagree."""
    node = _node_of(tree, is_leaf)
    if node is None:
        return [tree] * treespec.num_leaves
    if treespec.type is not type(tree):
        return None
    children, context = node.flatten(tree)
    children = list(children)
    if context != treespec.context or len(children) != treespec.num_children:
        return None
    leaves = []
    for child, spec in zip(children, treespec.children_specs):
        part = _broadcast_to_and_flatten(child, spec, is_leaf)
        if part is None:
            return None
        leaves.extend(part)
    return leaves
