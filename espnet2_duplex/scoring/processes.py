"""Tasks in several processes, with one thread each."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

import torch
from threadpoolctl import threadpool_limits

THREADS = "OMP_NUM_THREADS"  # for libraries that are not loaded yet


def run_in_processes[T, R](
    make_worker: Callable[[], Callable[[T], R]], tasks: Sequence[T], num_jobs: int
) -> Iterator[R]:
    """Results of tasks, in their order.

    One thread each, also with one job, so that sums round alike on every machine and
    with any number of jobs, and jobs do not take the cores from each other.

    Args:
        make_worker: called once in every process; what it makes does one task after the
            other. To be pickled, as the tasks and their results are.
        tasks: what to do.
        num_jobs: processes; a single one is this one.
    """
    if num_jobs == 1:
        with _one_thread():
            yield from map(make_worker(), tasks)
        return
    pool = ProcessPoolExecutor(
        num_jobs,
        mp_context=get_context("spawn"),
        initializer=_start_process,
        initargs=(make_worker,),
    )
    try:
        yield from pool.map(_work, tasks)
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread inside; as many as before afterwards."""
    before = os.environ.get(THREADS)
    num_torch_threads = torch.get_num_threads()
    os.environ[THREADS] = "1"
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(num_torch_threads)
        if before is None:
            del os.environ[THREADS]
        else:
            os.environ[THREADS] = before


_worker: Callable[[Any], Any] | None = None  # of this process


def _start_process(make_worker: Callable[[], Callable[[Any], Any]]) -> None:
    global _worker
    os.environ[THREADS] = "1"
    torch.set_num_threads(1)
    threadpool_limits(1)
    _worker = make_worker()


def _work(task: Any) -> Any:
    assert _worker is not None
    return _worker(task)
