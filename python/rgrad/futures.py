"""Results that may come later: here a future is a place that somebody fills, or has filled."""

from __future__ import annotations

from concurrent import futures as _futures
from typing import Generic, TypeVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

__all__ = ["Future", "collect_all", "wait_all"]

T = TypeVar("T")


class Future(Generic[T]):
    """A result that `set_result` or `set_exception` brings, once.

    Raises:
        RuntimeError: the future has its result already.
    """

    def __init__(self, *, devices: Any = None) -> None:
        self._inner: _futures.Future[T] = _futures.Future()

    def done(self) -> bool:
        """Whether there is a result or an error."""
        return self._inner.done()

    def wait(self) -> T:
        """The result, waited for; an error that was set is raised."""
        return self._inner.result()

    def value(self) -> T:
        """The result of a future that is done; an error that was set is raised.

        Raises:
            RuntimeError: it is not done.
        """
        if not self.done():
            raise RuntimeError("Future.value(): there is no result yet; wait() waits for it")
        return self.wait()

    def set_result(self, result: T) -> None:
        """Bring the result."""
        self._unfilled()
        self._inner.set_result(result)

    def set_exception(self, result: BaseException) -> None:
        """Bring an error, which `wait` raises."""
        self._unfilled()
        self._inner.set_exception(result)

    def _unfilled(self) -> None:
        if self.done():
            raise RuntimeError("a Future is given a result only once")

    def add_done_callback(self, callback: Callable[[Future[T]], Any]) -> None:
        """Call `callback(self)` when it is done, which may be now."""
        self._inner.add_done_callback(lambda _: callback(self))

    def then(self, callback: Callable[[Future[T]], Any]) -> Future[Any]:
        """A future of what `callback(self)` gives when this one is done."""
        following: Future[Any] = Future()

        def fill(done: Future[T]) -> None:
            try:
                following.set_result(callback(done))
            except Exception as error:
                following.set_exception(error)

        self.add_done_callback(fill)
        return following


def collect_all(futures: Iterable[Future[Any]]) -> Future[list[Future[Any]]]:
    """A future of all `futures`, done when all of them are."""
    every = list(futures)
    together: Future[list[Future[Any]]] = Future()

    def fill(_: Any) -> None:
        if not together.done() and all(future.done() for future in every):
            together.set_result(every)

    for future in every:
        future.add_done_callback(fill)
    if not every:
        together.set_result(every)
    return together


def wait_all(futures: Iterable[Future[Any]]) -> list[Any]:
    """The results of all `futures`, waited for."""
    return [future.wait() for future in collect_all(futures).wait()]
