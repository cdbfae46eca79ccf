"""A worker for other processes, which import it by this name."""

import time

import numpy as np
import torch
from threadpoolctl import threadpool_info


def thread_counter():
    """Makes a worker that tells its process and the threads of its libraries."""

    def count(task):
        time.sleep(0.01 * (3 - task))  # later tasks would be done first
        np.ones((2, 2)) @ np.ones((2, 2))
        pools = {found["num_threads"] for found in threadpool_info()}
        return task, pools | {torch.get_num_threads()}

    return count
