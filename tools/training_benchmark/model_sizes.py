"""Numbers of weights of the duplex model and its parts, from their configurations."""

from dataclasses import dataclass

from training_benchmark.case import CODEBOOK_SIZE, NUM_CODEBOOKS

from espnet2_duplex.vocabulary import SpeechIds

SPEECH_ROWS = NUM_CODEBOOKS * SpeechIds(CODEBOOK_SIZE).size  # of all channels' tables


@dataclass(frozen=True)
class Llm:
    """A Llama: names as in transformers' configuration."""

    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    vocab_size: int
    tie_word_embeddings: bool = True

    def matrix_weights(self) -> int:
        """Weights of all matrix products, the text head included.

        A layer: H^2 (1 + 2 kv / heads + 1) for queries, keys and values, and output,
        and 3 H F for the gated feed-forward; the head: V H.
        """
        heads = 2 + 2 * self.num_key_value_heads / self.num_attention_heads
        layer = self.hidden_size * (
            heads * self.hidden_size + 3 * self.intermediate_size
        )
        return int(self.num_hidden_layers * layer + self.vocab_size * self.hidden_size)

    def other_weights(self) -> int:
        """Norms, H each, two a layer and one behind; V H of an untied embedding."""
        norms = (2 * self.num_hidden_layers + 1) * self.hidden_size
        untied = 0 if self.tie_word_embeddings else self.vocab_size * self.hidden_size
        return norms + untied


@dataclass(frozen=True)
class Conformer:
    """A FastConformer: names as in FastConformerEncoder; the default is the paper's."""

    output_size: int = 512
    num_layers: int = 17
    num_heads: int = 8
    conv_kernel_size: int = 9
    subsampling_channels: int = 256
    num_mel_bins: int = 80

    def bins(self) -> list[int]:
        """Mel bins, and what the three convolutions of stride 2 leave of them."""
        bins = [self.num_mel_bins]
        for _ in range(3):
            bins.append(bins[-1] // 2 + 1)
        return bins

    def weights(self) -> int:
        """All weights.

        A layer: 16 D^2 for two feed-forwards, 5 D^2 for attention, 3 D^2 for the
        convolution's two linear maps, D times its kernel, 32 D for biases and norms. The
        subsampling: 9 c, then twice 9 c + c^2, with biases; c bins_3 D + D behind it.
        """
        width, channels = self.output_size, self.subsampling_channels
        layer = 24 * width**2 + (self.conv_kernel_size + 32) * width
        subsampling = 10 * channels + 2 * (10 * channels + channels**2 + channels)
        return (
            self.num_layers * layer
            + subsampling
            + width * (channels * self.bins()[3] + 1)
        )


@dataclass(frozen=True)
class Model:
    """What is trained."""

    llm: Llm
    encoder: Conformer | None = Conformer()
    adapter_layers: int = 2
    adapter_kernel_size: int = 5

    def adapter_weights(self) -> int:
        """D H of the linear map; a block: 4 H^2 and its kernel, biases and norm."""
        width = self.llm.hidden_size
        input_size = self.encoder.output_size if self.encoder else 0
        block = 4 * width**2 + (self.adapter_kernel_size + 6) * width
        return (input_size + 1) * width + 2 * input_size + self.adapter_layers * block

    def weights(self) -> int:
        """Of the LLM, the speech tables and heads, the adapter and the encoder."""
        speech = 2 * SPEECH_ROWS * self.llm.hidden_size
        llm = self.llm.matrix_weights() + self.llm.other_weights()
        encoder = self.encoder.weights() if self.encoder else 0
        return llm + speech + self.adapter_weights() + encoder

    def matrix_weights(self) -> int:
        """Those that autocast copies: all but norms and embeddings, nearly."""
        speech = SPEECH_ROWS * self.llm.hidden_size
        encoder = self.encoder.weights() if self.encoder else 0
        return self.llm.matrix_weights() + speech + self.adapter_weights() + encoder
