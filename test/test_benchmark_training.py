"""The benchmark of a training step, and the memory that is worked out for one."""

import importlib.util
import sys
from types import SimpleNamespace

import pytest
import torch

LLM = {
    "hidden_size": 64,
    "intermediate_size": 192,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 6000,
}


def load_tool(root, monkeypatch, name):
    monkeypatch.syspath_prepend(root / "tools")
    spec = importlib.util.spec_from_file_location(name, root / f"tools/{name}.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)  # dataclasses look it up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def benchmark(root, monkeypatch):
    module = load_tool(root, monkeypatch, "benchmark_training")
    monkeypatch.setitem(module.LLMS, "tiny", LLM)
    return module


@pytest.fixture
def memory(root, monkeypatch):
    tool = load_tool(root, monkeypatch, "memory_of_training")
    from training_benchmark import memory_parts, model_sizes

    names = {**vars(model_sizes), **vars(memory_parts), "main": tool.main}
    return SimpleNamespace(**names)


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_table_has_one_row_for_each_variant(benchmark, capsys):
    variant = '{"model_conf": {"logits_chunk_frames": 8}}'
    size = ["--batch_size", "3", "--num_frames", "30", "--padding", "0.1"]
    benchmark.main(["tiny", *size, "--num_steps", "1", "--variants", "{}", variant])
    title, _, header, rule, *rows = capsys.readouterr().out.splitlines()
    assert title.startswith("float32 (NeMo float32), cpu, 1 thread(s)")
    assert len(rows) == 2
    assert {len(cells(line)) for line in (header, rule, *rows)} == {8}
    # 2 tables of 4 * 4037 rows, 6000 tokens, 2 layers of 49 k, and little else
    assert cells(rows[0])[:4] == ["tiny", "2.6 M", "3 x 30", "10 %"]
    assert cells(rows[1])[4] == variant
    assert all(float(value) > 0 for value in cells(rows[0])[5:])


def test_lengths_fall_from_the_longest_and_leave_the_padding(benchmark):
    args = benchmark.get_parser().parse_args(["tiny", "--padding", "0.25"])
    lengths = benchmark.build_case(args, "tiny").lengths()
    assert lengths.tolist() == [250, 208, 166, 125]


def test_ratios_are_times_nemos_speed_and_parts_of_its_memory(benchmark):
    ours = benchmark.Measurement(2.0, 100.0, 170.0, 1, 0.0)
    nemo = benchmark.Measurement(3.0, 100.0, 200.0, 1, 0.0)
    assert benchmark.ratio_cells(ours, nemo) == ["1.50", "0.85", "0.70"]


def test_sides_take_turns_and_the_round_of_median_speed_counts(benchmark, monkeypatch):
    seconds = iter([3.0, 10.0, 1.0, 30.0, 2.0, 20.0])
    calls = []

    def measure(python, side, case):
        calls.append(side)
        return benchmark.Measurement(next(seconds), 0.0, 0.0, 1, 0.0)

    monkeypatch.setattr(benchmark, "measure_in_process", measure)
    found = benchmark.measure_rounds([("a", "ours", None), ("b", "nemo", None)], 3)
    assert calls == ["ours", "nemo"] * 3
    assert [one.step_seconds for one in found] == [2.0, 20.0]


@pytest.mark.parametrize(
    "options, message",
    [
        (["2B"], "there is no LLM 2B; choose of 10M, 60M"),
        (["tiny", "--padding", "0.5"], "--padding 0.5 is not in 0 .. 0.5"),
        (["tiny", "--nemo_python", sys.executable], "the step of nemo under .* failed"),
    ],
)
def test_mistakes_are_told_in_a_sentence(benchmark, options, message):
    with pytest.raises(ValueError, match=message):
        benchmark.main(options)


def test_the_paper_s_weights_are_counted_exactly(memory):
    from training_benchmark.case import LLMS

    from espnet2_duplex.backbone import Backbone
    from espnet2_duplex.duplex_lm import DuplexLM
    from espnet2_duplex.perception.adapter import Adapter
    from espnet2_duplex.perception.fastconformer import FastConformerEncoder
    from espnet2_duplex.vocabulary import SpeechIds

    conf = {"model_type": "llama", **LLMS["1.1B"]}
    with torch.device("meta"):
        backbone = Backbone(conf, conf["vocab_size"])
        parts = [
            DuplexLM(backbone, 4, SpeechIds(4032)),
            Adapter(512, 2048, num_layers=2),
            FastConformerEncoder(),
        ]
    found = sum(p.numel() for part in parts for p in part.parameters())
    assert memory.Model(memory.Llm(**LLMS["1.1B"])).weights() == found


def kept_bytes(module, *inputs, is_mixed):
    """What a forward pass keeps for the backward pass, weights left out."""
    weights = {p.untyped_storage().data_ptr() for p in module.parameters()}
    kept, alive = {}, []

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        with torch.autocast("cpu", torch.bfloat16, enabled=is_mixed):
            output = module(*inputs)
    del output
    return sum(kept.values())


@pytest.mark.parametrize("is_mixed", [False, True])
def test_activations_of_the_llm_are_what_autograd_keeps(memory, is_mixed):
    from espnet2_duplex.backbone import Backbone

    batch_size, num_frames = 3, 100
    llm = memory.Llm(**(LLM | {"vocab_size": 10, "num_hidden_layers": 4}))
    conf = {"model_type": "llama", **vars(llm)}
    backbone = Backbone(conf, 10, window_frames=num_frames).train()
    embeds = torch.randn(batch_size, num_frames, 64, requires_grad=True)
    plan = memory.Plan("", batch_size * num_frames, num_frames, is_mixed)
    model = memory.Model(llm, encoder=None)
    expected = memory.llm_bytes(model, plan)
    if is_mixed:
        expected += 2 * llm.matrix_weights()  # autocast's copies
    found = kept_bytes(backbone, embeds, is_mixed=is_mixed)
    assert found == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize("is_mixed", [False, True])
def test_activations_of_the_encoder_are_what_autograd_keeps(memory, is_mixed):
    from espnet2_duplex.perception.fastconformer import FastConformerEncoder

    conformer = memory.Conformer(64, 4, 4, 9, 16, 80)
    sizes = dict(output_size=64, num_layers=4, num_heads=4, subsampling_channels=16)
    encoder = FastConformerEncoder(**sizes).train()
    speech, num_samples = torch.randn(3, 100 * 1280), torch.tensor([100 * 1280] * 3)
    plan = memory.Plan("", 300, 100, is_mixed)
    model = memory.Model(memory.Llm(**LLM), conformer)
    expected = memory.encoder_bytes(model, plan)
    if is_mixed:
        expected += 2 * conformer.weights()
    found = kept_bytes(encoder, speech, num_samples, is_mixed=is_mixed)
    assert found == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize("chunk_frames", [64, 800])
def test_memory_that_is_measured_is_what_is_worked_out(
    benchmark, memory, monkeypatch, chunk_frames
):
    # small tensors that are freed go back to the system, as large ones do
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "65536")
    options = ["tiny", "--num_frames", "200", "--padding", "0", "--num_steps", "1"]
    args = benchmark.get_parser().parse_args(options)
    args.variants = [{"model_conf": {"logits_chunk_frames": chunk_frames}}]
    case = benchmark.dataclasses.replace(
        benchmark.build_case(args, "tiny"), variant=args.variants[0]
    )
    measured = benchmark.measure_in_process(sys.executable, "ours", case)
    found = (measured.peak_mebibytes - measured.built_mebibytes) * 2**20
    model = memory.Model(memory.Llm(**LLM), encoder=None, adapter_layers=0)
    plan = memory.Plan("", 800, 200, False, logits_chunk_frames=chunk_frames)
    expected = memory.peak_bytes(model, plan) - memory.weight_bytes(model, plan)
    assert found == pytest.approx(expected, rel=0.2), (found, expected)


def test_checkpointing_and_chunks_save_what_they_are_for(memory, capsys):
    tables = []
    for chunk_frames in ("256", "12500"):
        memory.main(["--seconds", "1000", "--logits_chunk_frames", chunk_frames])
        _, _, header, _, *rows = capsys.readouterr().out.splitlines()
        names = ["part", "float32", "bf16", "bf16, checkpointing"]
        assert cells(header) == names
        tables.append({cells(r)[0]: [float(v) for v in cells(r)[1:]] for r in rows})
    few, all_frames = tables
    assert few["AdamW"][0] == pytest.approx(8 * 1.31e9 / 2**30, abs=0.1)
    logits = 12500 * 32000 * 6 / 2**30
    assert all_frames["heads"][1] - few["heads"][1] == pytest.approx(logits, rel=0.05)
    assert few["activations: LLM"][2] < 0.2 * few["activations: LLM"][1]
    assert few["peak"] == sorted(few["peak"], reverse=True)
