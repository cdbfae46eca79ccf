"""Imports go down the layers of the package only (DESIGN, section 2)."""

import ast
from pathlib import Path

import pytest

PACKAGE = "espnet2_duplex"
ROOT = Path(__file__).parents[2] / PACKAGE
LAYERS = (
    ("atomic", "timing", "vocabulary", "arks", "precision", "row_draws"),
    ("heads", "packing"),
    ("jsonl", "llm_source", "sound_files"),
    ("chat", "conversation", "data_folder", "events", "words"),
    ("alignment", "codec", "dataset_checks", "metrics", "tokenizer"),
    ("simulation",),
    ("formats",),
    ("scoring",),
    ("perception", "backbone", "loss"),
    ("duplex_lm",),
    ("espnet_model", "session", "train"),
    ("tasks",),
    ("bin",),
)
LAYER_OF = {unit: layer for layer, units in enumerate(LAYERS) for unit in units}
# Everything else can be tested with torch alone.
ESPNET_IMPORTERS = ("espnet_model", "train", "tasks", "bin")
ESPNET_IMPORTERS += ("codec.discriminators", "codec.espnet_codec", "codec.gan_model")


def imported_modules(source, module, is_package):
    """Full names of all that a module imports, also inside functions."""
    package = module if is_package else module.rpartition(".")[0]
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                parents = parents[: len(parents) - node.level + 1]
                base = ".".join([*parents, base]).rstrip(".")
            if base == PACKAGE:  # from the package: the names are its modules
                names += [f"{base}.{alias.name}" for alias in node.names]
            else:
                names.append(base)
    return names


def unit_of(module):
    """First name below the package: a module or a subpackage."""
    return module.split(".")[1]


def violations(source, module, *, is_package=False):
    """Sentences about the imports of one module that break a rule."""
    name = module.removeprefix(f"{PACKAGE}.")
    unit = unit_of(module)
    if unit not in LAYER_OF:
        return [f"{name} is in no layer; add {unit} to LAYERS"]
    found = []
    for imported in imported_modules(source, module, is_package):
        if imported.split(".")[0] == "espnet2":
            if unit not in ESPNET_IMPORTERS and name not in ESPNET_IMPORTERS:
                found.append(f"{name} imports {imported}")
        elif imported.startswith(f"{PACKAGE}."):
            other = unit_of(imported)
            if other not in LAYER_OF:
                found.append(f"{name} imports {imported}, which is in no layer")
            elif other != unit and LAYER_OF[other] >= LAYER_OF[unit]:
                found.append(f"{name} imports {imported}, which is not below it")
    return found


def package_modules():
    """(full name, path) of each module, without the package's own docstring file."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts != ("__init__",):
            names = parts[:-1] if parts[-1] == "__init__" else parts
            yield ".".join([PACKAGE, *names]), path


def test_package_imports_only_downward():
    found = []
    for module, path in package_modules():
        source = path.read_text(encoding="utf-8")
        found += violations(source, module, is_package=path.name == "__init__.py")
    assert not found, "\n".join(found)


def test_package_itself_imports_nothing():
    path = ROOT / "__init__.py"
    source = path.read_text(encoding="utf-8") if path.exists() else ""
    assert imported_modules(source, PACKAGE, is_package=True) == []


@pytest.mark.parametrize(
    "module, source",
    [
        ("timing", "import espnet2_duplex.conversation"),
        ("timing", "from espnet2_duplex import vocabulary"),  # beside it
        ("timing", "from . import session"),
        ("alignment", "from espnet2_duplex.metrics.activity import x"),
        ("codec.fsq", "from ..perception import x"),
        ("codec.fsq", "def f():\n    import espnet2.asr"),
        ("perception.adapter", "from espnet2.asr.encoder import x"),
        ("session", "from espnet2_duplex.train.preprocessor import x"),
        ("tasks.codec", "from espnet2_duplex.bin import pack"),
        ("conversation", "from espnet2_duplex import helpers"),
        ("helpers", ""),
    ],
)
def test_upward_import_is_found(module, source):
    assert len(violations(source, f"{PACKAGE}.{module}")) == 1


@pytest.mark.parametrize(
    "module, source",
    [
        ("conversation", "from espnet2_duplex.timing import FrameClock"),
        ("codec.fsq", "from .abs_codec import AbsCodec"),
        ("codec.espnet_codec", "import espnet2.gan_codec"),
        ("train.preprocessor", "from espnet2.train.preprocessor import x"),
        ("bin.pack", "from espnet2_duplex import session"),
        ("loss", "import torch, espnet2_duplex_extra"),
    ],
)
def test_downward_import_passes(module, source):
    assert violations(source, f"{PACKAGE}.{module}") == []
