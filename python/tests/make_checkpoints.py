"""Writes small checkpoints in the formats of the published ones: make_checkpoints.py DIR [--full].

Their weights are random, but for the last layers of the small ones: beat_this hears clicks and drums, consonance-ACE C major.
"""

import json
import os
import sys
from fractions import Fraction

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SEED = 20_260

BEATS_TINY = {"transformer_dim": 32, "n_layers": 1, "head_dim": 8, "stem_dim": 8, "ff_mult": 2}
BEATS_FULL = {"transformer_dim": 512, "n_layers": 6, "head_dim": 32, "stem_dim": 32, "ff_mult": 4}

STEMS_TINY = {"channels": 4, "t_layers": 1, "t_heads": 2, "dconv_comp": 2, "bottom_channels": 0}
STEMS_FULL = {"bottom_channels": 512, "dconv_mode": 3}

ACE_TINY = {"conformer_dim": 16, "num_heads": 2, "ffn_dim": 32, "num_layers": 2, "depthwise_conv_kernel_size": 7}
ACE_FULL = {"conformer_dim": 256, "num_heads": 4, "ffn_dim": 1024, "num_layers": 4, "depthwise_conv_kernel_size": 31}


def randomised(network, seed=SEED):
    """Every tensor gets random values, those that training alone moves away from 0 and 1 as well."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in sorted(network.state_dict().items()):
            if not tensor.is_floating_point() or name.endswith(("freqs", ".pe")):
                continue
            noise = torch.randn(tensor.shape, generator=generator)
            if name.endswith("running_var"):
                tensor.copy_(noise.abs() + 0.5)
            elif tensor.ndim <= 1:
                tensor.add_(0.1 * noise)
            else:
                tensor.add_(0.02 * noise)
    return network.eval()


def lightning(state, hyper_parameters):
    """What a training run of PyTorch Lightning leaves."""
    return {
        "epoch": 3,
        "global_step": 100,
        "pytorch-lightning_version": "2.5.1",
        "state_dict": state,
        "loops": {"fit_loop": {"state_dict": {}}},
        "callbacks": {},
        "lr_schedulers": [],
        "hparams_name": "kwargs",
        "hyper_parameters": hyper_parameters,
    }


def lesson(chance, seconds=8):
    """Mono sound at 22,050 Hz with a steady beat under a tone, and the times of the beats. Without `chance`, silence."""
    import numpy

    time = numpy.arange(seconds * 22_050) / 22_050
    if chance is None:
        return numpy.zeros(len(time), "f4"), []
    period, noise = chance.uniform(0.35, 0.75), chance.standard_normal(len(time))
    first = chance.uniform(0, period)
    since = (time - first) % period
    click = numpy.exp(-60 * since) * numpy.sin(2 * numpy.pi * chance.uniform(1000, 3000) * since)
    beat = click if chance.random() < 0.5 else 0.4 * numpy.exp(-30 * since) * noise
    tone = numpy.sin(2 * numpy.pi * 110 * 2 ** chance.uniform(0, 3) * time)
    sound = 0.3 * tone + 0.6 * (time >= first) * beat + 0.01 * chance.random() * noise
    return (sound * 10 ** chance.uniform(-1, 0)).astype("f4"), numpy.arange(first, seconds, period)


def teach_beats(network):
    """Fit the last layer, alone, by least squares: the random ones before it tell enough of a beat. Downbeats are none."""
    import numpy
    import torch
    from beat_this.preprocessing import LogMelSpect

    spectrum, kept = LogMelSpect(), []
    lessons = [lesson(numpy.random.default_rng(seed)) for seed in range(20)] + [lesson(None)]
    spectra = torch.stack([spectrum(torch.from_numpy(sound)) for sound, _ in lessons])
    hook = network.task_heads.register_forward_pre_hook(lambda _, given: kept.append(given[0].double()))
    with torch.no_grad():
        network(spectra)
    hook.remove()
    wanted = torch.full(spectra.shape[:2], -1.0, dtype=torch.double)
    for answers, (_, beats) in zip(wanted, lessons):
        answers[[round(beat * 50) for beat in beats]] = 1
    heard, wanted = kept[0].flatten(0, 1), wanted.flatten()
    heard = torch.cat([heard, torch.ones(len(heard), 1)], dim=1)
    # Beats are few; together they weigh a third of the rest.
    weights = torch.where(wanted > 0, (wanted < 0).sum() / (wanted > 0).sum() / 3, 1.0)[:, None]
    # Kept small (ridge regression), so that it holds for other music than these lessons too.
    small = 10 * torch.eye(heard.shape[1])
    found = 2 * torch.linalg.solve(heard.T @ (weights * heard) + small, heard.T @ (weights * wanted[:, None]))[:, 0]
    layer, unheard = network.task_heads.beat_downbeat_lin, -10
    with torch.no_grad():
        # The head adds the downbeat's answer to the beat's.
        layer.weight.copy_(torch.stack([found[:-1], torch.zeros(len(found) - 1)]))
        layer.bias.copy_(torch.tensor([found[-1] - unheard, unheard]))


def write_beats(path, shape=BEATS_TINY):
    import torch
    from beat_this.model.beat_tracker import BeatThis

    torch.manual_seed(SEED)
    network = randomised(BeatThis(**shape))
    if shape is BEATS_TINY:
        teach_beats(network)
    state = {f"model.{name}": tensor for name, tensor in network.state_dict().items()}
    training = {"fps": 50, "lr": 0.0008, "weight_decay": 0.01, "loss_type": "shift_tolerant_weighted_bce",
                "pos_weights": {"beat": 1, "downbeat": 1}, "warmup_steps": 1000, "eval_trim_beats": 5}  # fmt: skip
    values = {"spect_dim": 128, "dropout": {"frontend": 0.1, "transformer": 0.2}, "sum_head": True,
              "partial_transformers": True, **shape, **training}  # fmt: skip
    checkpoint = lightning(state, values)
    checkpoint["datamodule_hyper_parameters"] = {"batch_size": 8, "train_length": 1500}
    torch.save(checkpoint, path)


def stems_network(shape=STEMS_TINY, segment=Fraction(39, 5)):
    import torch
    from demucs.htdemucs import HTDemucs

    torch.manual_seed(SEED)
    kwargs = {"sources": ["drums", "bass", "other", "vocals"], "audio_channels": 2, "samplerate": 44_100,
              "segment": segment, **shape}  # fmt: skip
    return randomised(HTDemucs(**kwargs)), kwargs


def write_stems(folder, name="htdemucs-tiny", shape=STEMS_TINY, segment=Fraction(39, 5)):
    """Both forms: safetensors, and the older pickle with the network's class in it."""
    import safetensors.torch
    import torch
    from demucs.htdemucs import HTDemucs

    network, kwargs = stems_network(shape, segment)
    state = {key: tensor.half().contiguous() for key, tensor in network.state_dict().items()}
    part = {"_type": "fraction", "numerator": segment.numerator, "denominator": segment.denominator}
    metadata = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": json.dumps({**kwargs, "segment": part})}
    safetensors.torch.save_file(state, os.path.join(folder, f"{name}.safetensors"), metadata)
    package = {"klass": HTDemucs, "args": (), "kwargs": kwargs, "state": state, "training_args": {"seed": 42}}
    torch.save(package, os.path.join(folder, f"{name}.th"))


