"""Train a codec with ESPnet's GANTrainer.

Usage (stage 4 of the recipe; lists of keys serve as shape files, since crops have
one length):

    python -m espnet2_duplex.bin.codec_train \
        --config conf/train_codec_istft.yaml --output_dir exp/codec \
        --train_data_path_and_name_and_type data/codec_train/wav.scp,audio,sound \
        --valid_data_path_and_name_and_type data/codec_valid/wav.scp,audio,sound \
        --train_shape_file data/codec_train/wav.scp \
        --valid_shape_file data/codec_valid/wav.scp --resume true
"""

import sys

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.tasks.codec import CodecTask


def get_parser():
    """Return ESPnet's parser with the options of the codec task."""
    return CodecTask.get_parser()


def main(cmd=None):
    """Train; see the module's docstring."""
    CodecTask.main(cmd=cmd)


if __name__ == "__main__":
    sys.exit(run_cli(main))
