"""The weights and the configuration of a model as a packed model holds them.

Training may keep frozen weights apart and adapters beside the weights they adapt.
Whoever gets the packed model needs neither frozen.pth nor peft.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import yaml

from espnet2_duplex.atomic import replacing


@contextlib.contextmanager
def inference_files(train_config: str, model_file: str) -> Iterator[tuple[Path, Path]]:
    """The two files to pack: those given, or whole ones that exist while inside.

    Args:
        train_config: `config.yaml` of the training.
        model_file: Its checkpoint.

    Raises:
        ValueError: If configuration and checkpoint are not of one training.
    """
    config_path, model_path = Path(train_config), Path(model_file)
    config = yaml.safe_load(config_path.read_text(encoding="utf-8"))
    made = []
    try:
        if config.get("lora_conf"):
            made = [config_path.with_name("config.merged.yaml")]
            made += [model_path.with_name(f"{model_path.stem}.merged.pth")]
            _write_merged(train_config, model_file, *made)
            yield tuple(made)
        elif _has_frozen_apart(model_path):
            made = [model_path.with_name(f"{model_path.stem}.whole.pth")]
            _write_whole(model_path, *made)
            yield config_path, *made
        else:
            yield config_path, model_path
    finally:
        for path in made:
            path.unlink(missing_ok=True)


def _has_frozen_apart(model_path: Path) -> bool:
    from espnet2_duplex.train.frozen_weights import FROZEN_FILE

    return model_path.with_name(FROZEN_FILE).exists()


def _write_whole(model_path: Path, whole_path: Path) -> None:
    import torch

    from espnet2_duplex.tasks.checkpoints import read_weights

    with replacing(whole_path) as temporary:
        torch.save(read_weights(model_path, "cpu"), temporary)


def _write_merged(
    train_config: str, model_file: str, config_path: Path, model_path: Path
) -> None:
    """Write what a training without adapters would have saved."""
    import torch

    from espnet2_duplex.backbone.lora import merge_lora
    from espnet2_duplex.tasks.duplex_s2s import DuplexS2STask

    model, _ = DuplexS2STask.build_model_from_file(train_config, model_file)
    merge_lora(model.duplex_lm.backbone.llm)
    with replacing(model_path) as temporary:
        torch.save(dict(model.state_dict()), temporary)
    config = yaml.safe_load(Path(train_config).read_text(encoding="utf-8"))
    with replacing(config_path) as temporary:
        text = yaml.safe_dump({**config, "lora_conf": {}}, sort_keys=False)
        temporary.write_text(text, encoding="utf-8")
