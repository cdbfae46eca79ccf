"""One case in a process of its own: `python -m training_benchmark SIDE CASE RESULT`.

SIDE is ours or nemo, CASE the fields of `Case` and RESULT those of `Measurement`, JSON.
"""

import dataclasses
import importlib
import json
import sys
from pathlib import Path

import torch
from training_benchmark.case import Case


def main(side: str, case_file: str, result_file: str) -> None:
    case = Case(**json.loads(Path(case_file).read_text()))
    torch.set_num_threads(case.num_threads)
    torch.manual_seed(0)
    measurement = importlib.import_module(f"training_benchmark.{side}").run(case)
    Path(result_file).write_text(json.dumps(dataclasses.asdict(measurement)))


if __name__ == "__main__":
    main(*sys.argv[1:])
