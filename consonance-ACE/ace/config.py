"""The settings that the published weights were trained with, and ours; README.md says which is which."""

import json
import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    sample_rate: int
    hop_length: int
    bins_per_octave: int
    octaves: int
    lowest_hz: float
    chunk_seconds: float
    overlap_seconds: float
    note_threshold: float
    shortest_span_seconds: float
    silence: float

    @property
    def bins(self):
        return self.bins_per_octave * self.octaves

    @property
    def frame_seconds(self):
        return self.hop_length / self.sample_rate

    @property
    def chunk_samples(self):
        return round(self.chunk_seconds * self.sample_rate)

    @property
    def chunk_frames(self):
        return 1 + self.chunk_samples // self.hop_length

    @property
    def overlap_frames(self):
        return round(self.overlap_seconds / self.frame_seconds)


def load():
    path = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "config.json")
    with open(path, encoding="utf-8") as file:
        return Config(**json.load(file))
