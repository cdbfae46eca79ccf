"""A causal model of transformers that writes texts in batches, each with its seed."""

import random
from collections.abc import Sequence
from pathlib import Path

import torch
from jinja2 import TemplateError
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.cache_utils import DynamicCache

from espnet2_duplex.chat.attention import GROUPED
from espnet2_duplex.chat.backend import Message, Prompt, Unavailable
from espnet2_duplex.chat.choices import choice_probability, longest_of, prefixes_of

TOP_K = 50  # tokens beside which top_p draws nothing


class LocalModel:
    """`Backend` over a folder, or a name on the Hugging Face hub.

    What `complete` returns depends on the prompts given together only through the
    rounding of batched arithmetic; the same prompts give the same texts.

    Args:
        source: folder or hub name.
        name, licence: as they stand in the data; by default those of the source.
        device: "cpu", "cuda"; by default the GPU if there is one. bfloat16 on a GPU,
            float32 on the CPU.
    Raises:
        ValueError: nothing that transformers can load, or a tokenizer without a chat
            template.
    """

    def __init__(
        self,
        source: str | Path,
        *,
        name: str | None = None,
        licence: str | None = None,
        device: str | None = None,
    ) -> None:
        self.name = name or Path(source).name
        self.licence = licence or f"that of {self.name}"
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        dtype = torch.float32 if self._device == "cpu" else torch.bfloat16
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(source)
            model = AutoModelForCausalLM.from_pretrained(
                source, dtype=dtype, attn_implementation=GROUPED
            )
        except (OSError, ValueError) as problem:
            reason = str(problem).splitlines()[0]
            raise ValueError(
                f"{source} is no model that transformers can load ({reason}); give "
                "the folder or hub name of one, or the URL of an endpoint."
            ) from problem
        if self._tokenizer.chat_template is None:
            raise ValueError(
                f"The tokenizer of {source} has no chat template; take an instruction-"
                "tuned model."
            )
        self._model = model.to(self._device).eval()
        self._end_ids = _end_ids(model, self._tokenizer)

    @torch.inference_mode()
    def complete(self, prompts: Sequence[Prompt]) -> list[str]:
        texts: dict[int, str] = {}
        for numbers in alike(prompts):
            written = self._complete_batch([prompts[n] for n in numbers])
            texts.update(zip(numbers, written, strict=True))
        return [texts[n] for n in range(len(prompts))]

    def _complete_batch(self, prompts: Sequence[Prompt]) -> list[str]:
        writers = [_Writer(prompt, self._tokenizer) for prompt in prompts]
        logits, mask, cache = self._read([self._token_ids(p) for p in prompts])
        alive = list(range(len(writers)))  # rows of the batch -> writers
        while True:
            tokens = choose_tokens(logits[:, -1], [writers[n] for n in alive])
            for n, token in zip(alive, tokens):
                writers[n].append(token, self._end_ids)
            kept = [row for row, n in enumerate(alive) if not writers[n].is_done]
            if not kept:
                return [writer.text for writer in writers]
            if len(kept) < len(alive):
                rows = torch.tensor(kept, device=self._device)
                cache.batch_select_indices(rows)
                mask, alive = mask[rows], [alive[row] for row in kept]
            mask = torch.cat([mask, mask.new_ones(len(alive), 1)], dim=1)
            last = torch.tensor([[tokens[row]] for row in kept], device=self._device)
            logits = self._forward(last, mask, cache)

    @torch.inference_mode()
    def choice_probabilities(
        self, prompts: Sequence[Prompt], choices: Sequence[str]
    ) -> list[list[float]]:
        """See `ChoosingBackend`; the choices join the opened texts as they stand."""
        rows, jobs = [], []  # what is read; (prompt, context, what was read after it)
        tails_of = []
        for number, prompt in enumerate(prompts):
            options = [self._token_ids(prompt.continued(text)) for text in choices]
            start = common_prefix_length(options)
            tails_of.append([tuple(option[start:]) for option in options])
            for tail in longest_of(prefixes_of(tails_of[-1])):
                rows.append(options[0][:start] + list(tail))
                jobs.append((number, tail))
        num_logits = 1 + max(len(tail) for _, tail in jobs)
        logits, _, _ = self._read(rows, num_logits)
        log_probs: list[dict] = [{} for _ in prompts]
        for row, (number, tail) in enumerate(jobs):
            for length in range(len(tail) + 1):
                after = logits[row, num_logits - 1 - len(tail) + length]
                log_probs[number][tail[:length]] = after.log_softmax(dim=0)
        return [
            [choice_probability(tail, tails, known) for tail in tails]
            for tails, known in zip(tails_of, log_probs, strict=True)
        ]

    def _token_ids(self, prompt: Prompt) -> list[int]:
        try:
            return self._tokenizer.apply_chat_template(
                prompt.chat(),
                add_generation_prompt=not prompt.is_opened,
                continue_final_message=prompt.is_opened,
                return_dict=False,
            )
        except TemplateError as problem:  # some know no system message
            raise Unavailable(
                f"the chat template of {self.name} does not take the messages "
                f"({problem}); take another model."
            ) from problem

    def _read(self, rows: list[list[int]], num_logits: int = 1) -> tuple:
        """Logits (B, N, V) of the last N tokens, the mask (B, T) and the cache.

        What all prompts begin with is read once; the rest is padded on its left.
        """
        shared = min(common_prefix_length(rows), min(map(len, rows)) - num_logits)
        cache = DynamicCache(config=self._model.config)
        if shared:
            prefix = torch.tensor([rows[0][:shared]], device=self._device)
            self._forward(prefix, torch.ones_like(prefix), cache)
            cache.batch_repeat_interleave(len(rows))
        longest = max(map(len, rows)) - shared
        ids = torch.zeros(len(rows), longest, dtype=torch.long)
        mask = torch.ones(len(rows), shared + longest, dtype=torch.long)
        for row, tokens in enumerate(rows):
            padding = longest - (len(tokens) - shared)
            ids[row, padding:] = torch.tensor(tokens[shared:])
            mask[row, shared : shared + padding] = 0
        mask = mask.to(self._device)
        logits = self._forward(ids.to(self._device), mask, cache, num_logits)
        return logits, mask, cache

    def _forward(self, ids, mask, cache, num_logits: int = 1) -> torch.Tensor:
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        output = self._model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=num_logits,
        )
        return output.logits.float()


