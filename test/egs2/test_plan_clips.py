import json

import pytest
import soundfile
from casting import Casting
from clips import read_failures
from conversation_format import write_conversations
from plan_clips import main
from speech_settings import parse_speech_settings
from tts.kokoro import TEST_VOICES, TRAIN_VOICES

from espnet2_duplex.jsonl import read_jsonl, write_jsonl


def qa(id, question="What is tea?", answer="A drink.", **fields):
    turns = [{"role": "user", "text": question}, {"role": "agent", "text": answer}]
    return {"id": id, "set": "train", "turns": turns, **fields}


@pytest.fixture
def plan(tmp_path):
    """Run the script on rows; returns the folder of what it writes."""

    def run(rows, *options, speech=None, seed=0):
        local = tmp_path / "local"
        rows = [*rows, qa("valid_one", set="valid")]
        write_conversations(tmp_path / "conversations.jsonl", rows)
        (tmp_path / "corpus.yaml").write_text(json.dumps({"speech": speech or {}}))
        arguments = ["--conversations", tmp_path / "conversations.jsonl"]
        arguments += ["--config", tmp_path / "corpus.yaml", "--local", local]
        arguments += ["--downloads", tmp_path / "downloads", "--seed", seed, *options]
        main([str(argument) for argument in arguments])
        return local

    return run


def spoken_by_id(local):
    return {row["id"]: row for row in read_jsonl(local / "spoken.jsonl")}


def test_every_turn_has_the_wav_of_a_planned_clip(plan):
    local = plan([qa("a", source="alpaca", licence="CC", origin="alpaca 7")])
    row = spoken_by_id(local)["a"]
    wavs = {
        role: {str(local / "clips" / role / c["id"][-16:][:2] / f"{c['id']}.wav"): c}
        for role in ("user", "agent")
        for c in read_jsonl(local / "clips" / f"{role}.jsonl")
        if c["voice"] in (row["speaker"], "heart")
    }
    assert {key: row[key] for key in ("set", "source", "licence", "origin")} == {
        "set": "train",
        "source": "alpaca",
        "licence": "CC",
        "origin": "alpaca 7",
    }
    assert row["speaker"] in TRAIN_VOICES
    for turn in row["turns"]:
        clip = wavs[turn["role"]][turn["wav"]]
        assert clip["text"] == turn["text"] and set(turn) == {"role", "text", "wav"}
    user = wavs["user"][row["turns"][0]["wav"]]
    assert (user["engine"], user["rate"]) == ("kokoro", 16000)
    assert 0.9 <= user["speed"] <= 1.15
    agent = wavs["agent"][row["turns"][1]["wav"]]
    assert (agent["engine"], agent["rate"], agent["speed"]) == ("hibari", 22050, 1.0)


def test_conversations_share_equal_clips(plan):
    local = plan([qa("a", voice="af_sky"), qa("b", voice="af_sky"), qa("c", "Why?")])
    rows = spoken_by_id(local)
    assert rows["a"]["turns"] == rows["b"]["turns"]
    agent = read_jsonl(local / "clips" / "agent.jsonl")
    assert [clip["text"] for clip in agent] == ["A drink."]
    user = read_jsonl(local / "clips" / "user.jsonl")
    assert len({clip["id"] for clip in user}) == len(user) == 3


def test_test_sets_have_voices_of_their_own(plan):
    rows = [qa(f"t{n}", set="test_qa") for n in range(30)]
    spoken = spoken_by_id(plan([*rows, *(qa(f"r{n}") for n in range(30))]))
    assert {spoken[f"t{n}"]["speaker"] for n in range(30)} == set(TEST_VOICES)
    assert {spoken[f"r{n}"]["speaker"] for n in range(30)} <= set(TRAIN_VOICES)
    assert len({spoken[f"r{n}"]["speaker"] for n in range(30)}) > 10


def test_a_voice_depends_on_seed_and_id_only(plan):
    alone = spoken_by_id(plan([qa("a")]))["a"]
    among = spoken_by_id(plan([qa("x"), qa("a"), qa("y")]))["a"]
    assert alone == among
    seeds = {spoken_by_id(plan([qa("a")], seed=n))["a"]["speaker"] for n in range(9)}
    assert len(seeds) > 3


