"""Going through batches that workers get ahead."""

from __future__ import annotations

import multiprocessing
import queue
import threading
import time

from rgrad.utils.data.sampler import drawn_seed
from rgrad.utils.data.worker import Exhausted, Failure, Resume, Resumed, work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rgrad.utils.data.dataloader import DataLoader

__all__ = ["WorkersIterator"]

#: The seconds after which it is looked whether the workers are still there.
_PATIENCE = 5.0


class WorkersIterator:
    """Goes through the batches of a `DataLoader` with workers.

    Tasks are numbered; each worker in turn gets the next. Batches that come before their turn are kept until it comes.
    """

    def __init__(self, loader: DataLoader[Any]) -> None:
        context = loader.multiprocessing_context
        in_process = context != "thread"
        if context is None:
            context = multiprocessing.get_context()
        self._results: Any = context.Queue() if in_process else queue.Queue()
        self._tasks: list[Any] = []
        self._workers: list[Any] = []
        self._closed = False
        self._prepare(loader)
        fetching = (loader._in_batches, loader.collate_fn, loader.drop_last)
        for id in range(loader.num_workers):
            tasks = context.Queue() if in_process else queue.Queue()
            arguments = (
                loader.dataset,
                tasks,
                self._results,
                fetching,
                self._seed,
                id,
                loader.num_workers,
                loader.worker_init_fn,
                in_process,
            )
            kind = context.Process if in_process else threading.Thread
            worker = kind(target=work, args=arguments, daemon=True)
            worker.start()
            self._tasks.append(tasks)
            self._workers.append(worker)
        self._in_process = in_process
        self._send_ahead()

    def _prepare(self, loader: DataLoader[Any]) -> None:
        """Begin an epoch."""
        self._loader = loader
        self._order: Iterator[Any] = iter(loader._order)
        self._seed = drawn_seed(loader.generator)
        self._sent = 0
        self._given = 0
        self._owners: dict[int, int] = {}
        self._arrived: dict[int, Any] = {}
        self._active = [True] * loader.num_workers
        self._turn = 0

    def reset(self, loader: DataLoader[Any]) -> None:
        """Begin another epoch with the same workers."""
        self._prepare(loader)
        for tasks in self._tasks:
            tasks.put(Resume(self._seed))
        waiting = len(self._tasks)
        while waiting:
            # Batches of an epoch that was left before its end come first, and are dropped.
            if isinstance(self._receive()[2], Resumed):
                waiting -= 1
        self._send_ahead()

    def _send_ahead(self) -> None:
        for _ in range((self._loader.prefetch_factor or 1) * len(self._workers)):
            self._send()

    def _send(self) -> None:
        """Give the next task to the next worker that has samples left."""
        for _ in self._active:
            worker = self._turn
            self._turn = (self._turn + 1) % len(self._active)
            if self._active[worker]:
                break
        else:
            return
        try:
            samples = next(self._order)
        except StopIteration:
            return
        self._tasks[worker].put((self._sent, samples))
        self._owners[self._sent] = worker
        self._sent += 1

    def _receive(self) -> tuple[int | None, int, Any]:
        """The next answer of any worker.

        Raises:
            RuntimeError: there is none in time, or a worker is gone.
        """
        timeout = self._loader.timeout
        end = time.monotonic() + timeout if timeout else None
        while True:
            wait = _PATIENCE if end is None else min(_PATIENCE, max(0.0, end - time.monotonic()))
            try:
                answer: tuple[int | None, int, Any] = self._results.get(timeout=wait)
                return answer
            except queue.Empty:
                gone = [id for id, worker in enumerate(self._workers) if not worker.is_alive()]
                if gone:
                    self._close()
                    raise RuntimeError(f"DataLoader: the workers {gone} have ended without a word") from None
                if end is not None and time.monotonic() >= end:
                    self._close()
                    raise RuntimeError(f"DataLoader: no batch came within {timeout} seconds") from None

    def __iter__(self) -> WorkersIterator:
        return self

    def __next__(self) -> Any:
        while True:
            # Tasks that were left by workers without samples are passed over.
            while self._given < self._sent and self._given not in self._owners:
                self._given += 1
            if not self._owners:
                if not self._loader.persistent_workers:
                    self._close()
                raise StopIteration
            if self._given in self._arrived:
                return self._give(self._given, self._arrived.pop(self._given))
            number, worker, answer = self._receive()
            if number is None or number not in self._owners:
                continue
            if isinstance(answer, Exhausted):
                self._active[worker] = False
                self._owners = {task: owner for task, owner in self._owners.items() if owner != worker or task < number}
                self._owners.pop(number, None)
                self._send()
            elif number == self._given or not self._loader.in_order:
                return self._give(number, answer)
            else:
                self._arrived[number] = answer

    def _give(self, number: int, answer: Any) -> Any:
        del self._owners[number]
        self._send()
        if isinstance(answer, Failure):
            if not self._loader.persistent_workers:
                self._close()
            answer.reraise()
        return answer

    def __len__(self) -> int:
        return len(self._loader)

    def _close(self) -> None:
        """End the workers."""
        if self._closed:
            return
        self._closed = True
        for tasks in self._tasks:
            tasks.put(None)
        if not self._in_process:
            return
        for worker in self._workers:
            worker.join(timeout=_PATIENCE)
            if worker.is_alive():
                worker.terminate()
        for channel in (*self._tasks, self._results):
            channel.cancel_join_thread()
            channel.close()

    def __del__(self) -> None:
        try:
            self._close()
        except Exception:  # noqa: BLE001, S110 - the interpreter may be half gone
            pass
