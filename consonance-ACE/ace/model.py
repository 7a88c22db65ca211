"""The network, with the names and shapes of the published checkpoint: a Conformer with three heads."""

import math

import torch
from torch import nn
from torchaudio.models import Conformer

ROOTS = 13  # Twelve pitch classes, and none
NOTES = 12
POSITIONS = 5000

# What the training code falls back to; a file that leaves a hyper-parameter out means this.
DEFAULTS = {
    "input_dim": 144,
    "conformer_dim": 256,
    "num_heads": 4,
    "ffn_dim": 1024,
    "num_layers": 4,
    "depthwise_conv_kernel_size": 31,
    "use_group_norm": False,
    "convolution_first": True,
    "positional_encoding": False,
}

# Of no use without training: the loss and the running metrics.
UNUSED = ("loss.", "train_accuracy.", "val_accuracy.", "test_accuracy.")


class Positions(nn.Module):
    """The sinusoids of "Attention is all you need", added to the features."""

    def __init__(self, size):
        super().__init__()
        place = torch.arange(POSITIONS, dtype=torch.float32).unsqueeze(1)
        rate = torch.exp(torch.arange(0, size, 2, dtype=torch.float32) * (-math.log(10_000.0) / size))
        waves = torch.stack([torch.sin(place * rate), torch.cos(place * rate)], dim=2)
        self.register_buffer("pe", waves.flatten(1)[:, :size].unsqueeze(0))

    def forward(self, x):
        return x + self.pe[:, : x.shape[1]]


class Network(nn.Module):
    """CQT magnitudes [batch, 1, bins, frames] to logits of root, bass and notes, each [batch, frames, classes]."""

    def __init__(self, values):
        super().__init__()
        size = values["conformer_dim"]
        self.with_positions = values["positional_encoding"]
        self.positional_encodings = Positions(size)
        self.input_projection = nn.Linear(values["input_dim"], size)
        self.conformer = Conformer(
            input_dim=size,
            num_heads=values["num_heads"],
            ffn_dim=values["ffn_dim"],
            num_layers=values["num_layers"],
            depthwise_conv_kernel_size=values["depthwise_conv_kernel_size"],
            use_group_norm=values["use_group_norm"],
            convolution_first=values["convolution_first"],
        )
        self.output_chord = nn.Linear(size, NOTES)
        self.bass_fusion = fusion(size)
        self.output_bass = nn.Linear(size, ROOTS)
        self.root_fusion = fusion(size)
        self.output_root = nn.Linear(size, ROOTS)

    def forward(self, x):
        x = self.input_projection(x.squeeze(1).transpose(1, 2))
        if self.with_positions:
            x = self.positional_encodings(x)
        lengths = torch.full((x.shape[0],), x.shape[1], dtype=torch.long, device=x.device)
        x, _ = self.conformer(x, lengths)
        notes = self.output_chord(x)
        # Bass and root are heard in the light of the notes.
        both = torch.cat([x, notes], dim=-1)
        root, bass = self.output_root(self.root_fusion(both)), self.output_bass(self.bass_fusion(both))
        return {"root": root, "bass": bass, "onehot": notes}


def fusion(size):
    return nn.Sequential(nn.Linear(size + NOTES, size), nn.LayerNorm(size), nn.GELU())


def hyper_parameters(given):
    """Those that shape the network, of those that a checkpoint brings along."""
    return {name: given.get(name, default) for name, default in DEFAULTS.items()}


def used(state):
    """The tensors that the network needs."""
    return {name: tensor for name, tensor in state.items() if not name.startswith(UNUSED)}
