#!/usr/bin/env python3
"""Train a duplex speech-to-speech model with ESPnet's trainer."""

import sys

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.tasks.duplex_s2s import DuplexS2STask


def get_parser():
    """The options of the task and of ESPnet's trainer."""
    return DuplexS2STask.get_parser()


def main(cmd=None):
    """Train, or collect statistics, or print the configuration.

    Examples:
        % python -m espnet2_duplex.bin.duplex_s2s_train \
            --config conf/train_mini.yaml --print_config
    """
    DuplexS2STask.main(cmd=cmd)


if __name__ == "__main__":
    sys.exit(run_cli(main))