def test_a_voice_that_is_given_is_taken_and_an_unknown_one_refused(plan):
    local = plan([qa("a", set="test", voice="am_adam"), qa("b")])
    assert spoken_by_id(local)["a"]["speaker"] == "am_adam"
    with pytest.raises(ValueError, match="line 1: the voice 'am_nobody' is not among"):
        plan([qa("a", voice="am_nobody")])


def test_blends_are_further_training_speakers(plan):
    casting = Casting(parse_speech_settings({"user": {"num_blends": 40}}, "s"), seed=0)
    assert len(casting.train_voices) == 23 + 40
    assert casting.test_voices == list(TEST_VOICES)
    rows = [qa(f"r{n}") for n in range(30)]
    spoken = spoken_by_id(plan(rows, speech={"user": {"num_blends": 40}}))
    speakers = {row["speaker"] for row in spoken.values()}
    assert speakers <= set(casting.train_voices) and speakers - set(TRAIN_VOICES)


def test_own_wavs_stay_and_the_agents_get_a_copy_with_the_lead(
    plan, tmp_path, make_wav
):
    make_wav(tmp_path / "q.wav", 1.0, 16000)
    make_wav(tmp_path / "a.wav", 1.0, 22050)
    row = qa("own")
    row["turns"][0].update(wav="q.wav", start=0.5)
    row["turns"][1].update(wav="a.wav", start=2.0, end=2.9)
    early = {**row["turns"][1], "start": 0.03, "end": 0.9}
    local = plan([row, {**qa("early"), "turns": [early]}])
    spoken = spoken_by_id(local)
    user, agent = spoken["own"]["turns"]
    assert spoken["own"]["speaker"] == "own"
    assert user["wav"] == str(tmp_path / "q.wav") and user["start"] == 0.5
    assert (agent["start"], agent["end"]) == (1.92, 2.9)
    assert spoken["early"]["turns"][0]["wav"] == agent["wav"]
    assert spoken["early"]["turns"][0]["start"] == 0.0
    assert spoken["early"]["turns"][0]["end"] == 0.95  # later by what the lead misses
    clip = read_jsonl(local / "clips" / "agent.jsonl")[0]
    assert (clip["engine"], clip["source"]) == ("wav", str(tmp_path / "a.wav"))
    assert agent["wav"].endswith(f"{clip['id']}.wav")
    make_wav(tmp_path / "a.wav", 1.5, 22050)
    changed = spoken_by_id(plan([row]))["own"]["turns"][1]
    assert changed["wav"] != agent["wav"]


def test_whoever_is_heard_in_all_wavs_is_named_by_the_conversation(
    plan, tmp_path, make_wav
):
    make_wav(tmp_path / "q.wav", 1.0, 16000)

    def own(id, **names):
        row = qa(id, **names)
        row["turns"][0]["wav"] = "q.wav"
        return row

    both = own("mixed", voice="af_sky")
    both["turns"] += qa("more")["turns"]
    rows = [own("a", speaker="anna"), own("b", speaker="anna", voice="ann")]
    spoken = spoken_by_id(plan([*rows, own("c", voice="ann"), own("d"), both]))
    speakers = {id: row["speaker"] for id, row in spoken.items() if id != "valid_one"}
    assert speakers == {"a": "anna", "b": "anna", "c": "ann", "d": "d"} | {
        "mixed": "af_sky"
    }


def test_every_voice_in_use_says_the_backchannels_once(plan, tmp_path, make_wav):
    make_wav(tmp_path / "q.wav", 1.0, 16000)
    own = qa("own")
    own["turns"][0]["wav"] = "q.wav"
    rows = [qa("a", voice="af_sky"), qa("b", "Why?", voice="af_sky"), own]
    speech = {"backchannels": ["uh-huh.", "mm-hmm."]}
    local = plan([*rows, qa("c", voice="am_adam")], speech=speech)
    said = read_jsonl(local / "backchannels.jsonl")
    valid = spoken_by_id(local)["valid_one"]["speaker"]
    speakers = {"af_sky", "am_adam", valid}
    assert {(row["speaker"], row["text"]) for row in said} == {
        (speaker, text) for speaker in speakers for text in speech["backchannels"]
    }
    planned = {clip["id"] for clip in read_jsonl(local / "clips" / "user.jsonl")}
    assert all(row["wav"].split("/")[-1][:-4] in planned for row in said)