def teach_chord(network):
    """C major wherever something sounds."""
    import torch

    def answer(layer, *places):
        layer.bias.copy_(torch.tensor([4.0 if place in places else -4.0 for place in range(len(layer.bias))]))

    with torch.no_grad():
        answer(network.output_root, 0)
        answer(network.output_bass, 0)
        answer(network.output_chord, 0, 4, 7)


def write_ace(path, shape=ACE_TINY, teach=lambda network: None, **more):
    import torch

    sys.path.insert(0, os.path.join(ROOT, "consonance-ACE"))
    from ace import model

    torch.manual_seed(SEED)
    values = {**model.DEFAULTS, **shape, **more}
    network = randomised(model.Network(values))
    teach(network)
    state = dict(network.state_dict())
    state["loss.consonance_matrix"] = torch.rand(13, 13)
    training = {"vocabularies": {"root": 13, "bass": 13, "onehot": 12}, "learning_rate": 1e-4, "root_weight": 1.0,
                "dropout": 0.1, "smoothing_alpha": 0.1, "mir_eval_on_validation": False}  # fmt: skip
    torch.save(lightning(state, {**values, **training}), path)


def write_all(folder, full=False):
    os.makedirs(folder, exist_ok=True)
    write_beats(os.path.join(folder, "beat_this-tiny.ckpt"))
    write_stems(folder)
    write_ace(os.path.join(folder, "ace-tiny.ckpt"), teach=teach_chord)
    if full:
        write_beats(os.path.join(folder, "beat_this-full.ckpt"), BEATS_FULL)
        write_stems(folder, "htdemucs-full", STEMS_FULL)
        write_ace(os.path.join(folder, "ace-full.ckpt"), ACE_FULL)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    write_all(sys.argv[1], full="--full" in sys.argv[2:])
