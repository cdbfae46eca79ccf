"""Tasks in processes with one thread each."""

import os

import pytest
import torch
from thread_counter import thread_counter
from threadpoolctl import threadpool_info, threadpool_limits

from espnet2_duplex.scoring.processes import run_in_processes


@pytest.mark.parametrize("num_jobs", [1, 2])
def test_results_come_in_order_from_one_thread_each(num_jobs):
    found = list(run_in_processes(thread_counter, [0, 1, 2], num_jobs))
    assert found == [(0, {1}), (1, {1}), (2, {1})]


def test_threads_are_given_back(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with threadpool_limits(2):
            assert len(list(run_in_processes(thread_counter, [0], 1))) == 1
            assert torch.get_num_threads() == 2
            assert {found["num_threads"] for found in threadpool_info()} == {2}
        assert os.environ["OMP_NUM_THREADS"] == "2"
    finally:
        torch.set_num_threads(before)