def test_texts_that_cannot_be_pronounced_are_listed_before_any_is_spoken(plan, capsys):
    rows = [
        qa("bad", "Say 你好 now."),
        *(qa(f"r{n}", voice="af_sky") for n in range(9)),
    ]
    local = plan(rows)
    assert "1 of 4 clips cannot be spoken" in capsys.readouterr().err
    (failed,) = read_jsonl(local / "clips" / "failed.plan.jsonl")
    assert failed["where"].endswith("line 1, turn 0")
    assert "cannot be pronounced" in read_failures(local / "clips")[failed["id"]]
    planned = [clip["text"] for clip in read_jsonl(local / "clips" / "user.jsonl")]
    assert planned == ["What is tea?"] * 2  # two voices
    bad = spoken_by_id(local)["bad"]["turns"][0]
    assert bad["wav"].endswith(f"{failed['id']}.wav")


def test_a_few_texts_that_cannot_be_pronounced_are_allowed_and_no_more(plan, capsys):
    bad = [qa(f"bad{n}", f"Say 你好 {n}.", voice="af_sky") for n in range(6)]
    plan(bad[:5])
    assert "5 of 7 clips cannot be spoken" in capsys.readouterr().err
    with pytest.raises(ValueError, match="line 1, turn 0: the text 'Say 你好 0.'"):
        plan(bad)


def test_codec_sentences_are_read_as_often_as_they_come(plan, tmp_path):
    texts = tmp_path / "texts"
    train = [("t0", "A drink."), ("t1", "So."), ("t2", "A drink.")]
    for name, rows in (("train", train), ("valid", [("v0", "No.")]), ("test", [])):
        rows = [{"id": id, "text": text} for id, text in rows]
        write_jsonl(texts / f"codec_{name}.jsonl", rows)
    local = plan([qa("a")], "--codec_texts", texts)
    said = {row["id"]: row for row in read_jsonl(local / "codec_sentences.jsonl")}
    assert {id: row["set"] for id, row in said.items()} == {
        "t0": "codec_train",
        "t1": "codec_train",
        "t2": "codec_train",
        "v0": "codec_valid",
    }
    assert len({row["wav"] for row in said.values()}) == 4
    codec = read_jsonl(local / "clips" / "codec.jsonl")
    assert [clip["take"] for clip in codec] == [0, 0, 1, 0]
    # The first reading is the one of the conversations, which is not made twice.
    assert said["t0"]["wav"] == spoken_by_id(local)["a"]["turns"][1]["wav"]


def test_a_corpus_without_codec_sentences_has_an_empty_list_of_them(plan, tmp_path):
    local = plan([qa("a")], "--codec_texts", tmp_path / "texts")
    assert (local / "codec_sentences.jsonl").read_bytes() == b""
    assert (local / "clips" / "codec.jsonl").read_bytes() == b""


def test_a_voice_that_its_engine_has_not_is_refused(plan):
    with pytest.raises(ValueError, match="voice 'af_none' of the engine kokoro"):
        plan([qa("a")], speech={"user": {"train_voices": ["af_none"]}})


def test_the_same_seed_gives_the_same_bytes(plan):
    rows = [qa(f"r{n}", f"What is {n}?") for n in range(5)]
    contents = []
    for _ in range(2):
        local = plan(rows, speech={"user": {"num_blends": 3}})
        paths = sorted(path for path in local.rglob("*.jsonl"))
        contents.append({path.name: path.read_bytes() for path in paths})
    assert contents[0] == contents[1] and len(contents[0]) == 7


def test_lists_of_clips_are_what_synthesise_reads(plan, tmp_path):
    from synthesise import main as synthesise

    tone = {"kind": "tone_engine.ToneEngine", "voices": ["low", "high"]}
    speech = {
        "engines": {"tone": tone},
        "agent": {"engine": "tone", "voice": "low"},
        "user": {"engine": "tone", "train_voices": ["high"], "test_voices": []},
    }
    local = plan([qa("a")], speech=speech)
    for name in ("user", "agent"):
        options = ["--clips", local / "clips" / f"{name}.jsonl"]
        options += ["--out", local / "clips", "--config", tmp_path / "corpus.yaml"]
        synthesise([str(option) for option in options])
    user, agent = spoken_by_id(local)["a"]["turns"]
    assert soundfile.info(user["wav"]).samplerate == 16000
    assert soundfile.info(agent["wav"]).samplerate == 22050
