"""The chord network once more, by its description alone: matrices, no layers of PyTorch."""

import math

import numpy


def forward(state, values, x):
    """x: [144, frames]; gives root, bass and notes as [frames, classes], in double precision."""
    weights = {name: numpy.asarray(tensor, dtype=numpy.float64) for name, tensor in state.items()}
    x = linear(weights, "input_projection", x.T.astype(numpy.float64))
    if values["positional_encoding"]:
        x = x + sinusoids(len(x), x.shape[1])
    for number in range(values["num_layers"]):
        x = layer(weights, f"conformer.conformer_layers.{number}", values, x)
    notes = linear(weights, "output_chord", x)
    both = numpy.concatenate([x, notes], axis=1)
    return tuple(linear(weights, f"output_{name}", fused(weights, name, both)) for name in ("root", "bass")) + (notes,)


def layer(weights, name, values, x):
    x = x + 0.5 * feed_forward(weights, f"{name}.ffn1.sequential", x)
    if values["convolution_first"]:
        x = x + convolution(weights, f"{name}.conv_module", values, x)
    x = x + attention(weights, f"{name}.self_attn", values["num_heads"], norm(weights, f"{name}.self_attn_layer_norm", x))
    if not values["convolution_first"]:
        x = x + convolution(weights, f"{name}.conv_module", values, x)
    x = x + 0.5 * feed_forward(weights, f"{name}.ffn2.sequential", x)
    return norm(weights, f"{name}.final_layer_norm", x)


def feed_forward(weights, name, x):
    x = linear(weights, f"{name}.1", norm(weights, f"{name}.0", x))
    return linear(weights, f"{name}.4", x * sigmoid(x))


def attention(weights, name, heads, x):
    frames, size = x.shape
    joint = x @ weights[f"{name}.in_proj_weight"].T + weights[f"{name}.in_proj_bias"]
    query, key, value = (part.reshape(frames, heads, -1).transpose(1, 0, 2) for part in numpy.split(joint, 3, axis=1))
    score = query @ key.transpose(0, 2, 1) / math.sqrt(size // heads)
    score = numpy.exp(score - score.max(axis=-1, keepdims=True))
    mixed = (score / score.sum(axis=-1, keepdims=True)) @ value
    return linear(weights, f"{name}.out_proj", mixed.transpose(1, 0, 2).reshape(frames, size))


def convolution(weights, name, values, x):
    x = norm(weights, f"{name}.layer_norm", x)
    x = x @ weights[f"{name}.sequential.0.weight"][:, :, 0].T + weights[f"{name}.sequential.0.bias"]
    half = x.shape[1] // 2
    x = x[:, :half] * sigmoid(x[:, half:])
    kernel = weights[f"{name}.sequential.2.weight"][:, 0]
    reach = kernel.shape[1] // 2
    padded = numpy.pad(x, ((reach, reach), (0, 0)))
    x = sum(padded[step : step + len(x)] * kernel[:, step] for step in range(kernel.shape[1]))
    x = x + weights[f"{name}.sequential.2.bias"]
    gain, offset = weights[f"{name}.sequential.3.weight"], weights[f"{name}.sequential.3.bias"]
    if values["use_group_norm"]:
        x = (x - x.mean()) / numpy.sqrt(x.var() + 1e-5) * gain + offset
    else:
        mean, spread = weights[f"{name}.sequential.3.running_mean"], weights[f"{name}.sequential.3.running_var"]
        x = (x - mean) / numpy.sqrt(spread + 1e-5) * gain + offset
    x = x * sigmoid(x)
    return x @ weights[f"{name}.sequential.5.weight"][:, :, 0].T + weights[f"{name}.sequential.5.bias"]


def fused(weights, name, x):
    x = norm(weights, f"{name}_fusion.1", linear(weights, f"{name}_fusion.0", x))
    return 0.5 * x * (1 + numpy.vectorize(math.erf)(x / math.sqrt(2)))


def linear(weights, name, x):
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def norm(weights, name, x):
    x = x - x.mean(axis=1, keepdims=True)
    return x / numpy.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-5) * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


def sinusoids(frames, size):
    place = numpy.arange(frames)[:, None] / 10_000 ** (numpy.arange(0, size, 2) / size)[None]
    waves = numpy.zeros((frames, size))
    waves[:, 0::2], waves[:, 1::2] = numpy.sin(place), numpy.cos(place)
    return waves
