"""What makes a set be heard again, and what does not."""

import json
import shutil

import pytest
import soundfile
from decoded_sets import RATE, OneScore, command, read_results, tones, write_set

from espnet2_duplex.bin.duplex_s2s_score import main
from espnet2_duplex.data_folder import write_table
from espnet2_duplex.scoring import hearing

NAMES = ("results.json", "conversations.jsonl", "heard.jsonl")


class Listening(list):
    """Options of every judge that was made."""

    def __call__(self, options):
        self.append(options)
        return OneScore(options)


@pytest.fixture
def judges(monkeypatch):
    made = Listening()
    monkeypatch.setattr(hearing, "SpeechJudges", made)
    return made


@pytest.fixture
def root(tmp_path, judges):
    write_set(tmp_path, "test_a")
    return tmp_path


def contents(root):
    return [(root / "decode" / "test_a" / name).read_bytes() for name in NAMES]


def write_voice(root, folder, spans=((2.14, 4.14),)):
    """An agent.scp of the set whose sound lies in a folder."""
    (root / folder).mkdir(exist_ok=True)
    paths = {name: root / folder / f"{name}.wav" for name in ("test_a_0", "test_a_1")}
    for path in paths.values():
        soundfile.write(path, tones(spans), RATE)
    table = {name: str(path) for name, path in paths.items()}
    write_table(root / "data" / "test_a" / "agent.scp", table)


def test_speed_is_in_no_result_and_makes_nothing_anew(root, judges):
    main(command(root, "test_a"))
    before = contents(root)
    fast = ("--asr_batch_size", "3", "--asr_device", "cuda")
    main(command(root, "test_a", options=("--no_asr", *fast)))
    assert contents(root) == before
    assert len(judges) == 1


def test_the_voice_counts_by_its_sound_and_not_by_its_place(root, judges):
    write_voice(root, "here")
    main(command(root, "test_a"))
    before = contents(root)
    assert str(root).encode() not in before[0]
    assert len(read_results(root)["options"]["speech"]["voice"]) == 64
    write_voice(root, "there")
    shutil.rmtree(root / "here")
    main(command(root, "test_a"))
    assert contents(root) == before and len(judges) == 1
    write_voice(root, "there", [(2.5, 3.5)])
    main(command(root, "test_a"))
    assert contents(root)[0] != before[0] and len(judges) == 2


def test_another_version_of_a_network_listens_again(root, judges, monkeypatch):
    main(command(root, "test_a"))
    versions = read_results(root)["versions"]
    assert {"silero-vad", "speechmos", "resemblyzer", "sacrebleu"} < set(versions)

    def newer(packages):
        return dict.fromkeys(packages, "99")

    monkeypatch.setattr(hearing, "versions_of", newer)
    main(command(root, "test_a"))
    assert len(judges) == 2


@pytest.mark.parametrize("damage", ["{", "{}\n", '{"id": "test_a_0"}\n', "[]\n"])
def test_a_damaged_cache_is_to_be_deleted(root, damage):
    (root / "decode" / "test_a" / "heard.jsonl").write_text(damage)
    with pytest.raises(ValueError, match="heard.jsonl is damaged .* delete the file"):
        main(command(root, "test_a"))


def test_results_have_the_digest_of_the_conversations(root):
    main(command(root, "test_a"))
    results = json.loads(contents(root)[0])
    assert len(results["conversations_sha256"]) == 64
    assert list(results)[-1] == "conversations_sha256"