def alike(prompts: Sequence[Prompt]) -> list[list[int]]:
    """Indices of prompts with the same system message: what they begin with is shared."""
    groups: dict[Message | None, list[int]] = {}
    for number, prompt in enumerate(prompts):
        first = prompt.messages[0]
        key = first if first.role == "system" else None
        groups.setdefault(key, []).append(number)
    return list(groups.values())


class _Writer:
    """The text of one prompt as it grows."""

    def __init__(self, prompt: Prompt, tokenizer) -> None:
        self.prompt = prompt
        self.rng = random.Random(prompt.seed)
        self.is_done = False
        self.text = ""
        self._tokenizer = tokenizer
        self._ids: list[int] = []

    def append(self, token: int, end_ids: frozenset[int]) -> None:
        self.is_done = token in end_ids
        if not self.is_done:
            self._ids.append(token)
            self.is_done = len(self._ids) == self.prompt.max_tokens
        text = self._tokenizer.decode(self._ids, skip_special_tokens=True).lstrip()
        ends = [text.find(stop) for stop in self.prompt.stop if stop in text]
        self.text = text[: min(ends, default=len(text))].strip()
        self.is_done = self.is_done or bool(ends)


def choose_tokens(logits: torch.Tensor, writers: Sequence[_Writer]) -> list[int]:
    """Draw the next token of each row of `logits` (B, V) by its prompt's sampling."""
    values, ids = logits.topk(min(TOP_K, logits.shape[1]), dim=1)
    chosen = []
    for row, writer in enumerate(writers):
        temperature = writer.prompt.temperature
        column = 0
        if temperature > 0:
            shares = torch.softmax(values[row].double() / temperature, dim=0)
            column = draw(shares.tolist(), writer.prompt.top_p, writer.rng.random())
        chosen.append(int(ids[row, column]))
    return chosen


def draw(shares: Sequence[float], top_p: float, number: float) -> int:
    """Index drawn by `number` in [0, 1) among the likeliest that make up `top_p`.

    `shares` are probabilities in falling order; at least the first one can be drawn.
    """
    sums, total = [], 0.0
    for share in shares:
        total += share
        sums.append(total)
        if total >= top_p:
            break
    below = (n for n, upper in enumerate(sums) if number * total < upper)
    return next(below, len(sums) - 1)


def common_prefix_length(rows: Sequence[Sequence[int]]) -> int:
    """Number of tokens that all rows begin with, less than the shortest row's."""
    shortest = min(map(len, rows)) - 1
    for length in range(shortest):
        if len({row[length] for row in rows}) > 1:
            return length
    return shortest


def _end_ids(model, tokenizer) -> frozenset[int]:
    ends = model.generation_config.eos_token_id
    ends = ends if isinstance(ends, list) else [ends]
    return frozenset(end for end in [*ends, tokenizer.eos_token_id] if end is not None)
